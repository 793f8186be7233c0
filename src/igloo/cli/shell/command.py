"""``igloo shell``: the command and its flags."""

from __future__ import annotations

import os
import sys
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from igloo.cli.colours import NoColour  # noqa: TC001 - typer reads annotations at run time
from igloo.cli.failures import Misuse
from igloo.cli.options import (  # noqa: TC001 - typer reads annotations at run time
    Assignments,
    ConfigPath,
    Target,
    Verbose,
)
from igloo.cli.query import statement_text
from igloo.cli.render import Format  # noqa: TC001 - typer reads annotations at run time
from igloo.cli.scratch import scratch_folder
from igloo.cli.statements import Connection, Opening, connected, run_statements
from igloo.connectors.registry import DISTRIBUTION

if TYPE_CHECKING:
    from prompt_toolkit.history import History

#: A pager takes more than the eye does.
_ROWS_SHOWN = 1000


def shell(  # noqa: PLR0913, PLR0917 - each is a flag
    output_format: Annotated[
        Format | None,
        typer.Option("--format", help="table on a terminal, csv in a pipe, unless given."),
    ] = None,
    max_rows: Annotated[
        int, typer.Option("--max-rows", min=1, help="Rows that a table shows.")
    ] = _ROWS_SHOWN,
    no_colour: NoColour = False,  # noqa: ARG001, FBT002 - its callback has noted it
    connect: Target = None,
    config: ConfigPath = None,
    assignments: Assignments = None,
    verbose: Verbose = False,  # noqa: FBT002 - a flag
) -> int:
    r"""Type statements and see their rows, in one session.

    Statements end with a semicolon and may take several lines. Tab completes names, Ctrl-C stops a
    statement, Ctrl-D leaves; \? lists the shortcuts.

    When standard input is no terminal, it is run as a script, as igloo query -f - does.
    """
    opening = Opening(target=connect, config=config, assignments=assignments)
    if not sys.stdin.isatty():
        text = statement_text(None, Path("-"))
        return run_statements(
            opening,
            lambda connection: connection.run_script(text),
            wanted=output_format,
            rows_max=max_rows,
        )
    if output_format is not None and output_format.is_binary:
        raise Misuse(f"--format {output_format} takes one statement: use igloo query.")
    with scratch_folder(), connected(opening) as connection:
        _talk(connection, wanted=output_format, rows_max=max_rows, is_verbose=verbose)
    return 0


def _talk(
    connection: Connection, *, wanted: Format | None, rows_max: int, is_verbose: bool
) -> None:
    from igloo.cli.shell.completion import ShellCompleter
    from igloo.cli.shell.display import Display
    from igloo.cli.shell.editor import Editor
    from igloo.cli.shell.loop import Shell, greet
    from igloo.cli.shell.names import KnownNames

    names = KnownNames(connection)
    editor = Editor(history=_history(), completer=ShellCompleter(names))
    display = Display.on_standard_output(wanted=wanted, rows_max=rows_max)
    greet(connection, version(DISTRIBUTION))
    try:
        Shell(connection, editor, names, display, is_verbose=is_verbose).loop()
    finally:
        display.redirect(None)


def _history() -> History:
    from prompt_toolkit.history import InMemoryHistory

    from igloo.cli.shell.display import tell
    from igloo.cli.shell.history import History as KeptHistory
    from igloo.cli.shell.history import history_path

    path = history_path(os.environ)
    try:
        return KeptHistory(path)
    except OSError as error:
        tell(f"note: The history is not kept: {path}: {error.strerror}.")
        return InMemoryHistory()
