"""What the files of a table are together: one schema, a row count, a version."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import pyarrow as pa

from igloo.connectors.files import arrow_ipc, delimited, json_records, parquet
from igloo.connectors.files.formats import Format
from igloo.connectors.files.partitions import partition_schema
from igloo.connectors.files.schemas import FileSchema, is_read_natively, one_schema
from igloo.connectors.files.text_types import type_of_both
from igloo.errors import SourceDataError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from igloo.connectors.files.delimited import Dialect
    from igloo.connectors.files.listing import FoundFile


_Sample = TypeVar("_Sample")


@dataclass(frozen=True, slots=True, kw_only=True)
class TableDetail:
    """The connector's own facts of a table.

    Attributes:
        files: all of them, sorted by path.
        file_schema: columns that stand in files.
        partition_schema: columns that stand in the names of folders.
        is_native: whether DataFusion's own Parquet reader gives exactly the table's rows, where
            no column that is read holds a NaN.
    """

    files: tuple[FoundFile, ...]
    file_schema: pa.Schema
    partition_schema: pa.Schema
    is_native: bool = False

    @property
    def size_bytes(self) -> int:
        """Size of all files."""
        return sum(file.size_bytes for file in self.files)


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """Columns of a table's files before partition columns are added.

    Attributes:
        schema: the columns that stand in files.
        row_count: exact, or None.
        is_native: see ``TableDetail``.
    """

    schema: pa.Schema
    row_count: int | None = None
    is_native: bool = False


class TableReader:
    """Reads what files say of their columns. Thread-safe."""

    def __init__(self, dialect: Dialect, infer_records: int) -> None:
        self._dialect = dialect
        self._infer_records = infer_records
        self._footers = parquet.FooterCache()
        self._samples = _SampleCache()

    def describe(self, files: tuple[FoundFile, ...]) -> tuple[TableDetail, int | None]:
        """Return the facts of a table of ``files`` and its exact number of rows, if known.

        Raises:
            SourceDataError: a file cannot be read, or the files do not fit together.
            UnsupportedType: a column's type cannot be carried.
        """
        format_ = _one_format(files)
        partitions = partition_schema(files)
        described = {
            Format.PARQUET: self._describe_parquet,
            Format.CSV: self._describe_csv,
            Format.JSON: self._describe_json,
            Format.NDJSON: self._describe_json,
            Format.ARROW: self._describe_arrow,
        }[format_](files, partitions)
        detail = TableDetail(
            files=files,
            file_schema=described.schema,
            partition_schema=partitions,
            is_native=described.is_native,
        )
        return detail, described.row_count

    def is_native(
        self, detail: TableDetail, files: tuple[FoundFile, ...], columns: set[str]
    ) -> bool:
        """Whether DataFusion's own reader is right for ``columns`` of some files of a table."""
        return detail.is_native and self._footers.have_no_nan(files, columns)

    def _describe_parquet(self, files: tuple[FoundFile, ...], partitions: pa.Schema) -> Described:
        footers = self._footers.footers(files)
        for file, footer in zip(files, footers, strict=True):
            parquet.check_partition_columns(file, footer, partitions)
        schemas = [
            FileSchema(file.path, _without(footer.schema, partitions))
            for file, footer in zip(files, footers, strict=True)
        ]
        schema = one_schema(schemas)
        distinct = {own.schema for own in schemas}
        is_native = not any(footer.int96 for footer in footers) and all(
            is_read_natively(schema.field(own.name).type, own.type)
            for each in distinct
            for own in each
        )
        rows = sum(footer.row_count for footer in footers)
        return Described(schema=schema, row_count=rows, is_native=is_native)

    def _describe_arrow(self, files: tuple[FoundFile, ...], partitions: pa.Schema) -> Described:
        schemas = []
        for file in files:
            own = self._samples.get(file, lambda file: arrow_ipc.read_schema(file.path))
            _check_apart(file, own, partitions)
            schemas.append(FileSchema(file.path, own))
        return Described(schema=one_schema(schemas))

    def _describe_csv(self, files: tuple[FoundFile, ...], partitions: pa.Schema) -> Described:
        types: dict[str, pa.DataType] = {}
        for file in files:
            own = self._samples.get(
                file, lambda file: delimited.read_schema(file, self._dialect, self._infer_records)
            )
            _check_apart(file, own, partitions)
            for field in own:
                known = types.get(field.name, field.type)
                types[field.name] = type_of_both(known, field.type)
        fields = [
            pa.field(name, pa.string() if pa.types.is_null(type_) else type_)
            for name, type_ in types.items()
        ]
        return Described(schema=pa.schema(fields))

    def _describe_json(self, files: tuple[FoundFile, ...], partitions: pa.Schema) -> Described:
        kinds = [
            self._samples.get(file, lambda file: json_records.read_kind(file, self._infer_records))
            for file in files
        ]
        schema = json_records.schema_of(json_records.merge_files(files, kinds))
        if not schema.names:
            raise SourceDataError(
                f'The file "{files[0].path}" names no column: it holds no record with a field.',
                hint="Write a record, or remove the file.",
                path=files[0].path,
            )
        _check_apart(files[0], schema, partitions)
        return Described(schema=schema)


class _SampleCache:
    """What the start of each file was found to hold; forgotten when the file changes."""

    _FILES_MAX = 10_000

    def __init__(self) -> None:
        self._known: dict[FoundFile, object] = {}

    def get(self, file: FoundFile, read: Callable[[FoundFile], _Sample]) -> _Sample:
        found = self._known.get(file)
        if found is None:
            found = read(file)
            if len(self._known) >= self._FILES_MAX:
                self._known.clear()
            self._known[file] = found
        return found  # type: ignore[return-value]


def _one_format(files: Sequence[FoundFile]) -> Format:
    first = files[0]
    for file in files:
        if file.stored_as.format.family != first.stored_as.format.family:
            raise SourceDataError(
                f'The files "{first.path}" and "{file.path}" of one table are of different formats.',
                hint="Add the option format, or keep them in folders of their own.",
                path=file.path,
            )
    return first.stored_as.format


def _without(schema: pa.Schema, other: pa.Schema) -> pa.Schema:
    taken = set(other.names)
    return pa.schema([field for field in schema if field.name not in taken])


def _check_apart(file: FoundFile, schema: pa.Schema, partitions: pa.Schema) -> None:
    """Refuse a partition column that the file may hold, too, where nothing proves them equal."""
    for name in partitions.names:
        if name in schema.names:
            raise parquet.column_twice(file.path, name)


def version_of(files: Sequence[FoundFile]) -> str:
    """Return a text that changes whenever one of the files does, comes or goes."""
    digest = hashlib.sha256()
    for file in files:
        facts = (file.path, file.mtime_ns, file.size_bytes, file.inode)
        digest.update(repr(facts).encode("utf-8", "surrogateescape"))
    return digest.hexdigest()[:32]
