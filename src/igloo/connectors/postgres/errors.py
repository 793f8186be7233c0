"""What PostgreSQL and its driver report, as Igloo's errors."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import adbc_driver_manager
import pyarrow as pa

from igloo.errors import (
    IglooError,
    SourceDataError,
    SourceError,
    SourceRefused,
    SourceTimeout,
    SourceUnavailable,
    SqlSyntaxError,
)

if TYPE_CHECKING:
    from igloo.connectors.postgres.address import Address

#: Everything that the driver and Arrow raise when a read fails.
DRIVER_ERRORS = (adbc_driver_manager.Error, pa.ArrowException, OSError)

_CANCELED = "57014"
_CONNECTION_LOST = (
    "server closed the connection",
    "no connection to the server",
    "connection not open",
    "connection reset",
    "could not receive data",
    "could not send data",
    "broken pipe",
    "ssl connection has been closed",
    "ssl syscall error",
)


@dataclass(frozen=True, slots=True)
class Site:
    """Whose statements fail, for messages.

    Attributes:
        catalog: the catalog's name.
        address: where the server is; knows the secrets to mask.
    """

    catalog: str
    address: Address


def is_connection_loss(error: BaseException) -> bool:
    """Whether the server went away, rather than answered."""
    state = _state(error)
    if state:
        return state.startswith(("08", "57P"))
    text = str(error).lower()
    return any(phrase in text for phrase in _CONNECTION_LOST)


def connection_error(error: BaseException, site: Site) -> SourceError:
    """Return why connecting failed. libpq gives no code there, only a text."""
    whole = site.address.without_secrets(str(error))
    text = _reason(whole)
    lowered = whole.lower()
    where = f'Cannot connect to catalog "{site.catalog}" at {site.address}'
    user = site.address.get("user", "")
    rules: tuple[tuple[tuple[str, ...], type[SourceError], str, str], ...] = (
        (
            ("password authentication failed", "no password supplied"),
            SourceRefused,
            f'password rejected for user "{user}"' if user else "password rejected",
            "Check the user and the password of the catalog.",
        ),
        (("timeout expired",), SourceTimeout, "it did not answer in time", "Check host and port."),
        (("too many clients", "remaining connection slots"), SourceUnavailable, text, "Try later."),
        (("starting up", "shutting down", "recovery"), SourceUnavailable, text, "Try later."),
        (("support ssl", "ssl error", "certificate"), SourceRefused, text, "Check sslmode."),
        (("does not exist",), SourceRefused, text, "Check user and database of the catalog."),
        (("pg_hba", "fatal"), SourceRefused, text, "Ask the server's administrator."),
    )
    for phrases, kind, reason, hint in rules:
        if any(phrase in lowered for phrase in phrases):
            return kind(f"{where}: {reason}.", hint=hint, catalog=site.catalog)
    return SourceUnavailable(
        f"{where}: {text}.",
        hint="Check host and port, and that the server runs.",
        catalog=site.catalog,
    )


def statement_error(error: BaseException, site: Site, *, what: str, is_users: bool) -> IglooError:
    """Return why a statement failed.

    Args:
        error: what the driver or Arrow raised.
        site: whose statement it was.
        what: the table or statement, for the message.
        is_users: whether the user wrote the statement's text.
    """
    state = _state(error)
    text = site.address.without_secrets(_primary(error))
    context: dict[str, Any] = {"catalog": site.catalog, "sqlstate": state or None}
    if is_connection_loss(error):
        return SourceUnavailable(
            f'The connection to catalog "{site.catalog}" at {site.address} was lost: {text}.',
            hint="Run the statement again.",
            **context,
        )
    for prefix, kind, hint in _RULES:
        if state.startswith(prefix):
            return kind(f"Reading {what} failed: {text}.", hint=hint, **context)
    if state == _CANCELED:
        return _canceled(text, what, context)
    if state.startswith("42"):
        return _wrong_statement(state, text, what, is_users=is_users, context=context)
    if state:
        return SourceRefused(f"Reading {what} failed: {text}.", hint="", **context)
    return SourceDataError(
        f"Reading {what} failed: {text}.",
        hint="Leave the column out, or cast it with remote_query().",
        **context,
    )


_RULES: tuple[tuple[str, type[SourceError], str], ...] = (
    (
        "22",
        SourceDataError,
        "Look at the value in the source.",
    ),
    ("25006", SourceRefused, "Only reading is allowed."),
    ("25P03", SourceTimeout, "The source closed an idle transaction."),
    ("40", SourceUnavailable, "Run the statement again."),
    ("42501", SourceRefused, "Grant the right to the catalog's user, or use another user."),
    ("53", SourceUnavailable, "The source lacks resources: try later."),
    ("55P03", SourceTimeout, "Another session holds a lock."),
)


def _canceled(text: str, what: str, context: dict[str, Any]) -> SourceError:
    if "user request" in text:
        return SourceRefused(
            f"Reading {what} was cancelled by an administrator of the source.",
            hint="Run the statement again.",
            **context,
        )
    return SourceTimeout(
        f"Reading {what} took longer than the source allows: {text}.",
        hint="Raise the option statement_timeout of the catalog, or ask for less.",
        **context,
    )


def _wrong_statement(
    state: str, text: str, what: str, *, is_users: bool, context: dict[str, Any]
) -> IglooError:
    if is_users and state == "42601":
        return SqlSyntaxError(f"The source cannot read {what}: {text}.", **context)
    if is_users:
        return SourceRefused(f"The source refused {what}: {text}.", **context)
    # The statement is our own and was right when it was planned.
    return SourceDataError(
        f"Reading {what} failed: {text}.",
        hint="The table was changed meanwhile: run the statement again.",
        **context,
    )


def _state(error: BaseException) -> str:
    return getattr(error, "sqlstate", None) or ""


def _primary(error: BaseException) -> str:
    for name, value in getattr(error, "details", None) or ():
        if name in {"PG_DIAG_MESSAGE_PRIMARY", b"PG_DIAG_MESSAGE_PRIMARY"}:
            return str(value.decode(errors="replace")).rstrip(".")
    return _reason(str(error))


def _reason(text: str) -> str:
    """Return the part of libpq's text that says why."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    # A name with several addresses gives several lines; the one where a server answered counts.
    answers = [line for line in lines if "FATAL" in line]
    first = (answers or lines or ["no reason was given"])[0]
    first = re.sub(r"^[A-Z_]+: ", "", first)
    first = re.sub(r"^\[libpq\] ", "", first)
    first = re.sub(r"^Failed to connect: ", "", first)
    first = re.sub(r"^connection to server .*? failed: ", "", first)
    return re.sub(r"^(FATAL|ERROR):\s+", "", first).strip().rstrip(".")
