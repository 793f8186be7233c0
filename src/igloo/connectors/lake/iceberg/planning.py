"""Which files of a snapshot a scan reads, and which deletes go with each."""

from __future__ import annotations

import logging
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from pyiceberg import exceptions as iceberg
from pyiceberg.expressions import AlwaysTrue
from pyiceberg.expressions.visitors import (
    _InclusiveMetricsEvaluator,
    expression_evaluator,
    inclusive_projection,
    manifest_evaluator,
)
from pyiceberg.manifest import FileFormat, ManifestContent
from pyiceberg.schema import Schema

from igloo.connectors.lake.iceberg.delete_index import DeleteIndex
from igloo.connectors.lake.iceberg.manifests import LiveFile, ManifestReader, data_file_count
from igloo.errors import NotSupported

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyiceberg.expressions import BooleanExpression
    from pyiceberg.io import FileIO
    from pyiceberg.manifest import DataFile, ManifestFile
    from pyiceberg.partitioning import PartitionSpec
    from pyiceberg.table.metadata import TableMetadata
    from pyiceberg.table.snapshots import Snapshot

Judged = TypeVar("Judged")
_LOG = logging.getLogger(__name__)
#: What pyiceberg raises when it cannot judge a file by its metrics, e.g. after a promotion of a
#: type that it does not know.
_CANNOT_JUDGE = (
    ArithmeticError,
    AttributeError,
    LookupError,
    NotImplementedError,
    TypeError,
    ValueError,
    struct.error,
    iceberg.ValidationError,
)


@dataclass(frozen=True, slots=True)
class PlannedFile:
    """A data file and what is deleted in it."""

    data: LiveFile
    position_deletes: tuple[LiveFile, ...]
    equality_deletes: tuple[LiveFile, ...]


@dataclass(frozen=True, slots=True)
class FilePlan:
    """The files that a scan reads.

    Attributes:
        files: sorted by path, so that plans repeat.
        files_total: data files of the snapshot before pruning.
    """

    files: tuple[PlannedFile, ...]
    files_total: int


def plan_files(
    metadata: TableMetadata,
    snapshot: Snapshot,
    io: FileIO,
    row_filter: BooleanExpression,
    reader: ManifestReader,
) -> FilePlan:
    """Return the data files that may hold rows of ``row_filter``, each with its deletes.

    Raises:
        NotSupported: a file is of a kind that this connector cannot read right.
    """
    manifests = reader.manifests(snapshot, io)
    pruner = _Pruner(metadata, row_filter)
    data: list[LiveFile] = []
    seen = 0
    for manifest in manifests:
        if manifest.content == ManifestContent.DATA and pruner.may_match_manifest(manifest):
            live = reader.live_files(manifest, io)
            seen += len(live)
            data += [file for file in live if pruner.may_match(file.file)]
    deletes = _deletes(metadata, manifests, io, reader) if data else None
    files = tuple(
        PlannedFile(
            file,
            deletes.position_deletes(file) if deletes else (),
            deletes.equality_deletes(file) if deletes else (),
        )
        for file in sorted(data, key=lambda file: file.path)
    )
    for file in files:
        _refuse_unreadable(file)
    total = data_file_count(manifests)
    return FilePlan(files, seen if total is None else total)


def _deletes(
    metadata: TableMetadata,
    manifests: tuple[ManifestFile, ...],
    io: FileIO,
    reader: ManifestReader,
) -> DeleteIndex | None:
    """Delete files are never pruned by the filter: their metrics speak of other rows."""
    listed = [m for m in manifests if m.content == ManifestContent.DELETES]
    if not listed:
        return None
    unpartitioned = frozenset(spec.spec_id for spec in metadata.partition_specs if not spec.fields)
    live = (file for manifest in listed for file in reader.live_files(manifest, io))
    return DeleteIndex(live, unpartitioned)


def _refuse_unreadable(planned: PlannedFile) -> None:
    for live in (planned.data, *planned.position_deletes, *planned.equality_deletes):
        if live.file.file_format != FileFormat.PARQUET and not live.is_deletion_vector:
            raise NotSupported(
                f'The file "{live.path}" is of the format {live.file.file_format.value}; '
                "only Parquet files of Iceberg tables are read."
            )


class _Pruner:
    """Judges manifests and files by the filter; what cannot be judged is kept."""

    def __init__(self, metadata: TableMetadata, row_filter: BooleanExpression) -> None:
        self._schema = metadata.schema()
        self._specs = metadata.specs()
        self._filter = row_filter
        self._keeps_all = isinstance(row_filter, AlwaysTrue)
        self._manifest_tests: dict[int, Callable[[ManifestFile], bool]] = {}
        self._partition_tests: dict[int, Callable[[DataFile], bool]] = {}
        self._metrics_test = self._guarded(
            lambda: _InclusiveMetricsEvaluator(self._schema, row_filter).eval
        )

    def may_match_manifest(self, manifest: ManifestFile) -> bool:
        if self._keeps_all:
            return True
        spec_id = manifest.partition_spec_id
        if spec_id not in self._manifest_tests:
            self._manifest_tests[spec_id] = self._guarded(lambda: self._manifest_test(spec_id))
        return self._manifest_tests[spec_id](manifest)

    def may_match(self, file: DataFile) -> bool:
        if self._keeps_all:
            return True
        spec_id = file.spec_id
        if spec_id not in self._partition_tests:
            self._partition_tests[spec_id] = self._guarded(lambda: self._partition_test(spec_id))
        return self._partition_tests[spec_id](file) and self._metrics_test(file)

    def _manifest_test(self, spec_id: int) -> Callable[[ManifestFile], bool]:
        spec = self._specs[spec_id]
        return manifest_evaluator(spec, self._schema, self._partition_filter(spec))

    def _partition_test(self, spec_id: int) -> Callable[[DataFile], bool]:
        spec = self._specs[spec_id]
        partition = Schema(*spec.partition_type(self._schema).fields)
        test = expression_evaluator(partition, self._partition_filter(spec), case_sensitive=True)
        return lambda file: test(file.partition)

    def _partition_filter(self, spec: PartitionSpec) -> BooleanExpression:
        return inclusive_projection(self._schema, spec)(self._filter)

    def _guarded(self, make: Callable[[], Callable[[Judged], bool]]) -> Callable[[Judged], bool]:
        try:
            test = make()
        except _CANNOT_JUDGE as error:
            _LOG.debug("Files are not pruned by part of the filter: %s", error)
            return lambda _: True

        def guarded(value: Judged) -> bool:
            try:
                return test(value)
            except _CANNOT_JUDGE as error:
                _LOG.debug("A file is not judged by its metrics: %s", error)
                return True

        return guarded
