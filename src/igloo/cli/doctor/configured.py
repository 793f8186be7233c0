"""Which configuration was read, what it changes, and what of it has no effect."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from igloo.cli.doctor.findings import Finding, Status
from igloo.config.load import ENV_FILE_NAME, FILE_NAME
from igloo.config.settings import DEFAULT
from igloo.config.sources import DATABASE_URL

if TYPE_CHECKING:
    from collections.abc import Iterator

    from igloo.config.load import Config

AREA = "configuration"


def configured(config: Config) -> Iterator[Finding]:
    """Yield what is found."""
    folder = config.file.parent if config.file else Path.cwd()
    if config.file is not None:
        yield Finding(AREA, config.file.name, Status.OK, f"read from {folder}")
    else:
        yield Finding(AREA, FILE_NAME, Status.OK, f"there is none in {folder}; the defaults hold")
    if (folder / ENV_FILE_NAME).is_file():
        yield Finding(AREA, ENV_FILE_NAME, Status.OK, f"read from {folder}")
    for row in config.settings.rows():
        if row.origin != DEFAULT:
            yield Finding(AREA, row.name, Status.OK, f"{row.value} ({row.origin})")
    for note in config.notes:
        variable, _, _ = note.partition(" ")
        is_others = variable == DATABASE_URL
        hint = "If it is another program's, leave it." if is_others else "Unset it."
        yield Finding(AREA, variable, Status.WARNING, note, hint)
