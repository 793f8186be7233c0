"""Tables that DataFusion reads by itself: files and memory, bound once for each version."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING

import pyarrow as pa
from datafusion.catalog import Table as BoundTable

from igloo.connectors.contract import HoldsArrow
from igloo.engine.execution.activity import PlannedScan
from igloo.engine.execution.file_scan import bind_file_table
from igloo.errors import IglooError

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from datafusion import SessionContext

    from igloo.connectors.file_scan import FileScan
    from igloo.engine.catalog.resolve import FoundTable
    from igloo.engine.execution.activity import Activity
    from igloo.names import TablePath

#: Bindings of files kept; each is a plan without rows.
BINDINGS_MAX = 256
#: Longer statements are not remembered; a round of planning is nothing beside them.
TEXT_KEPT_MAX = 16_384


class NativeTables:
    """Remembers how tables were bound, so that a repeated query does not list and open files again.

    The key holds the table's version, so that a changed table is bound anew. Thread-safe.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._bound: OrderedDict[Hashable, BoundTable] = OrderedDict()
        #: One version of each table in memory: a binding holds its rows.
        self._held: dict[tuple[int, TablePath], tuple[str | None, BoundTable]] = {}
        self._names: OrderedDict[str, tuple[tuple[str, ...], ...]] = OrderedDict()

    def names_of(self, text: str) -> tuple[tuple[str, ...], ...]:
        """Return the names that a text used when it was last planned; what they mean may change."""
        with self._lock:
            return self._names.get(text, ())

    def remember_names(self, text: str, names: tuple[tuple[str, ...], ...]) -> None:
        """Keep the names that a text uses, to spare a round of planning when it comes again."""
        if len(text) > TEXT_KEPT_MAX:
            return
        with self._lock:
            self._names[text] = names
            self._names.move_to_end(text)
            while len(self._names) > BINDINGS_MAX:
                self._names.popitem(last=False)

    def bind_files(
        self, context: SessionContext, found: FoundTable, scan: FileScan, activity: Activity
    ) -> BoundTable:
        """Return a native scan of the files."""
        files = tuple(file.path for group in scan.groups for file in group.files)
        activity.planned(
            PlannedScan(
                path=found.path,
                columns=tuple(found.table.schema.names),
                files_planned=scan.files_planned,
                files_total=scan.files_total,
                read_path=scan.read_path,
                version=scan.snapshot or found.table.version,
                row_count=found.table.row_count,
                files=files,
            )
        )

        def bind() -> BoundTable:
            try:
                return bind_file_table(context, scan, found.table.schema)
            except IglooError as error:
                error.context.setdefault("catalog", found.path.catalog)
                raise

        if found.table.version is None:
            return bind()
        # The connector stands for its options, which decide what the same files mean.
        key = (id(context), found.connector, found.path, found.table.version, files)
        return self._remember(key, bind)

    def bind_memory(
        self, context: SessionContext, found: FoundTable, activity: Activity
    ) -> BoundTable | None:
        """Return a native scan of a table in memory; None where it is not held there."""
        connector = found.connector
        if not isinstance(connector, HoldsArrow):
            return None
        held = connector.arrow_table(found.table)
        if held is None:
            return None
        # DataFusion counts nothing for memory; a scan of it always goes over all rows.
        activity.received(found.path.catalog, held.num_rows, held.nbytes)
        if found.table.version is None:
            return _memory_table(context, held)
        place = (id(context), found.path)
        with self._lock:
            version, bound = self._held.get(place, (None, None))
        if bound is None or version != found.table.version:
            bound = _memory_table(context, held)
            with self._lock:
                self._held[place] = (found.table.version, bound)
        return bound

    def forget_memory(self, path: TablePath) -> None:
        """Let go of the rows of a table in memory that was dropped."""
        with self._lock:
            for place in [place for place in self._held if place[1] == path]:
                del self._held[place]

    def _remember(self, key: Hashable, bind: Callable[[], BoundTable]) -> BoundTable:
        with self._lock:
            if key in self._bound:
                self._bound.move_to_end(key)
                return self._bound[key]
        table = bind()
        with self._lock:
            self._bound[key] = table
            while len(self._bound) > BINDINGS_MAX:
                self._bound.popitem(last=False)
        return table


def _memory_table(context: SessionContext, held: pa.Table) -> BoundTable:
    batches = held.to_batches() or [pa.RecordBatch.from_pylist([], schema=held.schema)]
    return BoundTable(context.read_batches(batches).into_view())
