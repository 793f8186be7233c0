"""What SQLite reports, as Igloo's errors."""

from __future__ import annotations

import re
import sqlite3
from typing import TYPE_CHECKING

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
    from igloo.connectors.sqlite.database import Site

#: Everything that the driver raises: its own errors, and Python's for a text that is no Unicode.
DRIVER_ERRORS = (sqlite3.Error, sqlite3.Warning, UnicodeEncodeError)

_LOCKED = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
_UNDECODABLE = re.compile(r"Could not decode to UTF-8 column '(?P<column>.*?)' with text")
_SYNTAX = (
    *("syntax error", "incomplete input", "unrecognized token", "one statement at a time"),
    *("null character", "surrogates not allowed"),
)

_RULES: dict[int, tuple[type[SourceError], str]] = {
    sqlite3.SQLITE_AUTH: (SourceRefused, "Only reading is allowed."),
    sqlite3.SQLITE_BUSY: (
        SourceTimeout,
        "Another program holds a lock on the database: try later.",
    ),
    sqlite3.SQLITE_CANTOPEN: (SourceUnavailable, "Check the option path of the catalog."),
    sqlite3.SQLITE_CONSTRAINT: (SourceRefused, "Look at the constraints of the table."),
    sqlite3.SQLITE_CORRUPT: (SourceDataError, "The file is damaged: check it with SQLite."),
    sqlite3.SQLITE_FULL: (SourceUnavailable, "The disk is full."),
    sqlite3.SQLITE_IOERR: (SourceUnavailable, "Check the disk of the database."),
    sqlite3.SQLITE_LOCKED: (SourceTimeout, "Another statement holds a lock: try later."),
    sqlite3.SQLITE_NOTADB: (SourceDataError, "Check the option path of the catalog."),
    sqlite3.SQLITE_PERM: (SourceRefused, "Check the rights on the file."),
    sqlite3.SQLITE_READONLY: (SourceRefused, "Check the rights on the file and its folder."),
}


def is_locked(error: BaseException) -> bool:
    """Whether another program, or another statement, is in the way for now."""
    return _code(error) in _LOCKED


def source_error(error: BaseException, site: Site, *, what: str, is_users: bool) -> IglooError:
    """Return why work on the source failed.

    Args:
        error: what the driver raised.
        site: whose work it was.
        what: the table or statement, for the message.
        is_users: whether the user wrote the statement's text.
    """
    text = str(error).rstrip(".") or type(error).__name__
    undecodable = _UNDECODABLE.search(text)
    if undecodable:
        return SourceDataError(
            f'Column "{undecodable["column"]}" of {what} holds a text that is not UTF-8.',
            hint="Leave the column out, or read it AS BLOB with remote_query().",
            catalog=site.catalog,
            column=undecodable["column"],
        )
    if _code(error) in _RULES:
        kind, hint = _RULES[_code(error)]
        return kind(
            f'Catalog "{site.catalog}" failed at {what} in {site.path}: {text}.',
            hint=hint,
            catalog=site.catalog,
        )
    if is_users and any(phrase in text for phrase in _SYNTAX):
        return SqlSyntaxError(f"SQLite cannot read {what}: {text}.", catalog=site.catalog)
    if is_users:
        return SourceRefused(f"SQLite refused {what}: {text}.", catalog=site.catalog)
    # The statement is our own and was right when it was planned.
    return SourceDataError(
        f"SQLite failed at {what}: {text}.",
        hint="If the table was changed meanwhile, run the statement again.",
        catalog=site.catalog,
    )


def _code(error: BaseException) -> int:
    """Return SQLite's primary result code; its extended codes carry it in their lowest byte."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF
