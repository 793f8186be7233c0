"""A folder of this process's own for everything that queries spill to disk."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextlib.contextmanager
def scratch_folder() -> Iterator[None]:
    """Make temporary files of the block go into one folder, and remove it afterwards.

    The command ends without waiting for DataFusion's threads, which would remove their files
    themselves, and a query that was stopped may have gigabytes of them.
    """
    before = os.environ.get("TMPDIR")
    with contextlib.suppress(OSError):
        os.environ["TMPDIR"] = tempfile.mkdtemp(prefix="igloo-")
    folder = os.environ.get("TMPDIR")
    try:
        yield
    finally:
        if folder != before:
            shutil.rmtree(str(folder), ignore_errors=True)
        if before is None:
            os.environ.pop("TMPDIR", None)
        else:
            os.environ["TMPDIR"] = before
