"""Rows as CSV, JSON and NDJSON, batch by batch, in bounded memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from igloo.cli.safe_text import printable
from igloo.cli.values import Column, json_column, json_string, kernels, text_column, unique_names

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from igloo.cli.output import Output

_TEXT = pa.large_string()
#: A field that holds one of these, or that a reader might trim, is quoted.
_NEEDS_QUOTES = r'[",\r\n]|^\s|\s$|^$'


def write_csv(schema: pa.Schema, batches: Iterable[pa.RecordBatch], output: Output) -> None:
    """Write RFC 4180 with line feeds: a header, then rows. NULL is nothing, empty text is ``""``."""
    names: list[str] = _quoted(pa.array(schema.names, _TEXT)).to_pylist()
    _write(output, ",".join(names) + "\n")
    for batch in batches:
        fields = [
            _quoted(text_column(column, name))
            for column, name in zip(batch.columns, schema.names, strict=True)
        ]
        if batch.num_rows and fields:
            rows = kernels.binary_join_element_wise(*fields, pa.scalar(",", _TEXT))
            _write(output, "\n".join(rows.to_pylist()) + "\n")


def write_ndjson(schema: pa.Schema, batches: Iterable[pa.RecordBatch], output: Output) -> None:
    """Write one JSON object a line."""
    for batch in batches:
        if batch.num_rows:
            _write(output, "\n".join(_objects(schema, batch)) + "\n")


def write_json(schema: pa.Schema, batches: Iterable[pa.RecordBatch], output: Output) -> None:
    """Write one JSON array of objects, an object a line."""
    separator = "[\n"
    for batch in batches:
        if batch.num_rows:
            _write(output, separator + ",\n".join(_objects(schema, batch)))
            separator = ",\n"
    _write(output, "[]\n" if separator == "[\n" else "\n]\n")


def _quoted(texts: Column) -> Column:
    quotes = pa.scalar('"', _TEXT)
    doubled = kernels.replace_substring(texts, '"', '""')
    wrapped = kernels.binary_join_element_wise(quotes, doubled, quotes, pa.scalar("", _TEXT))
    fields = kernels.if_else(kernels.match_substring_regex(texts, _NEEDS_QUOTES), wrapped, texts)
    return kernels.fill_null(fields, "")


def _objects(schema: pa.Schema, batch: pa.RecordBatch) -> Iterator[str]:
    keys = [json_string(name) + ": " for name in unique_names(schema.names)]
    columns = [
        json_column(column, name) for column, name in zip(batch.columns, schema.names, strict=True)
    ]
    for row in zip(*columns, strict=True):
        yield "{" + ", ".join(map(str.__add__, keys, row)) + "}"


def _write(output: Output, text: str) -> None:
    shown = printable(text, keep="\n\t") if output.is_terminal else text
    output.write(shown.encode())
