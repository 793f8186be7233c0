"""TPC-H tables in an Iceberg warehouse: an SQL catalog on SQLite beside its files."""

from __future__ import annotations

import contextlib
import sqlite3
from typing import TYPE_CHECKING

from igloo.testing.tpch.tables import read_plain

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def load_iceberg(
    warehouse: Path,
    files: Mapping[str, Path],
    *,
    namespace: str = "tpch",
    partition_by: Mapping[str, str] | None = None,
) -> None:
    """Write the tables that the catalog does not hold yet, each in one commit.

    Args:
        warehouse: folder that gets ``catalog.db`` and the tables' files. It cannot be moved
            afterwards: Iceberg writes absolute paths.
        files: the Parquet file of each table, as ``make_parquet`` returns them.
        namespace: is created if it is missing.
        partition_by: column of a table by whose values its files are kept apart.
    """
    warehouse = warehouse.absolute()
    missing = set(files) - _written(warehouse / "catalog.db", namespace)
    if not missing:
        return
    # Only who writes pays for loading the library.
    from pyiceberg.catalog.sql import SqlCatalog

    warehouse.mkdir(parents=True, exist_ok=True)
    catalog = SqlCatalog(
        "tpch", uri=f"sqlite:///{warehouse / 'catalog.db'}", warehouse=f"file://{warehouse}"
    )
    try:
        catalog.create_namespace_if_not_exists(namespace)
        for name, path in files.items():
            if name not in missing:
                continue
            rows = read_plain(path)
            with catalog.create_table_transaction((namespace, name), rows.schema) as transaction:
                if column := (partition_by or {}).get(name):
                    with transaction.update_spec() as spec:
                        spec.add_identity(column)
                transaction.append(rows)
    finally:
        catalog.close()


def _written(catalog: Path, namespace: str) -> set[str]:
    """Return the tables that the catalog holds already."""
    if not catalog.exists():
        return set()
    names = "SELECT table_name FROM iceberg_tables WHERE table_namespace = ?"
    with contextlib.closing(sqlite3.connect(catalog)) as connection:
        try:
            return {name for (name,) in connection.execute(names, [namespace])}
        except sqlite3.OperationalError:  # a stopped run left it without tables of its own
            return set()
