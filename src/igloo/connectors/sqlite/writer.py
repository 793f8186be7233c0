"""Makes, fills and drops tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from igloo.connectors.arrow_sources import check_same_columns
from igloo.connectors.contract import WriteMode
from igloo.connectors.sql.types import arrow_schema
from igloo.connectors.sqlite.types import declared_type
from igloo.connectors.sqlite.values import MisfitError, sqlite_values
from igloo.errors import AlreadyExists, InvalidValue, NotSupported, UnsupportedType

if TYPE_CHECKING:
    import pyarrow as pa

    from igloo.connectors.sql.dialect import Dialect
    from igloo.connectors.sqlite.database import Session
    from igloo.connectors.sqlite.types import SqliteColumn
    from igloo.names import TableName

_IS_TAKEN = "SELECT count(*) FROM main.sqlite_master WHERE name = ? COLLATE NOCASE"
_ARRIVING = "temp.arriving"


def create_table(
    session: Session, name: TableName, schema: pa.Schema, catalog: str, dialect: Dialect
) -> None:
    """Make an empty table whose columns read back as exactly ``schema``.

    Raises:
        AlreadyExists: there is a table of that name; SQLite's names have no case.
        UnsupportedType: SQLite keeps no values of a column's type.
        InvalidValue: two columns have one name, or there is no column.
    """
    statement = _create_statement(name, schema, catalog, dialect)
    with session.transaction("IMMEDIATE"):
        (is_taken,) = session.execute(_IS_TAKEN, (name.table,)).fetchone()
        if is_taken:
            raise AlreadyExists(
                f'The table "{name}" exists already in catalog "{catalog}".',
                hint="Drop it first, or choose another name.",
                catalog=catalog,
                table=str(name),
            )
        session.execute(statement)


def _create_statement(name: TableName, schema: pa.Schema, catalog: str, dialect: Dialect) -> str:
    names = [_without_case(column) for column in schema.names]
    repeated = [column for column in schema.names if names.count(_without_case(column)) > 1]
    if repeated or not names:
        problem = f'two columns named "{repeated[0]}"' if repeated else "no column"
        raise InvalidValue(
            f'The table "{name}" would have {problem}; SQLite\'s names have no case.',
            catalog=catalog,
        )
    columns = []
    for field in schema:
        declared = declared_type(field.type)
        if declared is None:
            raise UnsupportedType(
                f'SQLite cannot keep column "{field.name}" of type {field.type} exactly.',
                hint="Cast it, for instance to BIGINT, DOUBLE, DECIMAL(15, 2) or TEXT.",
                catalog=catalog,
                column=field.name,
                type=str(field.type),
            )
        required = "" if field.nullable else " NOT NULL"
        columns.append(f"{dialect.identifier(field.name)} {declared}{required}")
    return f"CREATE TABLE {dialect.table(name)} ({', '.join(columns)})"


def _without_case(name: str) -> str:
    """Return what SQLite compares names by: only the letters of ASCII lose their case."""
    return "".join(c.lower() if c.isascii() else c for c in name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """The table that rows go into.

    Attributes:
        catalog: its catalog's name.
        name: its name.
        columns: its columns.
        quoted: its name in SQL.
    """

    catalog: str
    name: TableName
    columns: tuple[SqliteColumn, ...]
    quoted: str


def write(
    session: Session,
    target: Target,
    rows: pa.RecordBatchReader,
    mode: WriteMode,
    dialect: Dialect,
) -> int:
    """Write all rows or none; return how many.

    The rows gather in a temporary table first: whoever makes them may be reading this database,
    and would wait for the writer's lock while the writer waits for rows.
    """
    check_same_columns(target.name, arrow_schema(target.columns), rows.schema)
    for column in target.columns:
        _check_writable(column, target.catalog)
    places = ", ".join(f"c{number}" for number in range(len(target.columns)))
    session.execute(f"CREATE TABLE {_ARRIVING} ({places})")
    with session.transaction("DEFERRED"):
        count = sum(_gather(session, target, batch) for batch in rows)
    names = ", ".join(dialect.identifier(column.name) for column in target.columns)
    with session.transaction("IMMEDIATE"):
        if mode is WriteMode.OVERWRITE:
            session.execute(f"DELETE FROM {target.quoted}")  # noqa: S608 - quoted
        session.execute(
            f"INSERT INTO {target.quoted} ({names}) "  # noqa: S608 - quoted
            f"SELECT {places} FROM {_ARRIVING} ORDER BY rowid"
        )
    return count


def _gather(session: Session, target: Target, batch: pa.RecordBatch) -> int:
    bound = [
        _bound(column, array, target.catalog)
        for column, array in zip(target.columns, batch.columns, strict=True)
    ]
    marks = ", ".join("?" * len(bound))
    session.connection.executemany(
        f"INSERT INTO {_ARRIVING} VALUES ({marks})",  # noqa: S608 - our own name
        zip(*bound, strict=True),
    )
    return batch.num_rows


def _check_writable(column: SqliteColumn, catalog: str) -> None:
    if column.refusal is not None or not column.keeps_text:
        why = column.refusal or f"{column.source_type} turns texts of digits into numbers"
        raise NotSupported(
            f'Column "{column.name}" cannot be written: {why}.',
            hint="Declare it in SQLite as TEXT, for instance.",
            catalog=catalog,
            column=column.name,
        )


def _bound(column: SqliteColumn, array: pa.Array[Any], catalog: str) -> list[Any]:
    problem = None
    if array.null_count and not column.nullable:
        problem = "NULL, and it is NOT NULL"
    else:
        try:
            return sqlite_values(array)
        except MisfitError as misfit:
            problem = str(misfit)
    raise InvalidValue(
        f'Column "{column.name}" would get {problem}.',
        hint="Filter such rows out, or replace the value.",
        catalog=catalog,
        column=column.name,
    )
