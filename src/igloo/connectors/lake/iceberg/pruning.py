"""Igloo's predicates as pyiceberg expressions that are at least as wide.

What is made here only decides which files are opened; every row is filtered again above. So each
conversion must be TRUE wherever the predicate is, in Igloo's meaning: NaN equals itself and is
above every number. What cannot be proven so is left out, which is ``AlwaysTrue``.
"""

from __future__ import annotations

import struct
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from pyiceberg import expressions, types

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
)

if TYPE_CHECKING:
    from pyiceberg.expressions import BooleanExpression
    from pyiceberg.schema import Schema

    from igloo.connectors.predicates import Predicate

#: Untyped, because its classes are made from names and values in ways that no checker follows.
iceberg: Any = expressions
Expression = Any
_MIRRORED = {
    ComparisonOperator.EQUAL: ComparisonOperator.EQUAL,
    ComparisonOperator.NOT_EQUAL: ComparisonOperator.NOT_EQUAL,
    ComparisonOperator.LESS: ComparisonOperator.GREATER,
    ComparisonOperator.LESS_OR_EQUAL: ComparisonOperator.GREATER_OR_EQUAL,
    ComparisonOperator.GREATER: ComparisonOperator.LESS,
    ComparisonOperator.GREATER_OR_EQUAL: ComparisonOperator.LESS_OR_EQUAL,
}
_NEGATED = {
    ComparisonOperator.EQUAL: ComparisonOperator.NOT_EQUAL,
    ComparisonOperator.NOT_EQUAL: ComparisonOperator.EQUAL,
    ComparisonOperator.LESS: ComparisonOperator.GREATER_OR_EQUAL,
    ComparisonOperator.GREATER_OR_EQUAL: ComparisonOperator.LESS,
    ComparisonOperator.GREATER: ComparisonOperator.LESS_OR_EQUAL,
    ComparisonOperator.LESS_OR_EQUAL: ComparisonOperator.GREATER,
}
_MAKERS: dict[ComparisonOperator, Any] = {
    ComparisonOperator.EQUAL: iceberg.EqualTo,
    ComparisonOperator.LESS: iceberg.LessThan,
    ComparisonOperator.LESS_OR_EQUAL: iceberg.LessThanOrEqual,
    ComparisonOperator.GREATER: iceberg.GreaterThan,
    ComparisonOperator.GREATER_OR_EQUAL: iceberg.GreaterThanOrEqual,
}
_ABOVE = (ComparisonOperator.GREATER, ComparisonOperator.GREATER_OR_EQUAL)
_NANOSECONDS = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}


def wider_expression(predicate: Predicate | None, schema: Schema) -> BooleanExpression:
    """Return an expression that is TRUE for every row for which ``predicate`` is.

    Args:
        predicate: over the table's columns; None for no filter.
        schema: the table's present Iceberg schema.
    """
    if predicate is None:
        return expressions.AlwaysTrue()
    converted: BooleanExpression = _convert(predicate, schema)
    return converted


def _convert(predicate: Predicate, schema: Schema) -> Expression:
    match predicate:
        case And(operands):
            return _all(_convert(p, schema) for p in operands)
        case Or(operands):
            return _any(_convert(p, schema) for p in operands)
        case Not(operand):
            return _convert_not(operand, schema)
        case Comparison(left, operator, right):
            return _comparison(left, operator, right, schema)
        case InList(column, values):
            return _in_list(column, values, schema)
        case Like(column, pattern):
            return _like(column, pattern, schema)
        case IsNull(column):
            known = _field(column, schema) is not None
            return iceberg.IsNull(column.name) if known else iceberg.AlwaysTrue()


def _convert_not(predicate: Predicate, schema: Schema) -> Expression:
    """NOT is carried inwards: ``Not(wider)`` would be narrower."""
    match predicate:
        case And(operands):
            return _any(_convert_not(p, schema) for p in operands)
        case Or(operands):
            return _all(_convert_not(p, schema) for p in operands)
        case Not(operand):
            return _convert(operand, schema)
        case Comparison(left, operator, right):
            # For NULL both are NULL, so no row is lost.
            return _comparison(left, _NEGATED[operator], right, schema)
        case IsNull(column):
            known = _field(column, schema) is not None
            return iceberg.NotNull(column.name) if known else iceberg.AlwaysTrue()
        case InList() | Like():
            return iceberg.AlwaysTrue()


def _comparison(
    left: Column | Literal,
    operator: ComparisonOperator,
    right: Column | Literal,
    schema: Schema,
) -> Expression:
    if isinstance(left, Literal) and isinstance(right, Column):
        return _comparison(right, _MIRRORED[operator], left, schema)
    if not (isinstance(left, Column) and isinstance(right, Literal)):
        return iceberg.AlwaysTrue()
    field = _field(left, schema)
    value = None if field is None else _value(right.value, field.field_type)
    if value is None or operator not in _MAKERS:
        return iceberg.AlwaysTrue()
    expression: Expression = _MAKERS[operator](left.name, value)
    if operator in _ABOVE and isinstance(value, float):
        # The bounds of a file leave NaN out, and NaN is above every number.
        return iceberg.Or(expression, iceberg.IsNaN(left.name))
    return expression


def _in_list(column: Column, values: tuple[pa.Scalar[Any], ...], schema: Schema) -> Expression:
    field = _field(column, schema)
    if field is None:
        return iceberg.AlwaysTrue()
    converted = [_value(value, field.field_type) for value in values]
    if not converted or any(value is None for value in converted):
        return iceberg.AlwaysTrue()
    one_of = iceberg.In(column.name, set(converted))
    if len(converted) == 1:
        return one_of
    # pyiceberg does not look into long lists; the range prunes those.
    return iceberg.And(
        one_of,
        iceberg.GreaterThanOrEqual(column.name, min(converted)),
        iceberg.LessThanOrEqual(column.name, max(converted)),
    )


def _like(column: Column, pattern: str, schema: Schema) -> Expression:
    field = _field(column, schema)
    prefix = _prefix(pattern)
    if field is None or not isinstance(field.field_type, types.StringType) or not prefix:
        return iceberg.AlwaysTrue()
    return iceberg.StartsWith(column.name, prefix)


def _prefix(pattern: str) -> str:
    """Return the text that every match starts with."""
    prefix = ""
    for character in pattern:
        if character in "%_\\":
            break
        prefix += character
    return prefix


def _field(column: Column, schema: Schema) -> types.NestedField | None:
    if "." in column.name:
        # pyiceberg would read the dot as the way into a struct.
        return None
    return next((field for field in schema.fields if field.name == column.name), None)


def _value(scalar: pa.Scalar[Any], type_: types.IcebergType) -> Any:
    """Return the literal as a Python value that pyiceberg compares exactly, or None."""
    if not scalar.is_valid:
        return None
    given = scalar.type
    match type_:
        case types.IntegerType() | types.LongType():
            return scalar.as_py() if pa.types.is_integer(given) else None
        case types.FloatType() | types.DoubleType():
            return _float(scalar, is_single=isinstance(type_, types.FloatType))
        case types.StringType():
            return str(scalar.as_py()) if _is_text(given) else None
        case types.BooleanType():
            return scalar.as_py() if pa.types.is_boolean(given) else None
        case types.DateType():
            return _raw(scalar) if pa.types.is_date32(given) else None
        case types.DecimalType():
            return _decimal(scalar, type_.scale)
        case types.TimestampType() | types.TimestamptzType():
            zoned = isinstance(type_, types.TimestamptzType)
            return _microseconds(scalar, zoned=zoned)
    return None


def _raw(scalar: Any) -> int:
    """Return a date's or timestamp's number since 1970."""
    return int(scalar.value)


def _is_text(type_: pa.DataType) -> bool:
    return bool(
        pa.types.is_string(type_)
        or pa.types.is_large_string(type_)
        or pa.types.is_string_view(type_)
    )


def _float(scalar: pa.Scalar[Any], *, is_single: bool) -> float | None:
    if not pa.types.is_floating(scalar.type):
        return None
    value = float(scalar.as_py())
    if value != value or value in (float("inf"), float("-inf")):  # noqa: PLR0124 - NaN
        return None
    if is_single:
        try:
            if struct.unpack("<f", struct.pack("<f", value))[0] != value:
                return None
        except OverflowError:
            return None
    return value


def _decimal(scalar: pa.Scalar[Any], scale: int) -> Decimal | None:
    if pa.types.is_integer(scalar.type):
        value = Decimal(scalar.as_py())
    elif pa.types.is_decimal(scalar.type):
        value = scalar.as_py()
    else:
        return None
    sign, digits, exponent = value.as_tuple()
    if not isinstance(exponent, int) or -exponent > scale:
        return None
    return Decimal((sign, digits + (0,) * (exponent + scale), -scale))


def _microseconds(scalar: pa.Scalar[Any], *, zoned: bool) -> int | None:
    type_ = scalar.type
    if not pa.types.is_timestamp(type_) or (type_.tz is not None) != zoned:
        return None
    nanoseconds = _raw(scalar) * _NANOSECONDS[type_.unit]
    return None if nanoseconds % 1000 else int(nanoseconds // 1000)


def _all(expressions: Any) -> Expression:
    result: Expression = iceberg.AlwaysTrue()
    for expression in expressions:
        result = iceberg.And(result, expression)
    return result


def _any(expressions: Any) -> Expression:
    result: Expression = iceberg.AlwaysFalse()
    for expression in expressions:
        result = iceberg.Or(result, expression)
    return result
