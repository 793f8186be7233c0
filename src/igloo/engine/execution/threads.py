"""The threads that a query runs on, and the moment the interpreter gives them to end."""

from __future__ import annotations

import atexit
import os
import queue
import threading
import time
import weakref
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Stoppable(Protocol):
    """Work of a thread that can be asked to end."""

    def stop(self) -> None:
        """Ask for the end. Safe to call twice, from any thread."""
        ...


#: Foreign scans that may wait at once; a thread that only waits costs some 40 kB.
WAITING_THREADS = 64
_WORKER_THREADS = "TOKIO_WORKER_THREADS"
#: A thread that returns into a dead interpreter aborts the process, so exit waits this long for it.
#: DataFusion is left within a second where it gives way.
_EXIT_WAIT_S = 3.0
_PUT_WAIT_S = 0.1
_threads: weakref.WeakSet[threading.Thread] = weakref.WeakSet()
_work: weakref.WeakSet[Stoppable] = weakref.WeakSet()
_lock = threading.Lock()
#: Set when the interpreter shuts down: whoever waits for room in a queue gives up.
exiting = threading.Event()


@contextmanager
def worker_threads(count: int) -> Iterator[None]:
    """Let DataFusion, which makes its threads at first use, make ``count`` of them in the block.

    It reads an environment variable, which wins if the user set it and which children of the
    process must not see.
    """
    if _WORKER_THREADS in os.environ:
        yield
        return
    os.environ[_WORKER_THREADS] = str(count)
    try:
        yield
    finally:
        del os.environ[_WORKER_THREADS]


def start_thread(work: Stoppable, run: Callable[[], None], name: str) -> None:
    """Start a daemon thread for ``work``, which the end of the process stops and waits for."""
    thread = threading.Thread(target=run, name=name, daemon=True)
    with _lock:
        _threads.add(thread)
        _work.add(work)
    thread.start()


def put_unless(full: queue.Queue[Any], item: Any, is_over: Callable[[], bool]) -> bool:
    """Wait for room in a queue until nobody wants its items any more; return whether it was put."""
    while not (is_over() or exiting.is_set()):
        try:
            full.put(item, timeout=_PUT_WAIT_S)
        except queue.Full:
            continue
        return True
    return False


@atexit.register
def _end_threads() -> None:
    exiting.set()
    with _lock:
        work, threads = list(_work), list(_threads)
    for each in work:
        each.stop()
    deadline = time.monotonic() + _EXIT_WAIT_S
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))


if hasattr(os, "register_at_fork"):
    # A child has none of its parent's threads, and must not stop what works for the parent.
    os.register_at_fork(after_in_child=_threads.clear)
    os.register_at_fork(after_in_child=_work.clear)
