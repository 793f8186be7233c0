"""What a statement answers: rows as Arrow, and the facts of how they came."""

from __future__ import annotations

import contextlib
import sys
import weakref
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, Self

import pyarrow as pa

from igloo.errors import InvalidValue, ResultConsumed, ResultTooLarge

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from types import TracebackType


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceStats:
    """What one catalog did for a query.

    Attributes:
        rows: rows that it sent so far.
        bytes: bytes of Arrow memory that these rows took; for files, bytes read from them.
        sql: the statements that it was sent.
        files_planned: files to open, None if it has none.
        files_total: files of the tables before pruning, None if it has none.
    """

    rows: int = 0
    bytes: int = 0
    sql: tuple[str, ...] = ()
    files_planned: int | None = None
    files_total: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryStats:
    """The facts of one query; complete after the last row, readable before.

    Attributes:
        query_id: unique name of this run.
        elapsed_ms: from submission to the last row, or until now.
        rows: rows returned so far.
        cache: ``hit``, ``miss``, ``stale`` or ``bypass``.
        cache_reason: why.
        as_of: version of each table that was read, by ``catalog.schema.table``.
        sources: by catalog.
        execution: ``embedded``, ``pool`` or ``cluster``.
        execution_reason: why there.
        tasks: number of parallel pieces.
        token: hand it to ``igloo.session_token`` to read at least this state; None without one.
        warnings: what the user should know about this query.
    """

    query_id: str
    elapsed_ms: float
    rows: int
    cache: str = "bypass"
    cache_reason: str = "no cache"
    as_of: Mapping[str, str] = field(default_factory=dict)
    sources: Mapping[str, SourceStats] = field(default_factory=dict)
    execution: str = "embedded"
    execution_reason: str = "this process"
    tasks: int = 1
    token: str | None = None
    warnings: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return the facts as values that JSON can hold."""
        return asdict(self)


class BatchStream(Protocol):
    """Rows on their way; closing it stops the work behind it."""

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        """Yield batches of the result's schema."""
        ...

    def close(self) -> None:
        """Stop and release. Safe to call twice."""
        ...


class Result:
    """The answer to one statement.

    The conversions (``to_arrow``, ``to_pandas``, ``to_polars``, ``fetch*``) may be called again and
    in any order: the first one keeps the whole table. Iteration and ``__arrow_c_stream__`` hand
    batches on without keeping them; a later read raises ``ResultConsumed``.
    """

    def __init__(
        self,
        *,
        schema: pa.Schema,
        open_stream: Callable[[], BatchStream],
        stats: Callable[[], QueryStats],
        cancel: Callable[[], None],
        rows_kept_max: int = 0,
    ) -> None:
        """Hold what is needed to run; nothing runs yet.

        Args:
            schema: names and types of the columns.
            open_stream: starts the query; called once, at the first read.
            stats: tells the facts as they stand.
            cancel: stops the query; safe at any time.
            rows_kept_max: rows that a conversion may keep; 0 for no limit.
        """
        self._rows_kept_max = rows_kept_max
        self._schema = schema
        self._open_stream = open_stream
        self._stats = stats
        self._cancel = cancel
        self._stream: BatchStream | None = None
        self._table: pa.Table | None = None
        self._state = "fresh"
        self._position = 0
        self._fetchall_start = sys.maxsize
        #: What has to live as long as the result may be read.
        self.connection: object = None
        # A result that nobody reads must not stay in the list of running queries.
        weakref.finalize(self, cancel)

    @property
    def schema(self) -> pa.Schema:
        """Names and types of the columns."""
        return self._schema

    @property
    def stats(self) -> QueryStats:
        """The facts of the query as they stand now."""
        return self._stats()

    def to_arrow(self) -> pa.Table:
        """Return all rows as one Arrow table."""
        if self._table is None:
            self._table = pa.Table.from_batches(self._keep(), schema=self._schema)
            self._state = "kept"
        return self._table

    def _keep(self) -> list[pa.RecordBatch]:
        batches: list[pa.RecordBatch] = []
        rows = 0
        for batch in self._read("to_arrow"):
            rows += batch.num_rows
            if 0 < self._rows_kept_max < rows:
                self._cancel()
                raise ResultTooLarge(
                    f"The result has more than {self._rows_kept_max:,} rows, which "
                    "igloo.limits.result_rows_kept allows to be kept.",
                    hint="Iterate over the result instead, add LIMIT, or raise the setting.",
                    limit="igloo.limits.result_rows_kept",
                )
            batches.append(batch)
        return batches

    def to_pandas(self, **options: Any) -> Any:
        """Return all rows as a pandas DataFrame; ``options`` go to ``pyarrow.Table.to_pandas``."""
        return self.to_arrow().to_pandas(**options)

    def to_polars(self) -> Any:
        """Return all rows as a Polars DataFrame.

        Raises:
            InvalidValue: two columns have one name, which Polars cannot hold.
        """
        import polars as pl

        names = self._schema.names
        repeated = next((name for name in names if names.count(name) > 1), None)
        if repeated is not None:
            raise InvalidValue(
                f'Polars cannot hold two columns named "{repeated}".',
                hint="Give each its own name with AS.",
            )
        return pl.from_arrow(self.to_arrow())

    def fetchall(self) -> list[tuple[Any, ...]]:
        """Return the rows not fetched yet, as tuples; called again, the same rows again."""
        if self._position < self.to_arrow().num_rows:
            self._fetchall_start = self._position
        self._position = self._fetchall_start
        return self.fetchmany(None)

    def fetchone(self) -> tuple[Any, ...] | None:
        """Return the next row not fetched yet, or None after the last."""
        rows = self.fetchmany(1)
        return rows[0] if rows else None

    def fetchmany(self, size: int | None = 1) -> list[tuple[Any, ...]]:
        """Return up to ``size`` rows not fetched yet; all of them for None.

        Raises:
            InvalidValue: ``size`` is negative.
        """
        if size is not None and size < 0:
            raise InvalidValue(f"fetchmany cannot return {size} rows.", hint="Ask for 0 or more.")
        rows = self.to_arrow().slice(self._position, size)
        self._position += rows.num_rows
        columns = [_python_values(column) for column in rows.columns]
        return list(zip(*columns, strict=True)) if columns else [()] * rows.num_rows

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        """Yield the rows batch by batch without keeping them."""
        if self._table is not None:
            yield from self._table.to_batches()
            return
        yield from self._read("iteration")

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """Export the rows as an Arrow C stream without keeping them."""
        if self._table is not None:
            return self._table.__arrow_c_stream__(requested_schema)  # type: ignore[no-untyped-call] # Arrow's
        reader = pa.RecordBatchReader.from_batches(self._schema, self._read("__arrow_c_stream__"))
        return reader.__arrow_c_stream__(requested_schema)  # type: ignore[no-untyped-call] # Arrow's

    def _read(self, reader: str) -> Iterator[pa.RecordBatch]:
        """Start the one pass over the stream, at the call and not at the first batch."""
        if self._state == "closed":
            raise ResultConsumed("The result is closed.", hint="Run the statement again.")
        if self._state != "fresh":
            raise ResultConsumed(
                f"The result was streamed already and cannot be read again by {reader}.",
                hint="Call to_arrow() first to keep it, or run the statement again.",
            )
        self._state = "consumed"
        open_stream, self._open_stream = self._open_stream, _opened
        self._stream = open_stream()
        return self._drain(self._stream)

    def _drain(self, stream: BatchStream) -> Iterator[pa.RecordBatch]:
        try:
            yield from stream
        except BaseException:
            # Ctrl-C and a closed generator included: the source must not work for nobody.
            self._cancel()
            raise
        finally:
            stream.close()

    def cancel(self) -> None:
        """Stop the query, from any thread; a reader gets ``QueryCancelled``."""
        self._cancel()

    def close(self) -> None:
        """Release everything; rows that were kept stay readable. Safe to call twice."""
        if self._table is None and self._state != "closed":
            self._state = "closed"
            self._open_stream = _opened
            self._cancel()
        if self._stream is not None:
            self._stream.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        columns = ", ".join(f"{f.name}: {f.type}" for f in self._schema)
        return f"<igloo.Result ({columns}) {self._state}>"


def _opened() -> BatchStream:
    """Stand for a stream that was opened or given up; the plan of the query goes with it."""
    raise AssertionError("a result is opened once")


def _python_values(column: Any) -> list[Any]:
    """Return Python's own values; nanoseconds that are whole microseconds fit them.

    Raises:
        InvalidValue: a value is finer, and pandas, whose types could hold it, is not installed.
    """
    coarser = _in_microseconds(column.type)
    if coarser is not None:
        with contextlib.suppress(pa.ArrowInvalid):
            column = column.cast(coarser)
    try:
        values: list[Any] = column.to_pylist()
    except ValueError as error:
        raise InvalidValue(
            f"A value of type {column.type} is finer than Python's datetime.",
            hint="Use to_arrow(), or cast it in SQL, or install pandas.",
        ) from error
    return values


def _in_microseconds(type_: Any) -> pa.DataType | None:
    """Return the type in microseconds of a type in nanoseconds, None for every other."""
    if getattr(type_, "unit", None) != "ns":
        return None
    if pa.types.is_timestamp(type_):
        return pa.timestamp("us", tz=type_.tz)
    return pa.duration("us") if pa.types.is_duration(type_) else pa.time64("us")
