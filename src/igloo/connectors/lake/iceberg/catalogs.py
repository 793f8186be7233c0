"""Opens the catalog that a user's options mean. Catalogs are only read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pyiceberg.io import load_file_io

from igloo.connectors.lake.iceberg.folder_catalog import FolderCatalog
from igloo.connectors.lake.iceberg.sql_catalog import SqlCatalog
from igloo.errors import InvalidSetting, NotSupported

if TYPE_CHECKING:
    from collections.abc import Mapping

    from igloo.connectors.lake.iceberg.lake_catalog import LakeCatalog
    from igloo.connectors.lake.iceberg.options import IcebergOptions

#: The file that makes a warehouse folder an SQL catalog.
CATALOG_FILE = "catalog.db"
_FILE_IO = {"py-io-impl": "pyiceberg.io.pyarrow.PyArrowFileIO"}
_STORAGE_NAMES = {
    "region": "s3.region",
    "endpoint": "s3.endpoint",
    "access_key_id": "s3.access-key-id",
    "secret_access_key": "s3.secret-access-key",
}


def open_catalog(catalog: str, options: IcebergOptions) -> LakeCatalog:
    """Open the catalog that the options mean; called at first use, because it looks at the disk.

    Raises:
        InvalidSetting: an option that this kind of catalog needs is missing.
        NotSupported: this kind of catalog is not read yet.
    """
    kind = kind_of(options)
    if kind == "rest":
        from igloo.connectors.lake.iceberg.rest_catalog import RestCatalog

        return RestCatalog(catalog, options, file_properties(options.storage))
    io = load_file_io(file_properties(options.storage))
    if kind == "sql":
        return SqlCatalog(catalog, _database(options), options.catalog_name, io)
    return FolderCatalog(catalog, _warehouse(options), io)


def check_options(catalog: str, options: IcebergOptions) -> None:
    """Refuse options that can never work, without looking at the disk or the network.

    Raises:
        InvalidSetting: an option is missing.
        NotSupported: this kind of catalog is not read yet.
    """
    kind = options.type
    if kind in ("glue", "hive"):
        raise NotSupported(
            f'The catalog "{catalog}" is of type {kind}, which is not read yet.',
            hint="Use type sql, rest or folder.",
        )
    if kind == "rest" and options.uri is None:
        raise _missing(catalog, "rest", "uri")
    if kind in (None, "folder") and options.warehouse is None:
        raise _missing(catalog, kind or "folder", "warehouse")
    if kind == "sql" and options.uri is None and options.warehouse is None:
        raise _missing(catalog, "sql", "uri")


def kind_of(options: IcebergOptions) -> str:
    """Return the catalog's type; looks at the warehouse folder where none was given."""
    if options.type is not None:
        return options.type
    if options.uri is not None:
        return "sql"
    return "sql" if (Path(_warehouse(options)) / CATALOG_FILE).is_file() else "folder"


def _missing(catalog: str, kind: str, name: str) -> InvalidSetting:
    return InvalidSetting(
        f'The iceberg catalog "{catalog}" of type {kind} needs the option "{name}".', option=name
    )


def _warehouse(options: IcebergOptions) -> str:
    assert options.warehouse is not None, "check_options ran"  # noqa: S101 - our own invariant
    return options.warehouse.resolved().removeprefix("file://")


def _database(options: IcebergOptions) -> str | Path:
    if options.uri is not None:
        return options.uri.reveal()
    return Path(_warehouse(options)) / CATALOG_FILE


def file_properties(storage: Mapping[str, str]) -> dict[str, str]:
    """Return pyiceberg's properties for reading files with the options ``storage.*``."""
    known = {_STORAGE_NAMES[name]: text for name, text in storage.items() if name in _STORAGE_NAMES}
    return _FILE_IO | known
