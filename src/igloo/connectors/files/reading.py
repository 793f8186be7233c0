"""Reads one file of a table as the table's rows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from igloo.connectors.files import arrow_ipc, delimited, json_records, parquet
from igloo.connectors.files.delimited import Dialect
from igloo.connectors.files.failures import unreadable
from igloo.connectors.files.formats import Format
from igloo.connectors.predicates import columns_of, keep_true

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from igloo.cancel import CancelToken
    from igloo.connectors.files.listing import FoundFile
    from igloo.connectors.predicates import Predicate


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSplit:
    """One file of a scan, and what is done with its rows.

    Attributes:
        file: the file.
        file_schema: columns of the table that stand in files.
        partition_schema: columns of the table that stand in the file's path.
        partition_values: their values.
        dialect: how it is written, if it is CSV.
        filter: only rows for which this is TRUE are given.
        limit: no more rows than this are given.
    """

    file: FoundFile
    file_schema: pa.Schema
    partition_schema: pa.Schema
    partition_values: tuple[pa.Scalar[Any], ...] = ()
    dialect: Dialect = field(default_factory=Dialect)
    filter: Predicate | None = None
    limit: int | None = None


def read_rows(
    split: FileSplit, columns: Sequence[str], cancel: CancelToken
) -> Iterator[pa.RecordBatch]:
    """Yield the rows of a split with exactly ``columns``, in the table's types."""
    cancel.raise_if_cancelled()
    needed = _needed(split, columns)
    missing = split.limit
    if missing == 0:
        return
    for own in _file_batches(split, needed.names):
        cancel.raise_if_cancelled()
        batch = _as_table(own, needed, split)
        if split.filter is not None:
            batch = keep_true(batch, split.filter)
        if missing is not None:
            batch = batch.slice(0, missing)
            missing -= batch.num_rows
        if batch.num_rows:
            yield batch.select(list(columns))
        if missing == 0:
            return
    cancel.raise_if_cancelled()


def _needed(split: FileSplit, columns: Sequence[str]) -> pa.Schema:
    names = dict.fromkeys((*columns, *sorted(columns_of(split.filter))))
    fields = {own.name: own for own in (*split.file_schema, *split.partition_schema)}
    return pa.schema([fields[name] for name in names])


def _file_batches(split: FileSplit, names: Sequence[str]) -> Iterator[pa.RecordBatch]:
    file, in_file = split.file, set(split.file_schema.names)
    columns = [name for name in names if name in in_file]
    match file.stored_as.format:
        case Format.PARQUET:
            return parquet.read_batches(file.path, columns)
        case Format.ARROW:
            return arrow_ipc.read_batches(file.path, columns)
        case Format.CSV:
            return delimited.read_batches(file, split.dialect, split.file_schema, columns)
        case Format.JSON | Format.NDJSON:
            return json_records.read_batches(file, split.file_schema, columns)


def _as_table(own: pa.RecordBatch, needed: pa.Schema, split: FileSplit) -> pa.RecordBatch:
    if not needed.names:
        return own.select([])  # a batch made from no arrays forgets how many rows it has
    held = {name: own.column(i) for i, name in enumerate(own.schema.names)}
    values: dict[str, Any] = dict(
        zip(split.partition_schema.names, split.partition_values, strict=True)
    )
    arrays: list[Any] = []
    for column in needed:
        if column.name in values:
            arrays.append(pa.repeat(values[column.name], own.num_rows).cast(column.type))
        elif column.name in held:
            arrays.append(_cast(held[column.name], column, split.file.path))
        else:
            arrays.append(pa.nulls(own.num_rows, column.type))
    return pa.RecordBatch.from_arrays(arrays, schema=needed)


def _cast(array: Any, column: pa.Field[Any], path: str) -> Any:
    if isinstance(array, pa.ExtensionArray):
        array = array.storage
    if array.type.equals(column.type):
        return array
    try:
        return array.cast(column.type)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        reason = f'column "{column.name}" is {array.type} and not {column.type}: {error}'
        raise unreadable(path, "the table's rows", reason) from error
