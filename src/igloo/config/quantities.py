"""Reads durations, sizes and whole numbers, strictly: no number without a unit passes unnoticed."""

from __future__ import annotations

import re
from decimal import Decimal

_QUANTITY = re.compile(r"(?P<number>\d{1,19}(?:\.\d{1,9})?)\s*(?P<unit>[A-Za-z%]*)\Z", re.ASCII)
_WHOLE = re.compile(r"\d{1,19}\Z", re.ASCII)

_SECONDS = {
    "ms": Decimal("0.001"),
    "s": Decimal(1),
    "m": Decimal(60),
    "h": Decimal(3600),
    "d": Decimal(86400),
}
_DECIMAL_BYTES = {"b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "tb": 10**12}
_BINARY_BYTES = {"kib": 2**10, "mib": 2**20, "gib": 2**30, "tib": 2**40}
_BYTES = _DECIMAL_BYTES | _BINARY_BYTES

#: Timers of every system Igloo runs on still accept this many seconds.
_LONGEST_S = Decimal(86400 * 365)


def parse_duration_s(text: str) -> float:
    """Return the seconds that ``text`` means, e.g. ``500ms``, ``5s``, ``2m``, ``1h``, ``0``.

    Raises:
        ValueError: the text is no duration; the message says why, for the end of a sentence.
    """
    match = _QUANTITY.match(text.strip())
    if match is None:
        raise ValueError("it must be a duration such as 500ms, 5s, 2m or 1h")
    number, unit = Decimal(match["number"]), match["unit"].lower()
    if not unit and number == 0:
        return 0.0
    if not unit:
        raise ValueError("its unit is missing: write 500ms, 5s, 2m or 1h")
    if unit not in _SECONDS:
        raise ValueError(f'"{match["unit"]}" is no unit of time: use ms, s, m, h or d')
    seconds = number * _SECONDS[unit]
    if seconds > _LONGEST_S:
        raise ValueError("it must be at most 365d")
    return float(seconds)


def parse_size_bytes(text: str, *, whole_bytes: int | None = None) -> int:
    """Return the bytes that ``text`` means: ``512MB`` (10^6), ``4GiB`` (2^30) or plain bytes.

    Args:
        text: the size as written.
        whole_bytes: what ``100%`` means; percentages are refused when None.

    Raises:
        ValueError: the text is no size; the message says why, for the end of a sentence.
    """
    match = _QUANTITY.match(text.strip())
    if match is None:
        raise ValueError("it must be a size such as 512MB or 4GiB")
    number, unit = Decimal(match["number"]), match["unit"].lower()
    if unit == "%" and whole_bytes is not None:
        if not 0 < number <= 100:
            raise ValueError("a percentage must be above 0 and at most 100")
        return int(whole_bytes * number / 100)
    if unit and unit not in _BYTES:
        raise ValueError(f'"{match["unit"]}" is no unit of size: use kB, MB, GB, KiB, MiB or GiB')
    size = number * _BYTES[unit or "b"]
    if size != size.to_integral_value():
        raise ValueError("it must be a whole number of bytes")
    return int(size)


def parse_whole_number(text: str) -> int:
    """Return the whole number, zero or more, that ``text`` spells with digits only.

    Raises:
        ValueError: the text is no such number; the message is for the end of a sentence.
    """
    if _WHOLE.match(text.strip()) is None:
        raise ValueError("it must be a whole number, zero or more")
    return int(text)
