"""What a catalog of a lake answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyiceberg.io import FileIO


@dataclass(frozen=True, slots=True)
class TablePointer:
    """Where a table is now.

    Attributes:
        metadata_location: its present metadata file; never changes its content.
        io: reads the table's files.
    """

    metadata_location: str
    io: FileIO


class LakeCatalog(Protocol):
    """A list of tables. Thread-safe."""

    def namespaces(self) -> Sequence[str]:
        """Return the names of the namespaces, levels joined by dots."""

    def tables(self, namespace: str) -> Sequence[str]:
        """Return the names of the tables in a namespace; none if there is no such namespace."""

    def locate(self, namespace: str, table: str) -> TablePointer | None:
        """Return where the table is now, or None if there is no such table."""

    def close(self) -> None:
        """Give back connections."""
