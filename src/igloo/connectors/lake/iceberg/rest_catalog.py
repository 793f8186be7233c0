"""The REST catalog, as pyiceberg speaks it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyiceberg.catalog.rest import RestCatalog as DriverCatalog
from pyiceberg.exceptions import NoSuchNamespaceError, NoSuchTableError

from igloo.connectors.lake.iceberg.lake_catalog import TablePointer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from igloo.connectors.lake.iceberg.options import IcebergOptions


class RestCatalog:
    """Asks a REST catalog. Making one dials it."""

    def __init__(
        self, catalog: str, options: IcebergOptions, properties: Mapping[str, str]
    ) -> None:
        given = {"uri": options.uri, "credential": options.credential, "token": options.token}
        known = {name: secret.reveal() for name, secret in given.items() if secret is not None}
        if options.warehouse is not None:
            known["warehouse"] = options.warehouse.text
        self._driver = DriverCatalog(catalog, **{**properties, **known})

    def namespaces(self) -> Sequence[str]:
        """Return the names of the namespaces, nested ones included."""
        found, ahead = [], list(self._driver.list_namespaces())
        while ahead:
            namespace = ahead.pop()
            found.append(".".join(namespace))
            ahead += [n for n in self._driver.list_namespaces(namespace) if n != namespace]
        return sorted(found)

    def tables(self, namespace: str) -> Sequence[str]:
        """Return the names of the tables in a namespace."""
        try:
            return sorted(name[-1] for name in self._driver.list_tables(namespace))
        except NoSuchNamespaceError:
            return []

    def locate(self, namespace: str, table: str) -> TablePointer | None:
        """Return where the table is now, with the access that the catalog vends for it."""
        try:
            loaded = self._driver.load_table((*namespace.split("."), table))
        except (NoSuchTableError, NoSuchNamespaceError):
            return None
        return TablePointer(loaded.metadata_location, loaded.io)

    def close(self) -> None:
        """Close the HTTP session."""
        self._driver.close()
