"""Arrow scalars as the exact text that SQL databases read."""

from __future__ import annotations

import datetime as dt
import math
from typing import TYPE_CHECKING, Any

import pyarrow as pa

if TYPE_CHECKING:
    from decimal import Decimal

_EPOCH = dt.datetime(1970, 1, 1)  # noqa: DTZ001 - wall-clock values have no zone
_MICROSECONDS = {"s": 1_000_000, "ms": 1_000, "us": 1}
_DAY_US = 86_400_000_000


def integer_text(value: pa.Scalar[Any]) -> str:
    """Return the digits of an integer."""
    return str(value.as_py())


def decimal_text(value: pa.Scalar[Any]) -> str:
    """Return the digits of a decimal, without an exponent."""
    number: Decimal = value.as_py()
    return format(number, "f")


def float_text(value: pa.Scalar[Any]) -> str:
    """Return the shortest text that reads back as the same double."""
    number = float(value.as_py())
    if math.isnan(number):
        return "NaN"
    if math.isinf(number):
        return "Infinity" if number > 0 else "-Infinity"
    return repr(number)


def date_text(value: Any) -> str | None:
    """Return ``YYYY-MM-DD``; None outside of the years 1 to 9999."""
    if pa.types.is_date64(value.type):
        days, rest = divmod(value.value, 86_400_000)
        return None if rest else _date_of(days)
    return _date_of(value.value)


def _date_of(days: int) -> str | None:
    try:
        return (_EPOCH + dt.timedelta(days=days)).date().isoformat()
    except OverflowError:
        return None


def timestamp_text(value: Any) -> str | None:
    """Return ``YYYY-MM-DD HH:MM:SS.ffffff``, in UTC if the type has a zone.

    None outside of the years 1 to 9999, and for nanoseconds that microseconds cannot hold.
    """
    microseconds = _microseconds(value.value, value.type.unit)
    if microseconds is None:
        return None
    try:
        return str(_EPOCH + dt.timedelta(microseconds=microseconds))
    except OverflowError:
        return None


def time_text(value: Any) -> str | None:
    """Return ``HH:MM:SS.ffffff``; None for nanoseconds that microseconds cannot hold."""
    microseconds = _microseconds(value.value, value.type.unit)
    if microseconds is None or not 0 <= microseconds < _DAY_US:
        return None
    return str((_EPOCH + dt.timedelta(microseconds=microseconds)).time())


def _microseconds(number: int, unit: str) -> int | None:
    if unit == "ns":
        microseconds, rest = divmod(number, 1_000)
        return None if rest else microseconds
    return number * _MICROSECONDS[unit]
