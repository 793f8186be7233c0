"""The folder catalog: tables are folders that hold ``metadata/*.metadata.json``."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from igloo.connectors.lake.iceberg.lake_catalog import TablePointer
from igloo.errors import SourceDataError, SourceUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pyiceberg.io import FileIO


_HINT = "version-hint.text"
#: ``v3.metadata.json`` of file-system tables, ``00003-<uuid>.metadata.json`` of catalogs, also
#: with the name of a compression before or after.
_VERSIONED = re.compile(r"v?(?P<version>\d+)(?:-.+?)?(?:\.gz)?\.metadata\.json(?:\.gz)?\Z")
#: Folders deeper than this are not namespaces; a limit, so that a stray "/" is not walked whole.
_DEPTH_MAX = 8


class FolderCatalog:
    """Reads a warehouse folder that no catalog service knows about."""

    def __init__(self, catalog: str, warehouse: str, io: FileIO) -> None:
        self._catalog = catalog
        self._root = Path(warehouse)
        self._io = io

    def namespaces(self) -> Sequence[str]:
        """Return the namespaces that hold tables."""
        self._check_root()
        return sorted({namespace for namespace, _ in self._walk(self._root, (), _DEPTH_MAX)})

    def tables(self, namespace: str) -> Sequence[str]:
        """Return the names of the tables in a namespace."""
        self._check_root()
        found = self._walk(self._root, (), _DEPTH_MAX)
        return sorted(table for owner, table in found if owner == namespace)

    def locate(self, namespace: str, table: str) -> TablePointer | None:
        """Return the present metadata file, or None."""
        self._check_root()
        folder = self._root.joinpath(*namespace.split("."), table)
        if not _is_safe((*namespace.split("."), table)) or not _is_table(folder):
            return None
        return TablePointer(str(self._newest(folder / "metadata")), self._io)

    def close(self) -> None:
        """Nothing is held open."""

    def _check_root(self) -> None:
        if not self._root.is_dir():
            raise SourceUnavailable(
                f'The warehouse folder "{self._root}" of the catalog "{self._catalog}" '
                "does not exist.",
                hint="Check the option warehouse.",
                catalog=self._catalog,
            )

    def _walk(
        self, folder: Path, namespace: tuple[str, ...], depth: int
    ) -> Iterator[tuple[str, str]]:
        for child in folder.iterdir():
            if child.name.startswith((".", "_")) or not child.is_dir():
                continue
            if _is_table(child):
                if namespace:
                    yield ".".join(namespace), child.name
            elif depth > 0:
                yield from self._walk(child, (*namespace, child.name), depth - 1)

    def _newest(self, metadata: Path) -> Path:
        """Return the metadata file that is the table now."""
        hinted = _hinted(metadata)
        if hinted is not None:
            return hinted
        by_version: dict[int, list[Path]] = {}
        for file in metadata.iterdir():
            match = _VERSIONED.match(file.name)
            if match:
                by_version.setdefault(int(match["version"]), []).append(file)
        if not by_version:
            raise SourceDataError(
                f'The folder "{metadata}" holds no numbered metadata file.', catalog=self._catalog
            )
        newest = by_version[max(by_version)]
        if len(newest) > 1:
            raise SourceDataError(
                f'Several metadata files in "{metadata}" claim to be version {max(by_version)}.',
                hint=f"Write the name of the right one into {_HINT}, or use the table's catalog.",
                catalog=self._catalog,
            )
        return newest[0]


def _hinted(metadata: Path) -> Path | None:
    hint = metadata / _HINT
    if not hint.is_file():
        return None
    text = hint.read_text().strip()
    if text.endswith(".json"):
        return metadata / text if (metadata / text).is_file() else None
    if not text.isdecimal():
        return None
    # Writers move the hint after the commit, and may die between the two.
    version, found = int(text), None
    while (file := _of_version(metadata, version)) is not None:
        version, found = version + 1, file
    return found


def _of_version(metadata: Path, version: int) -> Path | None:
    endings = (".metadata.json", ".gz.metadata.json", ".metadata.json.gz")
    files = [metadata / f"v{version}{ending}" for ending in endings]
    return next((file for file in files if file.is_file()), None)


def _is_table(folder: Path) -> bool:
    metadata = folder / "metadata"
    return metadata.is_dir() and any(".metadata.json" in file.name for file in metadata.iterdir())


def _is_safe(parts: tuple[str, ...]) -> bool:
    """Whether names stay below the warehouse."""
    return all(part not in ("", ".", "..") and "/" not in part for part in parts)
