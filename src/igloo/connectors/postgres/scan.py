"""One table's scan as one SELECT."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from igloo.connectors.predicates import Predicate, columns_of
from igloo.connectors.sql.predicates import split_filter
from igloo.errors import ColumnNotFound, UnsupportedType, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import pyarrow as pa

    from igloo.connectors.contract import Pushdown
    from igloo.connectors.sql.dialect import Dialect
    from igloo.connectors.sql.types import SqlColumn
    from igloo.names import TableName


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadPlan:
    """A statement, and what its rows have to be. Small and picklable.

    Attributes:
        statement: the exact text that is sent.
        columns: the columns that it selects, in order.
        label: what is read, for messages.
        has_array_guard: whether one more column follows, with the name of a column whose array has
            several dimensions: the driver flattens those without a word.
        is_count: whether it selects the number of rows, because no column is needed.
        uses_copy: whether the statement can stand in COPY.
    """

    statement: str
    columns: tuple[SqlColumn, ...]
    label: str
    has_array_guard: bool = False
    is_count: bool = False
    uses_copy: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedScan:
    """What is read, and what is left to the engine."""

    plan: ReadPlan
    residual: Predicate | None


def plan_select(
    name: TableName,
    label: str,
    columns: Mapping[str, SqlColumn],
    pushdown: Pushdown,
    dialect: Dialect,
) -> PlannedScan:
    """Return the statement for ``pushdown``.

    Raises:
        UnsupportedType: a column that is read cannot be carried exactly.
        ColumnNotFound: the table has no such column.
    """
    used = columns_of(pushdown.filter)
    for column in (*pushdown.columns, *sorted(used)):
        _check_readable(column, columns, label)
    parted = split_filter(pushdown.filter, columns, dialect)
    extra = sorted(columns_of(parted.residual) - set(pushdown.columns))
    selected = [columns[column] for column in (*pushdown.columns, *extra)]
    where = f" WHERE {parted.sql}" if parted.sql else ""
    is_limited = pushdown.limit is not None and parted.residual is None
    limit = f" LIMIT {pushdown.limit}" if is_limited else ""
    source = f"FROM {dialect.table(name)}{where}{limit}"
    if not selected:
        # COPY of rows without columns is held in memory whole by the driver.
        inner = f"FROM (SELECT {source}) AS rows" if is_limited else source
        plan = ReadPlan(
            statement=f"SELECT count(*) {inner}", columns=(), label=label, is_count=True
        )
        return PlannedScan(plan=plan, residual=parted.residual)
    guard = array_guard(selected, [column.presence for column in selected], dialect)
    reads = [column.read for column in selected] + ([guard] if guard else [])
    plan = ReadPlan(
        statement=f"SELECT {', '.join(reads)} {source}",
        columns=tuple(selected),
        label=label,
        has_array_guard=guard is not None,
    )
    return PlannedScan(plan=plan, residual=parted.residual)


def array_guard(
    columns: Sequence[SqlColumn], expressions: Iterable[str], dialect: Dialect
) -> str | None:
    """Return an expression that names the first array of several dimensions; None without arrays."""
    cases = [
        f"WHEN pg_catalog.array_ndims({expression}) > 1 THEN {dialect.text(column.name)}"
        for column, expression in zip(columns, expressions, strict=True)
        if _is_list(column.type)
    ]
    return f"CASE {' '.join(cases)} END" if cases else None


def unsupported(column: SqlColumn, label: str, hint: str, catalog: str) -> UnsupportedType:
    """Return the error for a column that cannot be carried exactly."""
    return UnsupportedType(
        f'Column "{column.name}" of "{label}" has the type {column.source_type}, which cannot be '
        f"carried exactly: {column.refusal}.",
        hint=hint,
        catalog=catalog,
        column=column.name,
        type=column.source_type,
    )


def unsupported_in_table(column: SqlColumn, label: str) -> UnsupportedType:
    """Return the error for a table's column that cannot be carried exactly."""
    catalog = label.partition(".")[0]
    hint = (
        "Select the other columns, or cast it in the source: "
        f"remote_query('{catalog}', 'SELECT {column.read}::numeric(38, 6) …')."
    )
    return unsupported(column, label, hint, catalog)


def _check_readable(name: str, columns: Mapping[str, SqlColumn], label: str) -> None:
    column = columns.get(name)
    if column is None:
        raise ColumnNotFound(
            f'Table "{label}" has no column "{name}".', hint=did_you_mean(name, columns)
        )
    if column.refusal is not None:
        raise unsupported_in_table(column, label)


def _is_list(type_: pa.DataType) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_list(type_))
