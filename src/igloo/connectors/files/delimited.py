"""CSV files: columns from a sample, rows block by block, as PostgreSQL's COPY reads them.

A field without quotes and without characters is NULL; ``""`` is the empty text.
"""

from __future__ import annotations

import contextlib
import io
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.csv as pa_csv

from igloo.connectors.files.failures import naming_file, unreadable
from igloo.connectors.files.schemas import carried
from igloo.connectors.files.streams import open_stream
from igloo.connectors.files.text_types import FALSE_WORDS, TRUE_WORDS, type_of_texts
from igloo.errors import SourceDataError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from igloo.connectors.files.listing import FoundFile

_NAME = "CSV"
#: No record may be longer than a block.
_BLOCK_BYTES = 8 * 1024 * 1024
_COLUMN_NUMBER = re.compile(r"In CSV column #(\d+): ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """How a CSV file is written.

    Attributes:
        delimiter: one character between fields; None takes what the file's extension says.
        has_header: whether the first record holds the names of the columns.
        quote: one character around fields that hold others; empty if there is none.
    """

    delimiter: str | None = None
    has_header: bool = True
    quote: str = '"'


def read_schema(file: FoundFile, dialect: Dialect, records: int) -> pa.Schema:
    """Return the columns of a file; the type is null where the first ``records`` hold no value.

    Raises:
        SourceDataError: the file is empty or not CSV.
    """
    names = _column_names(file, dialect)
    as_text: dict[str, pa.DataType] = dict.fromkeys(names, pa.string())
    values: list[pa.RecordBatch] = []
    missing = records
    with _reading(file, names), _open(file, dialect, names, as_text, names) as reader:
        for batch in reader:
            values.append(batch.slice(0, missing))
            missing -= min(missing, batch.num_rows)
            if missing == 0:
                break
    table = pa.Table.from_batches(values, pa.schema(as_text))
    return pa.schema([(name, type_of_texts(table[name])) for name in names])


def _column_names(file: FoundFile, dialect: Dialect) -> tuple[str, ...]:
    with _reading(file, ()), _open(file, dialect, (), {}, ()) as reader:
        schema = reader.schema
    if not dialect.has_header:
        return tuple(f"column_{i + 1}" for i in range(len(schema.names)))
    return tuple(carried(schema, file.path).names)


def read_batches(
    file: FoundFile, dialect: Dialect, schema: pa.Schema, columns: Sequence[str]
) -> Iterator[pa.RecordBatch]:
    """Yield the rows of a file: those of ``columns`` that it has, with the types of ``schema``.

    Raises:
        SourceDataError: a value does not fit its column's type, or the file is not CSV.
    """
    names = _column_names(file, dialect)
    types = {name: schema.field(name).type for name in names}
    chosen = [name for name in names if name in set(columns)]
    # Rows are counted by a column; any one serves.
    with _reading(file, names), _open(file, dialect, names, types, chosen or names[:1]) as reader:
        for batch in reader:
            yield batch.select(chosen)


@contextlib.contextmanager
def _open(
    file: FoundFile,
    dialect: Dialect,
    names: Sequence[str],
    types: dict[str, pa.DataType],
    columns: Sequence[str],
) -> Iterator[pa_csv.CSVStreamingReader]:
    with open_stream(file.path, file.stored_as.compression) as packed:
        stream = _with_last_line_end(packed)
        if stream is None:
            raise SourceDataError(
                f'The file "{file.path}" is empty: it does not even name its columns.',
                hint="Remove it or write a header.",
                path=file.path,
            )
        yield pa_csv.open_csv(
            stream,
            read_options=pa_csv.ReadOptions(
                block_size=_BLOCK_BYTES,
                # Without a header the columns are named by number, also before they are known.
                column_names=None if dialect.has_header or not names else list(names),
                autogenerate_column_names=not dialect.has_header and not names,
            ),
            parse_options=pa_csv.ParseOptions(
                delimiter=dialect.delimiter or file.stored_as.separator,
                quote_char=dialect.quote or False,
                newlines_in_values=bool(dialect.quote),
                # In a file of one column, an empty line is a NULL.
                ignore_empty_lines=len(names) != 1,
            ),
            convert_options=pa_csv.ConvertOptions(
                column_types=types,
                include_columns=list(columns),
                null_values=[""],
                strings_can_be_null=True,
                quoted_strings_can_be_null=False,
                true_values=list(TRUE_WORDS),
                false_values=list(FALSE_WORDS),
            ),
        )


def _with_last_line_end(stream: Any) -> Any:
    """Return the stream from its start, or None if it is empty.

    Arrow does not read a header that no line end follows.
    """
    start = stream.read(_BLOCK_BYTES)
    if not start:
        return None
    if len(start) < _BLOCK_BYTES:
        ending = b"" if start.endswith((b"\n", b"\r")) else b"\n"
        return pa.BufferReader(start + ending)
    return pa.PythonFile(_Rejoined(start, stream), mode="r")


class _Rejoined(io.RawIOBase):
    """A stream whose first bytes were read already."""

    def __init__(self, start: bytes, rest: Any) -> None:
        super().__init__()
        self._start = start
        self._rest = rest

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        if not self._start:
            return bytes(self._rest.read(size if size >= 0 else None))
        taken = self._start if size < 0 else self._start[:size]
        self._start = self._start[len(taken) :]
        return taken if size >= 0 else taken + bytes(self._rest.read())


@contextlib.contextmanager
def _reading(file: FoundFile, names: Sequence[str]) -> Iterator[None]:
    """Name the file and the column in what Arrow says of a CSV file."""
    with naming_file(file.path, _NAME):
        try:
            yield
        except pa.ArrowInvalid as error:
            text = str(error)
            number = _COLUMN_NUMBER.search(text)
            if number and int(number[1]) < len(names):
                text = text.replace(number[0], f'column "{names[int(number[1])]}": ')
                hint = "Mend the value, or raise the option infer_records."
                raise unreadable(file.path, _NAME, text, hint) from error
            if "straddling" in text:
                text = f"a record is longer than {_BLOCK_BYTES} bytes"
                raise unreadable(file.path, _NAME, text) from error
            raise
