"""SQLite's values as Arrow's, and back: exactly, or not at all."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from igloo.connectors.sqlite.types import DOUBLE_DIGITS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_TIME = re.compile(r"([01]\d|2[0-3]):([0-5]\d)(?::([0-5]\d)(?:\.(\d{1,9}))?)?", re.ASCII)
_FRACTION = re.compile(r"(?P<second>.{19})\.(?P<digits>\d{1,9})(?P<zone>\D.*)?", re.ASCII)
_UNIT_NS = {"s": 1_000_000_000, "ms": 1_000_000, "us": 1_000, "ns": 1}
_DAY_S = 86_400
_INT64_MAX = 2**63 - 1
#: The first and last day of the years that have four digits.
_YEARS_DAYS = (-719_162, 2_932_896)
_CLASSES: dict[type, str] = {bytes: "BLOB", float: "REAL", int: "INTEGER", str: "TEXT"}


class MisfitError(ValueError):
    """A value that its column's type does not have; the text says which."""


def arrow_array(values: Sequence[Any], type_: pa.DataType) -> pa.Array[Any]:
    """Return ``values`` as Arrow has them.

    Raises:
        MisfitError: a value is not one of ``type_``.
    """
    allowed, convert = _reader_of(type_)
    try:
        if set(map(type, values)) <= allowed:
            return convert(values, type_)
    except (pa.ArrowException, ValueError, OverflowError):
        pass
    raise MisfitError(_shown(_first_misfit(values, allowed, convert, type_)))


def _first_misfit(
    values: Sequence[Any], allowed: frozenset[type], convert: _Convert, type_: pa.DataType
) -> Any:
    for value in values:
        if type(value) not in allowed:
            return value
        try:
            convert([value], type_)
        except (pa.ArrowException, ValueError, OverflowError):
            return value
    raise AssertionError("each value fits, and yet they do not fit together")


def _shown(value: Any) -> str:
    text = repr(value)
    cut = text if len(text) <= 40 else f"{text[:39]}…"
    return f"the {_CLASSES[type(value)]} {cut}"


if TYPE_CHECKING:
    _Convert = Callable[[Sequence[Any], pa.DataType], pa.Array[Any]]


def _reader_of(type_: pa.DataType) -> tuple[frozenset[type], _Convert]:
    types = pa.types
    readers: tuple[tuple[Callable[[pa.DataType], bool], tuple[type, ...], _Convert], ...] = (
        (types.is_boolean, (int,), _booleans),
        (types.is_integer, (int,), _plain),
        (types.is_floating, (float, int), _floats),
        (types.is_decimal, (float, int), _decimals),
        (types.is_string, (str,), _plain),
        (types.is_binary, (bytes,), _plain),
        (types.is_date, (str,), _parsed),
        (types.is_timestamp, (str,), _timestamps),
        (types.is_time, (str,), _times),
    )
    _, classes, convert = next(reader for reader in readers if reader[0](type_))
    return frozenset((*classes, type(None))), convert


def _plain(values: Sequence[Any], type_: pa.DataType) -> pa.Array[Any]:
    return pa.array(values, type_)


def _booleans(values: Sequence[Any], type_: pa.DataType) -> pa.Array[Any]:
    if not set(values) <= {0, 1, None}:
        raise ValueError("neither 0 nor 1")
    return pa.array([None if value is None else bool(value) for value in values], type_)


def _floats(values: Sequence[Any], type_: pa.DataType) -> pa.Array[Any]:
    doubles = pa.array([None if value is None else float(value) for value in values], pa.float64())
    if int in set(map(type, values)):
        whole = [value for value in values if type(value) is int]
        if any(int(float(value)) != value for value in whole):
            raise ValueError("an integer that is no double")
    narrow = doubles.cast(type_, safe=False)
    if not narrow.cast(pa.float64()).equals(doubles):
        raise ValueError("a double that is no float")
    return narrow


def _decimals(values: Sequence[Any], type_: pa.DataType) -> pa.Array[Any]:
    return pa.array([None if value is None else _decimal(value) for value in values], type_)


def _decimal(value: float) -> Decimal:
    """Return the decimal that was meant: the only one of so few digits that gives this double."""
    number = Decimal(repr(value))
    if type(value) is float and len(number.normalize().as_tuple().digits) > DOUBLE_DIGITS:
        raise ValueError("more digits than a double tells apart")
    return number


def _parsed(values: Sequence[Any], type_: pa.DataType) -> pa.Array[Any]:
    return pa.array(values, pa.string()).cast(type_)


def _timestamps(values: Sequence[Any], type_: Any) -> pa.Array[Any]:
    if type_.unit != "ns":
        return _parsed(values, type_)
    # Arrow's own reader does not reach the first nanoseconds that it has.
    parts = [(None, 0) if value is None else _second_and_fraction(value) for value in values]
    seconds = _parsed([second for second, _ in parts], pa.timestamp("s", type_.tz))
    counts = zip(seconds.cast(pa.int64()).to_pylist(), parts, strict=True)
    whole = [None if s is None else s * _UNIT_NS["s"] + fraction for s, (_, fraction) in counts]
    return pa.array(whole, pa.int64()).cast(type_)


def _second_and_fraction(text: str) -> tuple[str, int]:
    match = _FRACTION.fullmatch(text)
    if match is None:
        return text, 0
    return match["second"] + (match["zone"] or ""), int(match["digits"].ljust(9, "0"))


def _times(values: Sequence[Any], type_: Any) -> pa.Array[Any]:
    counts = [None if value is None else _time(value, _UNIT_NS[type_.unit]) for value in values]
    return pa.array(counts, pa.int32() if type_.bit_width == 32 else pa.int64()).cast(type_)


def _time(text: str, step_ns: int) -> int:
    """Return how many steps a time is from midnight."""
    match = _TIME.fullmatch(text)
    if match is None:
        raise ValueError("no time")
    hours, minutes, seconds, digits = (part or "" for part in match.groups())
    whole = (int(hours) * 60 + int(minutes)) * 60 + int(seconds or 0)
    steps, rest = divmod(whole * _UNIT_NS["s"] + int(digits.ljust(9, "0")), step_ns)
    if rest:
        raise ValueError("finer than its type")
    return steps


def sqlite_values(array: pa.Array[Any]) -> list[Any]:
    """Return what to bind for each value of ``array``.

    Raises:
        MisfitError: SQLite would keep another value; the text says which.
    """
    type_ = array.type
    if pa.types.is_boolean(type_):
        return list(array.cast(pa.int8()).to_pylist())
    if pa.types.is_floating(type_):
        if pc.any(pc.is_nan(array)).as_py():
            raise MisfitError("NaN, which SQLite would turn into NULL")
        return list(array.cast(pa.float64()).to_pylist())
    if pa.types.is_decimal(type_):
        return [None if value is None else _bound_decimal(value) for value in array.to_pylist()]
    if pa.types.is_date(type_):
        _check_years(array, 1)
        return list(array.cast(pa.string()).to_pylist())
    if pa.types.is_timestamp(type_):
        _check_years(array, _DAY_S * _UNIT_NS["s"] // _UNIT_NS[type_.unit])
        return list(array.cast(pa.string()).to_pylist())
    if pa.types.is_time(type_):
        return list(array.cast(pa.string()).to_pylist())
    return list(array.to_pylist())


def _bound_decimal(value: Decimal) -> int | float:
    if value == value.to_integral_value() and abs(value) <= _INT64_MAX:
        return int(value)
    if len(value.normalize().as_tuple().digits) > DOUBLE_DIGITS:
        raise MisfitError(f"{value}, which has more than {DOUBLE_DIGITS} digits")
    return float(value)


def _check_years(array: pa.Array[Any], steps_per_day: int) -> None:
    steps = array.cast(pa.int32() if array.type.bit_width == 32 else pa.int64())
    found: Any = pc.min_max(steps)
    if found["min"].as_py() is None:
        return
    days = [found[name].as_py() // steps_per_day for name in ("min", "max")]
    if not _YEARS_DAYS[0] <= days[0] <= days[1] <= _YEARS_DAYS[1]:
        raise MisfitError("a year outside of 1 to 9999, which SQLite has no text for")
