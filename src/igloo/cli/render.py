"""Writes rows in the format that was asked for."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import pyarrow as pa

    from igloo.cli.output import Output

ROWS_SHOWN = 100


class Format(StrEnum):
    """How rows are written."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    NDJSON = "ndjson"
    ARROW = "arrow"
    PARQUET = "parquet"

    @property
    def is_binary(self) -> bool:
        """Whether it is one file of bytes: one statement, and not for a terminal."""
        return self in {Format.ARROW, Format.PARQUET}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendering:
    """A format with what it needs to know.

    Attributes:
        format: the format.
        rows_max: how many rows a table shows.
    """

    format: Format
    rows_max: int = ROWS_SHOWN

    def write(
        self, schema: pa.Schema, batches: Iterable[pa.RecordBatch], output: Output
    ) -> tuple[str, ...]:
        """Write the rows and return what the reader should know about what was left out.

        Raises:
            OSError: standard output takes no more; ``output.failure`` holds it.
            IglooError: the rows cannot be had or have no form in this format.
        """
        if self.format is Format.TABLE:
            return self._write_table(schema, batches, output)
        _writer(self.format)(schema, batches, output)
        return ()

    def _write_table(
        self, schema: pa.Schema, batches: Iterable[pa.RecordBatch], output: Output
    ) -> tuple[str, ...]:
        from igloo.cli.table_format import write_table

        width = shutil.get_terminal_size().columns if output.is_terminal else None
        shown = write_table(schema, batches, output, rows_max=self.rows_max, width=width)
        notes = []
        if shown.has_more:
            notes.append(
                f"Only the first {shown.rows:,} rows are shown; "
                "--max-rows shows more, --format csv prints all."
            )
        if shown.is_cut:
            notes.append("Values that end in … are cut; --format csv or json prints them whole.")
        return tuple(notes)


def default_format(output: Output) -> Format:
    """Return ``table`` for people, ``csv`` for programs."""
    return Format.TABLE if output.is_terminal else Format.CSV


def _writer(
    chosen: Format,
) -> Callable[[pa.Schema, Iterable[pa.RecordBatch], Output], None]:
    from igloo.cli import binary_formats, row_formats

    writers = {
        Format.CSV: row_formats.write_csv,
        Format.JSON: row_formats.write_json,
        Format.NDJSON: row_formats.write_ndjson,
        Format.ARROW: binary_formats.write_arrow,
        Format.PARQUET: binary_formats.write_parquet,
    }
    return writers[chosen]
