"""The SQL catalog: two tables in a database, as pyiceberg and the JDBC catalog write them."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from igloo.connectors.lake.iceberg.lake_catalog import TablePointer
from igloo.errors import InvalidSetting, MissingDependency, SourceUnavailable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyiceberg.io import FileIO


_NAMESPACES = """
    SELECT table_namespace FROM iceberg_tables WHERE catalog_name = :catalog
    UNION SELECT namespace FROM iceberg_namespace_properties WHERE catalog_name = :catalog
"""
_ALL_NAMES = """
    SELECT catalog_name FROM iceberg_tables
    UNION SELECT catalog_name FROM iceberg_namespace_properties
"""
_TABLES_OF = """
    SELECT table_name FROM iceberg_tables
    WHERE catalog_name = :catalog AND table_namespace = :namespace AND metadata_location IS NOT NULL
"""
_LOCATION = """
    SELECT metadata_location FROM iceberg_tables
    WHERE catalog_name = :catalog AND table_namespace = :namespace AND table_name = :name
"""


def sqlite_url(path: Path) -> str:
    """Return a URL that opens an SQLite file and never makes one."""
    return f"sqlite:///file:{quote(str(path))}?mode=rw&uri=true"


class SqlCatalog:
    """Reads pointers with plain SELECTs: nothing is created, and only standard columns are used."""

    def __init__(
        self, catalog: str, database: str | Path, catalog_name: str | None, io: FileIO
    ) -> None:
        """Remember where the database is.

        Args:
            catalog: this catalog's name.
            database: a database URL, or the path of an SQLite file.
            catalog_name: what the rows to read are marked with; None to find out.
            io: reads the tables' files.
        """
        self._catalog = catalog
        self._database = database
        self._wanted_name = catalog_name
        self._io = io
        self._lock = threading.Lock()
        self._engine: Any = None
        self._name: str | None = None

    def namespaces(self) -> Sequence[str]:
        """Return the names of the namespaces."""
        return self._column(_NAMESPACES)

    def tables(self, namespace: str) -> Sequence[str]:
        """Return the names of the tables in a namespace."""
        return self._column(_TABLES_OF, namespace=namespace)

    def locate(self, namespace: str, table: str) -> TablePointer | None:
        """Return where the table is now, or None."""
        found = self._column(_LOCATION, namespace=namespace, name=table)
        return TablePointer(found[0], self._io) if found and found[0] else None

    def close(self) -> None:
        """Close the database's connections."""
        with self._lock:
            if self._engine is not None:
                self._engine.dispose()
                self._engine = None

    def _column(self, sql: str, **parameters: str) -> list[str]:
        name = self._catalog_name()
        return [] if name is None else self._run(sql, catalog=name, **parameters)

    def _catalog_name(self) -> str | None:
        """The name that the rows carry: as configured, the only one, or this catalog's own."""
        if self._wanted_name is not None or self._name is not None:
            return self._wanted_name or self._name
        names = self._run(_ALL_NAMES)
        if len(names) > 1 and self._catalog not in names:
            raise InvalidSetting(
                f'The database of the catalog "{self._catalog}" holds several Iceberg catalogs.',
                hint=f"Set catalog_name to one of: {', '.join(sorted(names))}.",
                option="catalog_name",
            )
        if names:
            self._name = self._catalog if self._catalog in names else names[0]
        return self._name

    def _run(self, sql: str, **parameters: str) -> list[str]:
        from sqlalchemy import text

        with self._connect() as connection:
            rows = connection.execute(text(sql), parameters).fetchall()
        return [row[0] for row in rows]

    def _connect(self) -> Any:
        with self._lock:
            if self._engine is None:
                self._engine = self._open()
            return self._engine.connect()

    def _open(self) -> Any:
        try:
            from sqlalchemy import create_engine, make_url
        except ModuleNotFoundError as error:
            raise MissingDependency(
                'An Iceberg catalog of type sql needs the package "sqlalchemy".',
                hint="Run: pip install 'pyiceberg[sql-sqlite]'",
            ) from error
        if isinstance(self._database, Path):
            return create_engine(self._existing(self._database))
        url = make_url(self._database)
        if url.get_backend_name() == "sqlite" and "uri" not in url.query:
            return create_engine(self._existing(Path(url.database or "")))
        try:
            return create_engine(url)
        except ModuleNotFoundError as error:
            raise MissingDependency(
                f'The catalog "{self._catalog}" needs the package "{error.name}" for its database.',
                hint=f"Run: pip install {error.name}",
            ) from error

    def _existing(self, path: Path) -> str:
        """SQLite makes a file that does not exist; a source is never written to."""
        if not path.is_file():
            raise SourceUnavailable(
                f'The catalog "{self._catalog}" has no database file "{path}".',
                hint="Check the options uri and warehouse.",
                catalog=self._catalog,
            )
        return sqlite_url(path.absolute())
