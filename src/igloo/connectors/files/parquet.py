"""Parquet files: schemas and row counts from footers, rows row group by row group."""

from __future__ import annotations

import threading
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from igloo.connectors.files.failures import naming_file
from igloo.connectors.files.partitions import partition_values
from igloo.connectors.files.schemas import carried
from igloo.connectors.parquet_bounds import constant_floats
from igloo.errors import SourceDataError, UnsupportedType

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

    from igloo.connectors.files.listing import FoundFile

_NAME = "Parquet"
_FOOTERS_MAX = 50_000
#: About a second of reading.
_NAN_SEARCH_BYTES_MAX = 512 * 1024 * 1024
_READERS = 8
_BATCH_BYTES = 2 * 1024 * 1024
_BATCH_ROWS_MAX = 16_384
_BUFFER_BYTES = 256 * 1024

#: What tells one state of a file from another: path, time, size, inode.
_Identity = tuple[str, int, int, int]
_Fact = TypeVar("_Fact")


@dataclass(frozen=True, slots=True, kw_only=True)
class Footer:
    """What a Parquet file says of itself.

    Attributes:
        schema: its columns as Igloo carries them; INT96 is a timestamp in microseconds.
        row_count: exact number of rows.
        int96: names of the columns of the deprecated type INT96.
        doubtful_floats: columns of floating-point numbers that may hold a NaN which DataFusion
            would not see: those with a row group of one value, and half floats.
        float_bytes: unpacked size of those columns.
    """

    schema: pa.Schema
    row_count: int
    int96: frozenset[str] = frozenset()
    doubtful_floats: frozenset[str] = frozenset()
    float_bytes: int = 0


class FooterCache:
    """Footers that were read, by the file's path, time, size and number. Thread-safe, bounded."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._footers: OrderedDict[_Identity, Footer] = OrderedDict()
        self._nan_columns: OrderedDict[_Identity, frozenset[str]] = OrderedDict()

    def footers(self, files: Sequence[FoundFile]) -> list[Footer]:
        """Return the footers of ``files``, in their order."""
        if len(files) < _READERS:
            return [self._footer(file) for file in files]
        with ThreadPoolExecutor(_READERS) as readers:
            return list(readers.map(self._footer, files))

    def _footer(self, file: FoundFile) -> Footer:
        return self._remember(self._footers, file, _read_footer)

    def have_no_nan(self, files: Sequence[FoundFile], columns: Collection[str]) -> bool:
        """Whether no column that looks constant holds a NaN, found out by reading it once.

        False also where that would be too much to read. It matters because the smallest and largest
        values that a footer tells leave NaN out, and DataFusion 55 takes a column for constant
        where they are equal. (That it also skips row groups by them is cured where files are bound:
        ``file_scan`` hides floats from it; half floats cannot be hidden and are searched, too.)
        """
        doubtful = {name for footer in self.footers(files) for name in footer.doubtful_floats}
        wanted = doubtful & set(columns)
        if not wanted:
            return True
        if sum(footer.float_bytes for footer in self.footers(files)) > _NAN_SEARCH_BYTES_MAX:
            return False
        for file in files:
            found: frozenset[str] = self._remember(self._nan_columns, file, _columns_with_nan)
            if wanted & found:
                return False
        return True

    def _remember(
        self,
        cache: OrderedDict[_Identity, _Fact],
        file: FoundFile,
        read: Callable[[str], _Fact],
    ) -> _Fact:
        key = (file.path, file.mtime_ns, file.size_bytes, file.inode)
        with self._lock:
            known = cache.get(key)
            if known is not None:
                cache.move_to_end(key)
                return known
        found = read(file.path)
        with self._lock:
            cache[key] = found
            while len(cache) > _FOOTERS_MAX:
                cache.popitem(last=False)
        return found


def _read_footer(path: str) -> Footer:
    with naming_file(path, _NAME), pq.ParquetFile(path) as file:
        schema = file.schema_arrow
        int96 = _int96_columns(file, path)
        row_count = file.metadata.num_rows
        doubtful = _doubtful_floats(file.metadata, schema)
        float_bytes = _unpacked_bytes(file.metadata, doubtful)
    own = carried(schema, path)
    # A required column of Parquet has no place for a NULL, whoever wrote it; the planner counts on it.
    required = {field.name for field in schema if not field.nullable}
    fields = [
        pa.field(f.name, pa.timestamp("us") if f.name in int96 else f.type, f.name not in required)
        for f in own
    ]
    return Footer(
        schema=pa.schema(fields),
        row_count=row_count,
        int96=int96,
        doubtful_floats=doubtful,
        float_bytes=float_bytes,
    )


def _floats(schema: pa.Schema) -> list[str]:
    return [field.name for field in schema if pa.types.is_floating(field.type)]


def _doubtful_floats(metadata: pq.FileMetaData, schema: pa.Schema) -> frozenset[str]:
    half = {field.name for field in schema if pa.types.is_float16(field.type)}
    return constant_floats(metadata, schema) | half


def _unpacked_bytes(metadata: pq.FileMetaData, names: Collection[str]) -> int:
    groups = (metadata.row_group(i) for i in range(metadata.num_row_groups))
    chunks = (group.column(i) for group in groups for i in range(group.num_columns))
    return sum(c.total_uncompressed_size for c in chunks if c.path_in_schema in names)


def _columns_with_nan(path: str) -> frozenset[str]:
    found: set[str] = set()
    with naming_file(path, _NAME), _open(path) as file:
        names = sorted(_doubtful_floats(file.metadata, file.schema_arrow))
        for batch in file.iter_batches(batch_size=_BATCH_ROWS_MAX, columns=names):
            for name in set(names) - found:
                # Arrow has no is_nan for half floats.
                column = batch.column(name)
                if pa.types.is_float16(column.type):
                    column = column.cast(pa.float32())
                if pc.any(pc.is_nan(column)).as_py():
                    found.add(name)
    return frozenset(found)


def _int96_columns(file: pq.ParquetFile, path: str) -> frozenset[str]:
    leaves = (file.schema.column(i) for i in range(len(file.schema)))
    found = [leaf.path for leaf in leaves if leaf.physical_type == "INT96"]
    for name in found:
        if name not in file.schema_arrow.names:
            raise UnsupportedType(
                f'The column "{name}" of the file "{path}" has the type INT96 inside of another '
                "type, which cannot be read exactly.",
                hint="Write it as a timestamp.",
                path=path,
                column=name,
                type="INT96",
            )
    return frozenset(found)


def check_partition_columns(file: FoundFile, footer: Footer, partitions: pa.Schema) -> None:
    """Check that a partition column that the file holds, too, has the folder's value in each row.

    Raises:
        SourceDataError: the file's statistics do not prove it.
    """
    twice = [name for name in partitions.names if name in footer.schema.names]
    if not twice or not footer.row_count:
        return
    values = partition_values(file, partitions)
    with naming_file(file.path, _NAME), pq.ParquetFile(file.path) as opened:
        for name in twice:
            value = values[partitions.get_field_index(name)].as_py()
            if not _is_always(opened.metadata, name, value):
                raise column_twice(file.path, name)


def column_twice(path: str, name: str) -> SourceDataError:
    """Return the error for a partition column that the file holds, too."""
    return SourceDataError(
        f'The column "{name}" stands in the file "{path}" and in the name of its folder, '
        "and the two are not proven equal.",
        hint="Write the file without the column, or rename the folder.",
        path=path,
        column=name,
    )


def _is_always(metadata: pq.FileMetaData, name: str, value: object) -> bool:
    index = next(i for i in range(metadata.num_columns) if metadata.schema.column(i).path == name)
    for group_number in range(metadata.num_row_groups):
        group = metadata.row_group(group_number)
        known: Any = group.column(index).statistics if group.num_rows else None
        if not group.num_rows:
            continue
        if known is None or not known.has_null_count:
            return False
        if value is None:
            if known.null_count != group.num_rows:
                return False
            continue
        same = known.has_min_max and type(known.min) is type(value) and known.min == value
        if not same or known.max != value or known.null_count:
            return False
    return True


# -- rows --------------------------------------------------------------------------------------


def read_batches(path: str, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """Yield the rows of a file: those of ``columns`` that it has, in the file's own types.

    Memory is bounded by a few megabytes for each column, not by the file.
    """
    with naming_file(path, _NAME), _open(path) as file:
        names = [name for name in file.schema_arrow.names if name in set(columns)]
        int96 = _int96_columns(file, path) & set(names)
        if not int96:
            for batch in _batches(file, names):
                yield batch.select(names)
            return
        with _open(path, coerce_int96_timestamp_unit="us") as exact:
            pairs = zip(_batches(file, names), _batches(exact, names), strict=True)
            for nanoseconds, microseconds in pairs:
                yield _checked_int96(path, nanoseconds, microseconds, int96).select(names)


def _open(path: str, **options: Any) -> pq.ParquetFile:
    return pq.ParquetFile(path, buffer_size=_BUFFER_BYTES, pre_buffer=False, **options)


def _batches(file: pq.ParquetFile, names: Sequence[str]) -> Iterator[pa.RecordBatch]:
    rows = _batch_rows(file.metadata, set(names))
    # Without names Arrow still counts the rows.
    yield from file.iter_batches(batch_size=rows, columns=list(names), use_threads=False)


def _batch_rows(metadata: pq.FileMetaData, names: set[str]) -> int:
    widest = 1.0
    for group_number in range(metadata.num_row_groups):
        group = metadata.row_group(group_number)
        chunks = (group.column(i) for i in range(group.num_columns))
        used = sum(
            chunk.total_uncompressed_size
            for chunk in chunks
            if chunk.path_in_schema.split(".")[0] in names or chunk.path_in_schema in names
        )
        widest = max(widest, used / max(1, group.num_rows))
    return max(1, min(_BATCH_ROWS_MAX, int(_BATCH_BYTES / widest)))


def _checked_int96(
    path: str, nanoseconds: pa.RecordBatch, microseconds: pa.RecordBatch, names: frozenset[str]
) -> pa.RecordBatch:
    # Arrow wraps years outside of 1677 to 2262 when it reads nanoseconds, and drops the last three
    # digits when it reads microseconds; one of the two alone cannot be told to be right.
    for name in names:
        fine = nanoseconds.column(name).cast(pa.int64())
        coarse = microseconds.column(name).cast(pa.int64())
        # Wraps just as Arrow's reader does.
        if not pc.all(pc.equal(pc.multiply(coarse, 1000), fine), min_count=0).as_py():
            raise SourceDataError(
                f'The column "{name}" of the file "{path}" has INT96 timestamps finer than a '
                "microsecond, which cannot be read exactly.",
                hint="Write it as timestamps in nanoseconds.",
                path=path,
                column=name,
            )
    return microseconds
