"""Turns what was written for a setting into its typed value."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from igloo.config import machine
from igloo.config.quantities import parse_duration_s, parse_size_bytes, parse_whole_number

if TYPE_CHECKING:
    from collections.abc import Callable

    from igloo.config.declared import Setting

_BOUNDED = re.compile(r"bounded\s*\(\s*(?P<age>[^()]*?)\s*\)\Z")
_OFFSET = re.compile(r"[+-](?:0\d|1[0-4]):[0-5]\d\Z", re.ASCII)


def parse_value(setting: Setting, value: object, *, base: Path | None) -> tuple[str, object]:
    """Return the value as text to show and as its type.

    Args:
        setting: what is declared.
        value: text, int, Path, or None.
        base: folder that a relative path starts from; the working folder if None.

    Raises:
        ValueError: the value is not allowed; the message is for the end of a sentence.
    """
    if value is None or (setting.default is None and value == ""):
        if setting.default is not None:
            raise ValueError("it must have a value")
        return "", None
    if isinstance(value, bool) or not isinstance(value, str | int | Path):
        reason = f"a {type(value).__name__} is not what it takes; write it as text"
        raise ValueError(reason)  # noqa: TRY004 - the setting's caller expects one kind of error
    text = str(value).strip()
    if "\0" in text:
        raise ValueError("it holds a NUL byte")
    if not text and setting.type != "text":
        raise ValueError("it must have a value")
    return _PARSERS[setting.type](setting, text, base)


def _text(_setting: Setting, text: str, _base: Path | None) -> tuple[str, object]:
    return text, text


def _choice(setting: Setting, text: str, _base: Path | None) -> tuple[str, object]:
    chosen = text.lower()
    if chosen not in setting.choices:
        raise ValueError("that is not one of its values")
    return chosen, chosen


def _freshness(setting: Setting, text: str, base: Path | None) -> tuple[str, object]:
    match = _BOUNDED.match(text.lower())
    if match is None:
        return _choice(setting, text if "(" not in text else "", base)
    parse_duration_s(match["age"])
    bounded = f"bounded({match['age']})"
    return bounded, bounded


def _duration(_setting: Setting, text: str, _base: Path | None) -> tuple[str, object]:
    return text, parse_duration_s(text)


def _size(setting: Setting, text: str, _base: Path | None) -> tuple[str, object]:
    size = parse_size_bytes(text, whole_bytes=machine.memory_bytes() if "%" in text else None)
    return text, _within(setting, size, " bytes")


def _number(setting: Setting, text: str, _base: Path | None) -> tuple[str, object]:
    number = _within(setting, parse_whole_number(text), "")
    return str(number), number


def _within(setting: Setting, number: int, unit: str) -> int:
    if number < setting.minimum:
        raise ValueError(f"it must be at least {setting.minimum}{unit}")
    if number > setting.maximum:
        raise ValueError(f"it must be at most {setting.maximum}{unit}")
    return number


def _timezone(_setting: Setting, text: str, _base: Path | None) -> tuple[str, object]:
    zone = text if _OFFSET.match(text) else _zone_name(text)
    return zone, zone


def _zone_name(text: str) -> str:
    if text.upper() == "UTC":
        return "UTC"
    from zoneinfo import available_timezones

    from igloo.errors import did_you_mean

    folded = {name.lower(): name for name in available_timezones()}
    if text.lower() in folded:
        return folded[text.lower()]
    close = did_you_mean(text, folded.values())
    raise ValueError(
        "it must be a time zone such as UTC, Europe/Berlin or +02:00"
        + (f"; {close[0].lower()}{close[1:].rstrip('?')}" if close.startswith("Did") else "")
    )


def _path(_setting: Setting, text: str, base: Path | None) -> tuple[str, object]:
    path = Path(text).expanduser()
    absolute = path if path.is_absolute() else Path(os.path.normpath((base or Path.cwd()) / path))
    return str(absolute), absolute


_PARSERS: dict[str, Callable[[Setting, str, Path | None], tuple[str, object]]] = {
    "text": _text,
    "choice": _choice,
    "freshness": _freshness,
    "duration": _duration,
    "size": _size,
    "number": _number,
    "timezone": _timezone,
    "path": _path,
}
