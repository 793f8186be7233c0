"""References to secrets, and values that never print themselves."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from igloo.errors import InvalidSetting

if TYPE_CHECKING:
    from collections.abc import Mapping

_REFERENCE = re.compile(r"\$\{(?P<kind>[a-z]+):(?P<target>[^}]*)\}")
MASK = "•••"


class Secret:
    """A value that is shown as dots everywhere; ``reveal`` is the only way to it."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the value itself."""
        return self._value

    def __repr__(self) -> str:
        return f"Secret({MASK!r})"

    def __str__(self) -> str:
        return MASK

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)


def resolve_references(text: str, environment: Mapping[str, str], *, base: Path | None) -> str:
    """Replace each ``${env:NAME}`` and ``${file:PATH}`` in ``text`` by what it refers to.

    Args:
        text: an option's value.
        environment: variables that ``env`` may name.
        base: folder that a relative ``file`` path starts from; the working folder if None.

    Raises:
        InvalidSetting: the variable is not set, the file is not readable, or the kind is unknown.
    """

    def resolve(match: re.Match[str]) -> str:
        kind, target = match["kind"], match["target"]
        if kind == "env":
            if target not in environment:
                raise InvalidSetting(
                    f'The environment variable "{target}" is not set.',
                    hint="Set it in the environment or in .env.",
                )
            return environment[target]
        if kind == "file":
            path = (base or Path()) / target
            try:
                return path.read_text().rstrip("\r\n")
            except OSError as error:
                raise InvalidSetting(
                    f'The secret file "{target}" cannot be read: {error.strerror}.',
                    hint="Check the path and its permissions.",
                ) from error
        raise InvalidSetting(
            f'Unknown reference "${{{kind}:…}}".', hint="Use ${env:NAME} or ${file:PATH}."
        )

    return _REFERENCE.sub(resolve, text)
