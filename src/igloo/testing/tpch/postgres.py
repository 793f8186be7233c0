"""TPC-H tables in PostgreSQL, written by binary COPY."""

from __future__ import annotations

from typing import TYPE_CHECKING

from igloo.names import quote_identifier
from igloo.testing.tpch.tables import read_plain

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import pyarrow as pa

#: What makes a row unique; lets PostgreSQL plan as it would for a real shop.
_KEYS = {
    "region": "r_regionkey",
    "nation": "n_nationkey",
    "supplier": "s_suppkey",
    "customer": "c_custkey",
    "part": "p_partkey",
    "partsupp": "ps_partkey, ps_suppkey",
    "orders": "o_orderkey",
    "lineitem": "l_orderkey, l_linenumber",
}


def load_postgres(uri: str, files: Mapping[str, Path], *, schema: str = "public") -> None:
    """Create and fill the tables in one transaction, unless they are all there already.

    Args:
        uri: URL of the database; its user may create tables.
        files: the Parquet file of each table, as ``make_parquet`` returns them.
        schema: is created if it is missing.
    """
    import adbc_driver_postgresql.dbapi as adbc

    with adbc.connect(uri) as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace"
            " WHERE n.nspname = $1 AND c.relname = ANY(string_to_array($2, ','))",
            [schema, ",".join(files)],
        )
        if cursor.fetchone() == (len(files),):
            return
        cursor.execute(f"CREATE SCHEMA IF NOT EXISTS {quote_identifier(schema)}")
        for name, path in files.items():
            rows = read_plain(path)
            place = f"{quote_identifier(schema)}.{quote_identifier(name)}"
            cursor.execute(f"DROP TABLE IF EXISTS {place}")
            cursor.execute(f"CREATE TABLE {place} ({_columns(rows.schema)})")
            cursor.adbc_ingest(name, rows, mode="append", db_schema_name=schema)
            # An index that is filled at once costs half of one that grows with the rows.
            cursor.execute(f"ALTER TABLE {place} ADD PRIMARY KEY ({_KEYS[name]})")
            cursor.execute(f"ANALYZE {place}")
        connection.commit()


def _columns(schema: pa.Schema) -> str:
    return ", ".join(f"{quote_identifier(f.name)} {_type(f.type)} NOT NULL" for f in schema)


def _type(arrow: pa.DataType) -> str:
    import pyarrow as pa

    if pa.types.is_decimal(arrow):
        return f"numeric({arrow.precision}, {arrow.scale})"
    return {pa.int64(): "bigint", pa.int32(): "integer", pa.date32(): "date"}.get(arrow, "text")
