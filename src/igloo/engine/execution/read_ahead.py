"""Batches of one split, read by a thread of its own.

DataFusion lets go of a scan at a time of its own, which may be never, and a scan that is left
midway holds a connection of its source. Here the query owns what is being read, and stops it.
"""

from __future__ import annotations

import contextlib
import queue
from typing import TYPE_CHECKING

from igloo.cancel import CancelToken
from igloo.engine.execution.threads import put_unless, start_thread
from igloo.errors import QueryCancelled

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    import pyarrow as pa

    from igloo.errors import IglooError


class ReadAhead:
    """One split on its way: at most one batch waits here while the next is being read."""

    def __init__(
        self, read: Callable[[CancelToken], Generator[pa.RecordBatch]], query: CancelToken
    ) -> None:
        """Read nothing yet.

        Args:
            read: yields the split's batches; stops what it asked of the source when the token,
                which is this split's own, is cancelled.
            query: the token of the whole query.
        """
        self._read = read
        self._query = query
        self._token = CancelToken()
        self._queue: queue.Queue[pa.RecordBatch | BaseException | None] = queue.Queue(1)

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Yield the batches.

        Raises:
            IglooError: what reading ended with.
        """
        start_thread(self, self._run, "igloo-split")
        try:
            while True:
                self._token.raise_if_cancelled()
                item = self._queue.get()
                if item is None:
                    self._token.raise_if_cancelled()
                    return
                if isinstance(item, BaseException):
                    raise item
                yield item
        finally:
            self.stop()

    def stop(self) -> None:
        """Give up rows not read yet and let the source stop. Safe to call twice."""
        self._stop(None)

    def _stop(self, reason: IglooError | None) -> None:
        self._token.cancel(reason or QueryCancelled("The rows are not needed any more."))
        # Whoever waits for a batch is woken; where one lies ready nobody waits.
        with contextlib.suppress(queue.Full):
            self._queue.put_nowait(None)

    def _run(self) -> None:
        def is_over() -> bool:
            return self._token.is_cancelled

        end: BaseException | None = None
        try:
            with (
                self._query.on_cancel(lambda: self._stop(self._query.reason)),
                contextlib.closing(self._read(self._token)) as batches,
            ):
                for batch in batches:
                    if not put_unless(self._queue, batch, is_over):
                        return
        except BaseException as error:  # noqa: BLE001 - a thread's errors belong to its reader
            end = error
        put_unless(self._queue, end, is_over)
