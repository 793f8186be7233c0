"""Filters as SQL: each AND-term is written whole, or stays with the engine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from igloo.connectors.predicates import (
    And,
    Column,
    Comparison,
    ComparisonOperator,
    InList,
    IsNull,
    Like,
    Literal,
    Not,
    Or,
    Predicate,
    conjoin,
    conjuncts,
)
from igloo.connectors.sql.types import SqlColumn, ValueKind, kind_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import pyarrow as pa

    from igloo.connectors.predicates import Term
    from igloo.connectors.sql.dialect import Dialect

#: A term longer than this stays with the engine: databases parse within limits of memory and stack.
TERM_CHARACTERS_MAX = 1_000_000
#: Deeper nesting stays with the engine, for the same reason.
DEPTH_MAX = 100

_EQUALITY = frozenset({ComparisonOperator.EQUAL, ComparisonOperator.NOT_EQUAL})
_NUMBERS = frozenset({ValueKind.INTEGER, ValueKind.DECIMAL})
_MIRRORED = {
    ComparisonOperator.EQUAL: ComparisonOperator.EQUAL,
    ComparisonOperator.NOT_EQUAL: ComparisonOperator.NOT_EQUAL,
    ComparisonOperator.LESS: ComparisonOperator.GREATER,
    ComparisonOperator.LESS_OR_EQUAL: ComparisonOperator.GREATER_OR_EQUAL,
    ComparisonOperator.GREATER: ComparisonOperator.LESS,
    ComparisonOperator.GREATER_OR_EQUAL: ComparisonOperator.LESS_OR_EQUAL,
}


@dataclass(frozen=True, slots=True)
class SplitFilter:
    """A filter parted in two: both must hold.

    Attributes:
        sql: what the source applies, or the empty string.
        residual: what the engine applies, or None.
    """

    sql: str
    residual: Predicate | None


def split_filter(
    predicate: Predicate | None, columns: Mapping[str, SqlColumn], dialect: Dialect
) -> SplitFilter:
    """Part ``predicate`` into SQL that means exactly the same, and the rest."""
    writer = _Writer(columns, dialect)
    pushed: list[str] = []
    residual: list[Predicate] = []
    for term in conjuncts(predicate):
        sql = writer.write(term)
        if sql is None or len(sql) > TERM_CHARACTERS_MAX:
            residual.append(term)
        else:
            pushed.append(f"({sql})" if isinstance(term, Or) else sql)
    return SplitFilter(" AND ".join(pushed), conjoin(residual))


class _Writer:
    """Writes predicates; None wherever equality of meaning is not proven."""

    def __init__(self, columns: Mapping[str, SqlColumn], dialect: Dialect) -> None:
        self._columns = columns
        self._dialect = dialect

    def write(self, predicate: Predicate, depth: int = 0) -> str | None:
        if depth > DEPTH_MAX:
            return None
        match predicate:
            case Comparison(left, operator, right):
                return self._comparison(left, operator, right)
            case InList(column, values):
                return self._in_list(self._columns[column.name], values)
            case Like(column, pattern):
                expression = self._columns[column.name].pattern
                return None if expression is None else self._dialect.like(expression, pattern)
            case IsNull(column):
                known = self._columns[column.name]
                return None if known.refusal else f"{known.presence} IS NULL"
            case Not(operand):
                sql = self.write(operand, depth + 1)
                return None if sql is None else f"NOT ({sql})"
            case And(operands):
                return self._joined(" AND ", operands, depth)
            case Or(operands):
                return self._joined(" OR ", operands, depth)

    def _joined(self, word: str, operands: Iterable[Predicate], depth: int) -> str | None:
        terms: list[str] = []
        for operand in operands:
            sql = self.write(operand, depth + 1)
            if sql is None:
                return None
            terms.append(f"({sql})" if isinstance(operand, And | Or) else sql)
        return word.join(terms)

    def _comparison(self, left: Term, operator: ComparisonOperator, right: Term) -> str | None:
        match left, right:
            case Column(name), Literal(value):
                column = self._columns[name]
                expression = _operand(column, operator)
                literal = self._literal(value, column)
                if expression is None or literal is None:
                    return None
                return f"{expression} {operator} {literal}"
            case Literal(), Column():
                return self._comparison(right, _MIRRORED[operator], left)
            case Column(name), Column(other):
                return _column_pair(self._columns[name], operator, self._columns[other])
            case _:
                return None

    def _in_list(self, column: SqlColumn, values: Iterable[pa.Scalar[Any]]) -> str | None:
        literals = [self._literal(value, column) for value in values]
        texts = [literal for literal in literals if literal is not None]
        if column.equality is None or not texts or len(texts) < len(literals):
            return None
        return f"{column.equality} IN ({', '.join(texts)})"

    def _literal(self, value: pa.Scalar[Any], column: SqlColumn) -> str | None:
        if not value.is_valid or column.kind is None:
            return None
        literal_kind = kind_of(value.type)
        fits = literal_kind is column.kind
        fits = fits or (column.kind in _NUMBERS and literal_kind in _NUMBERS)
        fits = fits or (column.kind is ValueKind.UUID and literal_kind is ValueKind.TEXT)
        return self._dialect.literal(value, column.kind) if fits else None


def _operand(column: SqlColumn, operator: ComparisonOperator) -> str | None:
    return column.equality if operator in _EQUALITY else column.order


def _column_pair(left: SqlColumn, operator: ComparisonOperator, right: SqlColumn) -> str | None:
    is_same = left.kind is not None and left.kind is right.kind
    if not is_same and not (left.kind in _NUMBERS and right.kind in _NUMBERS):
        return None
    # The order's expression names its collation, so that two texts never disagree about theirs.
    sides = (left.order, right.order)
    if operator in _EQUALITY and left.kind is not ValueKind.TEXT:
        sides = (left.equality, right.equality)
    if sides[0] is None or sides[1] is None:
        return None
    return f"{sides[0]} {operator} {sides[1]}"
