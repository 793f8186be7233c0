"""The meaning of predicates, in Arrow's terms.

Arrow's own comparisons differ from SQL's for NaN, for literals that the column's type cannot hold,
and have no kernels for some types. What is compared here is therefore brought to one type first,
without ever rounding; what has no common type is refused.

One text serves both uses: over arrays it computes, over ``pc.field`` it builds an expression.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

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
    from collections.abc import Callable, Iterable, Sequence

_NULL = pa.scalar(None, pa.bool_())
_OP = ComparisonOperator
#: Arrow recurses once for each operand of a chain, and ends the process where the stack ends.
_OPERANDS_MAX = 500


@dataclass(frozen=True, slots=True)
class _Rows:
    """What a predicate is applied to: types by name, and columns as arrays or as expressions."""

    schema: pa.Schema
    column: Callable[[str], Any]

    def type_of(self, term: Term) -> pa.DataType:
        """Return the type of a column or literal; KeyError if there is no such column."""
        if isinstance(term, Literal):
            return _as_type(term.value.type)
        index = self.schema.get_field_index(term.name)
        if index < 0:
            raise KeyError(term.name)
        return _as_type(self.schema.field(index).type)

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
    if not any(map(_holds_view, schema.types)):
        return batch.filter(truth)
    # Arrow filters no views; they are copied to plain text and back.
    plain = pa.schema([field.with_type(_without_view(field.type)) for field in schema])
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
    answer = None
    for truth in truths:
        answer = truth if answer is None else combine(answer, truth)
    return empty if answer is None else answer


def _as_type(type_: Any) -> pa.DataType:
    assert isinstance(type_, pa.DataType)  # noqa: S101 - Arrow's stubs call it Any
    return type_


def _unless_null(values: Any, value: bool) -> Any:  # noqa: FBT001 - a truth value
    return pc.if_else(pc.is_null(values), _NULL, pa.scalar(value))


# --- one type for both sides -----------------------------------------------------------------


def _comparable_type(type_: Any) -> pa.DataType:
    """Return the type that Arrow has every kernel for, and that holds the same values."""
    t = pa.types
    if t.is_dictionary(type_):
        return _comparable_type(type_.value_type)
    if t.is_string_view(type_):
        return pa.large_string()
    if t.is_binary_view(type_) or t.is_fixed_size_binary(type_):
        return pa.large_binary()
    if t.is_float16(type_):
        return pa.float32()
    if t.is_decimal32(type_) or t.is_decimal64(type_):
        return pa.decimal128(type_.precision, type_.scale)
    return _as_type(type_)


_TEXT = (pa.types.is_string, pa.types.is_large_string)
_BYTES = (pa.types.is_binary, pa.types.is_large_binary)


def _family(type_: pa.DataType) -> str | None:
    """Return the name of the types that ``type_`` may be compared with."""
    t = pa.types
    if t.is_timestamp(type_):
        return "instant" if type_.tz else "local time"
    families: dict[str, Sequence[Callable[[pa.DataType], bool]]] = {
        "number": (t.is_integer, t.is_decimal),
        "float": (t.is_floating,),
        "text": _TEXT,
        "bytes": _BYTES,
        "boolean": (t.is_boolean,),
        "local time": (t.is_date,),
        "time of day": (t.is_time,),
        "duration": (t.is_duration,),
    }
    return next((name for name, tests in families.items() if any(f(type_) for f in tests)), None)


def _compare(left: Term, operator: ComparisonOperator, right: Term, rows: _Rows) -> Any:
    if isinstance(left, Literal):
        left, operator, right = right, _MIRRORED[operator], left
    a, b = (_comparable_type(rows.type_of(term)) for term in (left, right))
    if pa.types.is_null(a) or pa.types.is_null(b) or _is_null_literal(left, right):
        return _NULL
    family = _family(a)
    if family is None or family != _family(b):
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
    common = _common_type(rows.type_of(left), rows.type_of(right))
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


def _common_type(a: pa.DataType, b: pa.DataType) -> pa.DataType:
    """Return a type that holds every value of both, exactly."""
    a, b = _comparable_type(a), _comparable_type(b)
    t = pa.types
    if a == b:
        return a
    if t.is_floating(a):
        return pa.float64()
    if _family(a) == "text":
        return pa.large_string()
    if _family(a) == "bytes":
        return pa.large_binary()
    if _family(a) == "number":
        return _common_number(a, b)
    if t.is_date(a) and t.is_date(b):
        return pa.date64()
    unit: Any = max((_unit(a), _unit(b)), key=_TICKS_PER_SECOND.__getitem__)
    if t.is_duration(a):
        return pa.duration(unit)
    if t.is_time(a):
        return pa.time64(unit if unit in {"us", "ns"} else "us")
    return pa.timestamp(unit, tz="UTC") if _family(a) == "instant" else pa.timestamp(unit)


def _common_number(a: pa.DataType, b: pa.DataType) -> pa.DataType:
    if pa.types.is_signed_integer(a) and pa.types.is_signed_integer(b):
        return max(a, b, key=lambda type_: type_.bit_width)
    if pa.types.is_integer(a) and pa.types.is_integer(b) and pa.uint64() not in {a, b}:
        return pa.int64()
    (p, s), (q, r) = _digits(a), _digits(b)
    precision, scale = max(p - s, q - r) + max(s, r), max(s, r)
    if precision > 76:
        raise TypeMismatch(f"{a} and {b} have no common decimal type.", hint="Cast one of them.")
    # Arrow casts integers only to decimals that would hold any integer of their width.
    return pa.decimal256(min(76, precision), scale)


def _digits(type_: Any) -> tuple[int, int]:
    return (20, 0) if pa.types.is_integer(type_) else (type_.precision, type_.scale)


# --- columns and literals --------------------------------------------------------------------

_TICKS_PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
_SECONDS_PER_DAY = 86_400


def _unit(type_: Any) -> str:
    if pa.types.is_date32(type_):
        return "s"
    return "ms" if pa.types.is_date64(type_) else str(type_.unit)


def _step(type_: Any) -> Fraction:
    """Return the distance of neighbouring values: seconds for times, one for numbers."""
    if pa.types.is_decimal(type_):
        return 1 / Fraction(10**type_.scale) if type_.scale >= 0 else Fraction(10**-type_.scale)
    if pa.types.is_integer(type_):
        return Fraction(1)
    if pa.types.is_date32(type_):
        return Fraction(_SECONDS_PER_DAY)
    return Fraction(1, _TICKS_PER_SECOND[_unit(type_)])


def _bounds(type_: Any) -> tuple[int, int]:
    """Return the least and the greatest value, in steps."""
    if pa.types.is_decimal(type_):
        return -(10**type_.precision) + 1, 10**type_.precision - 1
    if pa.types.is_unsigned_integer(type_):
        return 0, 2**type_.bit_width - 1
    return -(2 ** (type_.bit_width - 1)), 2 ** (type_.bit_width - 1) - 1


def _exact(value: pa.Scalar[Any]) -> Fraction:
    """Return a number, or seconds, without rounding."""
    type_ = value.type
    if pa.types.is_integer(type_) or pa.types.is_decimal(type_):
        return Fraction(value.as_py())
    # Python's own times have neither nanoseconds nor years above 9999.
    whole = value.cast(pa.int32() if type_.bit_width == 32 else pa.int64())
    return whole.as_py() * _step(type_)


def _at_step(steps: int, type_: pa.DataType) -> pa.Scalar[Any]:
    if pa.types.is_decimal(type_):
        digits = tuple(map(int, str(abs(steps))))
        return pa.scalar(Decimal((int(steps < 0), digits, -type_.scale)), type_)
    if pa.types.is_integer(type_):
        return pa.scalar(steps, type_)
    return pa.scalar(steps, pa.int32() if type_.bit_width == 32 else pa.int64()).cast(type_)


def _compare_with_literal(
    column: Column, operator: ComparisonOperator, value: pa.Scalar[Any], rows: _Rows
) -> Any:
    type_ = _comparable_type(rows.type_of(column))
    if pa.types.is_floating(type_):
        return _compare_float(column, operator, value, rows)
    field = rows.cast(column, type_)
    if _family(type_) in {"text", "bytes", "boolean"}:
        return _PLAIN[operator](field, _literal(value, type_))
    steps = _exact(value) / _step(type_)
    below, (least, greatest) = math.floor(steps), _bounds(type_)
    if not least <= steps <= greatest:
        is_above = steps > greatest
        true_above = {_OP.LESS, _OP.LESS_OR_EQUAL, _OP.NOT_EQUAL}
        true_below = {_OP.GREATER, _OP.GREATER_OR_EQUAL, _OP.NOT_EQUAL}
        return _unless_null(
            rows.column(column.name), operator in (true_above if is_above else true_below)
        )
    if below == steps:
        return _PLAIN[operator](field, _at_step(below, type_))
    if operator in {_OP.EQUAL, _OP.NOT_EQUAL}:
        return _unless_null(rows.column(column.name), operator is _OP.NOT_EQUAL)
    # Between two steps, < and <= mean "at most the one below", > and >= "above the one below".
    moved = _OP.LESS_OR_EQUAL if operator in {_OP.LESS, _OP.LESS_OR_EQUAL} else _OP.GREATER
    return _PLAIN[moved](field, _at_step(below, type_))


def _compare_float(
    column: Column, operator: ComparisonOperator, value: pa.Scalar[Any], rows: _Rows
) -> Any:
    number = value.as_py()
    type_ = _common_type(rows.type_of(column), value.type)
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


# --- lists and patterns ----------------------------------------------------------------------


def _is_in(column: Column, values: tuple[pa.Scalar[Any], ...], rows: _Rows) -> Any:
    type_ = _comparable_type(rows.type_of(column))
    if not values:
        return pa.scalar(False)
    if pa.types.is_null(type_):
        return _NULL
    for value in values:
        if _family(type_) is None or _family(type_) != _family(_comparable_type(value.type)):
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
        found = pc.or_kleene(found, pc.is_nan(field))
    # Arrow's is_in answers FALSE for NULL; SQL answers NULL, which matters under NOT.
    return pc.if_else(pc.is_null(field), _NULL, found)


def _same_in(value: pa.Scalar[Any], type_: pa.DataType) -> list[Any]:
    """Return the values of ``type_`` that equal ``value``: none, one, or both zeros."""
    if pa.types.is_floating(type_):
        number = value.as_py()
        if math.isnan(number):
            return []
        return [0.0, -0.0] if number == 0 else [number]
    if _family(type_) in {"text", "bytes", "boolean"}:
        return [value.as_py()]
    steps, (least, greatest) = _exact(value) / _step(type_), _bounds(type_)
    if steps.denominator != 1 or not least <= steps <= greatest:
        return []
    return [_at_step(int(steps), type_)]


def _like(column: Column, pattern: str, rows: _Rows) -> Any:
    type_ = _comparable_type(rows.type_of(column))
    if pa.types.is_null(type_):
        return _NULL
    if _family(type_) != "text":
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


# --- views -----------------------------------------------------------------------------------


def _holds_view(type_: pa.DataType) -> bool:
    if pa.types.is_string_view(type_) or pa.types.is_binary_view(type_):
        return True
    return any(_holds_view(type_.field(i).type) for i in range(type_.num_fields))


def _without_view(type_: Any) -> Any:
    t = pa.types
    if t.is_string_view(type_):
        return pa.large_string()
    if t.is_binary_view(type_):
        return pa.large_binary()
    if not _holds_view(type_):
        return type_
    inner = [
        type_.field(i).with_type(_without_view(type_.field(i).type))
        for i in range(type_.num_fields)
    ]
    if t.is_struct(type_):
        return pa.struct(inner)
    if t.is_large_list(type_):
        return pa.large_list(inner[0])
    if t.is_list(type_):
        return pa.list_(inner[0])
    if t.is_fixed_size_list(type_):
        return pa.list_(inner[0], type_.list_size)
    raise TypeMismatch(f"Rows of type {type_} cannot be filtered.", hint="Leave the column out.")


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
