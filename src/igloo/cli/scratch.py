"""A folder of this process's own for everything that queries spill to disk."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Threads of a stopped query may still write while the folder is removed.
_ATTEMPTS = 5


@contextlib.contextmanager
def scratch_folder() -> Iterator[None]:
    """Make temporary files of the block go into one folder, and remove it afterwards.

    The command ends without waiting for DataFusion's threads, which would remove their files
    themselves, and a query that was stopped may have gigabytes of them.
    """
    try:
        folder = tempfile.mkdtemp(prefix="igloo-")
    except OSError:
        yield
        return
    before, chosen = os.environ.get("TMPDIR"), tempfile.tempdir
    # DataFusion reads the variable; Python has read it once and keeps what it found.
    os.environ["TMPDIR"] = tempfile.tempdir = folder
    try:
        yield
    finally:
        tempfile.tempdir = chosen
        os.environ.pop("TMPDIR")
        if before is not None:
            os.environ["TMPDIR"] = before
        _remove(folder)


def _remove(folder: str) -> None:
    for _ in range(_ATTEMPTS):
        shutil.rmtree(folder, ignore_errors=True)
        if not os.path.exists(folder):  # noqa: PTH110 - the path is a text here
            return
