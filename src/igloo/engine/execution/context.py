"""DataFusion sessions: made once for each set of limits, then shared.

A session keeps footers and file statistics between statements, so it lives long. It holds no state
of a user: names are resolved through the catalog list that is handed in, per statement.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
import weakref
from dataclasses import dataclass
from typing import TYPE_CHECKING

from igloo.config.machine import processor_count
from igloo.engine.execution.threads import WAITING_THREADS, worker_threads
from igloo.errors import InternalError, NotSupported

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from datafusion import SessionContext, TableFunction
    from datafusion.catalog import CatalogProviderList

#: Stack of DataFusion's own threads. With the usual 2 MiB a filter of 2,700 ANDs ends the process;
#: with this, those threads stand more than a main thread does. Only what is used is taken.
COMPUTE_STACK_BYTES = 16 * 2**20
#: Plan bytes and ``file_row_index()`` were measured on this version and may differ on others.
DATAFUSION_VERSION = "55.0."
#: Nesting that the parser survives on a thread's ordinary stack, measured to 240 brackets.
RECURSION_LIMIT = 256
#: What an unqualified name means is the session's to say; this stands in for it in a plan.
CURRENT_CATALOG = "__session__"
CURRENT_SCHEMA = "__current__"


@dataclass(frozen=True, slots=True, kw_only=True)
class ContextSettings:
    """What a DataFusion session is made with.

    Attributes:
        memory_limit_bytes: memory of all queries of the session together; more is spilled.
        spill_bytes: disk that spilled data may take.
        target_partitions: parallel pieces of a query.
        batch_rows: rows of a batch.
        timezone: zone of ``now()`` and of timestamps without one.
    """

    memory_limit_bytes: int
    spill_bytes: int
    target_partitions: int
    batch_rows: int
    timezone: str


_started = False
_forked = False


def _note_fork() -> None:
    global _forked  # noqa: PLW0603 - a fact of the process
    _forked = _started


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_note_fork)


class Contexts:
    """The sessions of one engine, by their settings. Thread-safe."""

    def __init__(
        self,
        catalogs: CatalogProviderList,
        functions: Sequence[TableFunction] = (),
        *,
        may_wait: Callable[[], bool] = lambda: True,
    ) -> None:
        """Make no session yet.

        Args:
            catalogs: where names are looked up.
            functions: table functions of every session.
            may_wait: whether sources may let queries wait; asked once, before DataFusion starts.
        """
        self._may_wait = may_wait
        self._catalogs = catalogs
        self._functions = functions
        self._lock = threading.Lock()
        self._contexts: dict[ContextSettings, SessionContext] = {}
        # DataFusion leaves its folders behind when a process ends early; this one is removed.
        self._spill_folder = tempfile.mkdtemp(prefix="igloo-spill-")
        self._remove_spill = weakref.finalize(
            self, shutil.rmtree, self._spill_folder, ignore_errors=True
        )

    def get(self, settings: ContextSettings) -> SessionContext:
        """Return the session for ``settings``, making it at first use."""
        if _forked:
            raise NotSupported(
                "This process was forked from one in which Igloo was running, whose threads it lacks.",
                hint='Start it with multiprocessing\'s "spawn", or connect only after the fork.',
            )
        with self._lock:
            context = self._contexts.get(settings)
            if context is None:
                threads = WAITING_THREADS if self._may_wait() else processor_count()
                # DataFusion makes its threads when it is first used in a process.
                with worker_threads(threads):
                    context = _make_context(
                        settings, self._catalogs, self._functions, self._spill_folder
                    )
                self._contexts[settings] = context
            return context

    def close(self) -> None:
        """Forget the sessions and remove what they spilled. Safe to call twice."""
        with self._lock:
            self._contexts.clear()
            self._remove_spill()


def _make_context(
    settings: ContextSettings,
    catalogs: CatalogProviderList,
    functions: Sequence[TableFunction],
    spill_folder: str,
) -> SessionContext:
    global _started  # noqa: PLW0603 - a fact of the process
    _started = True
    os.environ.setdefault("RUST_MIN_STACK", str(COMPUTE_STACK_BYTES))
    import datafusion
    from datafusion import RuntimeEnvBuilder, SessionConfig, SessionContext

    if not datafusion.__version__.startswith(DATAFUSION_VERSION):
        raise InternalError(
            f"Igloo needs datafusion {DATAFUSION_VERSION}*, found {datafusion.__version__}.",
            hint="Reinstall Igloo in a clean environment.",
        )
    config = (
        SessionConfig(
            {
                "datafusion.execution.time_zone": settings.timezone,
                "datafusion.sql_parser.recursion_limit": str(RECURSION_LIMIT),
                # What joins, sorts and aggregates learn while they run is pushed down by the names
                # of columns; where two share one, rows are lost (apache/datafusion #25259). TPC-H
                # takes no longer without it.
                "datafusion.optimizer.enable_dynamic_filter_pushdown": "false",
                # Sorts of parts are merged by what is taken for constant in each part: where the
                # parts are branches of a UNION, each with a constant of its own, rows are lost.
                "datafusion.optimizer.repartition_sorts": "false",
            }
        )
        .with_create_default_catalog_and_schema(enabled=False)
        .with_default_catalog_and_schema(CURRENT_CATALOG, CURRENT_SCHEMA)
        .with_target_partitions(settings.target_partitions)
        .with_batch_size(settings.batch_rows)
    )
    runtime = (
        RuntimeEnvBuilder()
        .with_disk_manager_specified(spill_folder)
        .with_fair_spill_pool(settings.memory_limit_bytes)
    )
    # DataFusion takes this limit in whole units only; rounding up keeps 1 byte from meaning none.
    spill_kib = -(-settings.spill_bytes // 1024)
    context = SessionContext(config, runtime)
    context.sql(f"SET datafusion.runtime.max_temp_directory_size = '{spill_kib}K'")
    context.register_catalog_provider_list(catalogs)
    for function in functions:
        context.register_udtf(function)
    return context
