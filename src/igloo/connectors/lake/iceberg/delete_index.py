"""Which delete files apply to a data file, by the rules of the Iceberg specification."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from pyiceberg.manifest import DataFileContent

from igloo.errors import NotSupported

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pyiceberg.manifest import DataFile

    from igloo.connectors.lake.iceberg.manifests import LiveFile

#: Field id of ``file_path`` in position delete files.
_PATH_FIELD_ID = 2147483546


class DeleteIndex:
    """The live delete files of one snapshot."""

    def __init__(self, deletes: Iterable[LiveFile], unpartitioned_specs: frozenset[int]) -> None:
        self._unpartitioned = unpartitioned_specs
        self._vectors: dict[str, list[LiveFile]] = defaultdict(list)
        self._by_path: dict[str, list[LiveFile]] = defaultdict(list)
        self._by_partition: dict[object, list[LiveFile]] = defaultdict(list)
        self._equality: dict[object, list[LiveFile]] = defaultdict(list)
        self._equality_everywhere: list[LiveFile] = []
        for delete in deletes:
            self._add(delete)

    def _add(self, delete: LiveFile) -> None:
        path = delete.referenced_data_file
        match delete.file.content:
            case DataFileContent.EQUALITY_DELETES:
                if delete.file.spec_id in self._unpartitioned:
                    self._equality_everywhere.append(delete)
                else:
                    self._equality[delete.partition_key].append(delete)
            case DataFileContent.POSITION_DELETES if delete.is_deletion_vector:
                if path is None:
                    raise NotSupported(
                        f'The deletion vector "{delete.path}" does not name its data file.'
                    )
                self._vectors[path].append(delete)
            case DataFileContent.POSITION_DELETES if path is not None:
                self._by_path[path].append(delete)
            case DataFileContent.POSITION_DELETES:
                self._by_partition[delete.partition_key].append(delete)
            case other:
                raise NotSupported(f'The file "{delete.path}" deletes rows in a way {other!r}.')

    def position_deletes(self, data: LiveFile) -> tuple[LiveFile, ...]:
        """Return what deletes rows of ``data`` by position: a vector, or else delete files."""
        vectors = self._vectors.get(data.path, ())
        applying = [d for d in vectors if d.sequence_number >= data.sequence_number]
        if not applying:
            near = self._by_partition.get(data.partition_key, ())
            applying = [
                d
                for d in (*self._by_path.get(data.path, ()), *near)
                if d.sequence_number >= data.sequence_number and _may_name(d.file, data.path)
            ]
        return tuple(sorted(applying, key=lambda d: d.path))

    def equality_deletes(self, data: LiveFile) -> tuple[LiveFile, ...]:
        """Return what deletes rows of ``data`` by value: only deletes that are younger."""
        near = self._equality.get(data.partition_key, ())
        applying = [
            d
            for d in (*self._equality_everywhere, *near)
            if d.sequence_number > data.sequence_number
        ]
        return tuple(sorted(applying, key=lambda d: d.path))


def _may_name(delete: DataFile, path: str) -> bool:
    lower = (delete.lower_bounds or {}).get(_PATH_FIELD_ID)
    upper = (delete.upper_bounds or {}).get(_PATH_FIELD_ID)
    encoded = path.encode()
    return (lower is None or lower <= encoded) and (upper is None or encoded <= upper)
