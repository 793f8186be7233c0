"""One table's scan as one SELECT."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from igloo.connectors.predicates import And, Not, Or, Predicate, columns_of, conjoin, conjuncts
from igloo.connectors.sql.predicates import split_filter
from igloo.errors import ColumnNotFound, UnsupportedType, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from igloo.connectors.contract import Pushdown
    from igloo.connectors.sql.dialect import Dialect
    from igloo.connectors.sqlite.types import SqliteColumn
    from igloo.names import TableName

#: SQLite's parser has a small stack, and counts how deep a chain of ANDs and ORs is.
_DEPTH_MAX = 20
_COMPARISONS_MAX = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadPlan:
    """A statement, and what its rows have to be. Small and picklable.

    Attributes:
        statement: the exact text that is run.
        columns: the columns that it selects, in order.
        label: what is read, for messages.
        has_misfit: whether one more column follows, with the name of a column of the filter that
            holds a value which does not fit its type.
        is_count: whether it selects the number of rows, because no column is needed.
    """

    statement: str
    columns: tuple[SqliteColumn, ...]
    label: str
    has_misfit: bool = False
    is_count: bool = False


def plan_select(
    name: TableName,
    label: str,
    columns: Mapping[str, SqliteColumn],
    pushdown: Pushdown,
    dialect: Dialect,
) -> tuple[ReadPlan, Predicate | None]:
    """Return the statement for ``pushdown``, and the part of its filter that is left.

    Raises:
        UnsupportedType: a column that is read has a type that Igloo does not know.
        ColumnNotFound: the table has no such column.
    """
    for column in (*pushdown.columns, *sorted(columns_of(pushdown.filter))):
        _check_readable(column, columns, label)
    small, large = _part_by_size(pushdown.filter)
    parted = split_filter(small, columns, dialect)
    residual = conjoin(term for term in (parted.residual, large) if term is not None)
    taken = set(conjuncts(small)) - set(conjuncts(parted.residual))
    misfits = _misfits(taken, columns)
    misfit = _misfit_column(misfits, dialect) if misfits else None
    # A value that does not fit has no place in a comparison: its row comes, and is refused.
    where = " OR ".join([f"({parted.sql})", *(f"({text})" for _, text in misfits)])
    source = f"FROM {dialect.table(name)}" + (f" WHERE {where}" if parted.sql else "")
    is_limited = pushdown.limit is not None and residual is None
    if is_limited:
        source += f" LIMIT {pushdown.limit}"
    extra = sorted(columns_of(residual) - set(pushdown.columns))
    selected = tuple(columns[column] for column in (*pushdown.columns, *extra))
    statement = (
        _select(selected, misfit, source)
        if selected
        else _count(misfit, source, is_limited=is_limited)
    )
    plan = ReadPlan(
        statement=statement,
        columns=selected,
        label=label,
        has_misfit=misfit is not None,
        is_count=not selected,
    )
    return plan, residual


def _select(columns: Iterable[SqliteColumn], misfit: str | None, source: str) -> str:
    reads = [column.read for column in columns] + ([misfit] if misfit else [])
    return f"SELECT {', '.join(reads)} {source}"


def _count(misfit: str | None, source: str, *, is_limited: bool) -> str:
    if misfit is None and not is_limited:
        return f"SELECT count(*) {source}"
    first_misfit = ", min(misfit)" if misfit else ""
    inner = f"SELECT {misfit or 'NULL'} AS misfit {source}"
    return f"SELECT count(*){first_misfit} FROM ({inner})"  # noqa: S608 - quoted


def _misfits(
    taken: Iterable[Predicate], columns: Mapping[str, SqliteColumn]
) -> list[tuple[str, str]]:
    names = frozenset().union(*map(columns_of, taken))
    found = ((name, columns[name].misfit) for name in sorted(names))
    return [(name, text) for name, text in found if text is not None]


def _misfit_column(misfits: Iterable[tuple[str, str]], dialect: Dialect) -> str:
    cases = (f"WHEN {text} THEN {dialect.text(name)}" for name, text in misfits)
    return f"CASE {' '.join(cases)} END"


def _part_by_size(predicate: Predicate | None) -> tuple[Predicate | None, Predicate | None]:
    """Return the terms that SQLite's parser can take, and the others."""
    small, large, left = [], [], _COMPARISONS_MAX
    for term in conjuncts(predicate):
        depth, comparisons = _size(term)
        if depth <= _DEPTH_MAX and comparisons <= left:
            small.append(term)
            left -= comparisons
        else:
            large.append(term)
    return conjoin(small), conjoin(large)


def _size(predicate: Predicate) -> tuple[int, int]:
    """Return how deep a predicate is, and how many comparisons it has."""
    match predicate:
        case Not(operand):
            depth, comparisons = _size(operand)
            return depth + 1, comparisons
        case And(operands) | Or(operands):
            sizes = [_size(operand) for operand in operands]
            return max(depth for depth, _ in sizes) + 1, sum(count for _, count in sizes)
    return 1, 1


def unsupported(column: SqliteColumn, label: str) -> UnsupportedType:
    """Return the error for a column whose type Igloo does not know."""
    catalog = label.partition(":")[0].partition(".")[0]
    return UnsupportedType(
        f'Column "{column.name}" of "{label}" cannot be read: {column.refusal}.',
        hint=f"Say what it is: remote_query('{catalog}', 'SELECT CAST({column.read} AS TEXT) …').",
        catalog=catalog,
        column=column.name,
        type=column.source_type,
    )


def _check_readable(name: str, columns: Mapping[str, SqliteColumn], label: str) -> None:
    column = columns.get(name)
    if column is None:
        raise ColumnNotFound(
            f'Table "{label}" has no column "{name}".', hint=did_you_mean(name, columns)
        )
    if column.refusal is not None:
        raise unsupported(column, label)
