"""Options of connectors: declared once as a frozen dataclass, read from strings."""

from __future__ import annotations

import dataclasses
import glob
import os
import re
import typing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import unquote

from igloo.config.secrets import Secret, resolve_references
from igloo.errors import InvalidSetting, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


_SCHEME = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]+)://")
_WILDCARD = re.compile(r"[*?[]")


@dataclass(frozen=True, slots=True)
class Location:
    """A place as written: a path, a glob, a URL, or a name that only its reader understands.

    Nothing here asks the disk.

    Attributes:
        text: what was written.
        base: folder that a relative path starts from, never a pattern; the working folder if None.
    """

    text: str
    base: Path | None = None

    def resolved(self) -> str:
        """Return a URL unchanged, a path made absolute, every character standing for itself."""
        return self.text if _SCHEME.match(self.text) else _tidy(self._start + self._local)

    @property
    def scheme(self) -> str:
        """The URL's scheme in lower case; empty for a path, which ``file://`` is too."""
        match = _SCHEME.match(self.text)
        scheme = match["scheme"].lower() if match else ""
        return "" if scheme == "file" else scheme

    @property
    def path(self) -> str:
        """The absolute path on this machine, every character standing for itself; or the URL."""
        return self.text if self.scheme else _tidy(self._start + self._local)

    @property
    def pattern(self) -> str:
        """The absolute path read as a glob: only what was written may hold wildcards."""
        return self.text if self.scheme else _tidy(glob.escape(self._start) + self._local)

    @property
    def has_wildcard(self) -> bool:
        """Whether it may be a glob; a file may also have such a name."""
        return not self.scheme and bool(_WILDCARD.search(self._local))

    @property
    def _local(self) -> str:
        if self.text.lower().startswith("file://"):
            return unquote(re.sub(r"(?i)^file://(localhost)?(?=/)", "", self.text))
        return os.path.expanduser(self.text)  # noqa: PTH111 - Path would mangle globs

    @property
    def _start(self) -> str:
        if self._local.startswith("/"):
            return ""
        return os.path.abspath(self.base or Path.cwd()) + "/"  # noqa: PTH100 - keeps links

    def __str__(self) -> str:
        return self.resolved()


def _tidy(path: str) -> str:
    """Drop what means nothing. ``..`` stays: after a link it is not the folder written before."""
    return "/" + "/".join(part for part in path.split("/") if part not in {"", "."})


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Options of one connector. Subclasses declare fields with ``option``.

    Field types may be ``str``, ``int``, ``float``, ``bool``, ``Path``, ``Location``, ``Secret``,
    ``tuple[str, ...]`` (a comma-separated list), or any of them ``| None``. A field named
    ``storage`` of type ``Mapping[str, str]`` takes every option that starts with ``storage.``.
    """


def option(
    help_text: str, *, default: Any = dataclasses.MISSING, choices: tuple[str, ...] = ()
) -> Any:
    """Declare one option.

    Args:
        help_text: one sentence for the reference page.
        default: its value when not given; an option without one is required.
        choices: the values allowed, if they are few.
    """
    metadata = {"help": help_text, "choices": choices}
    if default is dataclasses.MISSING:
        return field(metadata=metadata)
    return field(default=default, metadata=metadata)


OptionsType = TypeVar("OptionsType", bound=Options)


def read_options(
    options_type: type[OptionsType],
    given: Mapping[str, str],
    *,
    connector: str,
    environment: Mapping[str, str],
    base: Path | None = None,
) -> OptionsType:
    """Check and convert the options that a user gave for a connector.

    Args:
        options_type: the connector's own options.
        given: names and values as written; values may hold ``${env:NAME}`` and ``${file:PATH}``.
        connector: its name, for messages.
        environment: variables that references may name.
        base: folder that relative paths start from.

    Raises:
        InvalidSetting: an option is unknown, missing, or has a value that is not allowed.
    """
    fields = {f.name: f for f in dataclasses.fields(options_type)}
    hints = typing.get_type_hints(options_type)
    values: dict[str, Any] = {}
    storage: dict[str, str] = {}
    for name, text in given.items():
        resolved = resolve_references(text, environment, base=base)
        if "storage" in fields and name.startswith("storage."):
            storage[name.removeprefix("storage.")] = resolved
            continue
        if name not in fields or name == "storage":
            raise InvalidSetting(
                f'The connector "{connector}" has no option "{name}".',
                hint=did_you_mean(name, (n for n in fields if n != "storage")),
                option=name,
            )
        values[name] = _convert(resolved, hints[name], fields[name], connector, base)
    if storage:
        values["storage"] = storage
    for name, declared in fields.items():
        required = declared.default is dataclasses.MISSING
        required = required and declared.default_factory is dataclasses.MISSING
        if required and name not in values:
            raise InvalidSetting(
                f'The connector "{connector}" needs the option "{name}": {declared.metadata["help"]}',
                hint=f"Add {name} = '…' to WITH (…).",
                option=name,
            )
    return options_type(**values)


def secret_options(options_type: type[Options]) -> frozenset[str]:
    """Return the names of the options that are declared ``Secret``."""
    hints = typing.get_type_hints(options_type)
    return frozenset(name for name, hint in hints.items() if _without_none(hint) is Secret)


_TRUTH = {"true": True, "on": True, "1": True, "yes": True}
_TRUTH |= {"false": False, "off": False, "0": False, "no": False}


def _convert(
    text: str,
    hint: Any,
    declared: dataclasses.Field[Any],
    connector: str,
    base: Path | None,
) -> Any:
    name, target = declared.name, _without_none(hint)
    choices = declared.metadata.get("choices", ())
    if choices and text not in choices:
        raise InvalidSetting(
            f'The option "{name}" of "{connector}" cannot be "{text}".',
            hint=f"Allowed: {', '.join(choices)}.",
            option=name,
        )
    converters: dict[Any, Callable[[str], Any]] = {
        str: str,
        int: int,
        float: float,
        bool: lambda value: _TRUTH[value.lower()],
        Secret: Secret,
        Path: lambda value: _absolute(value, base),
        Location: lambda value: _location(value, base),
        tuple[str, ...]: lambda value: tuple(p.strip() for p in value.split(",") if p.strip()),
    }
    try:
        return converters[target](text)
    except (ValueError, KeyError):
        wanted = _WANTED.get(target, getattr(target, "__name__", str(target)))
        raise InvalidSetting(
            f'The option "{name}" of "{connector}" must be {wanted}.', option=name
        ) from None  # the converter's own error quotes the value, which may be a secret


_WANTED: dict[Any, str] = {
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    Path: "a path without a NUL character",
    Location: "a path, a glob or a URL, not empty and without a NUL character",
}


def _without_none(hint: Any) -> Any:
    arguments = [a for a in typing.get_args(hint) if a is not type(None)]
    return arguments[0] if type(None) in typing.get_args(hint) else hint


def _location(text: str, base: Path | None) -> Location:
    if not text or "\0" in text:
        raise ValueError("a location is not empty and holds no NUL")
    return Location(text, base)


def _absolute(text: str, base: Path | None) -> Path:
    if not text or "\0" in text:
        raise ValueError("a path is not empty and holds no NUL")
    path = Path(text).expanduser()
    return path if path.is_absolute() else Path(os.path.normpath((base or Path.cwd()) / path))
