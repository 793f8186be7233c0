"""TPC-H: its tables at any scale, in files, in PostgreSQL and in Iceberg, and its 22 queries."""

from igloo.testing.tpch.iceberg import load_iceberg
from igloo.testing.tpch.postgres import load_postgres
from igloo.testing.tpch.tables import QUERY_NUMBERS, TABLES, make_parquet, query, read_plain

__all__ = [
    "QUERY_NUMBERS",
    "TABLES",
    "load_iceberg",
    "load_postgres",
    "make_parquet",
    "query",
    "read_plain",
]
