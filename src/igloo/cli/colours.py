"""Colours for people who want them: on a terminal, unless NO_COLOR or --no-color says otherwise."""

from __future__ import annotations

import os
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from typing import Any, TextIO

_VARIABLE = "NO_COLOR"


class Colour(StrEnum):
    """The terminal's own colours, so that they fit what the user chose."""

    RED = "31"
    GREEN = "32"
    YELLOW = "33"
    BOLD = "1"
    DIM = "2"


def painted(text: str, colour: Colour, stream: TextIO | Any) -> str:
    """Return ``text`` in a colour if the stream shows colours."""
    return f"\x1b[{colour}m{text}\x1b[0m" if shows_colours(stream) else text


def shows_colours(stream: TextIO | Any) -> bool:
    """Return whether colours are wanted, and the stream is a terminal that has them."""
    if os.environ.get(_VARIABLE) or os.environ.get("TERM") == "dumb":
        return False
    return bool(stream.isatty())


def _note_no_colours(value: bool) -> bool:  # noqa: FBT001 - typer calls it so
    if value:
        # Pagers, editors and the libraries that draw look at the variable too.
        os.environ[_VARIABLE] = "1"
    return value


NoColour = Annotated[
    bool,
    typer.Option(
        "--no-color",
        callback=_note_no_colours,
        expose_value=True,
        help="No colours; so does the variable NO_COLOR.",
    ),
]
