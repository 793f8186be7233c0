"""What differs between the SQLs of databases: identifiers, literals, patterns."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

from igloo.names import quote_identifier

if TYPE_CHECKING:
    import pyarrow as pa

    from igloo.connectors.sql.types import ValueKind
    from igloo.names import TableName


class Dialect(ABC):
    """Writes one database's SQL. Whatever it returns is safe to put into a statement."""

    def identifier(self, name: str) -> str:
        """Return ``name`` quoted."""
        return quote_identifier(name)

    def table(self, name: TableName) -> str:
        """Return the qualified name, so that no search path decides what is read."""
        return f"{self.identifier(name.schema)}.{self.identifier(name.table)}"

    @abstractmethod
    def text(self, value: str) -> str | None:
        """Return a text literal; None where the database cannot hold that text."""

    @abstractmethod
    def literal(self, value: pa.Scalar[Any], kind: ValueKind) -> str | None:
        """Return ``value`` as a literal to be compared with a column of ``kind``.

        None where it cannot be written exactly, or would not compare as the engine compares.
        """

    @abstractmethod
    def like(self, expression: str, pattern: str) -> str | None:
        """Return ``expression LIKE pattern``, backslash as escape; None if it means otherwise."""
