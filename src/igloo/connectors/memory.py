"""Tables in this process's memory: the reference connector. Read it first.

It shows the whole contract on a source that is nothing but Arrow: how work is taken, how splits
are made and read, how a scan keeps the version it was planned on, and how errors look.
"""

from __future__ import annotations

import itertools
import threading
import uuid
import weakref
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

import pyarrow as pa

from igloo.connectors.arrow_sources import (
    ROWS_PER_BATCH,
    HeldTable,
    Piece,
    RegisteredStream,
    Source,
    check_same_columns,
    describe_source,
    with_schema,
)
from igloo.connectors.contract import (
    Capabilities,
    ColumnStatistics,
    Connector,
    Operator,
    Pushdown,
    Scan,
    Split,
    Statistics,
    Table,
    WriteMode,
)
from igloo.connectors.options import Options
from igloo.connectors.predicates import (
    Predicate,
    columns_of,
    keep_true,
)
from igloo.errors import (
    AlreadyExists,
    IglooError,
    NotSupported,
    SourceDataError,
    TableNotFound,
    did_you_mean,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from igloo.cancel import CancelToken
    from igloo.names import TableName

#: Appending row by row leaves this many small chunks before they are joined.
_CHUNKS_MAX = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryOptions(Options):
    """The memory connector has no options."""


class MemoryConnector(Connector):
    """Holds Arrow tables, and reads what was registered with ``put``.

    A written table is never changed in place: each write makes a new version, and a scan reads the
    version it was planned on for as long as something refers to its ``Table``.
    """

    kind: ClassVar[str] = "memory"
    options_type: ClassVar[type[Options]] = MemoryOptions
    capabilities: ClassVar[Capabilities] = Capabilities(
        operators=frozenset({Operator.FILTER, Operator.LIMIT})
    )
    default_schema: ClassVar[str] = "public"

    def __init__(self, catalog: str, options: Options | None = None) -> None:
        super().__init__(catalog, options or MemoryOptions())
        self._lock = threading.Lock()
        self._current: dict[TableName, _Version] = {}
        self._live: weakref.WeakValueDictionary[str, _Version] = weakref.WeakValueDictionary()
        self._versions = itertools.count(1)
        # Two connectors, and two processes, never give the same version to different rows.
        self._id = uuid.uuid4().hex[:12]

    def list_schemas(self) -> Sequence[str]:
        """Return the default schema and every schema that has a table, sorted."""
        with self._lock:
            return sorted({self.default_schema, *(name.schema for name in self._current)})

    def list_tables(self, schema: str) -> Sequence[TableName]:
        """Return the tables of ``schema``, sorted; empty if there is no such schema."""
        with self._lock:
            return sorted(name for name in self._current if name.schema == schema)

    def load_table(self, name: TableName) -> Table:
        """Return the table as it is now.

        Raises:
            TableNotFound: no table has exactly this schema and name.
        """
        with self._lock:
            version = self._current_version(name)
        source = version.source_here
        return Table(
            name=name,
            schema=source.schema,
            row_count=source.row_count,
            version=version.id if source.is_fixed else None,
            detail=version,
        )

    def plan_scan(self, table: Table, pushdown: Pushdown) -> Scan:
        """Take the whole filter and the limit; one split for every million rows."""
        source = self._source_of(table)
        if pushdown.filter is not None:
            # What has no meaning fails before it runs.
            keep_true(pa.RecordBatch.from_pylist([], table.schema), pushdown.filter)
        return Scan(
            splits=tuple(
                Split(
                    table=table,
                    columns=pushdown.columns,
                    detail=Piece(start, length, pushdown.filter, pushdown.limit),
                )
                for start, length in source.pieces()
            )
        )

    def read_split(self, split: Split, cancel: CancelToken) -> pa.RecordBatchReader:
        """Stream the rows of a split.

        Raises:
            ResultConsumed: the table is a stream that was read before.
            SourceDataError: the table's version is gone, or a registered stream failed.
        """
        cancel.raise_if_cancelled()
        source = self._source_of(split.table)
        piece = split.detail
        if not isinstance(piece, Piece):
            raise TypeError(f"not a split of the memory connector: {split!r}")
        needed = dict.fromkeys((*split.columns, *sorted(columns_of(piece.filter))))
        schema = pa.schema([split.table.schema.field(name) for name in split.columns])
        try:
            batches = source.read(tuple(needed), piece)
        except IglooError:
            raise
        except Exception as error:
            raise self._source_error(split.table.name, error) from error
        if piece.filter is not None:
            batches = _filter(batches, piece.filter)
        limited = _limit(batches, piece.limit)
        return pa.RecordBatchReader.from_batches(
            schema, self._guard(split.table.name, _conform(limited, schema, cancel))
        )

    def close(self) -> None:
        """Forget every table. Safe to call twice."""
        with self._lock:
            self._current.clear()

    def arrow_table(self, table: Table) -> pa.Table | None:
        """Return all rows without copying; None for datasets and streams."""
        source = self._source_of(table)
        return source.table if isinstance(source, HeldTable) else None

    def statistics(self, table: Table) -> Statistics:
        """Return the exact row count, size and share of NULLs; nothing for datasets and streams."""
        source = self._source_of(table)
        if not isinstance(source, HeldTable):
            return Statistics(row_count=source.row_count)
        held = source.table
        return Statistics(
            row_count=held.num_rows,
            size_bytes=held.nbytes,
            columns=tuple(
                (name, ColumnStatistics(null_fraction=column.null_count / (held.num_rows or 1)))
                for name, column in zip(held.column_names, held.columns, strict=True)
            ),
        )

    def create_table(self, name: TableName, schema: pa.Schema) -> None:
        """Make an empty table, and its schema if there is none of that name.

        Raises:
            AlreadyExists: there is a table of that name.
            InvalidValue: two columns have one name, or there is no column.
        """
        source = HeldTable(schema.empty_table(), name)
        with self._lock:
            if name in self._current:
                raise AlreadyExists(
                    f'The table "{name}" exists already in catalog "{self.catalog}".',
                    hint="Drop it first, or choose another name.",
                    catalog=self.catalog,
                    table=str(name),
                )
            self._install(name, source)

    def drop_table(self, name: TableName) -> None:
        """Remove a table; what reads it goes on reading. Raises ``TableNotFound``."""
        with self._lock:
            self._current_version(name)
            del self._current[name]

    def write(self, name: TableName, rows: pa.RecordBatchReader, mode: WriteMode) -> int:
        """Write all rows or none; return how many.

        Raises:
            TableNotFound: there is no such table.
            TypeMismatch: the reader's columns are not the table's.
            InvalidValue: a NULL meets a NOT NULL column.
            NotSupported: the table is a registered dataset or stream.
        """
        with self._lock:
            schema = self._writable(name).table.schema
        check_same_columns(name, schema, rows.schema)
        arrived = pa.Table.from_batches(
            [with_schema(batch, schema) for batch in rows if batch.num_rows], schema
        )
        with self._lock:
            present = self._writable(name).table
            # The table may have been dropped and made anew while the rows arrived.
            check_same_columns(name, present.schema, arrived.schema)
            added = pa.Table.from_arrays(arrived.columns, schema=present.schema)
            kept = [present] if mode is WriteMode.APPEND else []
            self._install(name, HeldTable(_join_chunks(pa.concat_tables([*kept, added])), name))
        return int(arrived.num_rows)

    def put(self, name: TableName, source: object) -> None:
        """Show ``source`` as a table, in place of one that has this name.

        pandas and Polars frames are read as they are now; a pandas index is no column. A Dataset,
        or a foreign object with a length, is read anew by each scan. A RecordBatchReader, and
        every stream whose length is not known, is read once.

        Args:
            name: schema and table.
            source: pyarrow Table, RecordBatch, RecordBatchReader or Dataset, a pandas or Polars
                frame, or anything with ``__arrow_c_stream__`` or ``__arrow_c_array__``.

        Raises:
            InvalidValue: it is none of these, two columns have one name, or there is no column.
        """
        described = describe_source(name, source)
        with self._lock:
            self._install(name, described)

    @property
    def has_streams(self) -> bool:
        """Whether a table is read from somewhere else as it is queried."""
        with self._lock:
            sources = [version.source_here for version in self._current.values()]
        return any(isinstance(source, RegisteredStream) for source in sources)

    def remove(self, name: TableName) -> None:
        """Forget what ``put`` has shown. Raises ``TableNotFound``."""
        self.drop_table(name)

    def _install(self, name: TableName, source: Source) -> None:
        version = _Version(f"{self._id}-{next(self._versions)}", source)
        self._live[version.id] = version
        self._current[name] = version

    def _current_version(self, name: TableName) -> _Version:
        if name in self._current:
            return self._current[name]
        known = [n.table for n in self._current if n.schema == name.schema]
        raise TableNotFound(
            f'There is no table "{name}" in catalog "{self.catalog}".',
            hint=did_you_mean(name.table, known),
            catalog=self.catalog,
            table=str(name),
        )

    def _writable(self, name: TableName) -> HeldTable:
        source = self._current_version(name).source_here
        if isinstance(source, HeldTable):
            return source
        raise NotSupported(
            f'The table "{name}" in catalog "{self.catalog}" is a registered source '
            "that cannot be written.",
            hint="Write to a table made by CREATE TABLE.",
            catalog=self.catalog,
            table=str(name),
        )

    def _source_of(self, table: Table) -> Source:
        version = table.detail
        if not isinstance(version, _Version):
            raise TypeError(f"not a table of the memory connector: {table!r}")
        if version.source is None:
            version = self._live.get(version.id, version)
        if version.source is None:
            raise SourceDataError(
                f'The rows of "{table.name}" in catalog "{self.catalog}" are not in this process, '
                "or were replaced since the query was planned.",
                hint="Run the query again, in the process that holds the table.",
                catalog=self.catalog,
                table=str(table.name),
            )
        return version.source

    def _guard(
        self, name: TableName, batches: Iterator[pa.RecordBatch]
    ) -> Iterator[pa.RecordBatch]:
        try:
            yield from batches
        except IglooError:
            raise
        except Exception as error:
            raise self._source_error(name, error) from error

    def _source_error(self, name: TableName, error: Exception) -> SourceDataError:
        # A registered stream is foreign code and may raise anything; Arrow adds whole tracebacks.
        reason = str(error).partition(" Detail: ")[0] or type(error).__name__
        return SourceDataError(
            f'The source registered as "{name}" in catalog "{self.catalog}" failed: {reason}.',
            hint="Check the object that was registered.",
            catalog=self.catalog,
            table=str(name),
        )


@dataclass(frozen=True, slots=True, weakref_slot=True)
class _Version:
    """One state of one table. It pickles to its id, so that splits stay small."""

    id: str
    source: Source | None = field(compare=False, repr=False)

    @property
    def source_here(self) -> Source:
        """The rows; only an unpickled version lacks them."""
        assert self.source is not None  # noqa: S101 - our own invariant
        return self.source

    def __reduce__(self) -> tuple[object, ...]:
        return _Version, (self.id, None)


def _filter(batches: Iterator[pa.RecordBatch], predicate: Predicate) -> Iterator[pa.RecordBatch]:
    return (keep_true(batch, predicate) for batch in batches)


def _limit(batches: Iterable[pa.RecordBatch], limit: int | None) -> Iterator[pa.RecordBatch]:
    if limit is None:
        yield from batches
        return
    missing = limit
    if missing == 0:
        return
    for batch in batches:
        yield batch.slice(0, missing)
        missing -= min(missing, batch.num_rows)
        if missing == 0:
            return


def _conform(
    batches: Iterator[pa.RecordBatch], schema: pa.Schema, cancel: CancelToken
) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        cancel.raise_if_cancelled()
        if batch.num_rows:
            yield _checked(with_schema(batch, schema))
    cancel.raise_if_cancelled()


def _checked(batch: pa.RecordBatch) -> pa.RecordBatch:
    # Held tables were checked when they came; the engine trusts NOT NULL and drops tests for NULL.
    for field_, column in zip(batch.schema, batch.columns, strict=True):
        if not field_.nullable and column.null_count:
            raise ValueError(f'column "{field_.name}" is NOT NULL and has NULLs')
    return batch


def _join_chunks(table: pa.Table) -> pa.Table:
    chunks = max((column.num_chunks for column in table.columns), default=0)
    small = table.num_rows < chunks * ROWS_PER_BATCH
    return table.combine_chunks() if chunks > _CHUNKS_MAX and small else table
