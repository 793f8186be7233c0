"""Rows as an Arrow IPC stream and as Parquet, batch by batch, in bounded memory."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING, Any, cast

import pyarrow as pa

from igloo.cli.values import unique_names
from igloo.errors import NotSupported

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from igloo.cli.output import Output

#: Rows and bytes of one Parquet row group: large enough to read fast, small enough to hold.
_ROW_GROUP_ROWS = 131_072
_ROW_GROUP_BYTES = 64 * 2**20


def write_arrow(schema: pa.Schema, batches: Iterable[pa.RecordBatch], output: Output) -> None:
    """Write the Arrow IPC streaming format: schema and batches as they are."""
    with pa.ipc.new_stream(output, schema) as writer:
        for batch in batches:
            writer.write_batch(batch)


def write_parquet(schema: pa.Schema, batches: Iterable[pa.RecordBatch], output: Output) -> None:
    """Write one Parquet file.

    Raises:
        NotSupported: a column's type has no place in Parquet; nothing is written then.
    """
    import pyarrow.parquet as pq

    named = _with_names(schema)
    _refuse_unwritable(named)
    with pq.ParquetWriter(cast("IO[bytes]", output), named) as writer:
        for table in _row_groups(named, batches):
            writer.write_table(table, row_group_size=max(1, table.num_rows))


def _with_names(schema: pa.Schema) -> pa.Schema:
    fields = zip(schema, unique_names(schema.names), strict=True)
    return pa.schema(
        [field.with_name(name) for field, name in fields],
        cast("dict[Any, Any] | None", schema.metadata),
    )


def _refuse_unwritable(schema: pa.Schema) -> None:
    import pyarrow.parquet as pq

    for field in schema:
        try:
            with pq.ParquetWriter(pa.BufferOutputStream(), pa.schema([field])) as writer:
                writer.write_table(pa.schema([field]).empty_table())
        except (pa.ArrowNotImplementedError, pa.ArrowInvalid) as error:
            raise NotSupported(
                f'The column "{field.name}" of type {field.type} cannot be written as Parquet.',
                hint="Cast it, or use --format arrow.",
                column=field.name,
            ) from error


def _row_groups(schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.Table]:
    waiting: list[pa.RecordBatch] = []
    rows = size = 0
    for batch in batches:
        waiting.append(pa.RecordBatch.from_arrays(batch.columns, schema=schema))
        rows += batch.num_rows
        size += batch.nbytes
        if rows >= _ROW_GROUP_ROWS or size >= _ROW_GROUP_BYTES:
            yield pa.Table.from_batches(waiting, schema)
            waiting, rows, size = [], 0, 0
    if rows:
        yield pa.Table.from_batches(waiting, schema)
