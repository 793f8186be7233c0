"""SQLite's declared types as Arrow's, by rules; a value that breaks its rule is refused later.

SQLite keeps any value in any column. What a column is declared as decides its type here; which
values that type has is checked for each value that is read, and, as ``misfit``, by SQLite itself
for each value that is only compared.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from igloo.connectors.sql.types import SqlColumn, ValueKind

if TYPE_CHECKING:
    from collections.abc import Callable

_DECIMAL_DIGITS_MAX = 38
_WORDS = re.compile(r"(?P<base>[^(]*)(\((?P<parameters>[^)]*)\))?")

_INTEGERS = {"INT1": pa.int8(), "INT2": pa.int16(), "INT4": pa.int32()}
#: Digits after the point of a second, rounded up to a unit that Arrow has.
_UNITS = {0: "s", 1: "ms", 2: "ms", 3: "ms", 4: "us", 5: "us", 6: "us", 7: "ns", 8: "ns", 9: "ns"}
_UNIT_DIGITS = {"s": 0, "ms": 3, "us": 6, "ns": 9}
_PLAIN_TIMES = {"DATETIME", "TIMESTAMP", "TIMESTAMP WITHOUT TIME ZONE"}
_ZONED_TIMES = {"DATETIME WITH TIME ZONE", "TIMESTAMP WITH TIME ZONE", "TIMESTAMPTZ"}
#: Names that mean more than their affinity.
_NAMED: dict[str, pa.DataType] = {
    **_INTEGERS,
    "BOOL": pa.bool_(),
    "BOOLEAN": pa.bool_(),
    "FLOAT4": pa.float32(),
    # What SQLite calls an expression of numeric affinity.
    "NUM": pa.float64(),
    "NUMERIC": pa.float64(),
    "DECIMAL": pa.float64(),
    "DATE": pa.date32(),
    "JSON": pa.string(),
    "STRING": pa.string(),
    "UUID": pa.string(),
    "BINARY": pa.binary(),
    "BYTEA": pa.binary(),
    "VARBINARY": pa.binary(),
}
#: https://sqlite.org/datatype3.html#determination_of_column_affinity, in its order.
_AFFINITIES: tuple[tuple[tuple[str, ...], str, pa.DataType], ...] = (
    (("INT",), "INTEGER", pa.int64()),
    (("CHAR", "CLOB", "TEXT"), "TEXT", pa.string()),
    (("BLOB",), "BLOB", pa.binary()),
    (("REAL", "FLOA", "DOUB"), "REAL", pa.float64()),
)
#: What a made column is declared as, so that it reads back as the same type.
_DECLARED: dict[pa.DataType, str] = {
    pa.bool_(): "BOOLEAN",
    pa.int8(): "INT1",
    pa.int16(): "INT2",
    pa.int32(): "INT4",
    pa.int64(): "INTEGER",
    pa.float32(): "FLOAT4",
    pa.float64(): "DOUBLE",
    pa.string(): "TEXT",
    pa.binary(): "BLOB",
    pa.date32(): "DATE",
}
#: A double tells this many decimal digits apart, and no more.
DOUBLE_DIGITS = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class SqliteColumn(SqlColumn):
    """A column, and what tells that a value of it does not fit its type.

    Attributes:
        misfit: expression that is TRUE for values that a read would refuse; None where the
            database itself keeps such values out.
        keeps_text: whether a text that is written stays a text, digits too.
    """

    misfit: str | None = None
    keeps_text: bool = True


def declared_type(type_: pa.DataType) -> str | None:
    """Return what to declare a column of ``type_`` as; None if SQLite would not keep it exactly."""
    if pa.types.is_decimal128(type_):
        fits = type_.precision <= DOUBLE_DIGITS and 0 <= type_.scale <= type_.precision
        return f"DECIMAL({type_.precision}, {type_.scale})" if fits else None
    if pa.types.is_time(type_):
        return f"TIME({_UNIT_DIGITS[type_.unit]})"
    if pa.types.is_timestamp(type_) and type_.tz in {None, "UTC"}:
        name = "TIMESTAMP" if type_.tz is None else "TIMESTAMPTZ"
        return f"{name}({_UNIT_DIGITS[type_.unit]})"
    return _DECLARED.get(type_)


def sqlite_column(
    name: str, declared: str, *, quoted: str, is_guarded: bool = False, is_stored: bool = True
) -> SqliteColumn:
    """Return how a column is read and compared.

    Args:
        name: its name.
        declared: its declared type, as written.
        quoted: its name in SQL.
        is_guarded: whether SQLite keeps values of other types out of it.
        is_stored: whether it is a stored column; those of views and virtual tables are computed,
            and have an affinity that nothing tells.
    """
    affinity, type_ = _resolve(declared)
    if type_ is None:
        what = f"the type {declared}, which Igloo does not know" if declared else "no declared type"
        return SqliteColumn(
            name=name,
            source_type=declared or "none",
            type=pa.string(),
            wire_type=pa.string(),
            read=quoted,
            presence=quoted,
            refusal=f"it has {what}",
        )
    # Plus takes the affinity away, so that a literal is compared as the type that it has.
    bare = quoted if is_stored and affinity == _affinity_of(type_) else f"+{quoted}"
    kind, equality, order, pattern = _comparable(type_, bare)
    return SqliteColumn(
        name=name,
        source_type=declared,
        type=type_,
        wire_type=type_,
        read=quoted,
        presence=quoted,
        kind=kind,
        equality=equality,
        order=order,
        pattern=pattern,
        misfit=None if is_guarded else _misfit(type_, quoted),
        keeps_text=not pa.types.is_string(type_) or affinity == "TEXT",
    )


def _resolve(declared: str) -> tuple[str, pa.DataType | None]:
    """Return the affinity and the Arrow type of a declared type."""
    words = " ".join(declared.upper().split())
    match = _WORDS.match(words)
    assert match is not None  # noqa: S101 - every text matches
    # "TIMESTAMP(6) WITH TIME ZONE" is named by what stands outside of its parentheses.
    name = " ".join((match["base"] + words[match.end() :]).split())
    found = ((a, type_) for parts, a, type_ in _AFFINITIES if any(p in words for p in parts))
    affinity, type_by_affinity = next(found, ("NUMERIC", None))
    numbers = _numbers(match["parameters"])
    if name in {"DECIMAL", "NUMERIC"} and numbers != ():
        return affinity, _decimal(numbers)
    if name == "TIME" or name in _PLAIN_TIMES | _ZONED_TIMES:
        return affinity, _time(name, numbers)
    return affinity, _NAMED.get(name, type_by_affinity)


def _numbers(parameters: str | None) -> tuple[int, ...] | None:
    """Return the parameters of a type, none for a type without; None for what is no number."""
    texts = [] if parameters is None else [part.strip() for part in parameters.split(",")]
    return tuple(map(int, texts)) if all(re.fullmatch("[0-9]{1,4}", t) for t in texts) else None


def _decimal(numbers: tuple[int, ...] | None) -> pa.DataType | None:
    match numbers:
        case (precision,):
            scale = 0
        case (precision, scale):
            pass
        case _:
            return None
    if not 1 <= precision <= _DECIMAL_DIGITS_MAX or scale > precision:
        return None
    return pa.decimal128(precision, scale)


def _time(name: str, numbers: tuple[int, ...] | None) -> pa.DataType | None:
    unit: Any
    match numbers:
        case ():
            unit = "us"
        case (digits,) if digits in _UNITS:
            unit = _UNITS[digits]
        case _:
            return None
    if name == "TIME":
        return pa.time32(unit) if unit in {"s", "ms"} else pa.time64(unit)
    return pa.timestamp(unit, "UTC" if name in _ZONED_TIMES else None)


def _affinity_of(type_: pa.DataType) -> str:
    """Return the affinity under which values of ``type_`` are compared as they are."""
    checks: tuple[tuple[Callable[[pa.DataType], bool], str], ...] = (
        (pa.types.is_integer, "INTEGER"),
        (pa.types.is_floating, "REAL"),
        (pa.types.is_string, "TEXT"),
        (pa.types.is_binary, "BLOB"),
    )
    return next((affinity for check, affinity in checks if check(type_)), "NUMERIC")


def _comparable(
    type_: pa.DataType, bare: str
) -> tuple[ValueKind | None, str | None, str | None, str | None]:
    """Return the kind, and the expressions for equality, order and LIKE."""
    if pa.types.is_boolean(type_):
        return ValueKind.BOOLEAN, bare, None, None
    if pa.types.is_integer(type_):
        return ValueKind.INTEGER, bare, bare, None
    if type_ == pa.float64():
        return ValueKind.FLOAT, bare, bare, None
    if pa.types.is_string(type_):
        by_code_point = f"{bare} COLLATE BINARY"
        return ValueKind.TEXT, by_code_point, by_code_point, by_code_point
    if pa.types.is_binary(type_):
        return ValueKind.BINARY, bare, bare, None
    if pa.types.is_date(type_):
        by_digits = f"{bare} COLLATE BINARY"
        return ValueKind.DATE, by_digits, by_digits, None
    # One decimal, and one point in time, have several spellings.
    return None, None, None, None


def _misfit(type_: pa.DataType, quoted: str) -> str:
    """Return an expression that is TRUE where a read would refuse the value."""

    def other_than(*classes: str) -> str:
        quoted_classes = ", ".join(f"'{name}'" for name in (*classes, "null"))
        return f"typeof({quoted}) NOT IN ({quoted_classes})"

    if pa.types.is_boolean(type_):
        return f"{other_than('integer')} OR {quoted} NOT IN (0, 1)"
    if pa.types.is_integer(type_) and type_.bit_width < 64:
        bound = 2 ** (type_.bit_width - 1)
        return f"{other_than('integer')} OR {quoted} NOT BETWEEN {-bound} AND {bound - 1}"
    if pa.types.is_integer(type_):
        return other_than("integer")
    if pa.types.is_floating(type_):
        inexact = f"CAST(CAST({quoted} AS REAL) AS INTEGER) <> {quoted}"
        return f"{other_than('integer', 'real')} OR typeof({quoted}) = 'integer' AND {inexact}"
    if pa.types.is_decimal(type_):
        return other_than("integer", "real")
    if pa.types.is_binary(type_):
        return other_than("blob")
    if pa.types.is_date(type_):
        # Older versions leave February 31 as it is, unless they calculate.
        return f"{other_than('text')} OR date({quoted}, '+0 days') IS NOT {quoted}"
    return other_than("text")
