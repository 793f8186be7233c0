"""What was typed before, kept in a file of the user's own; secrets are not."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

from prompt_toolkit.history import FileHistory

from igloo.cli.shell.masking import masked

if TYPE_CHECKING:
    from collections.abc import Mapping

#: A file that has grown past this is cut to its newer half.
_BYTES_MAX = 2 * 2**20


def history_path(environment: Mapping[str, str]) -> Path:
    """Return where the history is kept: in the folder that XDG calls the user's state."""
    named = environment.get("XDG_STATE_HOME", "")
    # The specification has relative paths ignored.
    state = Path(named) if named.startswith("/") else Path.home() / ".local" / "state"
    return state / "igloo" / "history"


class History(FileHistory):
    """Entries of this session as typed; those in the file without secrets."""

    def __init__(self, path: Path) -> None:
        """Open the history, making its folder.

        Raises:
            OSError: the file cannot be read or written.
        """
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        _cut(path)
        super().__init__(path)

    def store_string(self, string: str) -> None:
        """Append an entry to the file; one that starts with a space is left out."""
        kept = None if string.startswith(" ") else masked(string)
        if kept is not None:
            # What was typed has to run, whatever becomes of the history.
            with contextlib.suppress(OSError):
                super().store_string(kept)


def _cut(path: Path) -> None:
    if path.stat().st_size <= _BYTES_MAX:
        return
    newer = path.read_bytes()[-_BYTES_MAX // 2 :]
    # An entry starts with an empty line.
    whole = newer[max(0, newer.find(b"\n\n")) :]
    cut = path.with_suffix(".cut")
    cut.write_bytes(whole)
    cut.chmod(0o600)
    cut.replace(path)
