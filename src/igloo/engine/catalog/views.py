"""Views: named queries, kept with the session's place in which their names are read."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from igloo.errors import AlreadyExists, TableNotFound

if TYPE_CHECKING:
    from igloo.engine.catalog.store import CatalogStore
    from igloo.names import TablePath


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A named query.

    Attributes:
        path: its name.
        text: the query.
        columns: names of its columns, if they were given.
        catalog: the catalog that was current when it was made; its names mean what they did then.
        schema: the schema that was current.
    """

    path: TablePath
    text: str
    columns: tuple[str, ...]
    catalog: str
    schema: str


class Views:
    """Views by path. Thread-safe."""

    def __init__(self, store: CatalogStore | None = None) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._views: dict[TablePath, View] = {}
        if store is not None:
            self._views.update((view.path, view) for view in store.views())

    def create(self, view: View, *, or_replace: bool, if_not_exists: bool) -> None:
        """Add a view.

        Raises:
            AlreadyExists: the name is taken and neither flag allows that.
        """
        with self._lock:
            if view.path in self._views and not or_replace:
                if if_not_exists:
                    return
                raise AlreadyExists(
                    f'There is a view "{view.path}" already.', hint="Use CREATE OR REPLACE VIEW."
                )
            if self._store is not None:
                self._store.put_view(view)
            self._views[view.path] = view

    def drop(self, path: TablePath, *, if_exists: bool) -> None:
        """Remove a view.

        Raises:
            TableNotFound: there is no such view and ``if_exists`` is not set.
        """
        with self._lock:
            if path not in self._views:
                if if_exists:
                    return
                raise TableNotFound(f'There is no view "{path}".')
            if self._store is not None:
                self._store.remove_view(path)
            del self._views[path]

    def drop_catalog(self, catalog: str) -> None:
        """Remove all views of a catalog."""
        with self._lock:
            paths = [path for path in self._views if path.catalog == catalog]
        for path in paths:
            self.drop(path, if_exists=True)

    def get(self, path: TablePath) -> View | None:
        """Return the view of that name, or None."""
        with self._lock:
            return self._views.get(path)

    def names(self, catalog: str, schema: str) -> tuple[str, ...]:
        """Return the names of the views of one schema, sorted."""
        with self._lock:
            paths = [p for p in self._views if (p.catalog, p.schema) == (catalog, schema)]
        return tuple(sorted(path.table for path in paths))

    def schemas(self, catalog: str) -> frozenset[str]:
        """Return the schemas of a catalog that have views."""
        with self._lock:
            return frozenset(p.schema for p in self._views if p.catalog == catalog)
