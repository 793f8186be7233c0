"""One run of a statement: its id, its state, its clock, and how it ended."""

from __future__ import annotations

import datetime as dt
import secrets
import threading
import time
from collections import deque
from enum import StrEnum
from typing import TYPE_CHECKING

from igloo.cancel import CancelToken
from igloo.engine.execution.activity import Activity
from igloo.errors import QueryCancelled, QueryTimeout
from igloo.result import QueryStats

if TYPE_CHECKING:
    from igloo.errors import IglooError


class QueryState(StrEnum):
    """Where a query stands. It only moves down this list."""

    PLANNING = "planning"
    READY = "ready"
    RUNNING = "running"
    FINISHED = "finished"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_final(self) -> bool:
        """Whether nothing comes after it."""
        return self in {QueryState.FINISHED, QueryState.FAILED, QueryState.CANCELLED}


class Query:
    """One statement from submission to its last row. Thread-safe."""

    def __init__(self, sql: str, *, timeout_s: float | None) -> None:
        self.id = secrets.token_hex(8)
        self.sql = sql
        self.started_at = dt.datetime.now(dt.UTC)
        self.token = CancelToken()
        self.activity = Activity(self.token)
        self.warnings: tuple[str, ...] = ()
        self.partitions = 1
        self.state = QueryState.PLANNING
        #: Code and text of what it failed with: an error itself keeps the rows of its frames.
        self.error: tuple[str, str] | None = None
        # A finalizer may cancel another query, or this one, while the lock is held.
        self._lock = threading.RLock()
        self._start = time.perf_counter()
        self._elapsed_s: float | None = None
        self._timeout_s = timeout_s
        self._timer: threading.Timer | None = None

    def start_clock(self) -> None:
        """Let the timeout run, counted from submission."""
        if self._timeout_s is None:
            return
        left_s = max(0.0, self._timeout_s - (time.perf_counter() - self._start))
        self._timer = threading.Timer(left_s, self._time_out)
        self._timer.daemon = True
        self._timer.start()

    def _time_out(self) -> None:
        self.token.cancel(
            QueryTimeout(
                f"The query ran longer than igloo.timeout allows ({self._timeout_s:g} s).",
                hint="Raise it with SET igloo.timeout = '10m', or read less.",
                limit="igloo.timeout",
                query_id=self.id,
            )
        )

    def move(self, state: QueryState) -> None:
        """Enter the next state; a final state stays."""
        with self._lock:
            if not self.state.is_final:
                self.state = state

    def end(self, error: IglooError | None) -> None:
        """Stop the clock and note the outcome; only the first call counts."""
        with self._lock:
            if self.state.is_final:
                return
            self.error = (error.code, str(error)) if error is not None else None
            self._elapsed_s = time.perf_counter() - self._start
            if error is None:
                self.state = QueryState.FINISHED
            elif isinstance(error, QueryCancelled):
                self.state = QueryState.CANCELLED
            else:
                self.state = QueryState.FAILED
                error.context.setdefault("query_id", self.id)
        self.activity.forget_failure()
        if self._timer is not None:
            self._timer.cancel()

    def cancel(self) -> None:
        """Stop the query; a query that has ended stays as it is."""
        if self.state.is_final:
            return
        self.token.cancel(QueryCancelled("The query was cancelled.", query_id=self.id))
        if self.state is not QueryState.RUNNING:
            self.end(self.token.reason)

    @property
    def elapsed_s(self) -> float:
        """Seconds from submission to the end, or until now."""
        return time.perf_counter() - self._start if self._elapsed_s is None else self._elapsed_s

    def stats(self) -> QueryStats:
        """Return the facts as they stand."""
        return QueryStats(
            query_id=self.id,
            elapsed_ms=round(self.elapsed_s * 1000, 3),
            rows=self.activity.rows_returned,
            as_of=self.activity.versions(),
            sources=self.activity.sources(),
            tasks=self.partitions,
            warnings=self.warnings,
        )

    def row(self) -> dict[str, object]:
        """Return the row of ``system.queries``."""
        return {
            "query_id": self.id,
            "state": self.state.value,
            "sql": self.sql,
            "started_at": self.started_at,
            "elapsed_ms": round(self.elapsed_s * 1000, 3),
            "rows": self.activity.rows_returned,
            "sources": sorted(self.activity.sources()),
            "execution": "embedded",
            "cache": "bypass",
            "error_code": self.error[0] if self.error else None,
            "error": self.error[1] if self.error else None,
        }


class QueryHistory:
    """The last queries of an engine, running ones included. Thread-safe."""

    def __init__(self, queries_max: int) -> None:
        self._ended: deque[Query] = deque(maxlen=max(1, queries_max))
        self._open: dict[str, Query] = {}
        self._lock = threading.RLock()

    def add(self, query: Query) -> None:
        """Note a query. One that has not ended is never forgotten."""
        with self._lock:
            for other in [other for other in self._open.values() if other.state.is_final]:
                self._ended.append(self._open.pop(other.id))
            self._open[query.id] = query

    def rows(self) -> list[dict[str, object]]:
        """Return the rows of ``system.queries``, oldest first."""
        with self._lock:
            queries = [*self._ended, *self._open.values()]
        return [query.row() for query in sorted(queries, key=lambda query: query.started_at)]

    def cancel_all(self) -> None:
        """Stop whatever still runs."""
        with self._lock:
            running = list(self._open.values())
        for query in running:
            query.cancel()
