"""A session on loan to one statement, cancelled and given back exactly once."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING, Any

from igloo.connectors.postgres.errors import DRIVER_ERRORS, is_connection_loss, statement_error

if TYPE_CHECKING:
    from collections.abc import Callable

    from igloo.cancel import CancelToken
    from igloo.connectors.postgres.errors import Site
    from igloo.connectors.postgres.pool import Pool
    from igloo.connectors.postgres.session import Session
    from igloo.errors import IglooError

#: A cancel that overtakes its statement does nothing, so it is repeated.
_CANCEL_PAUSES_S = (0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4)


class Lease:
    """One session on loan. ``cancel`` may come from any thread."""

    def __init__(self, pool: Pool, session: Session, cancel: CancelToken) -> None:
        self._pool = pool
        self._session: Session | None = session
        self._lock = threading.RLock()
        self._finished = threading.Event()
        self._is_cancelled = False
        self._registration = contextlib.ExitStack()
        self._registration.enter_context(cancel.on_cancel(self.cancel))

    def cancel(self) -> None:
        """Stop the statement, without waiting for the server."""
        self._is_cancelled = True
        threading.Thread(target=self._cancel, name="igloo-postgres-cancel", daemon=True).start()

    def finish(self, *, reusable: bool) -> None:
        """Give the session back. Safe to call twice."""
        with self._lock:
            session, self._session = self._session, None
        if session is None:
            return
        self._finished.set()
        self._registration.close()
        # A late cancel could hit the next statement: a cancelled session is not used again.
        is_clean = reusable and not self._is_cancelled
        if is_clean:
            session.finish_statement()
        self._pool.give_back(session, reusable=is_clean)

    def _cancel(self) -> None:
        for pause_s in _CANCEL_PAUSES_S:
            with self._lock:
                if self._session is None:
                    return
                self._session.cancel()
            if self._finished.wait(pause_s):
                return


def borrow(
    pool: Pool,
    cancel: CancelToken,
    use: Callable[[Session], Any],
    wrap: Callable[[BaseException], IglooError],
) -> tuple[Lease, Any]:
    """Lend a session to ``use``, which starts a statement and returns what it gives.

    A session that died while it lay idle is replaced once: nothing was read from it yet.

    Raises:
        IglooError: what ``wrap`` makes of the driver's error, or the reason of ``cancel``.
    """
    while True:
        session = pool.take(cancel)
        lease = Lease(pool, session, cancel)
        try:
            cancel.raise_if_cancelled()
            return lease, use(session)
        except DRIVER_ERRORS as error:
            lease.finish(reusable=False)
            cancel.raise_if_cancelled()
            if not (session.is_reused and is_connection_loss(error)):
                raise wrap(error) from error
            pool.drop_idle()
        except BaseException:
            lease.finish(reusable=False)
            raise


def query_rows(pool: Pool, cancel: CancelToken, site: Site, sql: str) -> list[dict[str, Any]]:
    """Run one of our own statements about the catalog, whole."""

    def wrap(error: BaseException) -> IglooError:
        return statement_error(error, site, what=f'catalog "{site.catalog}"', is_users=False)

    lease, rows = borrow(pool, cancel, lambda session: session.rows(sql), wrap)
    lease.finish(reusable=True)
    result: list[dict[str, Any]] = rows
    return result
