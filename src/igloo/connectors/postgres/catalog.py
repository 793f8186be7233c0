"""What the server's own catalog says of schemas, tables and columns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from igloo.connectors.postgres.types import Collation, SourceType, sql_column

if TYPE_CHECKING:
    from igloo.connectors.sql.dialect import Dialect
    from igloo.connectors.sql.types import SqlColumn
    from igloo.names import TableName

#: Ordinary and partitioned tables, views, materialized views, foreign tables.
_RELATION_KINDS = "('r', 'p', 'v', 'm', 'f')"

SCHEMAS = """
SELECT nspname::text AS name FROM pg_catalog.pg_namespace
WHERE nspname NOT LIKE 'pg\\_%' AND nspname <> 'information_schema'
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class TableColumns:
    """The columns of a table, in its order; the connector's own facts of a table.

    Attributes:
        columns: how each is read.
    """

    columns: tuple[SqlColumn, ...]


def tables_statement(schema: str, dialect: Dialect) -> str | None:
    """Return the statement that lists a schema's tables; None if no schema can be called that."""
    literal = dialect.text(schema)
    if literal is None:
        return None
    return f"""
SELECT c.relname::text AS name FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = {literal} AND c.relkind IN {_RELATION_KINDS}
"""  # noqa: S608 - the literal is quoted


def columns_statement(name: TableName, dialect: Dialect) -> str | None:
    """Return the statement that describes a table's columns; None if no table can be called that.

    It gives one row a column, one row of NULLs for a table without columns, none for no table.
    """
    schema, table = dialect.text(name.schema), dialect.text(name.table)
    if schema is None or table is None:
        return None
    return f"""
WITH RECURSIVE relation AS (
  SELECT c.oid, c.relkind, c.relhassubclass FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  WHERE n.nspname = {schema} AND c.relname = {table} AND c.relkind IN {_RELATION_KINDS}
), step AS (
  SELECT a.attnum, a.atttypid AS type, a.atttypmod AS modifier
  FROM relation JOIN pg_catalog.pg_attribute a ON a.attrelid = relation.oid
  WHERE a.attnum > 0 AND NOT a.attisdropped
  UNION ALL
  SELECT s.attnum, t.typbasetype, t.typtypmod
  FROM step s JOIN pg_catalog.pg_type t ON t.oid = s.type WHERE t.typtype = 'd'
)
SELECT a.attnum::int4 AS number, a.attname::text AS name,
  pg_catalog.format_type(a.atttypid, a.atttypmod) AS type_text,
  t.typname::text AS type_name, tn.nspname::text AS type_schema, t.typtype::text AS type_kind,
  s.modifier::int4 AS modifier,
  e.typname::text AS element_name, en.nspname::text AS element_schema,
  e.typtype::text AS element_kind,
  co.collisdeterministic AS is_deterministic,
  co.collname = 'C' AND co.collnamespace = 'pg_catalog'::regnamespace AS is_code_point,
  a.attnotnull AND r.relkind IN ('r', 'p') AND NOT (r.relkind = 'r' AND r.relhassubclass)
    AND NOT EXISTS (
      SELECT FROM pg_catalog.pg_constraint k
      WHERE k.conrelid = r.oid AND k.contype = 'n' AND k.conkey[1] = a.attnum
        AND NOT k.convalidated
    ) AS is_required,
  pg_catalog.current_setting('server_encoding') AS encoding
FROM relation r
LEFT JOIN pg_catalog.pg_attribute a
  ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN step s ON s.attnum = a.attnum
  AND EXISTS (SELECT FROM pg_catalog.pg_type b WHERE b.oid = s.type AND b.typtype <> 'd')
LEFT JOIN pg_catalog.pg_type t ON t.oid = s.type
LEFT JOIN pg_catalog.pg_namespace tn ON tn.oid = t.typnamespace
LEFT JOIN pg_catalog.pg_type e ON e.oid = t.typelem AND e.typarray = t.oid
LEFT JOIN pg_catalog.pg_namespace en ON en.oid = e.typnamespace
LEFT JOIN pg_catalog.pg_collation co ON co.oid = a.attcollation
ORDER BY a.attnum
"""  # noqa: S608 - the literals are quoted


def read_columns(rows: list[dict[str, Any]]) -> TableColumns:
    """Return the columns that ``columns_statement`` gave."""
    return TableColumns(columns=tuple(_column(row) for row in rows if row["number"] is not None))


def _column(row: dict[str, Any]) -> SqlColumn:
    element = None
    if row["element_name"] is not None:
        element = SourceType(
            name=row["element_name"],
            schema=row["element_schema"],
            kind=row["element_kind"],
            modifier=row["modifier"],
        )
    source_type = SourceType(
        name=row["type_name"],
        schema=row["type_schema"],
        kind=row["type_kind"],
        modifier=row["modifier"],
        element=element,
        text=row["type_text"],
    )
    collation = None
    if row["is_deterministic"] is not None:
        collation = Collation(
            is_deterministic=row["is_deterministic"], is_code_point=bool(row["is_code_point"])
        )
    return sql_column(
        row["name"],
        source_type,
        collation=collation,
        nullable=not row["is_required"],
        # Other encodings sort bytes that are no code points, and cannot hold every literal.
        compares_text=row["encoding"] == "UTF8",
    )
