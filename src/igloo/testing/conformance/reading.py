"""Reads scans as the engine does, and compares tables as sets of rows that may repeat."""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from igloo.cancel import CancelToken
from igloo.connectors.contract import Pushdown
from igloo.connectors.predicates import columns_of, keep_true

if TYPE_CHECKING:
    from collections.abc import Sequence

    from igloo.connectors.contract import Connector, Scan, Split, Table
    from igloo.connectors.predicates import Predicate


#: Counting rows as texts takes seconds for larger tables.
_COUNTED_ROWS_MAX = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What became of one pushdown.

    Attributes:
        scan: what the connector planned.
        rows: what its splits gave.
        result: the rows that are left after the residual, with the columns that were asked for.
    """

    scan: Scan
    rows: pa.Table
    result: pa.Table


def read_split(connector: Connector, split: Split) -> pa.Table:
    """Read one split to its end and check every batch against the promised schema."""
    wanted = pa.schema([split.table.schema.field(name) for name in split.columns])
    reader = connector.read_split(split, CancelToken())
    assert reader.schema.equals(wanted), (
        f"the reader's schema is not the table's, cut to the split's columns {split.columns}:\n"
        f"{reader.schema}\ninstead of\n{wanted}"
    )
    batches = list(reader)
    for batch in batches:
        assert batch.schema.equals(wanted), f"a batch has the schema\n{batch.schema}\nnot\n{wanted}"
        batch.validate(full=True)
    return pa.Table.from_batches(batches, wanted)


def ask(
    connector: Connector,
    table: Table,
    columns: tuple[str, ...],
    *,
    filter: Predicate | None = None,  # noqa: A002 - the contract's word
    limit: int | None = None,
) -> Answer:
    """Offer work to the connector, read all splits, and apply what it left over."""
    scan = connector.plan_scan(table, Pushdown(columns=columns, filter=filter, limit=limit))
    extra = columns_of(scan.residual) - set(columns)
    for split in scan.splits:
        assert split.columns[: len(columns)] == columns, (
            f"asked for the columns {columns}, the split has {split.columns}"
        )
        assert sorted(split.columns[len(columns) :]) == sorted(extra), (
            f"after the columns {columns} come {split.columns[len(columns) :]}, "
            f"but the residual needs {sorted(extra)}"
        )
    parts = [read_split(connector, split) for split in scan.splits]
    present = parts[0].schema if parts else pa.schema([table.schema.field(c) for c in columns])
    rows = join_parts(parts, present)
    kept = rows
    if scan.residual is not None and parts:
        kept = keep(rows, scan.residual)
    return Answer(scan=scan, rows=rows, result=kept.select(list(columns)))


def join_parts(parts: Sequence[pa.Table], schema: pa.Schema) -> pa.Table:
    """Put the rows of several splits together; Arrow's own concat forgets rows without columns."""
    return pa.Table.from_batches([batch for part in parts for batch in part.to_batches()], schema)


def keep(table: pa.Table, predicate: Predicate | None) -> pa.Table:
    """Return the rows for which ``predicate`` is TRUE, as Arrow alone finds them."""
    if predicate is None:
        return table
    batches = [keep_true(batch, predicate) for batch in table.to_batches()]
    return pa.Table.from_batches(batches, table.schema)


def read_table(connector: Connector, table: Table) -> pa.Table:
    """Return all columns and rows of ``table``."""
    return ask(connector, table, tuple(table.schema.names)).result


def assert_same_rows(found: pa.Table, wanted: pa.Table, what: str = "the rows differ") -> None:
    """Fail unless both have the same rows, in any order; say which are missing or too many."""
    if wanted.num_rows > _COUNTED_ROWS_MAX and _is_sorted_copy(found, wanted):
        return
    have, want = rows_of(found), rows_of(wanted)
    if have == want:
        return
    raise AssertionError(_difference(have, want, what))


def _is_sorted_copy(found: pa.Table, wanted: pa.Table) -> bool:
    """Return whether both are the same once sorted by ``id``: quick where rows are many."""
    if "id" not in wanted.column_names or found.schema != wanted.schema:
        return False
    return bool(found.sort_by("id").equals(wanted.sort_by("id")))


def assert_rows_among(found: pa.Table, allowed: pa.Table, what: str) -> None:
    """Fail unless every row of ``found`` is one of ``allowed``, no more often than there."""
    have, may = rows_of(found), rows_of(allowed)
    if have - may:
        raise AssertionError(_difference(have, may & have, what))


def rows_of(table: pa.Table) -> Counter[tuple[str, ...]]:
    """Return the rows and how often each occurs; equal values have equal texts."""
    if not table.column_names:
        return Counter({(): table.num_rows})
    columns = [_texts(column) for column in table.columns]
    return Counter(zip(*columns, strict=True))


def _texts(column: pa.ChunkedArray[Any]) -> list[str]:
    type_ = column.type
    if pa.types.is_dictionary(type_):
        return _texts(column.cast(type_.value_type))
    if pa.types.is_temporal(type_) and not pa.types.is_interval(type_):
        # Python's datetime has neither nanoseconds nor the year 10000.
        width = pa.int32() if type_.bit_width == 32 else pa.int64()
        column = column.cast(width)
    values: list[Any] = column.to_pylist()
    return [repr(value) for value in values]


def _difference(have: Counter[tuple[str, ...]], want: Counter[tuple[str, ...]], what: str) -> str:
    lines = [f"{what}: {have.total()} rows, {want.total()} wanted"]
    for title, rows in (("missing", want - have), ("too many", have - want)):
        shown = itertools.islice(rows.elements(), 5)
        lines += [f"  {title}: {_row(row)}" for row in shown]
        lines += [f"  … {rows.total() - 5} more {title}"] if rows.total() > 5 else []
    return "\n".join(lines)


def _row(row: tuple[str, ...]) -> str:
    return ", ".join(text if len(text) < 60 else f"{text[:57]}…" for text in row)
