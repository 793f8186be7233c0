"""The demo: real tables in PostgreSQL, Parquet and Iceberg, and one statement over all three."""

from igloo.demo.run import run_demo

__all__ = ["run_demo"]
