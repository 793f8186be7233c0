"""How results are shown: as a table or one column a line, paged, in a file, with their time."""

from __future__ import annotations

import contextlib
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, BinaryIO

from igloo.cli.colours import Colour, painted
from igloo.cli.expanded_format import expanded_lines
from igloo.cli.failures import CommandError
from igloo.cli.output import Output, standard_output
from igloo.cli.progress import count, describe_sources
from igloo.cli.render import Format, Rendering, default_format
from igloo.cli.shell import pager
from igloo.cli.table_format import Cells, encoded, read_cells, sections

if TYPE_CHECKING:
    from pathlib import Path

    from igloo.cancel import CancelToken
    from igloo.cli.progress import Progress
    from igloo.result import QueryStats, Result

_PLAN_COLUMNS = ["plan_type", "plan"]
#: The line of names and the rule below it.
_TABLE_HEAD_LINES = 2


@dataclass(slots=True)
class TargetFile:
    """The file that results go to instead of the terminal."""

    path: Path
    format: Format
    stream: BinaryIO
    output: Output

    @classmethod
    def create(cls, path: Path, chosen: Format) -> TargetFile:
        """Make the file, empty.

        Raises:
            OSError: it cannot be made.
        """
        stream = path.open("wb")
        return cls(path, chosen, stream, Output(stream, is_terminal=False))


@dataclass(slots=True, kw_only=True)
class Display:
    """What the user chose to see, and how.

    Attributes:
        rows_max: rows that a table shows at most.
        format: how rows are written to standard output.
        is_expanded: whether each column has a line of its own.
        tells_time: whether the time of each statement is told.
        pages: whether what does not fit the terminal goes through a pager.
        target: the file that results go to, if there is one.
    """

    rows_max: int
    format: Format
    is_expanded: bool = False
    tells_time: bool = True
    pages: bool = True
    target: TargetFile | None = None
    output: Output = field(default_factory=standard_output)

    @classmethod
    def on_standard_output(cls, *, wanted: Format | None, rows_max: int) -> Display:
        """Return the display that a shell starts with."""
        output = standard_output()
        return cls(rows_max=rows_max, format=wanted or default_format(output), output=output)

    def redirect(self, target: TargetFile | None) -> None:
        """Send results to a file from now on; to the terminal for None."""
        if self.target is not None:
            # What could not be written was told when it was.
            with contextlib.suppress(OSError):
                self.target.stream.close()
        self.target = target


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What came of a statement: cells that are still to be laid out, and what to tell below.

    Attributes:
        cells: the first rows; None if the rows were written already, or there are none.
        plans: the lines of an EXPLAIN, which no table could hold.
        rows: how many rows were shown or written; None for a statement that answers none.
        stats: the facts of the query.
    """

    cells: Cells | None = None
    plans: list[str] | None = None
    rows: int | None
    stats: QueryStats


def take(result: Result, display: Display, progress: Progress, token: CancelToken) -> Shown:
    """Read what will be shown of a result; what needs no layout is written at once.

    This runs where Ctrl-C can interrupt it, and therefore neither asks the terminal's size nor
    starts a pager.
    """
    if not len(result.schema):
        return Shown(rows=None, stats=result.stats)
    if display.target is None and display.format is Format.TABLE:
        return _take_cells(result, display)
    target = display.target
    output, chosen = (
        (display.output, display.format) if target is None else (target.output, target.format)
    )
    if target is not None and chosen.is_binary and output.tell():
        raise CommandError(
            f'The file "{target.path}" holds a result already, and {chosen} takes one: '
            "name another with \\o FILE."
        )

    def before_write() -> None:
        # Ctrl-C may have given the terminal back to the user already.
        token.raise_if_cancelled()
        progress.stop()

    output.before_write(before_write)
    try:
        _write(result, output, Rendering(format=chosen, rows_max=display.rows_max))
    except Exception as error:
        # Libraries between hide what went wrong.
        if output.failure is None:
            raise
        place = "Standard output" if target is None else f'The file "{target.path}"'
        raise CommandError(f"{place} cannot be written: {output.failure.strerror}.") from error
    return Shown(rows=result.stats.rows, stats=result.stats)


def _take_cells(result: Result, display: Display) -> Shown:
    if result.schema.names == _PLAN_COLUMNS:
        plans = list(sections((str(kind), str(plan)) for kind, plan in result.fetchall()))
        return Shown(plans=plans, rows=None, stats=result.stats)
    cells = read_cells(result.schema, result, rows_max=display.rows_max)
    return Shown(cells=cells, rows=cells.row_count, stats=result.stats)


def _write(result: Result, output: Output, rendering: Rendering) -> None:
    if output.tell() and not output.is_terminal:
        output.write(b"\n")
    rendering.write(result.schema, result, output)
    output.flush()


def show(shown: Shown, display: Display) -> None:
    """Lay out what was read, page it if it does not fit, and tell what it was."""
    if shown.plans is not None:
        _show_lines(shown.plans, shown.plans, display)
    if shown.cells is not None:
        for note in _show_cells(shown.cells, display):
            tell(f"note: {note}")
    tell(_summary(shown, display))


def tell(text: str, colour: Colour = Colour.DIM) -> None:
    """Say something that is no result."""
    sys.stderr.write(painted(text, colour, sys.stderr) + "\n")
    sys.stderr.flush()


def _show_cells(cells: Cells, display: Display) -> list[str]:
    """Return what the reader should know about what was left out."""
    notes = []
    if cells.has_more:
        notes.append(
            f"Only the first {cells.row_count:,} rows are shown; \\o FILE writes all to a file."
        )
    if display.is_expanded:
        lines = list(expanded_lines(cells))
        _show_lines(lines, lines, display)
        return notes
    whole, _ = cells.lines(None)
    fitted, is_cut = cells.lines(pager.columns() if display.output.is_terminal else None)
    was_paged = _show_lines(whole, fitted, display, head_lines=_TABLE_HEAD_LINES)
    if is_cut and not was_paged:
        notes.append("Values that end in … are cut; \\x shows them whole.")
    return notes


def _show_lines(
    whole: list[str], fitted: list[str], display: Display, *, head_lines: int = 0
) -> bool:
    """Page the whole lines if they do not fit, else write those that were made to fit.

    Returns:
        Whether they were paged.
    """
    wants_pager = display.pages and display.output.is_terminal
    if wants_pager and not pager.fits(whole, wraps=not head_lines) and _page(whole, head_lines):
        return True
    if head_lines:
        fitted = [painted(fitted[0], Colour.BOLD, sys.stdout), *fitted[1:]]
    if fitted:
        display.output.write(encoded(fitted))
        display.output.flush()
    return False


def _page(lines: list[str], head_lines: int) -> bool:
    """Return whether the lines could be shown in a pager."""
    try:
        pager.page(lines, head_lines=head_lines)
    except OSError as error:
        tell(f"note: The pager in $PAGER cannot be started: {error.strerror}.")
        return False
    return True


def _summary(shown: Shown, display: Display) -> str:
    parts = []
    if shown.rows is not None:
        more = " and more" if shown.cells is not None and shown.cells.has_more else ""
        parts.append(count(shown.rows, "row") + more)
    elif shown.plans is None:
        parts.append("Done")
    if display.tells_time:
        parts.append(duration(shown.stats.elapsed_ms))
    return ", ".join(parts) + describe_sources(shown.stats)


def duration(elapsed_ms: float) -> str:
    """Return e.g. ``12 ms`` or ``3.14 s``."""
    if elapsed_ms < 1000:
        return f"{elapsed_ms:,.0f} ms"
    return f"{elapsed_ms / 1000:,.2f} s"
