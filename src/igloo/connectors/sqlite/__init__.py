"""SQLite files, read through Python's own ``sqlite3``."""

from __future__ import annotations

from igloo.connectors.sqlite.connector import SqliteConnector

__all__ = ["SqliteConnector"]
