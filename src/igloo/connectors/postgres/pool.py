"""A bounded number of sessions, lent to one statement each."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from igloo.errors import LimitExceeded, SourceUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from igloo.cancel import CancelToken
    from igloo.connectors.postgres.session import Session

#: An idle session older than this is replaced: firewalls forget connections without a word.
IDLE_LIMIT_S = 300.0


class Pool:
    """Lends sessions, at most ``size`` at once, and waits ``wait_s`` for one. Thread-safe."""

    def __init__(
        self, catalog: str, open_session: Callable[[], Session], *, size: int, wait_s: float
    ) -> None:
        self._catalog = catalog
        self._open_session = open_session
        self._size = size
        self._wait_s = wait_s
        # Re-entrant: a reader may be collected, and give back its session, at any point.
        self._changed = threading.Condition(threading.RLock())
        self._idle: list[Session] = []
        self._count = 0
        self._is_closed = False

    def take(self, cancel: CancelToken) -> Session:
        """Return an idle session, or a new one; wait while all are lent.

        Raises:
            LimitExceeded: none became free in time.
            SourceUnavailable: the catalog was closed.
        """
        session = self._wait_for_place(cancel)
        return session if session is not None else self._open(cancel)

    def give_back(self, session: Session, *, reusable: bool) -> None:
        """Take a session back; close it unless it can serve another statement."""
        session.idle_since = time.monotonic()
        with self._changed:
            keep = reusable and not self._is_closed
            if keep:
                self._idle.append(session)
            else:
                self._count -= 1
            self._changed.notify()
        if not keep:
            session.close()

    def drop_idle(self) -> None:
        """Close the sessions that nobody uses: one of them turned out to be dead."""
        with self._changed:
            dropped, self._idle = self._idle, []
            self._count -= len(dropped)
            self._changed.notify_all()
        for session in dropped:
            session.close()

    def close(self) -> None:
        """Close all idle sessions, and the others as they come back. Safe to call twice."""
        with self._changed:
            self._is_closed = True
        self.drop_idle()

    def _wait_for_place(self, cancel: CancelToken) -> Session | None:
        deadline = time.monotonic() + self._wait_s
        with cancel.on_cancel(self._wake):
            while True:
                cancel.raise_if_cancelled()
                expired: list[Session] = []
                with self._changed:
                    self._check_open()
                    session = self._pop_fresh(expired)
                    is_free = session is not None or self._count < self._size
                    if session is None and is_free:
                        self._count += 1
                    remaining = deadline - time.monotonic()
                    if not is_free and remaining > 0 and not cancel.is_cancelled:
                        self._changed.wait(remaining)
                for old in expired:
                    old.close()
                if is_free:
                    return session
                if remaining <= 0:
                    raise self._exhausted()

    def _pop_fresh(self, expired: list[Session]) -> Session | None:
        while self._idle:
            session = self._idle.pop()
            if time.monotonic() - session.idle_since < IDLE_LIMIT_S:
                session.is_reused = True
                return session
            self._count -= 1
            expired.append(session)
        return None

    def _check_open(self) -> None:
        if self._is_closed:
            raise SourceUnavailable(
                f'Catalog "{self._catalog}" is closed.',
                hint="Open a new connection to Igloo.",
                catalog=self._catalog,
            )

    def _exhausted(self) -> LimitExceeded:
        return LimitExceeded(
            f'All {self._size} connections of catalog "{self._catalog}" were busy for '
            f"{self._wait_s:g} s.",
            hint="Raise the option pool_size or pool_timeout of the catalog.",
            catalog=self._catalog,
        )

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def _open(self, cancel: CancelToken) -> Session:
        """Connect in another thread: the driver cannot be told to stop connecting."""
        opening = _Opening(self._open_session, self._give_up_place)
        with cancel.on_cancel(opening.abandon):
            opening.start()
            return opening.result(cancel)

    def _give_up_place(self) -> None:
        with self._changed:
            self._count -= 1
            self._changed.notify()


class _Opening:
    """One connecting, whose result may come too late to be wanted."""

    def __init__(self, open_session: Callable[[], Session], give_up: Callable[[], None]) -> None:
        self._open_session = open_session
        self._give_up = give_up
        self._lock = threading.Lock()
        self._done = threading.Event()
        self._session: Session | None = None
        self._error: BaseException | None = None
        self._is_abandoned = False

    def start(self) -> None:
        threading.Thread(target=self._run, name="igloo-postgres-connect", daemon=True).start()

    def abandon(self) -> None:
        with self._lock:
            self._is_abandoned = self._session is None
        self._done.set()

    def result(self, cancel: CancelToken) -> Session:
        self._done.wait()
        with self._lock:
            if self._session is not None:
                return self._session
        if self._error is not None:
            raise self._error
        cancel.raise_if_cancelled()
        raise AssertionError("connecting ended without a result")

    def _run(self) -> None:
        session = None
        try:
            session = self._open_session()
        except BaseException as error:  # noqa: BLE001 - raised again in the thread that waits
            self._error = error
        with self._lock:
            is_wanted = session is not None and not self._is_abandoned
            if is_wanted:
                self._session = session
        if not is_wanted:
            self._give_up()
            if session is not None:
                session.close()
        self._done.set()
