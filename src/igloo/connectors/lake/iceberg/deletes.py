"""Reads what is deleted: positions from delete files and deletion vectors, keys by value."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyiceberg import types as iceberg
from pyroaring import BitMap64

from igloo.connectors.file_scan import EqualityDeletes
from igloo.connectors.lake.bounded_cache import BoundedCache
from igloo.connectors.lake.iceberg.footers import field_id
from igloo.connectors.lake.iceberg.locations import open_file
from igloo.connectors.lake.iceberg.mapping import may_stand_for, plain_type
from igloo.connectors.lake.iceberg.types import arrow_type
from igloo.errors import NotSupported, SourceDataError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pyiceberg.io import FileIO
    from pyiceberg.schema import Schema

    from igloo.connectors.lake.iceberg.manifests import LiveFile

#: Field ids that the specification reserves for position delete files.
_PATH_ID, _POSITION_ID = 2147483546, 2147483545
_VECTOR_MAGIC = b"\xd1\xd3\x39\x64"
_CACHE_BYTES = 128 * 1024 * 1024
_POSITION_TYPES: tuple[pa.DataType, ...] = (pa.string(), pa.int64())
_POSITIONS = pa.schema(zip(("file", "position"), _POSITION_TYPES, strict=True))


@dataclass(frozen=True, slots=True)
class DeleteSource:
    """A delete file as a split carries it: small and picklable.

    Attributes:
        path: where it is.
        referenced_data_file: the only file whose rows it deletes, or None.
        vector_offset: where in the file its deletion vector starts; None for Parquet.
        vector_size_bytes: how long the vector is; None for Parquet.
        equality_ids: fields of the keys; empty if it deletes by position.
        record_count: deleted positions or keys, as the manifest says.
    """

    path: str
    referenced_data_file: str | None = None
    vector_offset: int | None = None
    vector_size_bytes: int | None = None
    equality_ids: tuple[int, ...] = ()
    record_count: int = 0


def delete_source(live: LiveFile) -> DeleteSource:
    """Return what has to be known to read a delete file.

    Raises:
        NotSupported: a deletion vector does not say where it is.
    """
    if live.is_deletion_vector and None in (live.content_offset, live.content_size_bytes):
        raise NotSupported(f'The deletion vector "{live.path}" does not say where it starts.')
    return DeleteSource(
        path=live.path,
        referenced_data_file=live.referenced_data_file,
        vector_offset=live.content_offset if live.is_deletion_vector else None,
        vector_size_bytes=live.content_size_bytes if live.is_deletion_vector else None,
        equality_ids=tuple(live.file.equality_ids or ()),
        record_count=live.file.record_count,
    )


class DeleteReader:
    """Reads delete files, keeping what was decoded: they never change. Thread-safe."""

    def __init__(self) -> None:
        self._cache: BoundedCache[DeleteSource, pa.Table] = BoundedCache(_CACHE_BYTES)

    def positions(self, source: DeleteSource, paths: Sequence[str], io: FileIO) -> pa.Table:
        """Return the positions that ``source`` deletes in the data files ``paths``.

        Returns:
            Columns ``file`` (string) and ``position`` (int64).
        """
        table = self._table(source, lambda: _read_positions(source, io))
        wanted = pa.array(paths, pa.string())
        return table.filter(pc.is_in(table["file"], value_set=wanted))

    def keys(self, source: DeleteSource, schema: Schema, io: FileIO) -> EqualityDeletes:
        """Return the keys that ``source`` deletes.

        Raises:
            NotSupported: a key is of a kind that cannot be compared exactly here.
        """
        table = self._table(source, lambda: _read_keys(source, io))
        fields = [_key_field(schema, number) for number in source.equality_ids]
        columns = [_as_key(table[str(field.field_id)], field) for field in fields]
        names = [field.name for field in fields]
        return EqualityDeletes(columns=tuple(names), keys=pa.table(columns, names=names))

    def _table(self, source: DeleteSource, read: Callable[[], pa.Table]) -> pa.Table:
        return self._cache.get(source, read, lambda table: 1024 + table.nbytes)


def _read_positions(source: DeleteSource, io: FileIO) -> pa.Table:
    if source.vector_offset is not None:
        return _read_vector(source, io)
    with open_file(source.path, io) as stream:
        table = pq.read_table(stream)
    numbers = {field_id(field): i for i, field in enumerate(table.schema)}
    if _PATH_ID in numbers and _POSITION_ID in numbers:
        chosen = [table.column(numbers[_PATH_ID]), table.column(numbers[_POSITION_ID])]
    elif {"file_path", "pos"} <= set(table.column_names):
        chosen = [table["file_path"], table["pos"]]
    else:
        raise SourceDataError(f'The file "{source.path}" does not hold position deletes.')
    return pa.table(chosen, names=_POSITIONS.names).cast(_POSITIONS)


def _read_vector(source: DeleteSource, io: FileIO) -> pa.Table:
    """Decode a ``deletion-vector-v1`` blob: length, magic, 64-bit roaring bitmap, checksum."""
    offset, size = source.vector_offset or 0, source.vector_size_bytes or 0
    with open_file(source.path, io) as stream:
        stream.seek(offset)
        blob = stream.read(size)
    length, body, checksum = blob[:4], blob[4:-4], blob[-4:]
    if (
        len(blob) != size
        or int.from_bytes(length, "big") != len(body)
        or not body.startswith(_VECTOR_MAGIC)
        or int.from_bytes(checksum, "big") != zlib.crc32(body)
    ):
        raise SourceDataError(f'The deletion vector in "{source.path}" is damaged.')
    bits = BitMap64.deserialize(body[len(_VECTOR_MAGIC) :])
    if source.record_count != len(bits):
        raise SourceDataError(
            f'The deletion vector in "{source.path}" deletes {len(bits)} rows; '
            f"the manifest says {source.record_count}."
        )
    positions = pa.array(bits.to_array(), pa.uint64()).cast(pa.int64())
    files = pa.repeat(pa.scalar(source.referenced_data_file, pa.string()), len(positions))
    return pa.table([files, positions], schema=_POSITIONS)


def _read_keys(source: DeleteSource, io: FileIO) -> pa.Table:
    with open_file(source.path, io) as stream:
        table = pq.read_table(stream)
    numbers = {field_id(field): i for i, field in enumerate(table.schema)}
    missing = [number for number in source.equality_ids if number not in numbers]
    if missing or not source.equality_ids:
        raise SourceDataError(f'The file "{source.path}" does not hold the keys that it deletes.')
    wanted = [table.column(numbers[number]) for number in source.equality_ids]
    return pa.table(wanted, names=[str(number) for number in source.equality_ids])


def _key_field(schema: Schema, number: int) -> iceberg.NestedField:
    field = next((field for field in schema.fields if field.field_id == number), None)
    if field is None:
        raise NotSupported(
            f"Rows are deleted by field {number}, which is nested or no longer in the table.",
            hint="Rewrite the table's data files to apply the deletes.",
        )
    if isinstance(field.field_type, iceberg.FloatType | iceberg.DoubleType) or (
        not field.field_type.is_primitive
    ):
        raise NotSupported(
            f'Rows are deleted by the column "{field.name}" of type {field.field_type}, '
            "which cannot be compared exactly.",
            hint="Rewrite the table's data files to apply the deletes.",
        )
    return field


def _as_key(column: Any, field: iceberg.NestedField) -> Any:
    if not may_stand_for(field.field_type, column.type):
        raise NotSupported(
            f'Rows are deleted by the column "{field.name}" of type {field.field_type}, '
            f"but the keys are of type {column.type}."
        )
    wanted: Any = arrow_type(field.field_type, field.name)
    if isinstance(wanted, pa.ExtensionType):
        wanted = wanted.storage_type
    if isinstance(column.type, pa.ExtensionType):
        column = pa.chunked_array([c.storage for c in column.chunks], wanted)
    return column if plain_type(column.type) == wanted == column.type else column.cast(wanted)
