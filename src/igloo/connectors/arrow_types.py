"""Arrow's types as predicates see them: which compare, in which type, at which steps."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from igloo.errors import TypeMismatch

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_TICKS_PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
_SECONDS_PER_DAY = 86_400
_TEXT = (pa.types.is_string, pa.types.is_large_string)
_BYTES = (pa.types.is_binary, pa.types.is_large_binary)


def as_type(type_: Any) -> pa.DataType:
    """Return ``type_``, which Arrow's stubs call Any, as what it is."""
    assert isinstance(type_, pa.DataType)  # noqa: S101 - our own invariant
    return type_


def comparable_type(type_: Any) -> pa.DataType:
    """Return the type that Arrow has every kernel for, and that holds the same values."""
    t = pa.types
    if t.is_dictionary(type_):
        return comparable_type(type_.value_type)
    if t.is_string_view(type_):
        return pa.large_string()
    if t.is_binary_view(type_) or t.is_fixed_size_binary(type_):
        return pa.large_binary()
    if t.is_float16(type_):
        return pa.float32()
    if t.is_decimal32(type_) or t.is_decimal64(type_):
        return pa.decimal128(type_.precision, type_.scale)
    return as_type(type_)


def family(type_: pa.DataType) -> str | None:
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


def common_type(a: pa.DataType, b: pa.DataType) -> pa.DataType:
    """Return a type that holds every value of both, exactly."""
    a, b = comparable_type(a), comparable_type(b)
    t = pa.types
    if a == b:
        return a
    if t.is_floating(a):
        return pa.float64()
    if family(a) == "text":
        return pa.large_string()
    if family(a) == "bytes":
        return pa.large_binary()
    if family(a) == "number":
        return _common_number(a, b)
    if t.is_date(a) and t.is_date(b):
        return pa.date64()
    unit: Any = max((_unit(a), _unit(b)), key=_TICKS_PER_SECOND.__getitem__)
    if t.is_duration(a):
        return pa.duration(unit)
    if t.is_time(a):
        return pa.time64(unit if unit in {"us", "ns"} else "us")
    return pa.timestamp(unit, tz="UTC") if family(a) == "instant" else pa.timestamp(unit)


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


def _unit(type_: Any) -> str:
    if pa.types.is_date32(type_):
        return "s"
    return "ms" if pa.types.is_date64(type_) else str(type_.unit)


def step(type_: Any) -> Fraction:
    """Return the distance of neighbouring values: seconds for times, one for numbers."""
    if pa.types.is_decimal(type_):
        return 1 / Fraction(10**type_.scale) if type_.scale >= 0 else Fraction(10**-type_.scale)
    if pa.types.is_integer(type_):
        return Fraction(1)
    if pa.types.is_date32(type_):
        return Fraction(_SECONDS_PER_DAY)
    return Fraction(1, _TICKS_PER_SECOND[_unit(type_)])


def bounds(type_: Any) -> tuple[int, int]:
    """Return the least and the greatest value, in steps."""
    if pa.types.is_decimal(type_):
        return -(10**type_.precision) + 1, 10**type_.precision - 1
    if pa.types.is_unsigned_integer(type_):
        return 0, 2**type_.bit_width - 1
    return -(2 ** (type_.bit_width - 1)), 2 ** (type_.bit_width - 1) - 1


def exact(value: pa.Scalar[Any]) -> Fraction:
    """Return a number, or seconds, without rounding."""
    type_ = value.type
    if pa.types.is_integer(type_) or pa.types.is_decimal(type_):
        return Fraction(value.as_py())
    # Python's own times have neither nanoseconds nor years above 9999.
    whole = value.cast(pa.int32() if type_.bit_width == 32 else pa.int64())
    return whole.as_py() * step(type_)


def at_step(steps: int, type_: pa.DataType) -> pa.Scalar[Any]:
    """Return the value that lies ``steps`` from zero, or from 1970."""
    if pa.types.is_decimal(type_):
        digits = tuple(map(int, str(abs(steps))))
        return pa.scalar(Decimal((int(steps < 0), digits, -type_.scale)), type_)
    if pa.types.is_integer(type_):
        return pa.scalar(steps, type_)
    return pa.scalar(steps, pa.int32() if type_.bit_width == 32 else pa.int64()).cast(type_)


def holds_view(type_: pa.DataType) -> bool:
    """Return whether values of ``type_`` are string or binary views, or have some inside."""
    if pa.types.is_string_view(type_) or pa.types.is_binary_view(type_):
        return True
    return any(holds_view(type_.field(i).type) for i in range(type_.num_fields))


def without_view(type_: Any) -> Any:
    """Return ``type_`` with plain text and bytes in place of views, inside too."""
    t = pa.types
    if t.is_string_view(type_):
        return pa.large_string()
    if t.is_binary_view(type_):
        return pa.large_binary()
    if not holds_view(type_):
        return type_
    inner = [
        type_.field(i).with_type(without_view(type_.field(i).type)) for i in range(type_.num_fields)
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
