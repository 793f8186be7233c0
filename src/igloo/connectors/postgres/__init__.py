"""PostgreSQL, read through ADBC and binary COPY."""

from __future__ import annotations

from igloo.connectors.postgres.connector import PostgresConnector

__all__ = ["PostgresConnector"]
