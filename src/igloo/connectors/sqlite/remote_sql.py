"""The user's own statements in SQLite's SQL."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any

from igloo.connectors.sqlite.scan import ReadPlan, unsupported
from igloo.connectors.sqlite.types import sqlite_column
from igloo.errors import NotSupported

if TYPE_CHECKING:
    from igloo.connectors.sql.dialect import Dialect
    from igloo.connectors.sqlite.database import Session, Site
    from igloo.connectors.sqlite.types import SqliteColumn

LABEL = "remote statement"
_READING = {
    sqlite3.SQLITE_SELECT,
    sqlite3.SQLITE_READ,
    sqlite3.SQLITE_FUNCTION,
    sqlite3.SQLITE_RECURSIVE,
}
_VIEW = "igloo_described_statement"
_TABLE = "igloo_described_types"
_COLUMNS = "SELECT name, type FROM pragma_table_xinfo(?, 'temp')"


def only_reads(session: Session) -> None:
    """Let the session run what reads, and nothing else: no ATTACH, no VACUUM INTO, no PRAGMA."""
    session.connection.set_authorizer(_authorize)


def _authorize(action: int, _first: Any, second: Any, _schema: Any, _trigger: Any) -> int:
    is_loading = action == sqlite3.SQLITE_FUNCTION and str(second).lower() == "load_extension"
    return sqlite3.SQLITE_OK if action in _READING and not is_loading else sqlite3.SQLITE_DENY


def plan_statement(session: Session, sql: str, site: Site, dialect: Dialect) -> ReadPlan:
    """Return how the rows of a statement are read, without running it.

    A column has the type that its table declares, the one that a CAST gives, or the one that a
    well-known function always gives.

    Raises:
        NotSupported: it is no SELECT.
        UnsupportedType: nothing tells a column's type.
    """
    only_reads(session)
    session.execute(f"EXPLAIN {sql}").close()
    session.connection.set_authorizer(None)
    session.execute("PRAGMA temp_store = MEMORY")
    try:
        # A view keeps the declared types of columns, a table the affinities of expressions.
        session.execute(f"CREATE TEMP VIEW {_VIEW} AS {sql}")
    except sqlite3.OperationalError as error:
        raise NotSupported(
            f"remote_query() takes one SELECT, and this is none: {error}.",
            hint="Write SELECT, WITH or VALUES.",
            catalog=site.catalog,
        ) from error
    session.execute(f"CREATE TEMP TABLE {_TABLE} AS SELECT * FROM temp.{_VIEW} LIMIT 0")  # noqa: S608 - our own names
    declared, affinities = (
        session.execute(_COLUMNS, (name,)).fetchall() for name in (_VIEW, _TABLE)
    )
    known = _known_types(sql, len(declared))
    columns = [
        sqlite_column(name, known.get(i) or type_ or affinity, quoted=dialect.identifier(name))
        for i, ((name, type_), (_, affinity)) in enumerate(zip(declared, affinities, strict=True))
    ]
    return ReadPlan(statement=sql, columns=_readable(columns, site), label=LABEL)


def _readable(columns: list[SqliteColumn], site: Site) -> tuple[SqliteColumn, ...]:
    for column in columns:
        if column.refusal is not None:
            raise unsupported(column, f"{site.catalog}: {LABEL}")
    return tuple(columns)


def _known_types(sql: str, columns: int) -> dict[int, str]:
    """Return the declared types of expressions whose type follows from their form, by position.

    A value of another type would be refused when it is read, like any other.
    """
    import sqlglot
    from sqlglot import exp
    from sqlglot.errors import SqlglotError

    try:
        # A comment behind the last semicolon is parsed as a statement of its own.
        parsed = sqlglot.parse(sql, read="sqlite")[0]
    except SqlglotError:
        return {}
    if not isinstance(parsed, exp.Select) or parsed.is_star or len(parsed.expressions) != columns:
        return {}
    found = {i: _known_type(each.unalias()) for i, each in enumerate(parsed.expressions)}
    return {i: type_ for i, type_ in found.items() if type_ is not None}


def _known_type(expression: Any) -> str | None:
    from sqlglot import exp

    if isinstance(expression, exp.Literal):
        if expression.is_string:
            return "TEXT"
        return "INTEGER" if expression.is_int else "REAL"
    texts = (exp.Concat, exp.DPipe, exp.GroupConcat, exp.Lower, exp.Substring, exp.Trim, exp.Upper)
    if isinstance(expression, texts):
        return "TEXT"
    if isinstance(expression, exp.Count | exp.Length | exp.RowNumber):
        return "INTEGER"
    if isinstance(expression, exp.Window):
        return _known_type(expression.this)
    if isinstance(expression, exp.Cast) and expression.to.this in exp.DataType.Type:
        return "BLOB" if "BLOB" in expression.to.sql(dialect="sqlite").upper() else None
    return "REAL" if isinstance(expression, exp.Avg) else None
