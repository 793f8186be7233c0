"""The user's own statements in PostgreSQL's SQL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from igloo.connectors.postgres.scan import ReadPlan, array_guard, unsupported
from igloo.connectors.postgres.types import SourceType, sql_column
from igloo.errors import NotSupported, SqlSyntaxError

if TYPE_CHECKING:
    import pyarrow as pa

    from igloo.connectors.sql.dialect import Dialect
    from igloo.connectors.sql.types import SqlColumn

LABEL = "remote statement"
#: These cannot stand in a subquery; they give text.
_COMMANDS = frozenset({"SHOW", "EXPLAIN"})
_QUERIES = frozenset({"SELECT", "WITH", "VALUES", "TABLE", "("})
#: What the driver says of a column, in its field's metadata.
_TYPE = b"POSTGRESQL:type"
_MODIFIER = b"POSTGRESQL:typmod"


def single_statement(sql: str, catalog: str) -> str:
    """Return the statement without what ends it.

    Raises:
        NotSupported: there is no statement, there are several, or it is of a kind that writes.
        SqlSyntaxError: the text cannot be split into words.
    """
    tokens = _tokens(sql, catalog)
    # A quoted ";" is a token without its quotes, so the text itself is asked.
    is_end = [sql[token.start : token.end + 1] == ";" for token in tokens]
    first_end = is_end.index(True) if any(is_end) else len(tokens)
    if not all(is_end[first_end:]):
        raise NotSupported(
            "remote_query() takes one statement, and this has several.", catalog=catalog
        )
    if first_end == 0:
        raise NotSupported(
            "remote_query() takes one statement, and this is empty.", catalog=catalog
        )
    word = _first_word(tokens)
    if word not in _COMMANDS | _QUERIES:
        raise NotSupported(
            f"remote_query() only reads, and this statement begins with {word}.",
            hint="Write SELECT, WITH, VALUES, TABLE, SHOW or EXPLAIN.",
            catalog=catalog,
        )
    return sql[: tokens[first_end].start] if any(is_end) else sql


def _tokens(sql: str, catalog: str) -> list[Any]:
    from sqlglot.dialects.postgres import Postgres
    from sqlglot.errors import TokenError

    if "\0" in sql:
        raise SqlSyntaxError(
            "A statement for PostgreSQL cannot hold a NUL character.", catalog=catalog
        )
    try:
        return list(Postgres().tokenize(sql))
    except TokenError as error:
        raise SqlSyntaxError(
            "The statement for the source has a quote or comment that does not end.",
            catalog=catalog,
        ) from error


def _first_word(tokens: list[Any]) -> str:
    # sqlglot gives some commands as one token with all that follows.
    word: str = tokens[0].text.upper().split(maxsplit=1)[0]
    return word


def has_unknown_type(schema: pa.Schema) -> bool:
    """Whether the driver did not know the name of a described column's type."""
    return any(_metadata(field, _TYPE).startswith("unnamed<") for field in schema)


def described_columns(schema: pa.Schema, catalog: str) -> tuple[SqlColumn, ...]:
    """Return how the columns of a described statement are read.

    Raises:
        UnsupportedType: one of them cannot be carried exactly.
    """
    columns = tuple(_column(index, field) for index, field in enumerate(schema))
    for column in columns:
        if column.refusal is not None:
            raise unsupported(
                column,
                f"{catalog}: {LABEL}",
                "Cast it in the statement, e.g. ::numeric(38, 6) or ::text.",
                catalog,
            )
    return columns


def plan_statement(
    sql: str, catalog: str, columns: tuple[SqlColumn, ...], dialect: Dialect
) -> ReadPlan:
    """Return the plan that reads a described statement."""
    if _first_word(_tokens(sql, catalog)) in _COMMANDS:
        return ReadPlan(statement=sql, columns=columns, label=LABEL, uses_copy=False)
    if not columns:
        count = f"SELECT count(*) FROM (\n{sql}\n) AS statement"  # noqa: S608 - the user's own
        return ReadPlan(statement=count, columns=(), label=LABEL, is_count=True)
    names = [_position(index) for index in range(len(columns))]
    guard = array_guard(columns, names, dialect)
    reads = [column.read for column in columns] + ([guard] if guard else [])
    # On a line of its own, so that a comment at the end stays one. As a subquery it cannot write,
    # and its names may repeat.
    source = f"(\n{sql}\n) AS statement ({', '.join(names)})"
    return ReadPlan(
        statement=f"SELECT {', '.join(reads)} FROM {source}",  # noqa: S608 - the user's own
        columns=columns,
        label=LABEL,
        has_array_guard=guard is not None,
    )


def _position(index: int) -> str:
    return f'"{index + 1}"'


def _column(index: int, field: pa.Field[Any]) -> SqlColumn:
    name = _metadata(field, _TYPE)
    modifier = int(_metadata(field, _MODIFIER) or "-1")
    element = SourceType(name=name[1:]) if name.startswith("_") else None
    kind = "b" if name else "p"
    source_type = SourceType(
        name=name, kind=kind, modifier=modifier, element=element, text=name or "unknown"
    )
    return sql_column(field.name, source_type, expression=_position(index))


def _metadata(field: pa.Field[Any], key: bytes) -> str:
    value: bytes = (field.metadata or {}).get(key, b"")
    return value.decode()
