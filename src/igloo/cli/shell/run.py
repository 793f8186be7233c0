"""Runs one statement of the shell where Ctrl-C stops the statement and nothing else."""

from __future__ import annotations

import io
import sys
from typing import TYPE_CHECKING

from igloo.cli.colours import Colour, painted
from igloo.cli.failures import INTERRUPTED, show_error
from igloo.cli.interrupt import Interrupted, run_interruptibly
from igloo.cli.progress import Progress
from igloo.cli.shell.display import Display, Shown, show, take, tell
from igloo.cli.statements import tell_warnings
from igloo.errors import QueryCancelled

if TYPE_CHECKING:
    from igloo.cancel import CancelToken
    from igloo.cli.statements import Connection


def run_statement(
    connection: Connection, statement: str, display: Display, *, is_verbose: bool
) -> bool:
    """Run one statement and show what it answers; an error is told in one line.

    Returns:
        Whether it came to its end.

    Raises:
        Interrupted: the process is asked to end.
    """
    try:
        shown = run_interruptibly(lambda token: _run(connection, statement, display, token))
        show(shown, display)
    except (KeyboardInterrupt, Interrupted, QueryCancelled) as stop:
        _end_if_asked(stop)
        target = display.target
        tell("Cancelled." if target is None else f"Cancelled; {target.path} is not whole.")
        return False
    except Exception as error:  # noqa: BLE001 - whatever it was, the next statement may be right
        tell_error(error, is_verbose=is_verbose)
        return False
    return True


def tell_error(error: BaseException, *, is_verbose: bool) -> None:
    """Write an error as one line; more with ``is_verbose``."""
    told = io.StringIO()
    show_error(error, told, is_verbose=is_verbose)
    word, colon, rest = told.getvalue().partition(":")
    sys.stderr.write(painted(f"{word}{colon}", Colour.RED, sys.stderr) + rest)
    sys.stderr.flush()


def _run(connection: Connection, statement: str, display: Display, token: CancelToken) -> Shown:
    with Progress() as progress, token.on_cancel(progress.stop), token.on_cancel(connection.cancel):
        progress.start()
        with connection.sql(statement) as result:
            token.raise_if_cancelled()
            progress.follow(result)
            told = tell_warnings(result.stats, frozenset(), progress)
            shown = take(result, display, progress, token)
        progress.stop()
        tell_warnings(shown.stats, told, progress)
        return shown


def _end_if_asked(stop: BaseException) -> None:
    """Let the process end if it was a signal to end it that stopped the statement."""
    if isinstance(stop, KeyboardInterrupt):
        stop = Interrupted(stop)
    if isinstance(stop, Interrupted) and stop.exit_code != INTERRUPTED:
        raise stop
