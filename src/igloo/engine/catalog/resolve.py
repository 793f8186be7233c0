"""What a name in SQL means.

``catalog.schema.table`` is exact. ``a.b`` is schema a of the current catalog, else catalog a's
default schema. One part is the current schema, else the short name ``catalog_table``. Where nothing
matches exactly, the one match in other case counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from igloo.engine.catalog.catalogs import MEMORY, SYSTEM
from igloo.engine.catalog.views import View
from igloo.errors import IglooError, TableNotFound, UserError, did_you_mean
from igloo.names import TableName, TablePath

if TYPE_CHECKING:
    from collections.abc import Iterator

    from igloo.connectors.contract import Connector, Table
    from igloo.engine.catalog.catalogs import Catalogs
    from igloo.engine.catalog.external import ExternalTables
    from igloo.engine.catalog.views import Views


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundTable:
    """A table that a name means: where it is, as its source describes it now."""

    path: TablePath
    table: Table
    connector: Connector


Found = FoundTable | View


@dataclass(frozen=True, slots=True)
class Place:
    """The current catalog and schema, in which short names are read."""

    catalog: str
    schema: str


class Resolver:
    """Finds tables and views by the parts of a name."""

    def __init__(self, catalogs: Catalogs, views: Views, external: ExternalTables) -> None:
        self._catalogs = catalogs
        self._views = views
        self._external = external

    def resolve(self, parts: tuple[str, ...], place: Place) -> Found:
        """Return what the name means.

        Raises:
            TableNotFound: nothing; the hint names the closest table.
            CatalogNotFound: a three-part name starts with no catalog.
            UserError: the name means two things; the message names both.
            SourceError: a source that has to be asked does not answer.
        """
        for path in self._exact_paths(parts, place):
            found = self._look_up(path)
            if found is not None:
                return found
        if len(parts) == 1:
            found = self._look_up_short(parts[0])
            if found is not None:
                return found
        raise self._not_found(parts, place)

    def has_table(self, path: TablePath) -> bool:
        """Return whether exactly this table exists; views do not count."""
        if self._external.has(path):
            return True
        return path.name in self._catalogs.connector(path.catalog).list_tables(path.schema)

    def path_for_new(self, parts: tuple[str, ...], place: Place) -> TablePath:
        """Return where a table or view of that name would be made.

        Raises:
            CatalogNotFound: a three-part name starts with no catalog.
        """
        match parts:
            case (catalog, schema, table):
                self._catalogs.connector(catalog)
                return TablePath(catalog, schema, table)
            case (first, table):
                in_current = first in self._schemas(place.catalog)
                if in_current or not self._catalogs.has(first):
                    return TablePath(place.catalog, first, table)
                return TablePath(first, self._catalogs.connector(first).default_schema, table)
            case _:
                return TablePath(place.catalog, place.schema, parts[0])

    def _exact_paths(self, parts: tuple[str, ...], place: Place) -> Iterator[TablePath]:
        match parts:
            case (catalog, schema, table):
                self._catalogs.connector(catalog)
                yield TablePath(catalog, schema, table)
            case (first, table):
                yield TablePath(place.catalog, first, table)
                if self._catalogs.has(first):
                    default = self._catalogs.connector(first).default_schema
                    yield TablePath(first, default, table)
            case (table,):
                yield TablePath(place.catalog, place.schema, table)

    def _look_up(self, path: TablePath) -> Found | None:
        view = self._views.get(path)
        if view is not None:
            return view
        external = self._external.get(path)
        if external is not None:
            connector, name = external
            return FoundTable(path=path, table=connector.load_table(name), connector=connector)
        connector = self._catalogs.connector(path.catalog)
        try:
            return FoundTable(path=path, table=connector.load_table(path.name), connector=connector)
        except TableNotFound:
            pass
        matches = list(self._other_case(path, connector))
        if len(matches) > 1:
            names = " and ".join(f'"{match.schema}"."{match.table}"' for match in sorted(matches))
            raise UserError(
                f'The name "{path}" means {names}.', hint="Put the one you mean in double quotes."
            )
        for match in matches:
            table = connector.load_table(match)
            exact = TablePath(path.catalog, match.schema, match.table)
            return FoundTable(path=exact, table=table, connector=connector)
        return None

    def _other_case(self, path: TablePath, connector: Connector) -> Iterator[TableName]:
        for schema in connector.list_schemas():
            if schema.lower() == path.schema.lower():
                for name in connector.list_tables(schema):
                    if name.table.lower() == path.table.lower():
                        yield name

    def _look_up_short(self, short: str) -> Found | None:
        matches: dict[TablePath, None] = {}
        failure: IglooError | None = None
        for catalog, table in _splits(short):
            if not self._catalogs.has(catalog):
                continue
            try:
                matches.update(dict.fromkeys(self._tables_named(catalog, table)))
            except IglooError as error:
                failure = error
        if len(matches) > 1:
            names = " and ".join(f'"{path}"' for path in sorted(matches))
            raise UserError(f'The name "{short}" means {names}.', hint="Write the full name.")
        for path in matches:
            return self._look_up(path)
        if failure is not None:
            raise failure
        return None

    def _tables_named(self, catalog: str, table: str) -> Iterator[TablePath]:
        connector = self._catalogs.connector(catalog)
        for schema in {*connector.list_schemas(), *self._views.schemas(catalog)}:
            names = {n.table for n in connector.list_tables(schema)}
            names.update(self._views.names(catalog, schema))
            names.update(self._external.names(catalog, schema))
            exact = [name for name in names if name == table]
            for name in exact or [n for n in names if n.lower() == table.lower()]:
                yield TablePath(catalog, schema, name)

    def _schemas(self, catalog: str) -> set[str]:
        listed = self._catalogs.connector(catalog).list_schemas()
        return {*listed, *self._views.schemas(catalog)}

    def _not_found(self, parts: tuple[str, ...], place: Place) -> TableNotFound:
        wanted = ".".join(parts)
        if len(parts) == 2 and not self._catalogs.has(parts[0]):
            schemas = self._schemas(place.catalog)
            if parts[0] not in schemas:
                message = f'There is no table "{wanted}": "{parts[0]}" is no catalog, and no schema'
                hint = did_you_mean(parts[0], {*self._catalogs.names(), *schemas})
                return TableNotFound(f'{message} of "{place.catalog}".', hint=hint, table=wanted)
        hint = did_you_mean(parts[-1], self._known_nearby(parts, place))
        if not hint:
            hint = "SHOW TABLES FROM a catalog lists what is there; SHOW CATALOGS lists catalogs."
        return TableNotFound(f'There is no table "{wanted}".', hint=hint, table=wanted)

    def _known_nearby(self, parts: tuple[str, ...], place: Place) -> set[str]:
        """Names worth suggesting: of the schemas that the name could have meant."""
        known: set[str] = set()
        for path in self._exact_paths(parts, place):
            if path.catalog == SYSTEM:
                continue
            try:
                listed = self._catalogs.connector(path.catalog).list_tables(path.schema)
            except IglooError:
                # The name is wrong either way; a source that is down must not hide that.
                continue
            known.update(name.table for name in listed)
            known.update(self._views.names(path.catalog, path.schema))
            known.update(self._external.names(path.catalog, path.schema))
        return known


def _splits(short: str) -> Iterator[tuple[str, str]]:
    for position, character in enumerate(short):
        if character == "_" and 0 < position < len(short) - 1:
            yield short[:position], short[position + 1 :]


#: Where a session starts.
START = Place(MEMORY, "public")
