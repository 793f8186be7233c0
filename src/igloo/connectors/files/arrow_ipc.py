"""Arrow IPC: files and streams."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from igloo.connectors.files.failures import naming_file
from igloo.connectors.files.schemas import carried

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_NAME = "Arrow"
_FILE_MAGIC = b"ARROW1"
_BATCH_ROWS_MAX = 65_536


def read_schema(path: str) -> pa.Schema:
    """Return the columns of a file as Igloo carries them."""
    with naming_file(path, _NAME), pa.OSFile(path, mode="r") as file:
        reader = pa.ipc.open_file(file) if _is_file(file) else pa.ipc.open_stream(file)
        schema = reader.schema
    return carried(schema, path)


def read_batches(path: str, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """Yield the rows of a file: those of ``columns`` that it has, in the file's own types.

    The file's own record batches are read one at a time; they bound the memory.
    """
    # Not mapped into memory: a file that is cut short while it is read would kill the process.
    with naming_file(path, _NAME), pa.OSFile(path, mode="r") as file:
        for batch in _own_batches(file):
            names = [name for name in batch.schema.names if name in set(columns)]
            batch.validate(full=True)
            chosen = batch.select(names)
            for start in range(0, chosen.num_rows, _BATCH_ROWS_MAX):
                yield chosen.slice(start, _BATCH_ROWS_MAX)


def _own_batches(file: pa.NativeFile) -> Iterator[pa.RecordBatch]:
    if not _is_file(file):
        yield from pa.ipc.open_stream(file)
        return
    reader = pa.ipc.open_file(file)
    for number in range(reader.num_record_batches):
        yield reader.get_batch(number)


def _is_file(file: pa.NativeFile) -> bool:
    start = file.read(len(_FILE_MAGIC))
    file.seek(0)
    return bool(start == _FILE_MAGIC)
