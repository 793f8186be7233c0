"""Opens files for reading from the front, unpacked on the way."""

from __future__ import annotations

import contextlib
import lzma
from typing import TYPE_CHECKING, Any

import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextlib.contextmanager
def open_stream(path: str, compression: str) -> Iterator[Any]:
    """Open ``path`` as a stream of bytes.

    Args:
        path: the file.
        compression: ``""``, ``gzip``, ``bz2``, ``xz`` or ``zstd``.
    """
    with contextlib.ExitStack() as closing:
        if compression == "xz":
            unpacked = closing.enter_context(lzma.open(path))
            yield closing.enter_context(pa.PythonFile(unpacked, mode="r"))
            return
        stream = closing.enter_context(pa.OSFile(path, mode="r"))
        if not compression:
            yield stream
            return
        # The stubs list the names of compressions as literals.
        codec: Any = compression
        yield closing.enter_context(pa.CompressedInputStream(stream, codec))
