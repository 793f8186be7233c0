"""Hands tables to DataFusion by name, for one statement at a time.

DataFusion asks for each name while it plans, on the thread that called it, and inside such a call
nothing of DataFusion may be used. So planning goes in rounds: names that are not bound yet are
noted and answered with an empty stand-in; then they are resolved outside, and planning starts over.
"""

from __future__ import annotations

import contextlib
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pyarrow as pa
from datafusion.catalog import CatalogProvider, CatalogProviderList, SchemaProvider, Table

from igloo.engine.execution.context import CURRENT_CATALOG, CURRENT_SCHEMA
from igloo.engine.execution.scan import StubDataset
from igloo.errors import InternalError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from igloo.engine.execution.remote_query import RemoteQueries
    from igloo.errors import TableNotFound

#: A table as it is written: one, two or three parts.
Reference = tuple[str, ...]


@dataclass(slots=True)
class Binding:
    """The tables of one statement, by the name that it uses for them; None is no table."""

    tables: dict[Reference, Table | None] = field(default_factory=dict)
    missing: list[Reference] = field(default_factory=list)
    not_found: dict[str, TableNotFound] = field(default_factory=dict)
    remote_queries: RemoteQueries | None = None

    def not_found_in(self, message: str) -> TableNotFound | None:
        """Return why a name is no table, if that is what DataFusion complains of."""
        for name, error in self.not_found.items():
            if f".{name}' not found" in message:
                return error
        return None

    def find(self, reference: Reference) -> Table | None:
        """Return what is bound to a name, or a stand-in, noting that it is missing."""
        if reference in self.tables:
            return self.tables[reference]
        if reference not in self.missing:
            self.missing.append(reference)
        return Table(StubDataset(pa.schema([])))


_active = threading.local()


@contextlib.contextmanager
def active(binding: Binding) -> Iterator[None]:
    """Let names on this thread mean what ``binding`` says."""
    outer = getattr(_active, "binding", None)
    _active.binding = binding
    try:
        yield
    finally:
        _active.binding = outer


def active_binding() -> Binding:
    """Return the binding of the statement that this thread plans.

    Raises:
        InternalError: the thread plans nothing.
    """
    binding = getattr(_active, "binding", None)
    if binding is None:
        raise InternalError("A table was asked for outside of planning.")
    found: Binding = binding
    return found


class BoundCatalogs(CatalogProviderList):
    """Every name DataFusion may ask for, answered by the active binding."""

    def catalog_names(self) -> set[str]:
        """Return nothing: catalogs are asked for by name, never listed."""
        return set()

    def catalog(self, name: str) -> CatalogProvider:
        """Return a catalog that answers for ``name``."""
        return _Catalog(name)


class _Catalog(CatalogProvider):
    def __init__(self, name: str) -> None:
        self._name = name

    def schema_names(self) -> set[str]:
        return set()

    def schema(self, name: str) -> SchemaProvider:  # type: ignore[override] # both kinds are taken
        return _Schema(self._name, name)


class _Schema(SchemaProvider):
    def __init__(self, catalog: str, name: str) -> None:
        self._parts: Reference = (catalog, name)
        if catalog == CURRENT_CATALOG:
            self._parts = () if name == CURRENT_SCHEMA else (name,)

    def table_names(self) -> set[str]:
        return set()

    def table(self, name: str) -> Table | None:
        return active_binding().find((*self._parts, name))

    def table_exist(self, name: str) -> bool:
        return bool(name)
