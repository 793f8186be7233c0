"""What a database says of its tables and columns."""

from __future__ import annotations

import dataclasses
import sqlite3
from dataclasses import dataclass
from typing import TYPE_CHECKING

from igloo.connectors.sqlite.types import SqliteColumn, sqlite_column
from igloo.errors import NotSupported

if TYPE_CHECKING:
    from igloo.connectors.sql.dialect import Dialect
    from igloo.connectors.sqlite.database import Session, Site

#: The one schema of a database file.
SCHEMA = "main"
#: What tells which tables are STRICT is newer than what Python accepts.
_TELLS_STRICT = (3, 37)

_TABLES = r"""
SELECT name FROM main.sqlite_master
WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\_%' ESCAPE '\'
"""
_KIND = """
SELECT CASE WHEN type = 'view' THEN 'view' WHEN sql LIKE 'CREATE VIRTUAL%' THEN 'virtual'
  ELSE 'table' END
FROM main.sqlite_master WHERE type IN ('table', 'view') AND name = ?
"""
# Hidden columns of virtual tables are arguments.
_COLUMNS = """
SELECT name, type, "notnull", pk FROM pragma_table_xinfo(?, 'main') WHERE hidden <> 1 ORDER BY cid
"""
_HAS_KEY_INDEX = "SELECT count(*) FROM pragma_index_list(?, 'main') WHERE origin = 'pk'"
_IS_STRICT = "SELECT strict FROM pragma_table_list(?) WHERE schema = 'main'"


@dataclass(frozen=True, slots=True, kw_only=True)
class TableColumns:
    """The columns of a table; the connector's own facts of it.

    Attributes:
        columns: how each is read.
        is_view: whether it is a view.
    """

    columns: tuple[SqliteColumn, ...]
    is_view: bool = False


def table_names(session: Session) -> list[str]:
    """Return the names of tables and views, sorted; SQLite's own left out."""
    return sorted(name for (name,) in session.execute(_TABLES))


def read_table(session: Session, table: str, site: Site, dialect: Dialect) -> TableColumns | None:
    """Return a table's columns; None if no table has exactly this name.

    Raises:
        NotSupported: the database holds its texts in UTF-16.
    """
    with session.transaction("DEFERRED"):
        (encoding,) = session.execute("PRAGMA encoding").fetchone()
        if encoding != "UTF-8":
            raise NotSupported(
                f'Catalog "{site.catalog}" holds its texts in {encoding}, which is not read.',
                hint="Copy it into a database that was made with PRAGMA encoding = 'UTF-8'.",
                catalog=site.catalog,
            )
        found = session.execute(_KIND, (table,)).fetchone()
        if found is None:
            return None
        (kind,) = found
        columns = session.execute(_COLUMNS, (table,)).fetchall()
        is_strict = kind == "table" and _is_strict(session, table)
        key = _row_number_column(session, table, columns) if kind == "table" else None
    return TableColumns(
        columns=tuple(
            _not_null(
                sqlite_column(
                    name,
                    declared,
                    quoted=dialect.identifier(name),
                    is_guarded=is_strict or name == key,
                    is_stored=kind == "table",
                ),
                is_required=kind == "table" and bool(is_required or name == key),
            )
            for name, declared, is_required, _ in columns
        ),
        is_view=kind == "view",
    )


def _not_null(column: SqliteColumn, *, is_required: bool) -> SqliteColumn:
    return dataclasses.replace(column, nullable=not is_required)


def _is_strict(session: Session, table: str) -> bool:
    if sqlite3.sqlite_version_info < _TELLS_STRICT:
        return False
    found = session.execute(_IS_STRICT, (table,)).fetchone()
    return found is not None and bool(found[0])


def _row_number_column(
    session: Session, table: str, columns: list[tuple[str, str, int, int]]
) -> str | None:
    """Return the column that is the row's number, and so always an integer; None without one."""
    keys = [(name, declared) for name, declared, _, position in columns if position]
    if len(keys) != 1 or keys[0][1].upper() != "INTEGER":
        return None
    # A key with an index of its own is an ordinary column, which holds what it is given.
    (has_index,) = session.execute(_HAS_KEY_INDEX, (table,)).fetchone()
    return None if has_index else keys[0][0]
