"""The command ``igloo``: its words, and what becomes of errors and Ctrl-C."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn, TextIO

import typer

from igloo.cli.catalogs import catalogs
from igloo.cli.configuration import commands as config_commands
from igloo.cli.doctor.command import doctor
from igloo.cli.explain import explain
from igloo.cli.failures import FAILED, INTERRUPTED, MISUSED, exit_code, show_error
from igloo.cli.interrupt import Interrupted, stop_on_signals
from igloo.cli.options import Invocation, Verbose
from igloo.cli.query import query
from igloo.cli.shell.command import shell

if TYPE_CHECKING:
    from collections.abc import Sequence

app = typer.Typer(
    name="igloo",
    help="One SQL question over many systems: PostgreSQL, Parquet, Iceberg and more.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(query)
app.command()(shell)
app.command()(explain)
app.command()(catalogs)
app.command()(doctor)
app.add_typer(config_commands, name="config")


def _show_version(value: bool) -> None:  # noqa: FBT001 - typer calls it so
    if value:
        from importlib.metadata import version

        from igloo.connectors.registry import DISTRIBUTION

        sys.stdout.write(f"igloo {version(DISTRIBUTION)}\n")
        raise typer.Exit


@app.callback()
def igloo(
    version: Annotated[  # noqa: FBT002 - a flag
        bool,
        typer.Option("--version", is_eager=True, callback=_show_version, help="Show the version."),
    ] = False,
    verbose: Verbose = False,  # noqa: FBT002 - its callback has noted it
) -> None:
    """One SQL question over many systems: PostgreSQL, Parquet, Iceberg and more."""


@app.command()
def demo() -> NoReturn:
    """Run one SQL statement over PostgreSQL, Parquet and Iceberg, started and filled for it."""
    from igloo.demo import run_demo

    try:
        code = run_demo(sys.stdout)
    except KeyboardInterrupt as interruption:
        code = _tell_interruption(Interrupted(interruption))
    # Not the way of the other commands: servers that the demo started stop at a normal exit.
    sys.exit(code)


def main(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code; errors are told on standard error.

    Raises:
        Interrupted: Ctrl-C was pressed.
    """
    invocation = Invocation()
    try:
        outcome = app(
            args=list(arguments), prog_name="igloo", standalone_mode=False, obj=invocation
        )
    except typer.Abort:
        return INTERRUPTED
    except Exception as error:  # noqa: BLE001 - the door: every error becomes one line and a code
        usage = getattr(error, "format_message", None)
        if usage is not None:
            told = " ".join(usage().split()).rstrip(".")
            sys.stderr.write(f"error: {told}. See igloo --help.\n")
            return MISUSED
        show_error(error, sys.stderr, is_verbose=invocation.is_verbose)
        return exit_code(error)
    return outcome if isinstance(outcome, int) else 0


def run() -> NoReturn:
    """Run the command of this process."""
    # Python has no streams where the caller closed them (`igloo … >&-`).
    sys.stdout = sys.stdout or Path(os.devnull).open("w")  # noqa: SIM115 - until the process ends
    sys.stderr = sys.stderr or Path(os.devnull).open("w")  # noqa: SIM115 - until the process ends
    stop_on_signals()
    try:
        code = main(sys.argv[1:])
    except KeyboardInterrupt as interruption:
        code = _tell_interruption(Interrupted(interruption))
    except Interrupted as interrupted:
        code = _tell_interruption(interrupted)
    _leave(code)


def _tell_interruption(interrupted: Interrupted) -> int:
    """Say that the work was stopped, and return the exit code that says it too."""
    with contextlib.suppress(OSError, KeyboardInterrupt):
        sys.stderr.write("error: Interrupted.\n")
    return interrupted.exit_code


def _leave(code: int) -> NoReturn:
    """End the process now.

    DataFusion's threads may still give back objects of a query that was stopped. When they meet an
    interpreter that shuts down the process aborts; when they wait for a source it never ends.
    """
    with contextlib.suppress(KeyboardInterrupt):
        code = max(code, _flushed(sys.stdout), _flushed(sys.stderr))
    os._exit(code)


def _flushed(stream: TextIO) -> int:
    try:
        stream.flush()
    except BrokenPipeError:
        return 0
    except OSError:
        return FAILED
    return 0
