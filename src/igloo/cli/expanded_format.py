"""Rows one below the other, a line for each column: for rows too wide for a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from igloo.cli.table_format import text_width

if TYPE_CHECKING:
    from collections.abc import Iterator

    from igloo.cli.table_format import Cells

#: The line above a row is at least this long, so that it is seen.
_RULE_LENGTH = 32


def expanded_lines(cells: Cells) -> Iterator[str]:
    """Yield the lines of all rows; values are whole, however long."""
    widest = max(map(text_width, cells.headers), default=0)
    names = [name + " " * (widest - text_width(name)) for name in cells.headers]
    for number, row in enumerate(zip(*cells.columns, strict=True), 1):
        yield f"-- row {number:,} ".ljust(_RULE_LENGTH, "-")
        for name, value in zip(names, row, strict=True):
            yield f"{name} | {value}".rstrip()
