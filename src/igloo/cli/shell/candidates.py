"""What may be completed where the cursor is, from what is known now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from igloo.cli.shell import words
from igloo.cli.shell.scope import Expected, Scope
from igloo.names import quote_identifier, quote_if_needed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

#: A menu of more is no help.
CANDIDATES_MAX = 500


@dataclass(frozen=True, slots=True)
class Candidate:
    """A text that may stand instead of what is typed, and what it is."""

    text: str
    meaning: str


class Names(Protocol):
    """What is known of the sources."""

    @property
    def place(self) -> tuple[str, str]:
        """The current catalog and schema."""
        ...

    def catalogs(self) -> Sequence[str]:
        """Return the catalogs."""
        ...

    def schemas(self, catalog: str) -> Sequence[str]:
        """Return the schemas of a catalog."""
        ...

    def tables(self, catalog: str, schema: str) -> Sequence[str]:
        """Return the tables of a schema."""
        ...

    def columns(self, table: Sequence[str]) -> Sequence[str]:
        """Return the columns of a table."""
        ...


def candidates(scope: Scope, names: Names) -> list[Candidate]:
    """Return what fits what is typed, the likeliest first."""
    found: dict[str, Candidate] = {}
    for candidate in _offered(scope, names):
        if len(found) == CANDIDATES_MAX:
            break
        found.setdefault(candidate.text, candidate)
    return list(found.values())


def _offered(scope: Scope, names: Names) -> Iterator[Candidate]:
    match scope.expected:
        case Expected.NOTHING:
            return
        case Expected.START:
            yield from _keywords(scope, words.STARTS)
        case Expected.RELATION:
            yield from _relations(scope, names)
            yield from _followers(scope)
        case Expected.PLACE:
            yield from _places(scope, names)
        case Expected.CATALOG:
            yield from _names(scope, names.catalogs(), "catalog")
        case Expected.SETTING:
            yield from _followers(scope)
            yield from _settings(scope)
        case Expected.SETTING_VALUE:
            yield from _plain(scope, words.setting_choices(scope.subject), "value")
        case Expected.CONNECTOR:
            from igloo.connectors.registry import connector_names

            yield from _plain(scope, connector_names(), "connector")
        case Expected.EXPRESSION:
            yield from _expressions(scope, names)


def _relations(scope: Scope, names: Names) -> Iterator[Candidate]:
    catalog, schema = names.place
    match scope.qualifier:
        case ():
            yield from _names(scope, scope.queries, "query")
            yield from _names(scope, names.tables(catalog, schema), "table")
            yield from _places(scope, names)
        case (first,):
            if first in names.schemas(catalog):
                yield from _names(scope, names.tables(catalog, first), "table")
            if first in names.catalogs():
                schemas = names.schemas(first)
                default = _default_schema(schemas)
                if default is not None:
                    yield from _names(scope, names.tables(first, default), "table")
                yield from _names(scope, schemas, "schema")
        case (first, second):
            yield from _names(scope, names.tables(first, second), "table")


def _default_schema(schemas: Sequence[str]) -> str | None:
    """Return the schema that ``catalog.table`` means."""
    if len(schemas) == 1:
        return schemas[0]
    return next((schema for schema in ("main", "public") if schema in schemas), None)


def _places(scope: Scope, names: Names) -> Iterator[Candidate]:
    if not scope.qualifier:
        yield from _names(scope, names.catalogs(), "catalog")
        yield from _names(scope, names.schemas(names.place[0]), "schema")
    elif len(scope.qualifier) == 1 and scope.qualifier[0] in names.catalogs():
        yield from _names(scope, names.schemas(scope.qualifier[0]), "schema")


def _expressions(scope: Scope, names: Names) -> Iterator[Candidate]:
    if scope.qualifier:
        for relation in scope.relations:
            is_meant = relation.name == scope.qualifier or (
                len(scope.qualifier) == 1 and relation.is_called(scope.qualifier[0])
            )
            if is_meant:
                yield from _names(scope, names.columns(relation.name), "column")
        return
    if scope.before in words.FOLLOWERS:
        yield from _followers(scope)
        return
    for relation in scope.relations:
        if relation.name[-1] not in scope.queries:
            yield from _names(scope, names.columns(relation.name), "column")
    called = [relation.alias or relation.name[-1] for relation in scope.relations]
    # The word that is typed may itself be read as an alias.
    yield from _names(scope, [name for name in called if name != scope.prefix.lower()], "table")
    yield from _keywords(scope, words.KEYWORDS)
    # All functions at once would hide what is likelier.
    if scope.prefix:
        yield from _plain(scope, words.function_names(), "function")


def _followers(scope: Scope) -> Iterator[Candidate]:
    if not scope.qualifier:
        yield from _keywords(scope, words.FOLLOWERS.get(scope.before, ()))


def _settings(scope: Scope) -> Iterator[Candidate]:
    typed = "".join(f"{part}." for part in scope.qualifier) + scope.prefix.lower()
    cut = len(typed) - len(scope.prefix)
    for name in words.setting_names():
        if name.startswith(typed):
            yield Candidate(name[cut:], "setting")


def _keywords(scope: Scope, phrases: Iterable[str]) -> Iterator[Candidate]:
    """Yield keywords in the case that was begun with."""
    if scope.qualifier or scope.typed.startswith('"'):
        return
    for phrase in phrases:
        if phrase.startswith(scope.prefix.upper()):
            yield Candidate(phrase.lower() if scope.prefix.islower() else phrase, "keyword")


def _plain(scope: Scope, texts: Iterable[str], meaning: str) -> Iterator[Candidate]:
    if not scope.qualifier and not scope.typed.startswith('"'):
        for text in texts:
            if text.startswith(scope.prefix.lower()):
                yield Candidate(text, meaning)


def _names(scope: Scope, names: Iterable[str], meaning: str) -> Iterator[Candidate]:
    """Yield names as SQL reads them back: in quotes where that is needed, or begun with."""
    is_quoted = scope.typed.startswith('"')
    for name in names:
        if name.lower().startswith(scope.prefix.lower()):
            needs_quotes = is_quoted or name.upper() in words.RESERVED
            yield Candidate(
                quote_identifier(name) if needs_quotes else quote_if_needed(name), meaning
            )
