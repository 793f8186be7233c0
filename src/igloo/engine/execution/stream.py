"""Rows of a physical plan, read ahead by threads so that the caller can always be interrupted.

One thread for each partition of the plan; a bounded queue between them and the reader. On a cancel
the reader returns at once, and the work behind it stops where it next gives way: a nested-loop join
does so between two batches only, which may take minutes.
"""

from __future__ import annotations

import queue
import threading
from functools import partial
from typing import TYPE_CHECKING, Any

from igloo.engine.execution.conform import conform
from igloo.engine.execution.failures import translate_failure
from igloo.engine.execution.native_counts import count_native_reads, file_key
from igloo.engine.execution.partition_reader import PartitionReader
from igloo.engine.execution.threads import put_unless
from igloo.errors import QueryCancelled, SourceDataError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import pyarrow as pa
    from datafusion import SessionContext
    from datafusion.plan import ExecutionPlan

    from igloo.cancel import CancelToken
    from igloo.engine.execution.activity import Activity
    from igloo.errors import IglooError

#: Batches read ahead of the reader; bounds what a slow reader makes the engine hold.
READ_AHEAD_BATCHES = 4


class PlanStream:
    """The rows of one physical plan. Closing it stops the threads and the sources."""

    def __init__(  # noqa: PLR0913 - what a run consists of
        self,
        context: SessionContext,
        plan: ExecutionPlan,
        schema: pa.Schema,
        activity: Activity,
        on_end: Callable[[IglooError | None], None] = lambda _error: None,
        *,
        is_result: bool = True,
    ) -> None:
        self._is_result = is_result
        self._context = context
        #: None when it has ended: work that was given up goes on until its plan is gone.
        self._plan: ExecutionPlan | None = plan
        self._schema = schema
        self._activity = activity
        self._token: CancelToken = activity.token
        self._on_end = on_end
        self._queue: queue.Queue[pa.RecordBatch | BaseException | None] = queue.Queue(
            READ_AHEAD_BATCHES
        )
        self._closed = threading.Event()
        # Reentrant: a result that is collected as garbage is closed on whatever thread that runs.
        self._lock = threading.RLock()
        self._readers: Sequence[PartitionReader] = ()
        self._ended = False
        scans = activity.scans()
        files = {file_key(path): scan.path.catalog for scan in scans for path in scan.files}
        activity.watch_native(lambda: count_native_reads(plan, files))

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        """Yield batches of the schema; rows of several partitions come in any order.

        Raises:
            IglooError: what stopped the query.
        """
        running = self._start()
        try:
            with self._token.on_cancel(self._wake):
                while running:
                    item = self._queue.get()
                    self._token_check()
                    if isinstance(item, BaseException):
                        raise self._end(_placed(translate_failure(item), self._activity))
                    if item is None:
                        running -= 1
                    else:
                        if self._is_result:
                            self._activity.returned(item.num_rows)
                        yield item
            self._end(None)
        finally:
            # Ctrl-C comes up here, and whoever consumes a command's rows does not close it.
            self.close()

    def close(self) -> None:
        """Stop the threads; rows not read are given up. Safe to call twice."""
        self._stop()
        if not self._ended:
            self._end(
                self._token.reason
                or QueryCancelled("The result was closed before its last row was read.")
            )

    def _start(self) -> int:
        """Start a thread for each partition, and return how many."""
        context = self._context
        with self._lock:
            plan = self._plan
            if plan is None or self._closed.is_set():
                return 0
            # The plan is bound to each call, and goes with it.
            executes = [partial(context.execute, plan, p) for p in range(plan.partition_count)]
            self._readers = [PartitionReader(execute, self._give) for execute in executes]
            for reader in self._readers:
                reader.start()
            return len(executes)

    def _token_check(self) -> None:
        if self._token.is_cancelled:
            raise self._end(self._token.failure())

    def _end(self, error: IglooError | None) -> IglooError:
        failure = self._activity.failure
        if error is not None and failure is not None:
            error = failure
        self._stop()
        if not self._ended:
            self._ended = True
            self._activity.settle()
            self._plan = None
            self._on_end(error)
        return error  # type: ignore[return-value] # None only where nothing is raised

    def _wake(self) -> None:
        """Let a reader that waits for a batch see that the query was cancelled."""
        self._stop()
        try:
            self._queue.put_nowait(None)
        except queue.Full:
            return

    def _stop(self) -> None:
        self._closed.set()
        self._activity.stop_reads()
        with self._lock:
            for reader in self._readers:
                reader.stop()

    def _give(self, item: Any) -> bool:
        if item is not None and not isinstance(item, BaseException):
            item = conform(item.to_pyarrow(), self._schema)
        return put_unless(self._queue, item, self._closed.is_set)


def _placed(error: IglooError, activity: Activity) -> IglooError:
    """Name the tables of files that a damaged file may belong to; DataFusion names none."""
    tables = sorted({scan.path for scan in activity.scans() if scan.files})
    if not isinstance(error, SourceDataError) or "catalog" in error.context or not tables:
        return error
    shown = ", ".join(f'"{path}"' for path in tables)
    placed = f"{error.message} It was read for {shown}."
    return SourceDataError(placed, hint=error.hint, catalog=tables[0].catalog)
