"""Which filters Arrow answers exactly as the engine would."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from igloo.connectors.predicates import (
    And,
    Column,
    Comparison,
    InList,
    IsNull,
    Like,
    Not,
    Or,
    columns_of,
)

if TYPE_CHECKING:
    from igloo.connectors.predicates import Predicate, Term

#: Arrow compares values of these types as the engine does, if both sides have the same type.
_IS_EXACT = (
    pa.types.is_boolean,
    pa.types.is_integer,
    pa.types.is_float32,
    pa.types.is_float64,
    pa.types.is_decimal128,
    pa.types.is_decimal256,
    pa.types.is_string,
    pa.types.is_large_string,
    pa.types.is_binary,
    pa.types.is_large_binary,
    pa.types.is_date32,
    pa.types.is_timestamp,
    pa.types.is_time,
)


def is_exact(predicate: Predicate, schema: pa.Schema) -> bool:
    """Whether ``to_arrow(predicate, schema)`` gives exactly the rows that the engine would.

    Terms of different types are left to the engine: Arrow would convert them by rules of its own.
    """
    if not columns_of(predicate) <= set(schema.names):
        return False
    match predicate:
        case Comparison(left, _, right):
            return _are_comparable(_type_of(left, schema), _type_of(right, schema))
        case InList(column, values):
            own = _type_of(column, schema)
            return all(_are_comparable(own, value.type) for value in values)
        case Like(column, _):
            return bool(pa.types.is_string(_type_of(column, schema)))
        case IsNull():
            return True
        case Not(operand):
            return is_exact(operand, schema)
        case And(operands) | Or(operands):
            return all(is_exact(operand, schema) for operand in operands)


def _type_of(term: Term, schema: pa.Schema) -> pa.DataType:
    type_: pa.DataType = (
        schema.field(term.name).type if isinstance(term, Column) else term.value.type
    )
    return type_


def _are_comparable(left: pa.DataType, right: pa.DataType) -> bool:
    return bool(left.equals(right)) and any(is_one(left) for is_one in _IS_EXACT)
