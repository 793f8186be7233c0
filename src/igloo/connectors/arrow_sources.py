"""What is shown as a table in memory: held tables, datasets, and streams of other libraries."""

from __future__ import annotations

import sys
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import pyarrow as pa

from igloo.connectors.predicates import Predicate, conjoin, conjuncts, reads_floats, to_arrow
from igloo.errors import InvalidValue, NotSupported, ResultConsumed, TypeMismatch

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pyarrow.compute as pc
    import pyarrow.dataset as ds

    from igloo.names import TableName

#: A split of this many rows is worth a thread of its own.
ROWS_PER_SPLIT = 1_048_576
#: Small enough that filtering one batch is no pause, large enough that calls cost nothing.
ROWS_PER_BATCH = 65_536
#: Arrow would read sixteen batches of four files ahead; the reader's memory has to stay small.
_READAHEAD = 1


@dataclass(frozen=True, slots=True)
class Piece:
    """What one split reads: rows from ``start``, all of them when ``length`` is None."""

    start: int
    length: int | None
    filter: Predicate | None
    limit: int | None


class Source(Protocol):
    """Where the rows of a version come from."""

    schema: pa.Schema
    row_count: int | None
    #: Whether two reads are sure to give the same rows.
    is_fixed: ClassVar[bool]

    def pieces(self) -> Sequence[tuple[int, int | None]]:
        """Return start and length of each split."""

    def read(self, columns: tuple[str, ...], piece: Piece) -> Iterator[pa.RecordBatch]:
        """Yield at least the rows of a piece that its filter asks for, with ``columns``."""


class HeldTable:
    """An Arrow table: immutable, read as often as one likes."""

    is_fixed: ClassVar[bool] = True

    def __init__(self, table: pa.Table, name: TableName) -> None:
        _check_columns(name, table.schema)
        _check_not_null(name, table)
        self.table = table.replace_schema_metadata(None)
        self.schema = self.table.schema
        self.row_count: int | None = table.num_rows

    def pieces(self) -> Sequence[tuple[int, int | None]]:
        """Return start and length of each split."""
        starts = range(0, self.table.num_rows, ROWS_PER_SPLIT)
        return [(start, ROWS_PER_SPLIT) for start in starts]

    def read(self, columns: tuple[str, ...], piece: Piece) -> Iterator[pa.RecordBatch]:
        """Yield at least the rows of a piece that its filter asks for, with ``columns``."""
        # Sliced first: Arrow slices a table without columns to more rows than it has.
        rows = self.table.slice(piece.start, piece.length).select(columns)
        return iter(rows.to_batches(max_chunksize=ROWS_PER_BATCH))


class RegisteredDataset:
    """A pyarrow Dataset, whose files may change under it."""

    row_count: int | None = None
    is_fixed: ClassVar[bool] = False

    def __init__(self, dataset: ds.Dataset, name: TableName) -> None:
        _check_columns(name, dataset.schema)
        self._dataset = dataset
        self.schema = dataset.schema.remove_metadata()

    def pieces(self) -> Sequence[tuple[int, int | None]]:
        """Return start and length of each split."""
        return [(0, None)]

    def read(self, columns: tuple[str, ...], piece: Piece) -> Iterator[pa.RecordBatch]:
        """Yield at least the rows of a piece that its filter asks for, with ``columns``."""
        # Parquet's statistics know no NaN: Arrow would skip row groups that hold a wanted one.
        safe = conjoin(c for c in conjuncts(piece.filter) if not reads_floats(c, self.schema))
        scanner = self._dataset.scanner(
            columns=list(columns),
            filter=self._pushed(safe),
            batch_size=ROWS_PER_BATCH,
            batch_readahead=_READAHEAD,
            fragment_readahead=_READAHEAD,
        )
        return iter(scanner.to_reader())

    def _pushed(self, predicate: Predicate | None) -> pc.Expression | None:
        try:
            return None if predicate is None else to_arrow(predicate, self.schema)
        except NotSupported:
            return None  # too large for Arrow; every filter is applied above as well


class RegisteredStream:
    """An object that gives Arrow streams; only a first stream, if it may be read once."""

    row_count: int | None = None
    is_fixed: ClassVar[bool] = False

    def __init__(self, source: Any, name: TableName) -> None:
        # Opening is the only way to a schema that every such object has.
        self._first: pa.RecordBatchReader | None = (
            source
            if isinstance(source, pa.RecordBatchReader)
            else pa.RecordBatchReader.from_stream(source)
        )
        _check_columns(name, self._first.schema)
        self.schema = self._first.schema.remove_metadata()
        self._again = source if hasattr(source, "__len__") else None
        self._name = name
        self._lock = threading.Lock()

    def pieces(self) -> Sequence[tuple[int, int | None]]:
        """Return start and length of each split."""
        return [(0, None)]

    def read(
        self,
        columns: tuple[str, ...],  # noqa: ARG002 - the stream has all columns
        piece: Piece,  # noqa: ARG002 - a stream is one piece
    ) -> Iterator[pa.RecordBatch]:
        """Yield at least the rows of a piece that its filter asks for, with ``columns``."""
        with self._lock:
            first, self._first = self._first, None
        # The first stream of an object that can be read again may be out of date by now.
        if self._again is not None:
            return iter(pa.RecordBatchReader.from_stream(self._again))
        if first is None:
            raise ResultConsumed(
                f'The stream registered as "{self._name}" was read already, '
                "and can be read only once.",
                hint="Register a pyarrow Table instead: reader.read_all().",
                table=str(self._name),
            )
        return iter(first)


def describe_source(name: TableName, source: Any) -> Source:
    """Return how ``source`` is read.

    Raises:
        InvalidValue: it holds no Arrow data, two columns have one name, or there is no column.
    """
    import pyarrow.dataset as ds

    try:
        if isinstance(source, pa.RecordBatch):
            return HeldTable(pa.Table.from_batches([source]), name)
        if isinstance(source, ds.Dataset):
            return RegisteredDataset(source, name)
        if _is_frame_of("pandas", source):
            # The copy is ours: later changes of the frame must not show in a fixed version.
            return HeldTable(pa.Table.from_pandas(source.copy(), preserve_index=False), name)
        if isinstance(source, pa.Table) or _is_frame_of("polars", source):
            return HeldTable(pa.table(source), name)
        if hasattr(source, "__arrow_c_stream__"):
            return RegisteredStream(source, name)
        if hasattr(source, "__arrow_c_array__"):
            return HeldTable(pa.Table.from_batches([pa.record_batch(source)]), name)
    except (pa.ArrowException, ValueError, TypeError) as error:
        raise InvalidValue(
            f'"{name}" cannot be registered: {error}.',
            hint="Give every column one type and a name of its own.",
            table=str(name),
        ) from error
    raise InvalidValue(
        f'"{name}" cannot be registered: {type(source).__name__} is no source of Arrow data.',
        hint="Give a pyarrow Table, RecordBatchReader or Dataset, a pandas or Polars frame "
        "(call .collect() on a lazy one), or an object with __arrow_c_stream__.",
        table=str(name),
    )


def _is_frame_of(library: str, source: object) -> bool:
    # A frame can only be here if its library was imported; Igloo itself does not import it.
    frame = getattr(sys.modules.get(library), "DataFrame", None)
    return frame is not None and isinstance(source, frame)


def _check_columns(name: TableName, schema: pa.Schema) -> None:
    if not schema.names:
        raise InvalidValue(
            f'The table "{name}" has no columns.', hint="Give it at least one.", table=str(name)
        )
    seen: set[str] = set()
    for column in schema.names:
        if column in seen:
            raise InvalidValue(
                f'The table "{name}" has two columns named "{column}".',
                hint="Rename one of them.",
                table=str(name),
                column=column,
            )
        seen.add(column)


def check_same_columns(name: TableName, wanted: pa.Schema, given: pa.Schema) -> None:
    """Raise ``TypeMismatch`` unless names and types of the columns are the wanted ones."""
    if wanted.names != given.names:
        raise TypeMismatch(
            f'The rows for "{name}" have the columns {given.names}, '
            f"but the table has {wanted.names}.",
            hint="Give the table's columns, in its order.",
            table=str(name),
        )
    for field_wanted, field_given in zip(wanted, given, strict=True):
        if field_wanted.type != field_given.type:
            raise TypeMismatch(
                f'Column "{field_wanted.name}" of "{name}" is {field_wanted.type}, '
                f"but the rows have {field_given.type}.",
                hint="Cast the column.",
                table=str(name),
                column=field_wanted.name,
            )


def _check_not_null(name: TableName, rows: pa.Table) -> None:
    for field_, column in zip(rows.schema, rows.columns, strict=True):
        if not field_.nullable and column.null_count:
            raise InvalidValue(
                f'Column "{field_.name}" of "{name}" is NOT NULL, '
                f"but {column.null_count} of its values are NULL.",
                hint="Give every row a value, or let the column be NULL.",
                table=str(name),
                column=field_.name,
            )


def with_schema(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """Return the columns that ``schema`` names, in its order, with exactly that schema."""
    if not schema.names:
        return batch.select([])  # a batch made from no arrays forgets how many rows it has
    return pa.RecordBatch.from_arrays(batch.select(schema.names).columns, schema=schema)
