"""Groups planned files so that each group is one native scan."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import pyarrow as pa

from igloo.connectors.file_scan import DataFile, FileFormat, FileGroup, FileScan, PositionDeletes
from igloo.connectors.lake.iceberg.deletes import DeleteSource, delete_source
from igloo.connectors.lake.iceberg.locations import local_path
from igloo.connectors.lake.iceberg.mapping import FileMapping, NeedsOwnReader, map_columns
from igloo.connectors.lake.iceberg.name_mapping import with_field_ids

if TYPE_CHECKING:
    from collections.abc import Sequence

    from igloo.connectors.lake.iceberg.deletes import DeleteReader
    from igloo.connectors.lake.iceberg.footers import FooterReader
    from igloo.connectors.lake.iceberg.planning import FilePlan, PlannedFile
    from igloo.connectors.lake.iceberg.tables import LoadedTable


def native_scan(
    plan: FilePlan, table: LoadedTable, footers: FooterReader, deletes: DeleteReader
) -> FileScan | None:
    """Return the native scan of a plan, or None where only ``read_split`` is right.

    Raises:
        NotSupported: the files or deletes cannot be read right at all.
    """
    if any(local_path(file.data.path) is None for file in plan.files):
        # The engine has no access to object stores yet; pyiceberg's file access has.
        return None
    try:
        mappings = _mappings(plan.files, table, footers)
    except NeedsOwnReader:
        return None
    groups: dict[object, list[PlannedFile]] = defaultdict(list)
    shared: dict[object, FileMapping] = {}
    for file, (signature, mapping) in zip(plan.files, mappings, strict=True):
        key = (
            signature if mapping.columns is not None else None,
            bool(file.position_deletes),
            tuple(one.path for one in file.equality_deletes),
        )
        groups[key].append(file)
        shared[key] = mapping
    return FileScan(
        format=FileFormat.PARQUET,
        groups=tuple(_group(files, shared[key], table, deletes) for key, files in groups.items()),
        files_total=plan.files_total,
    )


def _mappings(
    files: Sequence[PlannedFile], table: LoadedTable, footers: FooterReader
) -> list[tuple[bytes, FileMapping]]:
    physical = footers.read_all([file.data.path for file in files], table.io)
    made: dict[bytes, FileMapping] = {}
    for one in physical:
        if one.signature not in made:
            numbered = with_field_ids(one.arrow, table.names)
            made[one.signature] = map_columns(table.schema, numbered)
    return [(one.signature, made[one.signature]) for one in physical]


def _group(
    files: Sequence[PlannedFile], mapping: FileMapping, table: LoadedTable, deletes: DeleteReader
) -> FileGroup:
    equality = [delete_source(one) for one in files[0].equality_deletes]
    return FileGroup(
        files=tuple(
            DataFile(path=file.data.path, size_bytes=file.data.file.file_size_in_bytes)
            for file in files
        ),
        file_schema=mapping.file_schema,
        columns=mapping.columns,
        position_deletes=_positions(files, table, deletes),
        equality_deletes=tuple(deletes.keys(one, table.schema, table.io) for one in equality),
    )


def _positions(
    files: Sequence[PlannedFile], table: LoadedTable, deletes: DeleteReader
) -> PositionDeletes | None:
    paths: dict[DeleteSource, list[str]] = defaultdict(list)
    for file in files:
        for one in file.position_deletes:
            paths[delete_source(one)].append(file.data.path)
    if not paths:
        return None
    tables = [deletes.positions(source, named, table.io) for source, named in paths.items()]
    return PositionDeletes(positions=pa.concat_tables(tables))
