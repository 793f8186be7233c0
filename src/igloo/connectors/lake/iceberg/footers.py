"""Physical schemas of Parquet files: names, types and Iceberg field ids."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from igloo.connectors.lake.bounded_cache import BoundedCache
from igloo.connectors.lake.iceberg.locations import open_file
from igloo.connectors.parquet_bounds import constant_floats

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyiceberg.io import FileIO

#: Key of a field id in the metadata of an Arrow field that was read from Parquet.
FIELD_ID = b"PARQUET:field_id"
_CACHE_BYTES = 64 * 1024 * 1024
_THREADS = 8
#: Fewer files than this are read one by one: starting threads costs more.
_FEW_FILES = 16


@dataclass(frozen=True, slots=True)
class PhysicalSchema:
    """What one file holds.

    Attributes:
        arrow: its schema, field ids in the fields' metadata.
        signature: equal for files that are read in the same way.
    """

    arrow: pa.Schema
    signature: bytes


class FooterReader:
    """Reads footers, once a file: data files never change. Thread-safe."""

    def __init__(self) -> None:
        self._cache: BoundedCache[str, PhysicalSchema] = BoundedCache(_CACHE_BYTES)
        self._hiding: BoundedCache[str, bool] = BoundedCache(_CACHE_BYTES // 4)
        self._known: BoundedCache[bytes, PhysicalSchema] = BoundedCache(_CACHE_BYTES // 4)

    def read(self, path: str, io: FileIO) -> PhysicalSchema:
        """Return the physical schema of a file."""
        return self._cache.get(path, lambda: self._shared(_read(path, io)), lambda _: 512)

    def read_all(self, paths: Sequence[str], io: FileIO) -> list[PhysicalSchema]:
        """Return the physical schemas of several files, in their order."""
        if len(paths) < _FEW_FILES:
            return [self.read(path, io) for path in paths]
        with ThreadPoolExecutor(_THREADS) as pool:
            return list(pool.map(lambda path: self.read(path, io), paths))

    def hides_nan(self, path: str, io: FileIO) -> bool:
        """Whether a file has a column that its footer shows as constant although it holds a NaN.

        Footers leave NaN out of their bounds, and DataFusion 55 takes a column for constant where
        the bounds are equal. Only such columns are read to find out, once a file.
        """
        return self._hiding.get(path, lambda: _hides_nan(path, io), lambda _: 64)

    def _shared(self, schema: pa.Schema) -> PhysicalSchema:
        """Return one value for all files of one schema: a table has few schemas and many files."""
        signature = schema.serialize().to_pybytes()
        made = PhysicalSchema(schema, signature)
        return self._known.get(signature, lambda: made, lambda _: 4 * len(signature))


def _read(path: str, io: FileIO) -> pa.Schema:
    with open_file(path, io) as stream:
        return pq.read_schema(stream).remove_metadata()


def _hides_nan(path: str, io: FileIO) -> bool:
    with open_file(path, io) as stream, pq.ParquetFile(stream) as file:
        names = sorted(constant_floats(file.metadata, file.schema_arrow))
        if not names:
            return False
        for batch in file.iter_batches(columns=names):
            for column in batch.columns:
                if pc.any(pc.is_nan(column)).as_py():
                    return True
    return False


def field_id(field: pa.Field[Any]) -> int | None:
    """Return the Iceberg field id that a file gives a field, or None."""
    text = (field.metadata or {}).get(FIELD_ID)
    return None if text is None else int(text)
