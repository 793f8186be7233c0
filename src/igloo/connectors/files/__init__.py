"""Files on this machine: Parquet, CSV, JSON and Arrow, alone, in folders, or found by a glob."""

from __future__ import annotations

from igloo.connectors.files.connector import FilesConnector, FilesOptions

__all__ = ["FilesConnector", "FilesOptions"]
