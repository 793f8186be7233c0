"""Reads one data file of a split, in order, leaving out what is deleted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from igloo.connectors.lake.iceberg.locations import open_file
from igloo.connectors.lake.iceberg.name_mapping import with_field_ids
from igloo.connectors.lake.iceberg.projection import needed_columns, project

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pyiceberg.io import FileIO

    from igloo.cancel import CancelToken
    from igloo.connectors.file_scan import EqualityDeletes
    from igloo.connectors.lake.iceberg.deletes import DeleteReader, DeleteSource
    from igloo.connectors.lake.iceberg.tables import LoadedTable

_BATCH_ROWS = 8 * 1024
#: Without it Arrow holds whole column chunks, however large a row group is.
_BUFFER_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class FileTask:
    """What one split reads; small and picklable.

    Attributes:
        path: the data file.
        position_deletes: what deletes its rows by position.
        equality_deletes: what deletes its rows by value.
    """

    path: str
    position_deletes: tuple[DeleteSource, ...]
    equality_deletes: tuple[DeleteSource, ...]


def read_file(
    task: FileTask,
    table: LoadedTable,
    columns: Sequence[str],
    deletes: DeleteReader,
    cancel: CancelToken,
) -> Iterator[pa.RecordBatch]:
    """Yield the rows of a data file that are not deleted.

    Args:
        task: the file and its deletes.
        table: its table.
        columns: the columns wanted, in order.
        deletes: reads delete files.
        cancel: looked at before each batch.
    """
    gone = _deleted_positions(task, table.io, deletes)
    keys = [deletes.keys(source, table.schema, table.io) for source in task.equality_deletes]
    by_name = {field.name: field for field in table.schema.fields}
    extra = dict.fromkeys(name for one in keys for name in one.columns if name not in columns)
    fields = [by_name[name] for name in (*columns, *extra)]
    with (
        open_file(task.path, table.io) as stream,
        pq.ParquetFile(stream, buffer_size=_BUFFER_BYTES, pre_buffer=False) as file,
    ):
        physical = with_field_ids(file.schema_arrow, table.names)
        needed = needed_columns(fields, physical)
        # A dot is the way into a struct here; a name that holds one cannot be asked for.
        asked = None if any("." in name for name in needed) else needed
        start = 0
        # Splits are read side by side; threads of its own would only add memory to each.
        for batch in file.iter_batches(_BATCH_ROWS, columns=asked, use_threads=False):
            cancel.raise_if_cancelled()
            kept = _without_positions(batch, start, gone)
            start += len(batch)
            arrays = project(fields, kept, physical)
            rows = _named(arrays, (*columns, *extra), len(kept))
            for one in keys:
                rows = rows.filter(_is_kept(rows, one))
            yield rows.select(list(columns))


def _named(arrays: list[pa.Array[Any]], names: tuple[str, ...], length: int) -> pa.RecordBatch:
    if not arrays:
        # Only rows are counted; a batch without columns knows its length from this.
        return pa.record_batch([pa.nulls(length)], names=["rows"]).select([])
    return pa.record_batch(arrays, names=list(names))


def _deleted_positions(
    task: FileTask, io: FileIO, deletes: DeleteReader
) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    found = [
        deletes.positions(source, [task.path], io)["position"].to_numpy()
        for source in task.position_deletes
    ]
    return np.unique(np.concatenate(found)) if found else np.empty(0, np.int64)


def _without_positions(
    batch: pa.RecordBatch, start: int, gone: np.ndarray[tuple[int], np.dtype[np.int64]]
) -> pa.RecordBatch:
    first, end = np.searchsorted(gone, (start, start + len(batch)))
    if first == end:
        return batch
    keep = np.ones(len(batch), bool)
    keep[gone[first:end] - start] = False
    return batch.filter(pa.array(keep))


def _is_kept(rows: pa.RecordBatch, deletes: EqualityDeletes) -> Any:
    """Compare by number: each value's place among the keys' values, NULL being one of them."""
    row_code: Any = pa.nulls(len(rows), pa.int64()).fill_null(0)
    key_code: Any = pa.nulls(len(deletes.keys), pa.int64()).fill_null(0)
    for i, name in enumerate(deletes.columns):
        keys: Any = deletes.keys.column(i)
        values = keys.unique()
        size = pa.scalar(len(values), pa.int64())
        row_code = pc.add(pc.multiply(row_code, size), _places(rows.column(name), values))
        key_code = pc.add(pc.multiply(key_code, size), _places(keys, values))
        # Numbered again, so that numbers stay small however many columns there are.
        known = key_code.unique()
        row_code, key_code = _places(row_code, known), _places(key_code, known)
    # A row with a value that no key has got no number: it stays.
    return pc.is_null(row_code)


def _places(column: Any, values: Any) -> Any:
    plain = column.storage if isinstance(column, pa.ExtensionArray) else column
    return pc.cast(pc.index_in(plain, value_set=values), pa.int64())
