"""The server's own estimates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from igloo.connectors.contract import ColumnStatistics, Statistics

if TYPE_CHECKING:
    from igloo.connectors.sql.dialect import Dialect
    from igloo.names import TableName


def table_statement(name: TableName, dialect: Dialect) -> str:
    """Return the statement for rows and bytes; partitions are summed, -1 means never analyzed."""
    return f"""
WITH RECURSIVE part AS (
  SELECT c.oid, c.relkind, c.reltuples, c.relpages FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  WHERE n.nspname = {dialect.text(name.schema)} AND c.relname = {dialect.text(name.table)}
  UNION ALL
  SELECT c.oid, c.relkind, c.reltuples, c.relpages FROM part
  JOIN pg_catalog.pg_inherits i ON i.inhparent = part.oid
  JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid
)
SELECT CASE WHEN min(reltuples) >= 0 THEN sum(reltuples)::float8 END AS rows,
  CASE WHEN min(reltuples) >= 0 THEN sum(relpages)::float8
    * pg_catalog.current_setting('block_size')::float8 END AS bytes
FROM part WHERE relkind IN ('r', 'm')
"""  # noqa: S608 - the literals are quoted


def columns_statement(name: TableName, dialect: Dialect) -> str:
    """Return the statement for the columns' statistics; whole tables before their parts."""
    return f"""
SELECT DISTINCT ON (attname) attname::text AS name, n_distinct::float8 AS distinct_count,
  null_frac::float8 AS null_fraction
FROM pg_catalog.pg_stats
WHERE schemaname = {dialect.text(name.schema)} AND tablename = {dialect.text(name.table)}
ORDER BY attname, inherited DESC
"""  # noqa: S608 - the literals are quoted


def read_statistics(
    table_rows: list[dict[str, Any]], column_rows: list[dict[str, Any]]
) -> Statistics:
    """Return what the two statements gave."""
    rows = table_rows[0]["rows"]
    columns = tuple(
        (
            row["name"],
            ColumnStatistics(
                distinct_count=_distinct_count(row["distinct_count"], rows),
                null_fraction=row["null_fraction"],
            ),
        )
        for row in column_rows
    )
    return Statistics(row_count=rows, size_bytes=table_rows[0]["bytes"], columns=columns)


def _distinct_count(stored: float | None, rows: float | None) -> float | None:
    # Zero means unknown; below zero it is a share of the rows.
    if not stored:
        return None
    if stored > 0:
        return stored
    return None if rows is None else -stored * rows
