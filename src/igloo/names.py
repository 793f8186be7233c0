"""Names of tables, and how identifiers are quoted."""

from __future__ import annotations

import re
from dataclasses import dataclass

_PLAIN_IDENTIFIER = re.compile(r"[a-z_][a-z0-9_]*\Z")


@dataclass(frozen=True, slots=True, order=True)
class TableName:
    """A table inside one catalog: schema and table, in the source's own spelling."""

    schema: str
    table: str

    def __str__(self) -> str:
        return f"{self.schema}.{self.table}"


@dataclass(frozen=True, slots=True, order=True)
class TablePath:
    """A table of the whole installation: catalog, schema, table."""

    catalog: str
    schema: str
    table: str

    @property
    def name(self) -> TableName:
        """The table's name inside its catalog."""
        return TableName(self.schema, self.table)

    def __str__(self) -> str:
        return f"{self.catalog}.{self.schema}.{self.table}"


def quote_identifier(name: str) -> str:
    """Return ``name`` as a quoted SQL identifier, quotes doubled."""
    return '"' + name.replace('"', '""') + '"'


def quote_if_needed(name: str) -> str:
    """Return ``name`` bare where SQL reads it back unchanged, quoted otherwise."""
    return name if _PLAIN_IDENTIFIER.match(name) else quote_identifier(name)


def quote_literal(text: str) -> str:
    """Return ``text`` as a SQL string literal, quotes doubled."""
    return "'" + text.replace("'", "''") + "'"
