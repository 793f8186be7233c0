"""Rows of a physical plan, read ahead by threads so that the caller can always be interrupted.

One thread for each partition of the plan; a bounded queue between them and the reader. On a cancel
the reader returns at once, and the work behind it stops where it next gives way: a nested-loop join
does so between two batches only, which may take minutes.
"""

from __future__ import annotations

import asyncio
import atexit
import queue
import threading
import time
import weakref
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from igloo.engine.execution.failures import translate_failure
from igloo.engine.execution.native_counts import count_native_reads, file_key
from igloo.errors import QueryCancelled, SourceDataError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from datafusion import SessionContext
    from datafusion.plan import ExecutionPlan

    from igloo.cancel import CancelToken
    from igloo.engine.execution.activity import Activity
    from igloo.errors import IglooError

#: Batches read ahead of the reader; bounds what a slow reader makes the engine hold.
READ_AHEAD_BATCHES = 8
_PUT_WAIT_S = 0.1
#: What a plan shows for a scan that Python reads.
_FOREIGN_SCAN = "DatasetExec"
#: A thread that returns into a dead interpreter aborts the process, so exit waits this long for it.
_EXIT_WAIT_S = 2.0
_threads: weakref.WeakSet[threading.Thread] = weakref.WeakSet()
_exiting = threading.Event()


@atexit.register
def _wait_for_threads() -> None:
    _exiting.set()
    deadline = time.monotonic() + _EXIT_WAIT_S
    for thread in list(_threads):
        thread.join(max(0.0, deadline - time.monotonic()))


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
        self._is_foreign = _FOREIGN_SCAN in plan.display_indent()
        self._context = context
        self._plan = plan
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
        self._stops: dict[int, Callable[[], object]] = {}
        self._ended = False
        scans = activity.scans()
        files = {file_key(path): scan.path.catalog for scan in scans for path in scan.files}
        activity.watch_native(lambda: count_native_reads(plan, files))

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        """Yield batches of the schema; rows of several partitions come in any order.

        Raises:
            IglooError: what stopped the query.
        """
        running = self._plan.partition_count
        for partition in range(running):
            thread = threading.Thread(
                target=self._pump, args=(partition,), name="igloo-rows", daemon=True
            )
            _threads.add(thread)
            thread.start()
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

    def close(self) -> None:
        """Stop the threads; rows not read are given up. Safe to call twice."""
        self._stop()
        if not self._ended:
            self._end(
                self._token.reason
                or QueryCancelled("The result was closed before its last row was read.")
            )

    def _token_check(self) -> None:
        if self._token.reason is not None:
            raise self._end(self._token.reason)

    def _end(self, error: IglooError | None) -> IglooError:
        failure = self._activity.failure
        if error is not None and failure is not None:
            error = failure
        self._stop()
        if not self._ended:
            self._ended = True
            self._activity.settle()
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
        with self._lock:
            for stop in self._stops.values():
                stop()

    def _pump(self, partition: int) -> None:
        try:
            if self._is_foreign:
                self._read(partition)
            else:
                self._read_stoppably(partition)
        except asyncio.CancelledError:
            return
        except BaseException as error:  # noqa: BLE001 - a thread's errors belong to its reader
            self._put(error)

    def _read(self, partition: int) -> None:
        """Read with this thread, which may block: a cancel ends the scans, and so the plan.

        Blocking readers would take DataFusion's own threads from other queries.
        """
        for batch in self._context.execute(self._plan, partition):
            if not self._put(conform(batch.to_pyarrow(), self._schema)):
                return
        self._put(None)

    def _read_stoppably(self, partition: int) -> None:
        """Read with DataFusion's threads, so that work can be dropped between two batches."""
        loop = asyncio.new_event_loop()
        task = loop.create_task(self._read_async(partition))
        with self._lock:
            self._stops[partition] = lambda: loop.call_soon_threadsafe(task.cancel)
            if self._closed.is_set():
                task.cancel()
        try:
            loop.run_until_complete(task)
        finally:
            with self._lock:
                del self._stops[partition]
            loop.close()

    async def _read_async(self, partition: int) -> None:
        async for batch in self._context.execute(self._plan, partition):
            if not self._put(conform(batch.to_pyarrow(), self._schema)):
                return
        self._put(None)

    def _put(self, item: Any) -> bool:
        while not (self._closed.is_set() or _exiting.is_set()):
            try:
                self._queue.put(item, timeout=_PUT_WAIT_S)
            except queue.Full:
                continue
            return True
        return False


def _placed(error: IglooError, activity: Activity) -> IglooError:
    """Name the tables of files that a damaged file may belong to; DataFusion names none."""
    tables = sorted({scan.path for scan in activity.scans() if scan.files})
    if not isinstance(error, SourceDataError) or "catalog" in error.context or not tables:
        return error
    shown = ", ".join(f'"{path}"' for path in tables)
    placed = f"{error.message} It was read for {shown}."
    return SourceDataError(placed, hint=error.hint, catalog=tables[0].catalog)


def plain_schema(schema: pa.Schema) -> pa.Schema:
    """Return the schema that users see: string views become strings, binary views binary."""
    return pa.schema([pa.field(f.name, _plain_type(f.type), f.nullable) for f in schema])


def _plain_type(type_: Any) -> Any:
    if pa.types.is_string_view(type_):
        return pa.string()
    if pa.types.is_binary_view(type_):
        return pa.binary()
    if pa.types.is_list(type_):
        return pa.list_(_plain_field(type_.value_field))
    if pa.types.is_large_list(type_):
        return pa.large_list(_plain_field(type_.value_field))
    if pa.types.is_struct(type_):
        return pa.struct([_plain_field(field) for field in type_])
    if pa.types.is_map(type_):
        return pa.map_(_plain_type(type_.key_type), _plain_field(type_.item_field))
    return type_


def _plain_field(field: Any) -> Any:
    return field.with_type(_plain_type(field.type))


def conform(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """Return ``batch`` with exactly ``schema``, which differs in views and metadata only."""
    if batch.schema.equals(schema):
        return batch
    columns = [
        column if column.type == field.type else column.cast(field.type)
        for column, field in zip(batch.columns, schema, strict=True)
    ]
    return pa.RecordBatch.from_arrays(columns, schema=schema)
