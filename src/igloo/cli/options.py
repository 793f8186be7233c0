"""Flags that several commands share."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from igloo.cli.failures import Misuse

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(slots=True)
class Invocation:
    """One run of the command; typer hands it to every callback.

    Attributes:
        is_verbose: whether errors are told in full.
    """

    is_verbose: bool = False


def _note_verbose(context: typer.Context, value: bool) -> bool:  # noqa: FBT001 - typer calls it so
    if value:
        context.ensure_object(Invocation).is_verbose = True
    return value


Verbose = Annotated[
    bool,
    typer.Option(
        "--verbose",
        "-v",
        is_eager=True,
        expose_value=True,
        callback=_note_verbose,
        help="Print an error's code, context and traceback too.",
    ),
]
Target = Annotated[
    str | None,
    typer.Option("--connect", metavar="TARGET", help="Where to connect: an igloo.toml or a URL."),
]
ConfigPath = Annotated[
    Path | None,
    typer.Option("--config", metavar="FILE", help="The igloo.toml to use instead of ./igloo.toml."),
]
Assignments = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", help="A setting, e.g. timeout=30s. Repeatable."),
]


def read_assignments(assignments: Sequence[str] | None) -> dict[str, object]:
    """Return ``--set`` flags as settings by name; the last of two equal names holds.

    Raises:
        Misuse: one of them is not ``name=value``.
    """
    settings: dict[str, object] = {}
    for assignment in assignments or ():
        name, equals, value = assignment.partition("=")
        if not equals or not name.strip():
            raise Misuse(f'--set takes name=value, not "{assignment}", e.g. --set timeout=30s.')
        settings[name.strip()] = value.strip()
    return settings
