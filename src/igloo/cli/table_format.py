"""Rows as a table for people: bounded, aligned, safe on a terminal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from igloo.cli.safe_text import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import pyarrow as pa

    from igloo.cli.output import Output

NULL = "NULL"
#: Wider cells are cut where there is no terminal to fit into: one long value would pad every row.
WIDEST_CELL = 1000
#: Columns of a terminal are not made narrower than this; the line wraps instead.
NARROWEST_CELL = 8


@dataclass(frozen=True, slots=True)
class Shown:
    """What a table leaves out.

    Attributes:
        rows: how many rows it shows.
        has_more: whether there are more rows.
        is_cut: whether a value is shown in part.
    """

    rows: int
    has_more: bool
    is_cut: bool


def write_table(
    schema: pa.Schema,
    batches: Iterable[pa.RecordBatch],
    output: Output,
    *,
    rows_max: int,
    width: int | None,
) -> Shown:
    """Write the first rows as a table.

    Args:
        schema: names and types of the columns.
        batches: the rows; no more of them is read than is needed.
        output: where to.
        rows_max: how many rows to show.
        width: columns of the terminal to fit into; None when there is none.
    """
    cells = read_cells(schema, batches, rows_max=rows_max)
    lines, is_cut = cells.lines(width)
    output.write(encoded(lines))
    return Shown(rows=cells.row_count, has_more=cells.has_more, is_cut=is_cut)


@dataclass(frozen=True, slots=True)
class Cells:
    """The first rows of a result as text, ready to be laid out.

    Attributes:
        headers: the columns' names.
        numeric: which columns hold numbers, which stand to the right and are never cut.
        columns: the texts of each column.
        has_more: whether there are more rows.
    """

    headers: Sequence[str]
    numeric: Sequence[bool]
    columns: Sequence[Sequence[str]]
    has_more: bool

    @property
    def row_count(self) -> int:
        """How many rows there are."""
        return len(self.columns[0]) if self.columns else 0

    def lines(self, width: int | None) -> tuple[list[str], bool]:
        """Return the lines of the table, and whether a value is cut to fit into ``width``."""
        natural = [
            max(map(text_width, (header, *cells)))
            for header, cells in zip(self.headers, self.columns, strict=True)
        ]
        widths = _fitted(natural, self.numeric, width)
        lines = [_line(self.headers, widths, self.numeric)]
        lines.append("+".join("-" * (w + 2) for w in widths))
        lines.extend(_line(row, widths, self.numeric) for row in zip(*self.columns, strict=True))
        return lines, widths != natural


def read_cells(schema: pa.Schema, batches: Iterable[pa.RecordBatch], *, rows_max: int) -> Cells:
    """Read the first rows, and no more batches than that takes."""
    columns, has_more = _first_rows(schema, batches, rows_max)
    return Cells(
        headers=[printable(name) for name in schema.names],
        numeric=[_is_number(field.type) for field in schema],
        columns=columns,
        has_more=has_more,
    )


def encoded(lines: Sequence[str]) -> bytes:
    """Return the lines as a terminal takes them."""
    return ("\n".join(lines) + "\n").encode("utf-8", "backslashreplace")


def _first_rows(
    schema: pa.Schema, batches: Iterable[pa.RecordBatch], rows_max: int
) -> tuple[list[list[str]], bool]:
    from igloo.cli.values import text_column

    columns: list[list[str]] = [[] for _ in schema]
    missing = rows_max
    for batch in batches:
        kept = batch.slice(0, missing)
        for cells, column, name in zip(columns, kept.columns, schema.names, strict=True):
            cells.extend(map(_cell, text_column(column, name).to_pylist()))
        if batch.num_rows > missing:
            return columns, True
        missing -= batch.num_rows
    return columns, False


def _cell(text: str | None) -> str:
    if text is None:
        return NULL
    # Text that spells NULL must not look like the absence of a value.
    return f"'{text}'" if text == NULL else printable(text)


def _is_number(kind: pa.DataType) -> bool:
    import pyarrow as pa

    return bool(
        pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
    )


def _fitted(natural: Sequence[int], numeric: Sequence[bool], width: int | None) -> list[int]:
    """Return the widths to use: text columns give way, numbers are never cut."""
    if width is None:
        return [w if n else min(w, WIDEST_CELL) for w, n in zip(natural, numeric, strict=True)]
    room = width - sum(3 for _ in natural) + 1
    for widest in range(max(natural, default=0), NARROWEST_CELL - 1, -1):
        widths = [w if n else min(w, widest) for w, n in zip(natural, numeric, strict=True)]
        if sum(widths) <= room:
            return widths
    return [w if n else min(w, NARROWEST_CELL) for w, n in zip(natural, numeric, strict=True)]


def _line(cells: Sequence[str], widths: Sequence[int], numeric: Sequence[bool]) -> str:
    return "|".join(_padded(*parts) for parts in zip(cells, widths, numeric, strict=True)).rstrip()


def _padded(cell: str, width: int, is_number: bool) -> str:  # noqa: FBT001 - called with zip
    text = cell if text_width(cell) <= width else _cut(cell, width)
    padding = " " * (width - text_width(text))
    return f" {padding}{text} " if is_number else f" {text}{padding} "


def _cut(cell: str, width: int) -> str:
    from rich.cells import set_cell_size

    return set_cell_size(cell, width - 1) + "…"


def text_width(text: str) -> int:
    """Return how many places of a terminal the text takes."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


def sections(rows: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Yield the lines of named texts, each text indented below its name (plans of EXPLAIN)."""
    for name, text in rows:
        yield printable(name)
        yield from (f"  {line}" for line in printable(text.strip("\n"), keep="\n").split("\n"))
