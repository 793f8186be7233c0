"""Filters that travel to a source: frozen values, and their meaning in Arrow.

A predicate is three-valued, as in SQL. Its meaning is DataFusion's, which is PostgreSQL's: NaN
equals NaN and is greater than every other number, 0.0 equals -0.0, text compares by code point.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pyarrow.compute as pc


class ComparisonOperator(StrEnum):
    """How two terms are compared."""

    EQUAL = "="
    NOT_EQUAL = "<>"
    LESS = "<"
    LESS_OR_EQUAL = "<="
    GREATER = ">"
    GREATER_OR_EQUAL = ">="


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the scanned table."""

    name: str


@dataclass(frozen=True, slots=True)
class Literal:
    """A typed value; never NULL inside a comparison that is offered to a source."""

    value: pa.Scalar[Any]


Term = Column | Literal


@dataclass(frozen=True, slots=True)
class Comparison:
    """``left operator right``."""

    left: Term
    operator: ComparisonOperator
    right: Term


@dataclass(frozen=True, slots=True)
class InList:
    """``column IN (values)``; the values hold no NULL."""

    column: Column
    values: tuple[pa.Scalar[Any], ...]


@dataclass(frozen=True, slots=True)
class Like:
    """``column LIKE pattern`` with the backslash as its escape."""

    column: Column
    pattern: str


@dataclass(frozen=True, slots=True)
class IsNull:
    """``column IS NULL``."""

    column: Column


@dataclass(frozen=True, slots=True)
class Not:
    """``NOT operand``."""

    operand: Predicate


@dataclass(frozen=True, slots=True)
class And:
    """All operands hold; at least two of them."""

    operands: tuple[Predicate, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """One operand holds; at least two of them."""

    operands: tuple[Predicate, ...]


Predicate = Comparison | InList | Like | IsNull | Not | And | Or


def conjuncts(predicate: Predicate | None) -> tuple[Predicate, ...]:
    """Return the AND-terms of ``predicate``; none for None."""
    if predicate is None:
        return ()
    if isinstance(predicate, And):
        return tuple(term for operand in predicate.operands for term in conjuncts(operand))
    return (predicate,)


def conjoin(predicates: Iterable[Predicate]) -> Predicate | None:
    """Return the AND of ``predicates``; None for none."""
    terms = tuple(dict.fromkeys(term for p in predicates for term in conjuncts(p)))
    if not terms:
        return None
    return terms[0] if len(terms) == 1 else And(terms)


def columns_of(predicate: Predicate | None) -> frozenset[str]:
    """Return the names of the columns that ``predicate`` reads."""
    match predicate:
        case None:
            return frozenset()
        case Comparison(left, _, right):
            return frozenset(term.name for term in (left, right) if isinstance(term, Column))
        case InList(column=column) | Like(column=column) | IsNull(column=column):
            return frozenset((column.name,))
        case Not(operand):
            return columns_of(operand)
        case And(operands) | Or(operands):
            return frozenset().union(*map(columns_of, operands))


def to_arrow(predicate: Predicate, schema: pa.Schema) -> pc.Expression:
    """Return ``predicate`` as an Arrow filter over a table of ``schema``, same three-valued result.

    It must not choose files or row groups by their statistics where ``reads_floats`` says so.
    Rows that are in memory are better filtered by ``keep_true``, which has no limit on size.

    Raises:
        KeyError: the predicate reads a column that ``schema`` lacks.
        TypeMismatch: two types are compared that have no common meaning.
        NotSupported: more than 200 comparisons, which Arrow's recursion may not survive.
    """
    from igloo.connectors.arrow_filters import arrow_expression

    return arrow_expression(predicate, schema)


def keep_true(batch: pa.RecordBatch, predicate: Predicate) -> pa.RecordBatch:
    """Return the rows of ``batch`` for which ``predicate`` is TRUE.

    Unlike Arrow's own filter it takes string and binary views, and predicates of any size.

    Raises:
        KeyError: the predicate reads a column that the batch lacks.
        TypeMismatch: two types are compared that have no common meaning.
    """
    from igloo.connectors import arrow_filters

    return arrow_filters.keep_true(batch, predicate)


def reads_floats(predicate: Predicate, schema: pa.Schema) -> bool:
    """Return whether ``predicate`` reads a floating-point column of ``schema``.

    Statistics of files leave NaN out, and NaN is greater than every number: files and row groups
    that are skipped by such a predicate's statistics lose rows.
    """
    return any(pa.types.is_floating(schema.field(name).type) for name in columns_of(predicate))
