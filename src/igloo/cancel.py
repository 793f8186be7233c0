"""Cancellation: one token a query, told to everything that works for it."""

from __future__ import annotations

import contextlib
import os
import threading
from copy import copy
from typing import TYPE_CHECKING

from igloo.errors import IglooError, QueryCancelled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class CancelToken:
    """Tells the parts of one query to stop, once, from any thread.

    A part that blocks in a driver registers a callback that unblocks it; a part that loops calls
    ``raise_if_cancelled`` each turn.
    """

    def __init__(self) -> None:
        # The garbage collector may finalize a result, which cancels, while the lock is held.
        self._lock = threading.RLock()
        self._reason: IglooError | None = None
        self._callbacks: dict[int, Callable[[], None]] = {}
        self._process = os.getpid()
        self._next_key = 0

    @property
    def is_cancelled(self) -> bool:
        """Whether the query has to stop."""
        return self._reason is not None

    @property
    def reason(self) -> IglooError | None:
        """The error that the query ends with, or None while it may go on."""
        return self._reason

    def cancel(self, reason: IglooError | None = None) -> None:
        """Stop the query. The first reason stays; later calls do nothing.

        Args:
            reason: the error to end with; ``QueryCancelled`` when not given.
        """
        with self._lock:
            if self._reason is not None:
                return
            self._reason = reason or QueryCancelled("The query was cancelled.")
            # A forked child must not stop what works for its parent, on sockets that both have.
            callbacks = list(self._callbacks.values()) if self._process == os.getpid() else []
            self._callbacks.clear()
        for callback in callbacks:
            # A source that fails to cancel must not keep the others from being told.
            with contextlib.suppress(Exception):
                callback()

    def raise_if_cancelled(self) -> None:
        """Raise the reason if the query has to stop."""
        if self._reason is not None:
            raise self.failure()

    def failure(self) -> IglooError:
        """Return the reason as an error of its own to raise, once the query is cancelled.

        Raised by several threads, one and the same error would keep all their frames alive, and
        what they read from.
        """
        if self._reason is None:
            raise AssertionError("the query goes on")
        return copy(self._reason)

    @contextlib.contextmanager
    def on_cancel(self, callback: Callable[[], None]) -> Iterator[None]:
        """Call ``callback`` if the query is cancelled while the block runs (at once if it was)."""
        with self._lock:
            key = self._next_key
            self._next_key += 1
            cancelled = self._reason is not None
            if not cancelled:
                self._callbacks[key] = callback
        if cancelled:
            with contextlib.suppress(Exception):
                callback()
        try:
            yield
        finally:
            with self._lock:
                self._callbacks.pop(key, None)
