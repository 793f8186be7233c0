"""Manifests: which data and delete files a snapshot has.

pyiceberg's own reader stops at the fields of format version 2 and so never sees which data file a
deletion vector belongs to; this one reads all of version 3. Manifests never change, so what was
decoded is kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pyiceberg.avro.file import AvroFile
from pyiceberg.manifest import (
    DATA_FILE_TYPE,
    MANIFEST_ENTRY_SCHEMAS,
    DataFile,
    DataFileContent,
    FileFormat,
    ManifestContent,
    ManifestEntry,
    ManifestEntryStatus,
    ManifestFile,
    read_manifest_list,
)

from igloo.connectors.lake.bounded_cache import BoundedCache
from igloo.errors import NotSupported, SourceDataError

if TYPE_CHECKING:
    from pyiceberg.io import FileIO
    from pyiceberg.table.snapshots import Snapshot

#: Decoded manifests take about this much more memory than their compressed files.
_DECODED_RATIO = 20
_CACHE_BYTES = 256 * 1024 * 1024
_FIELDS = {field.name: index for index, field in enumerate(DATA_FILE_TYPE[3].fields)}
_NAN_KEY = "NaN"


@dataclass(frozen=True, slots=True)
class LiveFile:
    """A data or delete file of a snapshot.

    Attributes:
        file: pyiceberg's record, with path, metrics and partition.
        sequence_number: orders it among the table's changes.
    """

    file: DataFile
    sequence_number: int

    @property
    def path(self) -> str:
        """Location as the table writes it."""
        return str(self.file.file_path)

    @property
    def partition_key(self) -> tuple[int, tuple[object, ...]]:
        """Partition spec and values; NaN equals NaN."""
        values = tuple(_NAN_KEY if v != v else v for v in self._partition())  # noqa: PLR0124 - only NaN differs from itself
        return self.file.spec_id, values

    @property
    def is_deletion_vector(self) -> bool:
        """Whether it is a bitmap of deleted rows of one data file."""
        return bool(self.file.file_format == FileFormat.PUFFIN)

    @property
    def referenced_data_file(self) -> str | None:
        """The only data file whose rows it deletes, if it says so."""
        named: str | None = self._field("referenced_data_file")
        return named

    @property
    def content_offset(self) -> int | None:
        """Where in the file a deletion vector starts."""
        offset: int | None = self._field("content_offset")
        return offset

    @property
    def content_size_bytes(self) -> int | None:
        """How long a deletion vector is."""
        size: int | None = self._field("content_size_in_bytes")
        return size

    def _partition(self) -> tuple[Any, ...]:
        record: Any = self.file.partition
        return tuple(record)

    def _field(self, name: str) -> Any:
        return self.file._data[_FIELDS[name]]  # noqa: SLF001 - the record has no names for them


class ManifestReader:
    """Reads manifest lists and manifests of any table, keeping what it decoded. Thread-safe."""

    def __init__(self) -> None:
        self._lists: BoundedCache[str, tuple[ManifestFile, ...]] = BoundedCache(_CACHE_BYTES // 8)
        self._manifests: BoundedCache[str, tuple[LiveFile, ...]] = BoundedCache(_CACHE_BYTES)

    def manifests(self, snapshot: Snapshot, io: FileIO) -> tuple[ManifestFile, ...]:
        """Return the manifests of a snapshot.

        Raises:
            NotSupported: the snapshot has no manifest list, or a manifest is encrypted.
        """
        location = snapshot.manifest_list
        if not location:
            raise NotSupported(
                f"Snapshot {snapshot.snapshot_id} has no manifest list; it was written by a "
                "version of Iceberg that is too old."
            )

        def read() -> tuple[ManifestFile, ...]:
            return tuple(read_manifest_list(io.new_input(location)))

        found = self._lists.get(location, read, lambda listed: 2048 * (1 + len(listed)))
        encrypted = next((m for m in found if m.key_metadata), None)
        if encrypted is not None:
            raise NotSupported(f'The manifest "{encrypted.manifest_path}" is encrypted.')
        return found

    def live_files(self, manifest: ManifestFile, io: FileIO) -> tuple[LiveFile, ...]:
        """Return the files that a manifest lists and that are not removed."""

        def read() -> tuple[LiveFile, ...]:
            return _read(manifest, io)

        weight = _DECODED_RATIO * manifest.manifest_length
        return self._manifests.get(manifest.manifest_path, read, lambda _: weight)


def _read(manifest: ManifestFile, io: FileIO) -> tuple[LiveFile, ...]:
    with AvroFile[ManifestEntry](
        io.new_input(manifest.manifest_path),
        MANIFEST_ENTRY_SCHEMAS[3],
        read_types={-1: ManifestEntry, 2: DataFile},
        read_enums={0: ManifestEntryStatus, 101: FileFormat, 134: DataFileContent},
    ) as entries:
        return tuple(
            _live_file(entry, manifest)
            for entry in entries
            if entry.status != ManifestEntryStatus.DELETED
        )


def _live_file(entry: ManifestEntry, manifest: ManifestFile) -> LiveFile:
    file = entry.data_file
    file.spec_id = manifest.partition_spec_id
    if file.key_metadata:
        raise NotSupported(f'The file "{file.file_path}" is encrypted.')
    if (file.content == DataFileContent.DATA) != (manifest.content == ManifestContent.DATA):
        raise SourceDataError(
            f'The manifest "{manifest.manifest_path}" mixes data files and delete files.'
        )
    return LiveFile(file, _sequence_number(entry, manifest))


def _sequence_number(entry: ManifestEntry, manifest: ManifestFile) -> int:
    if entry.sequence_number is not None:
        return int(entry.sequence_number)
    # Only an added entry may take its number from the manifest; version 1 has none at all.
    own = manifest.sequence_number or 0
    if own == 0 or entry.status == ManifestEntryStatus.ADDED:
        return int(own)
    raise SourceDataError(
        f'The file "{entry.data_file.file_path}" has no sequence number in "{manifest.manifest_path}".'
    )


def row_count(manifests: tuple[ManifestFile, ...]) -> int | None:
    """Return the number of rows if the manifest list alone proves it: no deletes, all counted."""
    total = 0
    for manifest in manifests:
        added, existing = manifest.added_rows_count, manifest.existing_rows_count
        if added is None or existing is None:
            return None
        if manifest.content == ManifestContent.DELETES:
            if added + existing > 0 or manifest.has_added_files() or manifest.has_existing_files():
                return None
            continue
        total += added + existing
    return total


def data_file_count(manifests: tuple[ManifestFile, ...]) -> int | None:
    """Return the number of data files if the manifest list says it."""
    total = 0
    for manifest in manifests:
        if manifest.content == ManifestContent.DATA:
            added, existing = manifest.added_files_count, manifest.existing_files_count
            if added is None or existing is None:
                return None
            total += added + existing
    return total
