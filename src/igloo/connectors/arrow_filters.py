"""The meaning of predicates, in Arrow's terms.

Arrow's own comparisons differ from SQL's for NaN, for literals that the column's type cannot hold,
and have no kernels for some types. What is compared here is therefore brought to one type first,
without ever rounding; what has no common type is refused.

One text serves both uses: over arrays it computes, over ``pc.field`` it builds an expression.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from igloo.connectors.arrow_types import (
    as_type,
    at_step,
    bounds,
    common_type,
    comparable_type,
    exact,
    family,
    holds_view,
    step,
    without_view,
)
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
    Term,
)
from igloo.errors import NotSupported, TypeMismatch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_NULL = pa.scalar(None, pa.bool_())
_OP = ComparisonOperator
#: Arrow recurses once for each operand of a chain, and ends the process where the stack ends.
_OPERANDS_MAX = 200


@dataclass(frozen=True, slots=True)
class _Rows:
    """What a predicate is applied to: types by name, and columns as arrays or as expressions."""

    schema: pa.Schema
    column: Callable[[str], Any]

    def type_of(self, term: Term) -> pa.DataType:
        """Return the type of a column or literal; KeyError if there is no such column."""
        if isinstance(term, Literal):
            return as_type(term.value.type)
        index = self.schema.get_field_index(term.name)
        if index < 0:
            raise KeyError(term.name)
        return as_type(self.schema.field(index).type)

    def cast(self, column: Column, type_: pa.DataType) -> Any:
        """Return the column as ``type_``."""
        values = self.column(column.name)
        return values if self.type_of(column) == type_ else values.cast(type_)


def arrow_expression(predicate: Predicate, schema: pa.Schema) -> pc.Expression:
    """Return ``predicate`` as an expression over a table of ``schema``; see ``to_arrow``."""
    if _operands(predicate) > _OPERANDS_MAX:
        raise NotSupported(
            f"A filter of more than {_OPERANDS_MAX} comparisons is no Arrow expression.",
            hint="Filter batches instead.",
        )
    truth = _truth(predicate, _Rows(schema, pc.field))
    return truth if isinstance(truth, pc.Expression) else pc.scalar(truth)


def keep_true(batch: pa.RecordBatch, predicate: Predicate) -> pa.RecordBatch:
    """Return the rows of ``batch`` for which ``predicate`` is TRUE."""
    truth = _truth(predicate, _Rows(batch.schema, batch.column))
    if isinstance(truth, pa.Scalar):
        return batch if truth.as_py() else batch.slice(0, 0)
    schema = batch.schema
    if not any(map(holds_view, schema.types)):
        return batch.filter(truth)
    # Arrow filters no views; they are copied to plain text and back.
    plain = pa.schema([field.with_type(without_view(field.type)) for field in schema])
    return batch.cast(plain).filter(truth).cast(schema)


def _operands(predicate: Predicate) -> int:
    match predicate:
        case Not(operand):
            return _operands(operand)
        case And(operands) | Or(operands):
            return sum(map(_operands, operands))
    return 1


def _truth(predicate: Predicate, rows: _Rows) -> Any:
    """Return TRUE, FALSE or NULL for each row: an array, an expression, or one scalar for all."""
    match predicate:
        case Comparison(left, operator, right):
            return _compare(left, operator, right, rows)
        case InList(column, values):
            return _is_in(column, values, rows)
        case Like(column, pattern):
            return _like(column, pattern, rows)
        case IsNull(column):
            rows.type_of(column)
            return pc.is_null(rows.column(column.name))
        case Not(operand):
            return pc.invert(_truth(operand, rows))
        case And(operands):
            return _fold(pc.and_kleene, (_truth(p, rows) for p in operands), pa.scalar(True))
        case Or(operands):
            return _fold(pc.or_kleene, (_truth(p, rows) for p in operands), pa.scalar(False))


def _fold(combine: Callable[[Any, Any], Any], truths: Iterable[Any], empty: Any) -> Any:
    answer = empty
    for truth in truths:
        # Arrow looks at the first argument to see that an expression is meant.
        pair = (truth, answer) if isinstance(truth, pc.Expression) else (answer, truth)
        answer = truth if answer is empty else combine(*pair)
    return answer


def _unless_null(values: Any, value: bool) -> Any:  # noqa: FBT001 - a truth value
    return pc.if_else(pc.is_null(values), _NULL, pa.scalar(value))


def _compare(left: Term, operator: ComparisonOperator, right: Term, rows: _Rows) -> Any:
    if isinstance(left, Literal):
        left, operator, right = right, _MIRRORED[operator], left
    a, b = (comparable_type(rows.type_of(term)) for term in (left, right))
    if pa.types.is_null(a) or pa.types.is_null(b) or _is_null_literal(left, right):
        return _NULL
    kind = family(a)
    if kind is None or kind != family(b):
        raise TypeMismatch(
            f"{_shown(left)} of type {rows.type_of(left)} cannot be compared "
            f"with {_shown(right)} of type {rows.type_of(right)}.",
            hint="Cast one of them.",
        )
    if isinstance(left, Literal) and isinstance(right, Literal):
        return _compare_literals(left, operator, right)
    assert isinstance(left, Column)  # noqa: S101 - literals stand on the right by now
    if isinstance(right, Literal):
        return _compare_with_literal(left, operator, right.value, rows)
    return _compare_columns(left, operator, right, rows)


def _is_null_literal(*terms: Term) -> bool:
    return any(isinstance(term, Literal) and not term.value.is_valid for term in terms)


def _shown(term: Term) -> str:
    return f'column "{term.name}"' if isinstance(term, Column) else "a value"


def _compare_literals(left: Literal, operator: ComparisonOperator, right: Literal) -> Any:
    # The one literal is a column of one row, so that one meaning serves both.
    row = pa.record_batch({"": pa.array([left.value])})
    answer = _compare(Column(""), operator, right, _Rows(row.schema, row.column))
    return answer if isinstance(answer, pa.Scalar) else answer[0]


def _compare_columns(left: Column, operator: ComparisonOperator, right: Column, rows: _Rows) -> Any:
    common = common_type(rows.type_of(left), rows.type_of(right))
    a, b = rows.cast(left, common), rows.cast(right, common)
    if not pa.types.is_floating(common):
        return _PLAIN[operator](a, b)
    if operator in _NEGATED:
        return pc.invert(_compare_columns(left, _NEGATED[operator], right, rows))
    # Arrow follows IEEE 754, where every comparison with NaN is false.
    a_nan, b_nan = pc.is_nan(a), pc.is_nan(b)
    match operator:
        case _OP.LESS:
            nan_case = pc.and_kleene(pc.invert(a_nan), b_nan)
        case _OP.GREATER:
            nan_case = pc.and_kleene(a_nan, pc.invert(b_nan))
        case _:
            nan_case = pc.and_kleene(a_nan, b_nan)
    return pc.or_kleene(_PLAIN[operator](a, b), nan_case)


def _compare_with_literal(
    column: Column, operator: ComparisonOperator, value: pa.Scalar[Any], rows: _Rows
) -> Any:
    type_ = comparable_type(rows.type_of(column))
    if pa.types.is_floating(type_):
        return _compare_float(column, operator, value, rows)
    field = rows.cast(column, type_)
    if family(type_) in {"text", "bytes", "boolean"}:
        return _PLAIN[operator](field, _literal(value, type_))
    steps = exact(value) / step(type_)
    below, (least, greatest) = math.floor(steps), bounds(type_)
    if not least <= steps <= greatest:
        is_above = steps > greatest
        true_above = {_OP.LESS, _OP.LESS_OR_EQUAL, _OP.NOT_EQUAL}
        true_below = {_OP.GREATER, _OP.GREATER_OR_EQUAL, _OP.NOT_EQUAL}
        return _unless_null(
            rows.column(column.name), operator in (true_above if is_above else true_below)
        )
    if below == steps:
        return _PLAIN[operator](field, at_step(below, type_))
    if operator in {_OP.EQUAL, _OP.NOT_EQUAL}:
        return _unless_null(rows.column(column.name), operator is _OP.NOT_EQUAL)
    # Between two steps, < and <= mean "at most the one below", > and >= "above the one below".
    moved = _OP.LESS_OR_EQUAL if operator in {_OP.LESS, _OP.LESS_OR_EQUAL} else _OP.GREATER
    return _PLAIN[moved](field, at_step(below, type_))


def _compare_float(
    column: Column, operator: ComparisonOperator, value: pa.Scalar[Any], rows: _Rows
) -> Any:
    number = value.as_py()
    type_ = common_type(rows.type_of(column), value.type)
    field = rows.cast(column, type_)
    is_nan = pc.is_nan(field)
    if math.isnan(number):
        match operator:
            case _OP.EQUAL | _OP.GREATER_OR_EQUAL:
                return is_nan
            case _OP.NOT_EQUAL | _OP.LESS:
                return pc.invert(is_nan)
            case _OP.LESS_OR_EQUAL | _OP.GREATER:
                return _unless_null(field, operator is _OP.LESS_OR_EQUAL)
    compared = _PLAIN[operator](field, pa.scalar(number, type_))
    # Arrow follows IEEE 754, where NaN is neither less nor greater, only unequal.
    is_above = operator in {_OP.GREATER, _OP.GREATER_OR_EQUAL}
    return pc.or_kleene(compared, is_nan) if is_above else compared


def _literal(value: pa.Scalar[Any], type_: pa.DataType) -> pa.Scalar[Any]:
    made: pa.Scalar[Any] = pa.scalar(value.as_py(), type_)
    return made


def _is_in(column: Column, values: tuple[pa.Scalar[Any], ...], rows: _Rows) -> Any:
    type_ = comparable_type(rows.type_of(column))
    if not values:
        return pa.scalar(False)
    if pa.types.is_null(type_):
        return _NULL
    for value in values:
        if family(type_) is None or family(type_) != family(comparable_type(value.type)):
            raise TypeMismatch(
                f"{_shown(column)} of type {type_} cannot be compared with a value of type {value.type}.",
                hint="Cast one of them.",
            )
    if pa.types.is_floating(type_):
        type_ = pa.float64()
    field = rows.cast(column, type_)
    present = [same for value in values for same in _same_in(value, type_)]
    found: Any = pa.scalar(False)
    if present:
        found = pc.is_in(field, value_set=pa.array(present, type_))
    if pa.types.is_floating(type_) and any(math.isnan(value.as_py()) for value in values):
        found = pc.or_kleene(pc.is_nan(field), found)
    # Arrow's is_in answers FALSE for NULL; SQL answers NULL, which matters under NOT.
    return pc.if_else(pc.is_null(field), _NULL, found)


def _same_in(value: pa.Scalar[Any], type_: pa.DataType) -> list[Any]:
    """Return the values of ``type_`` that equal ``value``: none, one, or both zeros."""
    if pa.types.is_floating(type_):
        number = value.as_py()
        if math.isnan(number):
            return []
        return [0.0, -0.0] if number == 0 else [number]
    if family(type_) in {"text", "bytes", "boolean"}:
        return [value.as_py()]
    steps, (least, greatest) = exact(value) / step(type_), bounds(type_)
    if steps.denominator != 1 or not least <= steps <= greatest:
        return []
    return [at_step(int(steps), type_)]


def _like(column: Column, pattern: str, rows: _Rows) -> Any:
    type_ = comparable_type(rows.type_of(column))
    if pa.types.is_null(type_):
        return _NULL
    if family(type_) != "text":
        raise TypeMismatch(
            f"{_shown(column)} of type {rows.type_of(column)} is no text.",
            hint="LIKE compares text; cast the column.",
        )
    values = rows.cast(column, type_)
    if "\\" not in pattern:
        return pc.match_like(values, pattern)
    # Arrow mistakes some escapes: it takes '%' before two backslashes for another suffix.
    return pc.match_substring_regex(values, _like_as_regex(pattern))


def _like_as_regex(pattern: str) -> str:
    parts, characters = [], iter(pattern)
    for character in characters:
        if character == "%":
            parts.append(".*")
        elif character == "_":
            parts.append(".")
        else:
            # A backslash at the end escapes nothing; DataFusion takes it for itself.
            plain = next(characters, character) if character == "\\" else character
            parts.append(plain if plain.isalnum() else f"\\x{{{ord(plain):x}}}")
    return f"(?s)\\A{''.join(parts)}\\z"


_PLAIN: dict[ComparisonOperator, Callable[[Any, Any], Any]] = {
    _OP.EQUAL: pc.equal,
    _OP.NOT_EQUAL: pc.not_equal,
    _OP.LESS: pc.less,
    _OP.LESS_OR_EQUAL: pc.less_equal,
    _OP.GREATER: pc.greater,
    _OP.GREATER_OR_EQUAL: pc.greater_equal,
}

_NEGATED = {
    _OP.NOT_EQUAL: _OP.EQUAL,
    _OP.LESS_OR_EQUAL: _OP.GREATER,
    _OP.GREATER_OR_EQUAL: _OP.LESS,
}

_MIRRORED = {
    _OP.EQUAL: _OP.EQUAL,
    _OP.NOT_EQUAL: _OP.NOT_EQUAL,
    _OP.LESS: _OP.GREATER,
    _OP.LESS_OR_EQUAL: _OP.GREATER_OR_EQUAL,
    _OP.GREATER: _OP.LESS,
    _OP.GREATER_OR_EQUAL: _OP.LESS_OR_EQUAL,
}
