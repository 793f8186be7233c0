"""Which files a scan reads and how their columns become the table's.

One value for every format: plain files, Iceberg, later Delta and Hudi. A connector makes it; the
engine turns it into native DataFusion scans and never learns which format it came from.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa


class FileFormat(StrEnum):
    """How rows lie in a file."""

    PARQUET = "parquet"
    CSV = "csv"
    JSON = "json"
    ARROW = "arrow"


@dataclass(frozen=True, slots=True, kw_only=True)
class DataFile:
    """One file.

    Attributes:
        path: absolute path or URL, as it is on disk, not percent-encoded.
        size_bytes: its size.
        partition_values: values of the scan's partition columns, in their order.
    """

    path: str
    size_bytes: int
    partition_values: tuple[pa.Scalar[Any], ...] = ()


@dataclass(frozen=True, slots=True)
class FromFile:
    """A column or nested field of the file, named from the outside in."""

    path: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Constant:
    """A value that the file does not hold: a default, or NULL of the column's type."""

    value: pa.Scalar[Any]


@dataclass(frozen=True, slots=True)
class MakeStruct:
    """A struct put together field by field; NULL wherever the file's own struct is NULL."""

    file_struct: FromFile
    fields: tuple[tuple[str, ColumnSource], ...]


ColumnSource = FromFile | Constant | MakeStruct


@dataclass(frozen=True, slots=True)
class MappedColumn:
    """One column of the table and where its values come from; they are cast to the table's type."""

    name: str
    source: ColumnSource


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionDeletes:
    """Rows that are gone, by file and position.

    Attributes:
        positions: table of ``file`` (string, a ``DataFile.path``) and ``position`` (int64, from 0).
    """

    positions: pa.Table


@dataclass(frozen=True, slots=True, kw_only=True)
class EqualityDeletes:
    """Rows that are gone, by value: those that equal one key in all of ``columns``, NULL = NULL.

    Attributes:
        columns: the table's columns that the keys are compared with, in the order of ``keys``.
        keys: the deleted values, cast to the types of those columns.
    """

    columns: tuple[str, ...]
    keys: pa.Table


@dataclass(frozen=True, slots=True, kw_only=True)
class FileGroup:
    """Files that are read in the same way.

    Attributes:
        files: at least one.
        file_schema: what to read from each file, matched by name, in CSV by position. None means
            the table's schema without the partition columns; where ``columns`` is given, what the
            reader finds in the first file.
        columns: how the table's columns are made; None means "the same names, the same types".
            May hold columns that the table lacks, for equality deletes to compare with.
        position_deletes: rows to leave out by position, or None.
        equality_deletes: rows to leave out by value; a row is gone if any of them matches.
    """

    files: tuple[DataFile, ...]
    file_schema: pa.Schema | None = None
    columns: tuple[MappedColumn, ...] | None = None
    position_deletes: PositionDeletes | None = None
    equality_deletes: tuple[EqualityDeletes, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CsvOptions:
    """How a CSV file is written."""

    has_header: bool = True
    delimiter: str = ","
    quote: str = '"'


@dataclass(frozen=True, slots=True, kw_only=True)
class JsonOptions:
    """How a JSON file is written: one object a line, or one array of objects."""

    is_array: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FileScan:
    """The whole table, or the part of it that a filter may need; the filter is applied above.

    Attributes:
        format: of every file in it.
        groups: their rows together are the scan; none means no rows.
        partition_schema: columns whose values stand in the files' paths, not in the files.
        csv: used when ``format`` is CSV.
        json: used when ``format`` is JSON.
        compression: ``""``, ``gzip``, ``bz2``, ``xz`` or ``zstd``; CSV and JSON only.
        files_total: files of the whole table before pruning.
        snapshot: the table's version that is read, if it has versions.
    """

    format: FileFormat
    groups: tuple[FileGroup, ...]
    partition_schema: pa.Schema | None = None
    csv: CsvOptions = CsvOptions()
    json: JsonOptions = JsonOptions()
    compression: str = ""
    files_total: int
    snapshot: str | None = None

    @property
    def files_planned(self) -> int:
        """Number of files that will be read."""
        return sum(len(group.files) for group in self.groups)

    @property
    def read_path(self) -> str:
        """How the files are read: ``native``, ``mapped`` or ``deletes``."""
        if any(g.position_deletes or g.equality_deletes for g in self.groups):
            return "deletes"
        return "mapped" if any(g.columns is not None for g in self.groups) else "native"
