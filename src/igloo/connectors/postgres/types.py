"""Which Arrow type carries each PostgreSQL type exactly, and which are refused.

Carried by their own Arrow type: ``bool int2 int4 int8 oid float4 float8 numeric(p, s) bytea date
time timestamp timestamptz interval`` and one-dimensional arrays of them. ``numeric(p, s)`` is
``decimal128`` for p up to 38. Everything else is text as PostgreSQL writes it: ``uuid json jsonb
xml``, enums, ranges, networks, bits, geometry, composites, extensions' types. ``char(n)`` is the
text that PostgreSQL converts it to, without the blanks that pad it and mean nothing.

Refused, because no Arrow type that DataFusion computes with holds every value: ``numeric`` without
precision or with more than 38 digits, and ``money``. As text their comparisons would go by
spelling. Only statements that read such a column fail.

Values that Arrow cannot hold (``infinity``, ``24:00``, NaN in numeric, arrays of several
dimensions) are refused while reading, by column.
"""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

from igloo.connectors.sql.types import SqlColumn, ValueKind
from igloo.errors import InternalError
from igloo.names import quote_identifier

_DECIMAL_DIGITS_MAX = 38
_BUILT_IN = "pg_catalog"


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceType:
    """A type as the server names it, domains resolved.

    Attributes:
        name: its name in pg_type.
        schema: the schema that it lies in.
        kind: ``b`` base, ``c`` composite, ``e`` enum, ``r`` range, ``m`` multirange, ``p`` pseudo.
        modifier: its modifier, or -1.
        element: the type of an array's elements; None if this is no array.
        text: how the server writes it, for messages.
    """

    name: str
    schema: str = _BUILT_IN
    kind: str = "b"
    modifier: int = -1
    element: SourceType | None = None
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Collation:
    """How a text column compares in the source.

    Attributes:
        is_deterministic: whether equal means equal bytes.
        is_code_point: whether ``<`` goes by code point.
    """

    is_deterministic: bool = True
    is_code_point: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Carrier:
    """How values travel: what is selected, what the driver sends, what it becomes."""

    type: pa.DataType
    wire_type: pa.DataType
    cast: str = ""
    kind: ValueKind | None = None


def _own(type_: pa.DataType, kind: ValueKind | None = None) -> _Carrier:
    return _Carrier(type=type_, wire_type=type_, kind=kind)


_CARRIERS = {
    "bool": _own(pa.bool_(), ValueKind.BOOLEAN),
    "int2": _own(pa.int16(), ValueKind.INTEGER),
    "int4": _own(pa.int32(), ValueKind.INTEGER),
    "int8": _own(pa.int64(), ValueKind.INTEGER),
    # The driver takes oid for a signed number.
    "oid": _Carrier(type=pa.int64(), wire_type=pa.int64(), cast="::int8", kind=ValueKind.INTEGER),
    "float4": _own(pa.float32(), ValueKind.FLOAT),
    "float8": _own(pa.float64(), ValueKind.FLOAT),
    "text": _own(pa.string(), ValueKind.TEXT),
    "varchar": _own(pa.string(), ValueKind.TEXT),
    "bytea": _own(pa.binary(), ValueKind.BINARY),
    "date": _own(pa.date32(), ValueKind.DATE),
    "time": _own(pa.time64("us"), ValueKind.TIME),
    "timestamp": _own(pa.timestamp("us"), ValueKind.TIMESTAMP),
    "timestamptz": _own(pa.timestamp("us", "UTC"), ValueKind.INSTANT),
    "interval": _own(pa.month_day_nano_interval()),
    "uuid": _Carrier(type=pa.string(), wire_type=pa.string(), cast="::text", kind=ValueKind.UUID),
}
_AS_TEXT = _Carrier(type=pa.string(), wire_type=pa.string(), cast="::text", kind=ValueKind.TEXT)


def sql_column(  # noqa: PLR0913 - a column's facts are independent
    name: str,
    source_type: SourceType,
    *,
    expression: str | None = None,
    collation: Collation | None = None,
    nullable: bool = True,
    compares_text: bool = True,
) -> SqlColumn:
    """Return how a column is read and compared.

    Args:
        name: the column's name.
        source_type: its type.
        expression: what names its value in SQL; the quoted name when None.
        collation: how it compares, if it is text.
        nullable: whether NULL may occur.
        compares_text: whether the source's encoding orders text by code point.
    """
    expression = expression or quote_identifier(name)
    text = source_type.text or source_type.name
    refusal = _refusal(source_type)
    if refusal is not None:
        # A place holder: no statement that reads it is ever planned.
        return SqlColumn(
            name=name,
            source_type=text,
            type=pa.string(),
            wire_type=pa.string(),
            read=expression,
            presence=expression,
            refusal=refusal,
        )
    carrier = _carrier(source_type)
    read = _read_expression(expression, source_type, carrier)
    is_composite = source_type.kind == "c"
    equality, order, pattern = _comparable(expression, read, carrier, collation)
    if carrier.kind is ValueKind.TEXT and not compares_text:
        equality = order = pattern = None
    return SqlColumn(
        name=name,
        source_type=text,
        type=carrier.type,
        wire_type=carrier.wire_type,
        read=read,
        # A row of NULLs IS NULL, but is a value.
        presence=read if is_composite else expression,
        kind=carrier.kind,
        equality=equality,
        order=order,
        pattern=pattern,
        nullable=nullable,
    )


def decimal_type(modifier: int) -> pa.DataType | None:
    """Return the decimal of ``numeric(p, s)``; None where 38 digits are not enough."""
    if modifier < 4:
        return None
    packed = modifier - 4
    precision = (packed >> 16) & 0xFFFF
    scale = ((packed & 0x7FF) ^ 1024) - 1024
    if scale < 0:
        precision, scale = precision - scale, 0
    precision = max(precision, scale)
    return pa.decimal128(precision, scale) if precision <= _DECIMAL_DIGITS_MAX else None


def _is_built_in(source_type: SourceType, *names: str) -> bool:
    return source_type.schema == _BUILT_IN and source_type.name in names


def _refusal(source_type: SourceType) -> str | None:
    element = source_type.element or source_type
    if _is_built_in(element, "numeric") and decimal_type(element.modifier) is None:
        return "a precision of at most 38 digits is needed"
    if _is_built_in(element, "money"):
        return "its digits depend on the server's locale"
    if element.kind == "d":
        return "arrays of domains are not carried"
    if element.kind == "p" and element.name != "record":
        return "it is a pseudo-type"
    return None


def _carrier(source_type: SourceType) -> _Carrier:
    if source_type.element is not None:
        item = _carrier(source_type.element)
        return _Carrier(
            type=pa.list_(item.type),
            wire_type=pa.list_(item.wire_type),
            cast=f"{item.cast}[]" if item.cast else "",
        )
    if _is_built_in(source_type, "numeric"):
        decimal = decimal_type(source_type.modifier)
        if decimal is None:
            raise InternalError(f"The type {source_type} should have been refused.")
        return _Carrier(type=decimal, wire_type=pa.string(), cast="::text", kind=ValueKind.DECIMAL)
    if source_type.schema == _BUILT_IN and source_type.kind == "b":
        return _CARRIERS.get(source_type.name, _AS_TEXT)
    return _AS_TEXT


def _read_expression(expression: str, source_type: SourceType, carrier: _Carrier) -> str:
    if _is_built_in(source_type, "inet"):
        # Its cast to text adds a netmask; its output does not.
        return f"pg_catalog.textin(pg_catalog.inet_out({expression}))"
    return f"{expression}{carrier.cast}"


def _comparable(
    expression: str, read: str, carrier: _Carrier, collation: Collation | None
) -> tuple[str | None, str | None, str | None]:
    """Return the expressions for equality, order and LIKE."""
    match carrier.kind:
        case None:
            return None, None, None
        case ValueKind.TEXT:
            collation = collation or Collation()
            by_code_point = f'{read} COLLATE "C"'
            order = read if collation.is_code_point else by_code_point
            exact = read if collation.is_deterministic else by_code_point
            return exact, order, exact
        case ValueKind.UUID:
            return expression, expression, read
        case ValueKind.BOOLEAN:
            return expression, None, None
        case _:
            return expression, expression, None
