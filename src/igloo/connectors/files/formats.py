"""What a file's name says about how its rows are stored."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Format(StrEnum):
    """How rows are stored; the values of the option ``format``."""

    PARQUET = "parquet"
    CSV = "csv"
    JSON = "json"
    NDJSON = "ndjson"
    ARROW = "arrow"

    @property
    def is_text(self) -> bool:
        """Whether the whole file may be compressed from the outside."""
        return self in {Format.CSV, Format.JSON, Format.NDJSON}

    @property
    def family(self) -> str:
        """Formats of one family may make up one table."""
        return "json" if self is Format.NDJSON else self.value


_BY_EXTENSION = {
    "parquet": Format.PARQUET,
    "pq": Format.PARQUET,
    "csv": Format.CSV,
    "tsv": Format.CSV,
    "json": Format.JSON,
    "ndjson": Format.NDJSON,
    "jsonl": Format.NDJSON,
    "arrow": Format.ARROW,
    "feather": Format.ARROW,
    "ipc": Format.ARROW,
}
_COMPRESSIONS = {"gz": "gzip", "bz2": "bz2", "xz": "xz", "zst": "zstd"}
#: For messages.
EXTENSIONS = ", ".join(f".{extension}" for extension in _BY_EXTENSION)


@dataclass(frozen=True, slots=True)
class StoredAs:
    """How a file's rows are stored.

    Attributes:
        stem: the file's name without the extensions that say so.
        format: of its rows.
        compression: ``""``, ``gzip``, ``bz2``, ``xz`` or ``zstd``.
        separator: what a CSV file's extension says parts its fields.
    """

    stem: str
    format: Format
    compression: str = ""
    separator: str = ","


def stored_as(name: str, given: Format | None, *, any_extension: bool) -> StoredAs | None:
    """Return how the file ``name`` is stored; None if it is no data file.

    Args:
        name: its name without folders.
        given: the format that the user gave, if any; it beats the extension.
        any_extension: whether a given format also holds for an extension that does not say so.
    """
    stem, compression = _split_compression(name)
    inner, _, extension = stem.rpartition(".")
    by_extension = _BY_EXTENSION.get(extension.lower()) if inner else None
    if compression and by_extension is not None and not by_extension.is_text:
        by_extension = None
    if by_extension is not None:
        format_ = by_extension
        if given is not None and given.family != by_extension.family:
            if not any_extension:
                return None
            format_ = given
        separator = "\t" if extension.lower() == "tsv" else ","
        return StoredAs(inner, format_, compression, separator)
    if given is None or not any_extension:
        return None
    if not given.is_text:
        stem, compression = name, ""
    inner, _, _ = stem.rpartition(".")
    return StoredAs(inner or stem, given, compression)


def _split_compression(name: str) -> tuple[str, str]:
    stem, _, extension = name.rpartition(".")
    compression = _COMPRESSIONS.get(extension.lower(), "")
    return (stem, compression) if compression and stem else (name, "")
