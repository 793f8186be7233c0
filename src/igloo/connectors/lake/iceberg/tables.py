"""Tables as their metadata files describe them."""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyiceberg.exceptions import ValidationError
from pyiceberg.table.metadata import TableMetadataUtil
from pyiceberg.table.name_mapping import parse_mapping_from_json

from igloo.connectors.lake.bounded_cache import BoundedCache
from igloo.connectors.lake.iceberg.locations import open_file
from igloo.connectors.lake.iceberg.types import refuse_unknown_types
from igloo.errors import NotSupported

if TYPE_CHECKING:
    from pyiceberg.io import FileIO
    from pyiceberg.schema import Schema
    from pyiceberg.table.metadata import TableMetadata
    from pyiceberg.table.name_mapping import NameMapping
    from pyiceberg.table.snapshots import Snapshot

_CACHE_BYTES = 64 * 1024 * 1024
_GZIP_MAGIC = b"\x1f\x8b"
_NAME_MAPPING = "schema.name-mapping.default"
#: A table property that says that its files are encrypted.
_ENCRYPTION_KEY = "encryption.key-id"


@dataclass(frozen=True, slots=True)
class TableState:
    """One state of a table, as ``Table.detail`` carries it to scans in any process.

    Attributes:
        metadata_location: the metadata file that describes it.
        snapshot_id: the snapshot that is read; None while the table is empty.
    """

    metadata_location: str
    snapshot_id: int | None


@dataclass(frozen=True, slots=True)
class LoadedTable:
    """A table's metadata and how its files are read."""

    metadata: TableMetadata
    io: FileIO
    names: NameMapping | None

    @property
    def schema(self) -> Schema:
        """The present schema."""
        return self.metadata.schema()

    def snapshot(self, snapshot_id: int) -> Snapshot:
        """Return one of the table's snapshots."""
        found = self.metadata.snapshot_by_id(snapshot_id)
        if found is None:
            raise NotSupported(f"The table has no snapshot {snapshot_id} any more.")
        return found


class MetadataReader:
    """Reads metadata files, keeping what was parsed: they never change. Thread-safe."""

    def __init__(self) -> None:
        self._cache: BoundedCache[str, tuple[LoadedTable, int]] = BoundedCache(_CACHE_BYTES)

    def load(self, location: str, io: FileIO) -> LoadedTable:
        """Return what a metadata file says.

        Raises:
            NotSupported: the table is encrypted.
            UnsupportedType: a column's type is not one that pyiceberg knows.
        """
        loaded, _ = self._cache.get(location, lambda: _load(location, io), lambda made: made[1])
        return loaded


def _load(location: str, io: FileIO) -> tuple[LoadedTable, int]:
    with open_file(location, io) as stream:
        content = stream.read()
    # Some writers name the compression, some only use it.
    text = gzip.decompress(content) if content.startswith(_GZIP_MAGIC) else content
    try:
        metadata = TableMetadataUtil.parse_raw(text.decode())
    except ValidationError:
        refuse_unknown_types(json.loads(text))
        raise
    if metadata.properties.get(_ENCRYPTION_KEY):
        raise NotSupported("The table's files are encrypted.")
    mapping = metadata.properties.get(_NAME_MAPPING)
    names = parse_mapping_from_json(mapping) if mapping else None
    # A parsed metadata file takes about ten times its text.
    return LoadedTable(metadata, io, names), 10 * len(text)
