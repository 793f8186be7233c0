"""Connections to one SQLite file: opened for one piece of work, stopped when a query is."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from igloo.cancel import CancelToken
from igloo.connectors.sqlite.errors import DRIVER_ERRORS, is_locked, source_error

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

#: How long a statement waits for the lock of another program.
LOCK_WAIT_S = 10.0
#: SQLite's own wait cannot be cancelled, so it is short and repeated.
_LOCK_STEP_S = 0.1
#: Steps of SQLite's machine between two looks at the token: well below a millisecond.
_STEPS_PER_LOOK = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Where a database is, and whose it is.

    Attributes:
        catalog: the catalog's name.
        path: the file.
        is_writable: whether it may be made and changed.
    """

    catalog: str
    path: Path
    is_writable: bool = False


@contextlib.contextmanager
def opened(
    site: Site,
    cancel: CancelToken | None = None,
    *,
    what: str,
    is_users: bool = False,
    is_read_only: bool = False,
) -> Iterator[Session]:
    """Open the database for one piece of work; whatever SQLite raises in it is Igloo's error.

    Args:
        site: the database.
        cancel: stops the work; None for work that ends by itself.
        what: what is worked on, for messages.
        is_users: whether the user wrote the statement.
        is_read_only: whether nothing may be written even where the catalog allows it.

    Raises:
        IglooError: opening or the work failed, or the reason of ``cancel``.
    """
    token = cancel or CancelToken()
    token.raise_if_cancelled()
    mode = "rwc" if site.is_writable and not is_read_only else "ro"
    try:
        connection = sqlite3.connect(
            f"{site.path.absolute().as_uri()}?mode={mode}",
            timeout=_LOCK_STEP_S,
            isolation_level=None,
            # A reader may be drained on one thread and dropped on another.
            check_same_thread=False,
            uri=True,
        )
        with contextlib.closing(connection), token.on_cancel(connection.interrupt):
            # An interrupt that comes between two statements is lost; this look is not.
            connection.set_progress_handler(lambda: token.is_cancelled, _STEPS_PER_LOOK)
            yield Session(connection, token)
    except DRIVER_ERRORS as error:
        token.raise_if_cancelled()
        raise source_error(error, site, what=what, is_users=is_users) from error


class Session:
    """One open connection."""

    def __init__(self, connection: sqlite3.Connection, token: CancelToken) -> None:
        self.connection = connection
        self._token = token

    def execute(self, sql: str, parameters: Sequence[object] = ()) -> sqlite3.Cursor:
        """Start a statement; wait for locks of other programs."""
        deadline = time.monotonic() + LOCK_WAIT_S
        while True:
            self._token.raise_if_cancelled()
            try:
                return self.connection.execute(sql, parameters)
            except sqlite3.OperationalError as error:
                if not is_locked(error) or time.monotonic() > deadline:
                    raise

    @contextlib.contextmanager
    def transaction(self, kind: str) -> Iterator[None]:
        """Run a block as one transaction: all of it, or nothing."""
        self.execute(f"BEGIN {kind}")
        try:
            yield
            self.execute("COMMIT")
        except BaseException:
            if self.connection.in_transaction:
                self.connection.execute("ROLLBACK")
            raise
