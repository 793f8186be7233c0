"""What JSON values have in common, and the Arrow type that holds them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa

from igloo.errors import SourceDataError

_INT64 = (-(2**63), 2**63 - 1)
_UINT64_MAX = 2**64 - 1
_DECIMAL_MAX = 10**38 - 1
#: Up to here a float64 holds every whole number.
_FLOAT_EXACT_MAX = 2**53


@dataclass(frozen=True, slots=True)
class Kind:
    """What some values are.

    Attributes:
        name: ``null``, ``boolean``, ``integer``, ``number``, ``string``, ``array`` or ``object``.
        least: smallest integer, also among numbers.
        greatest: largest integer, also among numbers.
        items: of an array's values; null for empty arrays.
        fields: of an object, by name, in the order of their first appearance.
    """

    name: str
    least: int = 0
    greatest: int = 0
    items: Kind | None = None
    fields: dict[str, Kind] | None = None


NULL = Kind("null")


def kind_of(value: Any, where: str) -> Kind:
    """Return the kind of one value that ``json.loads`` gave; ``where`` is for messages."""
    match value:
        case None:
            return NULL
        case bool():
            return Kind("boolean")
        case int():
            return Kind("integer", least=value, greatest=value)
        case float():
            return Kind("number")
        case str():
            return Kind("string")
        case list():
            items = NULL
            for item in value:
                items = merge(items, kind_of(item, where), where, "[]")
            return Kind("array", items=items)
        case _:
            fields = {name: kind_of(field, where) for name, field in value.items()}
            return Kind("object", fields=fields)


def merge(a: Kind, b: Kind, where: str, column: str = "") -> Kind:
    """Return the kind of values of both kinds.

    Args:
        a: one kind.
        b: the other kind.
        where: the files that the values are from, for the message.
        column: where in a record they stand, for the message.

    Raises:
        SourceDataError: no type holds both.
    """
    if a.name == "null" or a == b:
        return b
    if b.name == "null":
        return a
    if {a.name, b.name} <= {"integer", "number"}:
        return _merge_numbers(a, b, where, column)
    if a.name != b.name:
        raise SourceDataError(
            f'The column "{column}" of {where} holds {a.name} and {b.name}: no type holds both.',
            hint="Write all its values as one type.",
            column=column,
        )
    if a.items is not None and b.items is not None:
        return replace(a, items=merge(a.items, b.items, where, f"{column}[]"))
    if a.fields is not None and b.fields is not None:
        fields = dict(a.fields)
        for name, kind in b.fields.items():
            inner = f"{column}.{name}" if column else name
            fields[name] = merge(fields.get(name, NULL), kind, where, inner)
        return replace(a, fields=fields)
    return a


def _merge_numbers(a: Kind, b: Kind, where: str, column: str) -> Kind:
    name = "integer" if a.name == b.name == "integer" else "number"
    merged = Kind(name, min(a.least, b.least), max(a.greatest, b.greatest))
    largest = max(merged.greatest, -merged.least)
    if name == "number" and largest > _FLOAT_EXACT_MAX:
        raise SourceDataError(
            f'The column "{column}" of {where} holds fractions and whole numbers up to {largest}: '
            "no type holds both exactly.",
            hint="Write the whole numbers as text, or round them where the file is written.",
            column=column,
        )
    return merged


def arrow_type(kind: Kind) -> pa.DataType:
    """Return the type that holds values of ``kind``; text where only NULL was seen."""
    match kind.name:
        case "boolean":
            return pa.bool_()
        case "integer":
            return _integer_type(kind)
        case "number":
            return pa.float64()
        case "array":
            return pa.list_(arrow_type(kind.items or NULL))
        case "object":
            fields = kind.fields or {}
            return pa.struct([pa.field(name, arrow_type(f)) for name, f in fields.items()])
        case _:
            return pa.string()


def _integer_type(kind: Kind) -> pa.DataType:
    if _INT64[0] <= kind.least and kind.greatest <= _INT64[1]:
        return pa.int64()
    if kind.least >= 0 and kind.greatest <= _UINT64_MAX:
        return pa.uint64()
    if kind.least >= -_DECIMAL_MAX and kind.greatest <= _DECIMAL_MAX:
        return pa.decimal128(38, 0)
    return pa.float64()
