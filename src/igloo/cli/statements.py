"""Runs SQL for the commands and writes what it answers."""

from __future__ import annotations

import contextlib
import sys
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, Self, cast

from igloo.cli.failures import Misuse
from igloo.cli.interrupt import run_interruptibly
from igloo.cli.options import read_assignments
from igloo.cli.output import Output, standard_output, until_reader_leaves
from igloo.cli.progress import Progress, describe
from igloo.cli.render import Format, Rendering, default_format
from igloo.cli.safe_text import printable
from igloo.cli.scratch import scratch_folder
from igloo.errors import InvalidSetting

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path
    from types import TracebackType

    from igloo.cancel import CancelToken
    from igloo.result import QueryStats, Result

#: What sources may take to say goodbye.
_CLOSING_S = 1.0


class Connection(Protocol):
    """What the commands need of ``igloo.connect()``."""

    def sql(self, text: str) -> Result:
        """Start one statement."""
        ...

    def run_script(self, text: str) -> Iterator[Result]:
        """Start the statements of a script, each as it is asked for."""
        ...

    @property
    def current_schema(self) -> tuple[str, str]:
        """The current catalog and schema."""
        ...

    def cancel(self) -> None:
        """Stop every statement that runs."""
        ...

    def close(self) -> None:
        """Stop what runs and give back every connection."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """How to connect: what the flags said.

    Attributes:
        target: None for a connection in this process.
        config: the igloo.toml to use.
        assignments: ``name=value`` settings.
    """

    target: str | None = None
    config: Path | None = None
    assignments: Sequence[str] | None = None

    def connect(self) -> Connection:
        """Open the connection.

        Raises:
            Misuse: a flag or the configuration is wrong.
        """
        import igloo

        settings = read_assignments(self.assignments)
        try:
            connection: object = igloo.connect(self.target, config=self.config, settings=settings)
        except InvalidSetting as error:
            raise Misuse(str(error)) from error
        return cast("Connection", connection)


@contextlib.contextmanager
def connected(opening: Opening) -> Iterator[Connection]:
    """Connect for the block, and leave after it even if a source is stuck.

    The process ends soon after, so what is not closed by then ends with it.
    """
    connection = opening.connect()
    try:
        yield connection
    finally:
        closing = threading.Thread(target=connection.close, name="igloo-close", daemon=True)
        closing.start()
        closing.join(_CLOSING_S)


def run_statements(
    opening: Opening,
    statements: Callable[[Connection], Iterable[Result]],
    *,
    wanted: Format | None,
    rows_max: int,
) -> int:
    """Run statements one after the other and write each result; stop at the first error.

    Args:
        opening: how to connect.
        statements: starts the statements on the connection, each as it is asked for.
        wanted: the format; None chooses by where standard output goes.
        rows_max: how many rows a table shows.

    Returns:
        The exit code of success.
    """
    output = standard_output()
    rendering = Rendering(format=wanted or default_format(output), rows_max=rows_max)
    if rendering.format.is_binary and output.is_terminal:
        raise Misuse(
            f"--format {rendering.format} writes bytes, and standard output is a terminal: "
            "send it to a file with > or to a program with |."
        )

    def write(connection: Connection, progress: Progress, token: CancelToken) -> None:
        _write_all(statements(connection), rendering, output, progress, token)

    return run_connected(opening, write, output)


def run_connected(
    opening: Opening,
    work: Callable[[Connection, Progress, CancelToken], None],
    output: Output,
) -> int:
    """Connect, do the work where Ctrl-C can interrupt it, and return the exit code of success."""

    def connect_and_work(token: CancelToken) -> int:
        with Progress() as progress, token.on_cancel(progress.stop):
            if output.is_terminal:
                output.before_write(progress.stop)
            progress.start()
            with opening.connect() as connection:
                work(connection, progress, token)
        output.flush()
        return 0

    with scratch_folder():
        return until_reader_leaves(output, lambda: run_interruptibly(connect_and_work))


def _write_all(
    results: Iterable[Result],
    rendering: Rendering,
    output: Output,
    progress: Progress,
    token: CancelToken,
) -> None:
    is_first = True
    for result in results:
        with result, token.on_cancel(result.cancel):
            progress.follow(result)
            told = tell_warnings(result.stats, frozenset(), progress)
            if len(result.schema):
                if not is_first:
                    output.write(b"\n")
                is_first = False
                _write(result, rendering, output, progress, told)
            output.flush()
        token.raise_if_cancelled()
        progress.start()


def _write(
    result: Result,
    rendering: Rendering,
    output: Output,
    progress: Progress,
    told: frozenset[str],
) -> None:
    notes = rendering.write(result.schema, result, output)
    stats = result.stats
    progress.stop()
    tell_warnings(stats, told, progress)
    for note in notes:
        sys.stderr.write(f"note: {note}\n")
    if rendering.format is Format.TABLE and sys.stderr.isatty():
        sys.stderr.write(f"{describe(stats.elapsed_ms / 1000, stats)}\n")


def tell_warnings(stats: QueryStats, told: frozenset[str], progress: Progress) -> frozenset[str]:
    """Tell the warnings that were not told yet, and return all that are told now."""
    for warning in dict.fromkeys(stats.warnings):
        if warning not in told:
            progress.tell(f"warning: {printable(warning)}")
    return told | frozenset(stats.warnings)
