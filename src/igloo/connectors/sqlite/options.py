"""The options of a SQLite catalog."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path  # noqa: TC003 - the options are read from the hints

from igloo.connectors.options import Options, option


@dataclass(frozen=True, slots=True, kw_only=True)
class SqliteOptions(Options):
    """Where a SQLite database is, and whether it may be changed."""

    path: Path = option("The database's file.")  # noqa: RUF009 - a field
    allow_writes: bool = option(
        "Whether statements may make, fill and drop tables; a missing file is made then.",
        default=False,
    )
