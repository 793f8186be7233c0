"""The catalogs of an installation: configured by name, opened when first used."""

from __future__ import annotations

import contextlib
import threading
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from igloo.connectors.options import read_options
from igloo.connectors.registry import load_connector
from igloo.engine.catalog.gate import OPEN
from igloo.engine.catalog.store import check_secrets_are_references
from igloo.errors import AlreadyExists, CatalogNotFound, InvalidValue, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping

    from igloo.config.load import CatalogConfig
    from igloo.connectors.contract import Connector
    from igloo.engine.catalog.gate import Gate
from igloo.engine.catalog.store import CatalogStore

#: Where sessions start, and where Igloo shows itself; neither can be replaced.
MEMORY = "memory"
SYSTEM = "system"
BUILT_IN = "built in"


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogRow:
    """A catalog as ``system.catalogs`` shows it; options hold references, never secrets."""

    name: str
    connector: str
    origin: str
    is_open: bool


class Catalogs:
    """Catalogs by name. Thread-safe.

    A catalog made by SQL is checked when it is made; one from the configuration when it is first
    used, so that a bad line there does not keep the others from working.
    """

    def __init__(
        self,
        environment: Mapping[str, str],
        store: CatalogStore | None = None,
        gate: Gate = OPEN,
    ) -> None:
        self._environment = environment
        self._gate = gate
        self._store = store
        self._lock = threading.RLock()
        self._configs: dict[str, CatalogConfig] = {}
        self._connectors: dict[str, Connector] = {}
        self._built_in: dict[str, Connector] = {}
        #: Only catalogs made by SQL may be changed by SQL: one writer for each fact.
        self._made_by_sql: set[str] = set()
        if store is not None:
            for config in store.catalogs():
                self._configs[config.name] = config
                self._made_by_sql.add(config.name)

    def build_in(self, connector: Connector) -> None:
        """Add a catalog that is always there."""
        self._built_in[connector.catalog] = connector

    def configure(self, config: CatalogConfig) -> None:
        """Add a catalog from the configuration; it wins over one kept in the catalog store."""
        with self._lock:
            self._configs[config.name] = config
            self._made_by_sql.discard(config.name)

    def create(
        self, config: CatalogConfig, *, or_replace: bool = False, if_not_exists: bool = False
    ) -> None:
        """Add a catalog that SQL makes, checking its options now.

        Raises:
            AlreadyExists: the name is taken and neither flag allows that.
            InvalidSetting: the connector or an option is unknown or has a wrong value; or it is a
                secret written out, and there is a catalog store, which keeps references only.
            InvalidValue: the catalog is not SQL's to replace.
            AccessDenied: it reaches for what statements may not name.
        """
        if not config.name:
            raise InvalidValue("A catalog cannot have an empty name.")
        with self._lock:
            if self._exists(config.name):
                if config.name in self._built_in and not if_not_exists:
                    self._check_changeable(config.name)
                if if_not_exists:
                    return
                if not or_replace:
                    raise AlreadyExists(
                        f'There is a catalog "{config.name}" already.',
                        hint="Use CREATE OR REPLACE CATALOG, or another name.",
                        catalog=config.name,
                    )
                self._check_changeable(config.name)
            connector = self._open_for_sql(config)
            if self._store is not None:
                check_secrets_are_references(config)
                # Another connection may start in another folder.
                self._store.put_catalog(replace(config, base=config.base or Path.cwd()))
            replaced = self._connectors.pop(config.name, None)
            self._configs[config.name] = config
            self._connectors[config.name] = connector
            self._made_by_sql.add(config.name)
        if replaced is not None:
            replaced.close()

    def drop(self, name: str, *, if_exists: bool = False) -> None:
        """Remove a catalog that SQL made.

        Raises:
            CatalogNotFound: there is no such catalog.
            InvalidValue: the catalog is not SQL's to drop.
        """
        with self._lock:
            if not self._exists(name):
                if if_exists:
                    return
                raise self._not_found(name)
            self._check_changeable(name)
            if self._store is not None:
                self._store.remove_catalog(name)
            del self._configs[name]
            self._made_by_sql.discard(name)
            connector = self._connectors.pop(name, None)
        if connector is not None:
            connector.close()

    def names(self) -> tuple[str, ...]:
        """Return the names of all catalogs, sorted."""
        with self._lock:
            return tuple(sorted({*self._configs, *self._built_in}))

    def has(self, name: str) -> bool:
        """Return whether there is a catalog of exactly that name."""
        with self._lock:
            return self._exists(name)

    def connector(self, name: str) -> Connector:
        """Return the catalog's connector, opening it if need be.

        Raises:
            CatalogNotFound: there is no such catalog.
            InvalidSetting: its configuration is wrong.
            MissingDependency: its driver is not installed.
            AccessDenied: SQL made it, and it reaches for what statements may not name.
        """
        with self._lock:
            if name in self._built_in:
                return self._built_in[name]
            if name not in self._configs:
                raise self._not_found(name)
            connector = self._connectors.get(name)
            if connector is None:
                open_catalog = self._open_for_sql if name in self._made_by_sql else self._open
                connector = self._connectors[name] = open_catalog(self._configs[name])
            return connector

    def rows(self) -> tuple[CatalogRow, ...]:
        """Return one row for each catalog, sorted by name."""
        with self._lock:
            rows = [
                CatalogRow(name=name, connector=c.kind, origin=BUILT_IN, is_open=True)
                for name, c in self._built_in.items()
            ]
            rows += [
                CatalogRow(
                    name=name,
                    connector=config.connector,
                    origin=config.origin,
                    is_open=name in self._connectors,
                )
                for name, config in self._configs.items()
            ]
        return tuple(sorted(rows, key=lambda row: row.name))

    def close(self) -> None:
        """Close every connector; the names stay. Safe to call twice."""
        with self._lock:
            connectors = [*self._connectors.values(), *self._built_in.values()]
            self._connectors.clear()
        with contextlib.ExitStack() as stack:
            for connector in connectors:
                stack.callback(connector.close)

    def _open_for_sql(self, config: CatalogConfig) -> Connector:
        """Open a catalog that a statement made, now or in an earlier process."""
        self._gate.check_references(config.options)
        connector = self._open(config)
        try:
            self._gate.check_options(connector.options)
        except BaseException:
            connector.close()
            raise
        return connector

    def _open(self, config: CatalogConfig) -> Connector:
        kind = load_connector(config.connector)
        options = read_options(
            kind.options_type,
            config.options,
            connector=config.connector,
            environment=self._environment,
            base=config.base,
        )
        return kind(config.name, options)

    def _exists(self, name: str) -> bool:
        return name in self._configs or name in self._built_in

    def _check_changeable(self, name: str) -> None:
        if name in self._built_in:
            raise InvalidValue(f'The catalog "{name}" is built in and stays.', catalog=name)
        if name not in self._made_by_sql:
            origin = self._configs[name].origin
            raise InvalidValue(
                f'The catalog "{name}" is managed by {origin}.',
                hint="Change it there.",
                catalog=name,
            )

    def _not_found(self, name: str) -> CatalogNotFound:
        return CatalogNotFound(
            f'There is no catalog "{name}".', hint=did_you_mean(name, self.names()), catalog=name
        )
