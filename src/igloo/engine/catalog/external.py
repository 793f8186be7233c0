"""External tables: files under a plain name, without a catalog of their own."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from igloo.connectors.options import read_options
from igloo.connectors.registry import load_connector
from igloo.names import TableName

if TYPE_CHECKING:
    from collections.abc import Mapping

    from igloo.connectors.contract import Connector
    from igloo.names import TablePath


class ExternalTables:
    """Tables made by CREATE EXTERNAL TABLE, by path. Thread-safe."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self._lock = threading.Lock()
        self._tables: dict[TablePath, tuple[Connector, TableName]] = {}

    def create(
        self, path: TablePath, location: str, file_format: str, options: Mapping[str, str]
    ) -> None:
        """Register files, replacing a table of this name; they are looked at now.

        Raises:
            InvalidSetting: the format or an option is unknown.
            SourceError: the files are not there or cannot be read.
        """
        kind = load_connector("files")
        given = {**_plain_names(options), "path": location, "format": file_format}
        given["table"] = path.table
        read = read_options(
            kind.options_type, given, connector="files", environment=self._environment
        )
        connector = kind(path.catalog, read)
        name = TableName(connector.default_schema, path.table)
        connector.load_table(name)
        with self._lock:
            self._tables[path] = (connector, name)

    def get(self, path: TablePath) -> tuple[Connector, TableName] | None:
        """Return the connector of a table and its name there, or None."""
        with self._lock:
            return self._tables.get(path)

    def has(self, path: TablePath) -> bool:
        """Return whether there is an external table of that name."""
        return self.get(path) is not None

    def drop(self, path: TablePath) -> bool:
        """Forget a table; return whether there was one."""
        with self._lock:
            return self._tables.pop(path, None) is not None

    def drop_catalog(self, catalog: str) -> None:
        """Forget all tables of a catalog."""
        with self._lock:
            for path in [path for path in self._tables if path.catalog == catalog]:
                del self._tables[path]

    def names(self, catalog: str, schema: str) -> tuple[str, ...]:
        """Return the names in one schema, sorted."""
        with self._lock:
            paths = [p for p in self._tables if (p.catalog, p.schema) == (catalog, schema)]
        return tuple(sorted(path.table for path in paths))


def _plain_names(options: Mapping[str, str]) -> dict[str, str]:
    """DataFusion writes ``format.has_header``; the connector calls it ``header``."""
    plain = {name.removeprefix("format."): value for name, value in options.items()}
    if "has_header" in plain:
        plain["header"] = plain.pop("has_header")
    return plain
