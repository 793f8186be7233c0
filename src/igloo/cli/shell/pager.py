"""Shows what does not fit the terminal: in $PAGER, in less, or in a pager of its own."""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import signal
import subprocess
from typing import TYPE_CHECKING

from igloo.cli.table_format import encoded, text_width

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

#: Long lines scroll instead of wrapping, and the text stays when less ends.
_LESS = "-SRX"


def fits(lines: Sequence[str], *, wraps: bool) -> bool:
    """Return whether the lines fit the terminal, with the prompt and a summary below.

    Args:
        lines: the lines.
        wraps: whether a line longer than the terminal may go on below, as prose may and a table
            may not.
    """
    width = max(1, columns())
    heights = [max(1, -(-text_width(line) // width)) for line in lines]
    if not wraps and max(heights, default=0) > 1:
        return False
    return sum(heights) + 3 <= shutil.get_terminal_size().lines


def columns() -> int:
    """Return how wide the terminal is."""
    return shutil.get_terminal_size().columns


def pager_command(environment: Mapping[str, str]) -> list[str]:
    """Return the program to page with; an empty list for the built-in one."""
    with contextlib.suppress(ValueError):
        named = shlex.split(environment.get("PAGER", ""))
        if named:
            return named
    return ["less"] if shutil.which("less") else []


def page(lines: Sequence[str], *, head_lines: int) -> None:
    """Show the lines until the user has seen enough; a pager that can keeps the head in sight.

    Raises:
        OSError: the program that $PAGER names cannot be started.
    """
    command = pager_command(os.environ)
    if not command:
        from igloo.cli.shell.built_in_pager import show

        show(lines, head_lines=head_lines)
        return
    environment = {"LESS": _LESS, **os.environ}
    with _ctrl_c_left_to_pager():
        process = subprocess.Popen(command, stdin=subprocess.PIPE, env=environment)  # noqa: S603 - the user's own choice
        # Whoever has seen enough leaves before the end.
        with contextlib.suppress(BrokenPipeError):
            process.communicate(encoded(lines))
        process.wait()


@contextlib.contextmanager
def _ctrl_c_left_to_pager() -> Iterator[None]:
    """Leave Ctrl-C to the pager, which the terminal sends it to as well."""
    # Not SIG_IGN, which the pager would inherit.
    before = signal.signal(signal.SIGINT, lambda _number, _frame: None)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
