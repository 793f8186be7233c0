"""Threads that run a query's native code, and the moment the interpreter gives them to end."""

from __future__ import annotations

import atexit
import threading
import time
import weakref
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

#: A thread that returns into a dead interpreter aborts the process, so exit waits this long for it.
_EXIT_WAIT_S = 2.0
_threads: weakref.WeakSet[threading.Thread] = weakref.WeakSet()
#: Set when the interpreter shuts down: whoever waits for room in a queue gives up.
exiting = threading.Event()


@atexit.register
def _wait_for_threads() -> None:
    exiting.set()
    deadline = time.monotonic() + _EXIT_WAIT_S
    for thread in list(_threads):
        thread.join(max(0.0, deadline - time.monotonic()))


def start_thread(run: Callable[[], None], name: str) -> threading.Thread:
    """Start a daemon thread that the end of the process waits for, within reason."""
    thread = threading.Thread(target=run, name=name, daemon=True)
    _threads.add(thread)
    thread.start()
    return thread
