"""JSON files: one object after the other, or one array of objects."""

from __future__ import annotations

import codecs
import contextlib
import io
import itertools
import json
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.json as pa_json

from igloo.connectors.files.failures import naming_file, unreadable
from igloo.connectors.files.formats import Format
from igloo.connectors.files.json_kinds import Kind, arrow_type, kind_of, merge
from igloo.connectors.files.streams import open_stream
from igloo.errors import SourceDataError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from igloo.connectors.files.listing import FoundFile

_NAME = "JSON"
_CHUNK_BYTES = 1024 * 1024
#: No record may be longer.
_RECORD_BYTES_MAX = 8 * 1024 * 1024
_SPACE = " \t\r\n"


def read_kind(file: FoundFile, records: int) -> Kind:
    """Return what the first ``records`` objects of a file hold.

    Raises:
        SourceDataError: they are not JSON objects, or a field holds values of unlike types.
    """
    found = Kind("object", fields={})
    where = f'the file "{file.path}"'
    with (
        naming_file(file.path, _NAME),
        open_stream(file.path, file.stored_as.compression) as stream,
    ):
        for text in itertools.islice(_records(stream), records):
            value = json.loads(text)
            if not isinstance(value, dict):
                raise unreadable(file.path, _NAME, f"a record is no object: {text[:40]}")
            found = merge(found, kind_of(value, where), where)
    return found


def merge_files(files: Sequence[FoundFile], kinds: Sequence[Kind]) -> Kind:
    """Return what the objects of several files hold together.

    Raises:
        SourceDataError: a column's values in two files are of unlike types.
    """
    found = Kind("object", fields={})
    for number, (file, kind) in enumerate(zip(files, kinds, strict=True)):
        try:
            found = merge(found, kind, "")
        except SourceDataError:
            for earlier, other in zip(files[:number], kinds, strict=False):
                merge(other, kind, f'the files "{earlier.path}" and "{file.path}"')
            raise
    return found


def schema_of(kind: Kind) -> pa.Schema:
    """Return the columns that objects of ``kind`` make."""
    fields = kind.fields or {}
    return pa.schema([(name, arrow_type(field)) for name, field in fields.items()])


def read_batches(
    file: FoundFile, schema: pa.Schema, columns: Sequence[str]
) -> Iterator[pa.RecordBatch]:
    """Yield the rows of a file with ``columns``, in the types of ``schema``.

    A field that is in no column of ``schema`` is an error: its values would be lost.

    Raises:
        SourceDataError: a value does not fit, or the file is not JSON.
    """
    with _reading(file), open_stream(file.path, file.stored_as.compression) as packed:
        stream, is_lines = _as_lines(packed, file.stored_as.format)
        if stream is None:
            return
        reader = pa_json.open_json(
            stream,
            read_options=pa_json.ReadOptions(block_size=_RECORD_BYTES_MAX),
            parse_options=pa_json.ParseOptions(
                explicit_schema=schema,
                unexpected_field_behavior="error",
                newlines_in_values=not is_lines,
            ),
        )
        for batch in reader:
            yield batch.select(list(columns))


def _as_lines(stream: Any, format_: Format) -> tuple[Any, bool]:
    """Return the objects of a stream for Arrow's reader, and whether each is in one line."""
    source = _Peeked(stream)
    first = source.first_character()
    if not first:
        return None, True
    if first == "[":
        return pa.PythonFile(_RecordsAsLines(_records(source)), mode="r"), True
    return pa.PythonFile(source, mode="r"), format_ is Format.NDJSON


class _Peeked(io.RawIOBase):
    """A stream whose first characters were looked at."""

    def __init__(self, stream: Any) -> None:
        super().__init__()
        self._stream = stream
        self._start = b""

    def first_character(self) -> str:
        """Return the first character that is no space; empty at the end."""
        while True:
            more = bytes(self._stream.read(_CHUNK_BYTES))
            self._start += more
            text = self._start.removeprefix(codecs.BOM_UTF8).lstrip()
            if text:
                return chr(text[0])
            if not more:
                return ""
            self._start = b" "

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        if not self._start:
            return bytes(self._stream.read(size if size >= 0 else None))
        taken = self._start if size < 0 else self._start[:size]
        self._start = self._start[len(taken) :]
        return taken if size >= 0 else taken + bytes(self._stream.read())


class _RecordsAsLines(io.RawIOBase):
    """Objects as a stream of bytes, one a line."""

    def __init__(self, records: Iterator[str]) -> None:
        super().__init__()
        self._records = records
        self._ready = bytearray()

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        while size < 0 or len(self._ready) < size:
            text = next(self._records, None)
            if text is None:
                break
            # Line ends stand only between the parts of an object, never inside of a string.
            self._ready += text.replace("\n", " ").replace("\r", " ").encode() + b"\n"
        length = len(self._ready) if size < 0 else size
        taken = bytes(self._ready[:length])
        del self._ready[:length]
        return taken


def _records(stream: Any) -> Iterator[str]:
    """Yield the text of each value in a stream: of one array, or one after the other.

    Raises:
        ValueError: the stream is not JSON, or a value is too long.
    """
    scanner = _Scanner(stream)
    if not scanner.skip("["):
        while scanner.has_more():
            yield scanner.value()
        return
    is_first = True
    while not scanner.skip("]"):
        if not is_first and not scanner.skip(","):
            raise ValueError("an array does not end, or its values are not separated by commas")
        yield scanner.value()
        is_first = False
    if scanner.has_more():
        raise ValueError("there is text after the array's end")


class _Scanner:
    """Finds where values end, holding no more than one of them and a chunk."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._decode = codecs.getincrementaldecoder("utf-8-sig")()
        self._parse = json.JSONDecoder().raw_decode
        self._text = ""
        self._at = 0
        self._is_at_end = False

    def has_more(self) -> bool:
        """Skip spaces; return whether anything follows."""
        while True:
            length = len(self._text)
            while self._at < length and self._text[self._at] in _SPACE:
                self._at += 1
            if self._at < length:
                return True
            if not self._read_more(_CHUNK_BYTES):
                return False

    def skip(self, character: str) -> bool:
        """Skip spaces and ``character``, if it follows."""
        if not self.has_more() or self._text[self._at] != character:
            return False
        self._at += 1
        return True

    def value(self) -> str:
        """Return the text of the value that follows."""
        self.has_more()
        while True:
            try:
                _, end = self._parse(self._text, self._at)
            except json.JSONDecodeError:
                pending = len(self._text) - self._at
                if pending > _RECORD_BYTES_MAX:
                    raise ValueError(
                        f"a record is not JSON or longer than {_RECORD_BYTES_MAX} bytes"
                    ) from None
                # Twice as much each time, so that a long value is not parsed over and over.
                if not self._read_more(max(_CHUNK_BYTES, pending)):
                    raise
                continue
            found = self._text[self._at : end]
            self._at = end
            return found

    def _read_more(self, size: int) -> bool:
        if self._is_at_end:
            return False
        more = self._stream.read(size)
        self._is_at_end = not more
        self._text = self._text[self._at :] + self._decode.decode(bytes(more), self._is_at_end)
        self._at = 0
        return True


@contextlib.contextmanager
def _reading(file: FoundFile) -> Iterator[None]:
    """Say what to do where Arrow's words for a JSON file do not."""
    with naming_file(file.path, _NAME):
        try:
            yield
        except pa.ArrowInvalid as error:
            text = str(error)
            if "straddling" in text:
                text = f"a record is longer than {_RECORD_BYTES_MAX} bytes"
            if "unexpected field" in text:
                text = "a record has a field that the first records do not have"
            hint = "Mend the value, or raise the option infer_records."
            raise unreadable(file.path, _NAME, text, hint) from error
