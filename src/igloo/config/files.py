"""Reads igloo.toml: its settings and catalogs, each with the line it stands on."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from igloo.config.sources import CatalogConfig
from igloo.errors import InvalidSetting

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_POSITION = re.compile(r" \(at (?:line (?P<line>\d+), column \d+|end of document)\)\Z")
_HEADER = re.compile(r"\s*\[\[?(?P<key>[^\[\]]+)\]\]?\s*(?:#.*)?\Z")
_ASSIGNMENT = re.compile(
    r"\s*(?P<key>(?:[\w-]+|\"[^\"]*\"|'[^']*')(?:\s*\.\s*(?:[\w-]+|\"[^\"]*\"|'[^']*'))*)\s*="
)
#: Catalogs that every connection has.
_BUILT_IN = ("memory", "system")
_FENCES = re.compile(r'"""|' + r"'''")


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenSetting:
    """A setting as igloo.toml has it.

    Attributes:
        name: dotted, e.g. ``limits.spill_bytes``.
        value: as TOML reads it.
        origin: file and line.
    """

    name: str
    value: object
    origin: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigFile:
    """What one igloo.toml says, not yet checked against what exists."""

    settings: tuple[WrittenSetting, ...]
    catalogs: tuple[CatalogConfig, ...]


def read_config_file(path: Path, shown_as: str) -> ConfigFile:
    """Read an igloo.toml.

    Args:
        path: the file.
        shown_as: how messages and origins call it.

    Raises:
        InvalidSetting: the file cannot be read, is not TOML, or a catalog in it is malformed.
    """
    text = read_text(path, shown_as)
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _not_toml(error, shown_as) from None
    lines = _Lines(text, shown_as)
    written = document.pop("catalogs", {})
    if not isinstance(written, dict):
        raise InvalidSetting(
            f"{lines.place('catalogs')}: catalogs must be sections.",
            hint='Write [catalogs.NAME], and connector = "…" below it.',
        )
    return ConfigFile(
        settings=tuple(
            WrittenSetting(name=".".join(keys), value=value, origin=lines.place(*keys))
            for keys, value in _leaves(document)
        ),
        catalogs=tuple(
            _catalog(name, section, lines, path.parent) for name, section in written.items()
        ),
    )


def read_text(path: Path, shown_as: str) -> str:
    """Return the text of a configuration file.

    Raises:
        InvalidSetting: it does not exist, may not be read, or is not UTF-8.
    """
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InvalidSetting(
            f'The configuration file "{shown_as}" cannot be read: {error.strerror}.',
            hint="Check the path and its permissions.",
            path=shown_as,
        ) from error
    except UnicodeDecodeError as error:
        raise InvalidSetting(
            f'The configuration file "{shown_as}" is not UTF-8 text at byte {error.start}.',
            hint="Save it as UTF-8.",
            path=shown_as,
        ) from None


def _not_toml(error: tomllib.TOMLDecodeError, shown_as: str) -> InvalidSetting:
    position = _POSITION.search(str(error))
    line = position["line"] if position else None
    reason = _POSITION.sub("", str(error))
    return InvalidSetting(
        f"{shown_as}{':' + line if line else ''}: This is not TOML: {reason}.",
        hint='Write name = "value" lines below [section] lines.',
        path=shown_as,
    )


def _catalog(name: str, section: object, lines: _Lines, base: Path) -> CatalogConfig:
    origin = lines.place("catalogs", name)
    if not isinstance(section, dict):
        raise InvalidSetting(
            f'{origin}: The catalog "{name}" must be a section.', hint=f"Write [catalogs.{name}]."
        )
    connector = section.get("connector")
    if not isinstance(connector, str) or not connector.strip():
        raise InvalidSetting(
            f'{origin}: The catalog "{name}" names no connector.',
            hint='Add connector = "…", e.g. "postgres" or "files".',
            catalog=name,
        )
    if not name.strip() or "\0" in name or name in _BUILT_IN:
        raise InvalidSetting(
            f'{origin}: A catalog cannot be named "{name}".',
            hint=f"Choose a name that is not empty and not one of {', '.join(_BUILT_IN)}.",
            catalog=name,
        )
    options = {
        ".".join(keys): _option_text(value, lines.place("catalogs", name, *keys), ".".join(keys))
        for keys, value in _leaves({k: v for k, v in section.items() if k != "connector"})
    }
    return CatalogConfig(
        name=name, connector=connector.strip(), options=options, origin=origin, base=base
    )


def _option_text(value: object, origin: str, option: str) -> str:
    """Return an option as the text that ``CREATE CATALOG`` would have for it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value)
    if isinstance(value, list):
        items = [_option_text(item, origin, option) for item in value]
        if not any("," in item for item in items):
            return ",".join(items)
    raise InvalidSetting(
        f'{origin}: The option "{option}" must be text, a number, true or false, or a list of '
        "texts without commas.",
        hint="Put the value in quotes.",
        option=option,
    )


def _leaves(
    table: Mapping[str, Any], above: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], object]]:
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _leaves(value, (*above, key))
        else:
            yield (*above, key), value


class _Lines:
    """Finds the line of a key: tomllib does not tell it.

    Only messages and origins hang on it, so a key it cannot find gets the file's name alone.
    """

    def __init__(self, text: str, shown_as: str) -> None:
        self._shown_as = shown_as
        self._line_of: dict[tuple[str, ...], int] = {}
        section: tuple[str, ...] = ()
        is_inside_text = False
        for number, line in enumerate(text.splitlines(), start=1):
            if not is_inside_text:
                header, assignment = _HEADER.match(line), _ASSIGNMENT.match(line)
                if header:
                    section = _key_path(header["key"])
                    self._line_of.setdefault(section, number)
                elif assignment:
                    self._line_of.setdefault((*section, *_key_path(assignment["key"])), number)
            is_inside_text ^= len(_FENCES.findall(line)) % 2 == 1

    def place(self, *keys: str) -> str:
        """Return ``file:line`` of the key, of the nearest section above it, or the file alone."""
        for length in range(len(keys), 0, -1):
            if keys[:length] in self._line_of:
                return f"{self._shown_as}:{self._line_of[keys[:length]]}"
        return self._shown_as


def _key_path(text: str) -> tuple[str, ...]:
    try:
        table: Any = tomllib.loads(f"{text} = 0")
    except tomllib.TOMLDecodeError:
        return ()
    path: list[str] = []
    while isinstance(table, dict):
        ((key, table),) = table.items()
        path.append(key)
    return tuple(path)
