"""Which tables and schemas a path holds, and which files make up a table.

The rule, for a folder ``root``:

- a data file that lies directly in it is a table of the schema ``main``, named by its stem;
- a folder in it that holds data files, or ``key=value`` folders that do, is a table of ``main``,
  named as the folder; if ``root`` itself holds ``key=value`` folders, they are one such table;
- every other folder is a schema, whose folders are tables and schemas by the same rule; a schema
  two folders down is named ``a/b``.

A folder that belongs to a lakehouse format is one table and refused when it is read: the rows that
were deleted from it are still in its files. A path that is a file is the only table. A glob chooses
among the files below its last fixed folder, and the rule above holds for what it chose.
"""

from __future__ import annotations

import fnmatch
import os
import re
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from igloo.connectors.files.failures import missing, naming_folder
from igloo.connectors.files.formats import EXTENSIONS, Format, StoredAs, stored_as
from igloo.connectors.files.partitions import read_partition_name
from igloo.errors import NotSupported, SourceDataError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from igloo.connectors.options import Location

MAIN = "main"
#: A wildcard that stands for itself, as ``glob.escape`` writes it.
_ESCAPED = re.compile(r"\[([*?[])\]")


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundFile:
    """A data file as it was when the folder was listed.

    Attributes:
        path: absolute.
        stored_as: what its name says.
        size_bytes: its size.
        mtime_ns: when it was last written.
        inode: its number on its disk; another file of that name has another one.
        partitions: keys and values of the ``key=value`` folders it lies in; None for NULL.
    """

    path: str
    stored_as: StoredAs
    size_bytes: int
    mtime_ns: int
    inode: int
    partitions: tuple[tuple[str, str | None], ...] = ()


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder that was reached.

    Attributes:
        path: absolute.
        states: how far the glob's segments are matched by now; see ``_Glob``.
        partitions: of the ``key=value`` folders down to it.
    """

    path: str
    states: frozenset[int]
    partitions: tuple[tuple[str, str | None], ...] = ()

    @property
    def name(self) -> str:
        """Its own name."""
        return os.path.basename(self.path)  # noqa: PTH119 - paths stay text


@dataclass(frozen=True, slots=True)
class Listing:
    """What lies directly in one folder.

    Attributes:
        files: data files, sorted by name.
        folders: ordinary folders, sorted.
        partitions: ``key=value`` folders, sorted.
        lake: the lakehouse format that the folder belongs to, or the empty string.
    """

    files: tuple[FoundFile, ...] = ()
    folders: tuple[Folder, ...] = ()
    partitions: tuple[Folder, ...] = ()
    lake: str = ""


@dataclass(frozen=True, slots=True)
class TableFiles:
    """Where a table's files are: one file, or a folder.

    Attributes:
        file: the only file, or None.
        folder: the folder, or None.
        only_partitions: leave out files that lie directly in the folder.
        all_folders: take ordinary folders in, too.
    """

    file: FoundFile | None = None
    folder: Folder | None = None
    only_partitions: bool = False
    all_folders: bool = False

    @property
    def path(self) -> str:
        """For messages."""
        found = self.file or self.folder
        return found.path if found else ""


class _Glob:
    """A path with wildcards, matched name by name.

    A state is the number of segments that are matched; the last one means that the whole glob
    is, and everything below such a folder is chosen.
    """

    def __init__(self, segments: tuple[str, ...]) -> None:
        self._segments = segments
        self._patterns = [re.compile(fnmatch.translate(segment)) for segment in segments]
        self.start = self._skip_double_stars({0})

    def advance(self, states: frozenset[int], name: str) -> frozenset[int]:
        """Return the states after one more name; none if it is not chosen."""
        after: set[int] = set()
        for state in states:
            if state == len(self._segments) or self._segments[state] == "**":
                after.add(state)
            elif self._patterns[state].match(name):
                after.add(state + 1)
        return self._skip_double_stars(after)

    def is_done(self, states: frozenset[int]) -> bool:
        """Whether the whole glob is matched."""
        return len(self._segments) in states

    def names(self, states: frozenset[int], name: str) -> bool:
        """Whether a segment means this very name, not whatever there is."""
        return any(
            state < len(self._segments)
            and self._segments[state][:1] == name[:1]
            and self._patterns[state].match(name)
            for state in states
        )

    def _skip_double_stars(self, states: set[int]) -> frozenset[int]:
        for state in range(len(self._segments)):
            if state in states and self._segments[state] == "**":
                states.add(state + 1)
        return frozenset(states)


class FileTree:
    """A path as it is now. Made for one question, it lists no folder twice."""

    def __init__(self, location: Location, given: Format | None, table: str | None) -> None:
        self._given = given
        self._table = table
        self._listings: dict[Folder, Listing] = {}
        self._file: FoundFile | None = None
        path = location.path
        if os.path.lexists(path) or not location.has_wildcard:
            # A name may hold wildcards itself; what is there under that very name is meant.
            self._glob = _Glob(())
            self._is_glob = False
            root = path
        else:
            self._is_glob = True
            root, segments = _split_pattern(location.pattern)
            self._glob = _Glob(segments)
        self.root = Folder(root, self._glob.start)
        self._look_at_root()

    def _look_at_root(self) -> None:
        path = self.root.path
        with naming_folder(path):
            is_folder = os.path.isdir(path)  # noqa: PTH112 - paths stay text
            self._lake_above = _lake_above(path)
            if is_folder:
                return
            found = os.stat(path)  # noqa: PTH116 - paths stay text
        if self._is_glob:
            raise missing(path)
        name = os.path.basename(path)  # noqa: PTH119 - paths stay text
        stored = stored_as(name, self._given, any_extension=True)
        if stored is None:
            raise NotSupported(
                f'The name of the file "{path}" does not say its format.',
                hint=f"Add the option format, or give the file one of {EXTENSIONS}.",
                path=path,
            )
        self._file = _found_file(path, stored, found, ())

    # -- schemas and tables --------------------------------------------------------------------

    def schemas(self) -> list[str]:
        """Return the names of the schemas; ``main`` is always one."""
        found = {MAIN}
        if self._file is None and self._table is None:
            self._collect_schemas(self.root, "", found)
        return sorted(found)

    def _collect_schemas(self, folder: Folder, name: str, found: set[str]) -> None:
        for child in self.list(folder).folders:
            if self.list(child).lake:
                continue
            child_name = f"{name}/{child.name}" if name else child.name
            if any(self._is_table(inner) for inner in self.list(child).folders):
                found.add(child_name)
            self._collect_schemas(child, child_name, found)

    def tables(self, schema: str) -> dict[str, list[TableFiles]]:
        """Return where the files of each table of a schema are; more than one place is an error."""
        found: dict[str, list[TableFiles]] = defaultdict(list)
        if schema == MAIN:
            self._add_main(found)
        if self._file is None and self._table is None:
            folder = self._schema_folder(schema)
            for child in self.list(folder).folders if folder else ():
                if self._is_table(child):
                    found[child.name].append(TableFiles(folder=child))
        return dict(found)

    def _add_main(self, found: dict[str, list[TableFiles]]) -> None:
        if self._file is not None:
            found[self._table or self._file.stored_as.stem].append(TableFiles(file=self._file))
            return
        if self._table is not None:
            whole = TableFiles(folder=self.root, all_folders=self._is_glob)
            found[self._table].append(whole)
            return
        listing = self.list(self.root)
        if listing.lake:
            found[self.root.name].append(TableFiles(folder=self.root))
            return
        for file in listing.files:
            found[file.stored_as.stem].append(TableFiles(file=file))
        if any(self._holds_data(folder) for folder in listing.partitions):
            found[self.root.name].append(TableFiles(folder=self.root, only_partitions=True))
        for folder in listing.folders:
            if self._is_table(folder):
                found[folder.name].append(TableFiles(folder=folder))

    def _schema_folder(self, schema: str) -> Folder | None:
        folder: Folder | None = self.root
        for name in schema.split("/"):
            if folder is None or self.list(folder).lake:
                return None
            folder = next((f for f in self.list(folder).folders if f.name == name), None)
        return folder if folder and not self.list(folder).lake else None

    def _is_table(self, folder: Folder) -> bool:
        listing = self.list(folder)
        if listing.lake or listing.files:
            return True
        return any(self._holds_data(inner) for inner in listing.partitions)

    def _holds_data(self, folder: Folder) -> bool:
        listing = self.list(folder)
        if listing.lake or listing.files:
            return True
        return any(self._holds_data(f) for f in (*listing.partitions, *listing.folders))

    # -- files ---------------------------------------------------------------------------------

    def files(self, where: TableFiles) -> tuple[FoundFile, ...]:
        """Return the files of a table, sorted by path.

        Raises:
            NotSupported: they belong to a table of a lakehouse format.
            SourceDataError: a folder holds files that would belong to no table.
        """
        if self._lake_above:
            raise _is_lake(*self._lake_above)
        if where.file is not None:
            return (where.file,)
        if where.folder is None:
            return ()
        found = self._files_below(where.folder, where)
        if where.only_partitions:
            found = (file for file in found if file.partitions)
        return tuple(sorted(found, key=lambda file: file.path))

    def _files_below(self, folder: Folder, where: TableFiles) -> Iterator[FoundFile]:
        listing = self.list(folder)
        if listing.lake:
            raise _is_lake(folder.path, listing.lake)
        yield from listing.files
        for partition in listing.partitions:
            yield from self._files_below(partition, where)
        for plain in listing.folders:
            if where.all_folders:
                yield from self._files_below(plain, where)
            elif folder.partitions and self._holds_data(plain):
                raise SourceDataError(
                    f'The folder "{plain.path}" lies in the partition folder "{folder.path}" '
                    "and its files would belong to no table.",
                    hint="Move its files up, or name the folder key=value.",
                    path=plain.path,
                )

    def list(self, folder: Folder) -> Listing:
        """Return what lies directly in ``folder`` and is chosen."""
        known = self._listings.get(folder)
        if known is None:
            with naming_folder(folder.path):
                known = self._listings[folder] = self._read(folder)
        return known

    def _read(self, folder: Folder) -> Listing:
        with os.scandir(folder.path) as entries:
            by_name = sorted(entries, key=lambda entry: entry.name)
        lake = lake_format(folder.path, {entry.name for entry in by_name})
        if lake:
            return Listing(lake=lake)
        files: list[FoundFile] = []
        plain: list[Folder] = []
        partitions: list[Folder] = []
        for entry in by_name:
            states = self._glob.advance(folder.states, entry.name)
            if not states or self._is_hidden(folder, entry.name):
                continue
            if not entry.is_dir():
                files.extend(self._data_file(folder, entry, states))
                continue
            pair = read_partition_name(entry.name)
            if pair is not None:
                partitions.append(Folder(entry.path, states, (*folder.partitions, pair)))
            elif not _is_loop(entry.path):
                plain.append(Folder(entry.path, states, folder.partitions))
        return Listing(tuple(files), tuple(plain), tuple(partitions))

    def _is_hidden(self, folder: Folder, name: str) -> bool:
        if not name.startswith((".", "_")) or (name.startswith("_") and "=" in name):
            return False
        return not self._glob.names(folder.states, name)

    def _data_file(
        self, folder: Folder, entry: os.DirEntry[str], states: frozenset[int]
    ) -> Iterator[FoundFile]:
        if not self._glob.is_done(states):
            return
        is_named = self._is_glob and not self._glob.is_done(folder.states)
        stored = stored_as(entry.name, self._given, any_extension=is_named)
        if stored is None:
            return
        with naming_folder(entry.path):
            yield _found_file(entry.path, stored, entry.stat(), folder.partitions)


def _found_file(
    path: str,
    stored: StoredAs,
    found: os.stat_result,
    partitions: tuple[tuple[str, str | None], ...],
) -> FoundFile:
    return FoundFile(
        path=path,
        stored_as=stored,
        size_bytes=found.st_size,
        mtime_ns=found.st_mtime_ns,
        inode=found.st_ino,
        partitions=partitions,
    )


def _split_pattern(pattern: str) -> tuple[str, tuple[str, ...]]:
    """Return the folder before the first wildcard, and the segments from there on."""
    parts = pattern.split("/")[1:]
    fixed = 0
    while fixed < len(parts) and not re.search(r"[*?[]", _ESCAPED.sub("", parts[fixed])):
        fixed += 1
    root = "/" + "/".join(_ESCAPED.sub(r"\1", part) for part in parts[:fixed])
    return root, tuple(parts[fixed:])


def _is_loop(path: str) -> bool:
    """Whether a link leads back to a folder that it lies in."""
    if not os.path.islink(path):  # noqa: PTH114 - paths stay text
        return False
    real = os.path.realpath(path)
    return (os.path.realpath(os.path.dirname(path)) + "/").startswith(real.rstrip("/") + "/")  # noqa: PTH120 - paths stay text


# -- lakehouse formats -------------------------------------------------------------------------


def lake_format(path: str, names: set[str]) -> str:
    """Return the lakehouse format that a folder belongs to, or the empty string.

    Args:
        path: the folder.
        names: of what lies in it.
    """
    if "_delta_log" in names:
        return "delta"
    if ".hoodie" in names:
        return "hudi"
    if "metadata" in names and _is_iceberg_metadata(f"{path}/metadata"):
        return "iceberg"
    return ""


def _is_iceberg_metadata(path: str) -> bool:
    if not os.path.isdir(path):  # noqa: PTH112 - paths stay text
        return False
    with naming_folder(path):
        return any(
            name == "version-hint.text"
            or re.search(r"\.metadata\.json(\.\w+)?$|\.gz\.metadata", name)
            for name in os.listdir(path)  # noqa: PTH208 - paths stay text
        )


def _lake_above(path: str) -> tuple[str, str] | None:
    """Return the folder and format of the lakehouse table that a path lies inside of."""
    above = os.path.dirname(os.path.abspath(path))  # noqa: PTH100, PTH120 - paths stay text
    while True:
        marks = ("_delta_log", ".hoodie", "metadata")
        present = {name for name in marks if os.path.isdir(f"{above}/{name}")}  # noqa: PTH112 - as above
        kind = lake_format(above, present)
        if kind:
            return above, kind
        if above in {"/", ""}:
            return None
        above = os.path.dirname(above)  # noqa: PTH120 - paths stay text


def _is_lake(path: str, kind: str) -> NotSupported:
    return NotSupported(
        f'"{path}" is a table of the format {kind}: its files still hold rows that were deleted.',
        hint=f"Read it with the connector {kind}.",
        path=path,
    )
