"""Opens files by the locations that tables write down."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pyarrow as pa

if TYPE_CHECKING:
    from pyiceberg.io import FileIO

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_LOCAL = re.compile(r"file:(//)?(?=/)", re.IGNORECASE)


def local_path(location: str) -> str | None:
    """Return the path on this machine's disk, or None for an object store's location.

    Nothing is decoded: a location holds ``%`` where the file's name does.
    """
    path = _LOCAL.sub("", location, count=1)
    return None if _SCHEME.match(path) or not path.startswith("/") else path


def open_file(location: str, io: FileIO) -> pa.NativeFile:
    """Open a file for random access.

    Local files do not go through ``io``, which would take ``#`` and ``?`` in a name for a URL's.
    """
    path = local_path(location)
    if path is not None:
        return pa.OSFile(path, "rb")
    stream: Any = io.new_input(location).open()
    return pa.PythonFile(stream, mode="r")
