"""What one query asked of its sources, and what came back: counted where it happens."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from igloo.result import SourceStats

if TYPE_CHECKING:
    from collections.abc import Callable

    from igloo.cancel import CancelToken
    from igloo.connectors.predicates import Predicate
    from igloo.errors import IglooError
    from igloo.names import TablePath


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedScan:
    """One scan as it was planned, for EXPLAIN.

    Attributes:
        path: the table.
        columns: the columns that it returns.
        sql: the statements for the source.
        residual: the part of the filter that Igloo applies.
        offered: the whole filter that was offered.
        files_planned: files to open; None if the source has none.
        files_total: files before pruning.
        read_path: ``native``, ``mapped``, ``deletes`` or ``slow`` for files, else empty.
        version: the version of the table that is read.
        row_count: rows of the table, if its source knows.
        files: paths that DataFusion reads natively.
        pushdown_enabled: whether the source was offered anything but columns.
    """

    path: TablePath
    columns: tuple[str, ...]
    sql: tuple[str, ...] = ()
    residual: Predicate | None = None
    offered: Predicate | None = None
    files_planned: int | None = None
    files_total: int | None = None
    read_path: str = ""
    version: str | None = None
    row_count: float | None = None
    files: tuple[str, ...] = ()
    pushdown_enabled: bool = True


class Activity:
    """Counts of one query by catalog, and the first error of a source. Thread-safe."""

    def __init__(self, token: CancelToken) -> None:
        self.token = token
        self._lock = threading.RLock()
        self._sources: dict[str, SourceStats] = {}
        self._scans: list[PlannedScan] = []
        self._failure: IglooError | None = None
        self._versions: dict[str, str] = {}
        self._rows_returned = 0
        self._native: Callable[[], dict[str, tuple[int, int]]] | None = None
        self._stops: list[Callable[[], None]] = []
        self._has_stopped = False
        #: Whether sources are asked for estimates that only a reader of the plan wants.
        self.wants_estimates = False

    def watch_native(self, counts: Callable[[], dict[str, tuple[int, int]]]) -> None:
        """Ask ``counts`` for the rows and bytes of native scans, by catalog, until ``settle``."""
        self._native = counts

    def reading(self, stop: Callable[[], None]) -> None:
        """Note how to stop a split that is about to be read."""
        with self._lock:
            self._stops.append(stop)
            is_late = self._has_stopped
        if is_late:
            stop()

    def stop_reads(self) -> None:
        """Stop every split, and those that would still be opened. Safe to call twice.

        DataFusion lets go of a scan that was left midway at some later time, which may be never.
        """
        with self._lock:
            self._has_stopped = True
            stops, self._stops = self._stops, []
        for stop in stops:
            stop()

    def settle(self) -> None:
        """Take the last counts of native scans and let go of the plan behind them."""
        counts, self._native = self._native, None
        if counts is not None:
            for catalog, (rows, size_bytes) in counts().items():
                self.received(catalog, rows, size_bytes)

    def returned(self, rows: int) -> None:
        """Count rows handed to the reader of the result."""
        with self._lock:
            self._rows_returned += rows

    @property
    def rows_returned(self) -> int:
        """Rows handed to the reader so far."""
        return self._rows_returned

    def read(self, path: TablePath, version: str | None) -> None:
        """Note which version of a table the query sees."""
        if version is not None:
            with self._lock:
                self._versions[str(path)] = version

    def versions(self) -> dict[str, str]:
        """Return the versions noted, by ``catalog.schema.table``."""
        with self._lock:
            return dict(self._versions)

    def planned(self, scan: PlannedScan) -> None:
        """Note a scan that was planned."""
        with self._lock:
            self._scans.append(scan)
            known = self._sources.get(scan.path.catalog, SourceStats())
            self._sources[scan.path.catalog] = replace(
                known,
                sql=known.sql + scan.sql,
                files_planned=_add(known.files_planned, scan.files_planned),
                files_total=_add(known.files_total, scan.files_total),
            )

    def received(self, catalog: str, rows: int, size_bytes: int) -> None:
        """Count rows that a source sent."""
        with self._lock:
            known = self._sources.get(catalog, SourceStats())
            self._sources[catalog] = replace(
                known, rows=known.rows + rows, bytes=known.bytes + size_bytes
            )

    def failed(self, error: IglooError) -> None:
        """Note why a source failed; the engine's own report of it loses the class."""
        with self._lock:
            if self._failure is None:
                self._failure = error

    @property
    def failure(self) -> IglooError | None:
        """The first error of a source, or None."""
        return self._failure

    def forget_failure(self) -> None:
        """Let go of the error, whose frames hold what was being read."""
        with self._lock:
            self._failure = None

    def sources(self) -> dict[str, SourceStats]:
        """Return the counts so far, by catalog."""
        native = self._native
        live = native() if native is not None else {}
        with self._lock:
            sources = dict(self._sources)
        for catalog, (rows, size_bytes) in live.items():
            known = sources.get(catalog, SourceStats())
            sources[catalog] = replace(
                known, rows=known.rows + rows, bytes=known.bytes + size_bytes
            )
        return sources

    def scans(self) -> tuple[PlannedScan, ...]:
        """Return the scans planned so far."""
        with self._lock:
            return tuple(self._scans)


def _add(a: int | None, b: int | None) -> int | None:
    return None if a is None and b is None else (a or 0) + (b or 0)
