"""The partitions of a plan with foreign scans, read on threads of DataFusion that may wait.

Whoever polls a foreign scan waits for its source. DataFusion has few threads, one a core, and a few
slow sources would stop every query of the process; a source that needs such a thread itself (the
rows of another query) would wait for ever. Its bindings have a second set of threads, for asyncio,
and what is awaited runs there whole. That set is made large, and plans with foreign scans use it.
"""

from __future__ import annotations

import asyncio
import os
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from igloo.engine.execution.threads import start_thread

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import pyarrow as pa
    from datafusion import SessionContext

#: Foreign scans that may wait at once; a thread that only waits costs some 40 kB.
WAITING_THREADS = 64
_WORKER_THREADS = "TOKIO_WORKER_THREADS"
_start_lock = threading.Lock()
_has_started = threading.Event()


@contextmanager
def worker_threads(count: int) -> Iterator[None]:
    """Let a set of threads that DataFusion makes in the block have ``count`` of them.

    It reads an environment variable, once for each set; children of the process must not see it.
    """
    before = os.environ.get(_WORKER_THREADS)
    os.environ[_WORKER_THREADS] = str(count)
    try:
        yield
    finally:
        if before is None:
            del os.environ[_WORKER_THREADS]
        else:
            os.environ[_WORKER_THREADS] = before


def start_waiting_threads(context: SessionContext) -> None:
    """Make the set of threads for plans that wait. Only the first call does something."""
    if _has_started.is_set():
        return
    with _start_lock, worker_threads(WAITING_THREADS):
        if not _has_started.is_set():
            nothing = context.sql("SELECT 1 LIMIT 0").execution_plan()
            asyncio.run(_exhaust(context.execute(nothing, 0)))
            _has_started.set()


async def _exhaust(stream: Any) -> None:
    async for _ in stream:
        pass


class ForeignReader:
    """Hands the batches of every partition on, each with None at its end, or the first error."""

    def __init__(
        self,
        executes: Sequence[Callable[[], Any]],
        give: Callable[[pa.RecordBatch | BaseException | None], bool],
    ) -> None:
        """Read nothing yet.

        Args:
            executes: each starts a partition.
            give: takes each batch, and the ends; False when nobody wants more.
        """
        self._executes = tuple(executes)
        self._give = give
        # Reentrant: a finalizer that runs on this thread may stop it.
        self._lock = threading.RLock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None
        self._is_stopped = False

    def start(self) -> None:
        """Start the thread that awaits the batches."""
        start_thread(self._run, "igloo-rows")

    def stop(self) -> None:
        """Let go of the partitions, and so of the work behind them. Safe to call twice."""
        with self._lock:
            self._is_stopped = True
            if self._loop is not None and self._task is not None:
                self._loop.call_soon_threadsafe(self._task.cancel)

    def _run(self) -> None:
        loop = asyncio.new_event_loop()
        task = loop.create_task(self._read_all())
        with self._lock:
            self._loop, self._task = loop, task
            if self._is_stopped:
                task.cancel()
        try:
            loop.run_until_complete(task)
        except asyncio.CancelledError:
            return
        except BaseException as error:  # noqa: BLE001 - a thread's errors belong to its reader
            self._give(error)
        finally:
            with self._lock:
                self._loop = self._task = None
            loop.close()

    async def _read_all(self) -> None:
        executes, self._executes = self._executes, ()
        async with asyncio.TaskGroup() as group:
            for execute in executes:
                group.create_task(self._read(execute))

    async def _read(self, execute: Callable[[], Any]) -> None:
        try:
            async for batch in execute():
                if not self._give(batch):
                    return
        except Exception as error:  # noqa: BLE001 - a thread's errors belong to its reader
            self._give(error)
            return
        self._give(None)
