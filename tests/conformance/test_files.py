"""The files connector against the suite that every connector passes, in two formats."""

import errno
import os
import tempfile
from pathlib import Path
from typing import ClassVar

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from igloo.connectors.files import FilesConnector, FilesOptions
from igloo.connectors.options import Location
from igloo.testing.conformance import ConnectorConformance, not_able


@pytest.fixture(scope="module", autouse=True)
def _folders():
    yield
    for folder in _OnDisk.folders:
        folder.cleanup()


class _OnDisk(ConnectorConformance):
    folders: ClassVar[list] = []
    source_failures: ClassVar = [
        OSError(errno.EIO, "planted"),
        OSError("planted"),
        FileNotFoundError(errno.ENOENT, "planted"),
        PermissionError(errno.EACCES, "planted"),
    ]
    #: Arrow's allocator keeps about 32 MB whatever is read; the table has to be larger.
    large_table_rows = 500_000

    def store_type(self, type_):
        return pa.binary(16) if type_ == pa.uuid() else type_

    def make_connector(self, tables):
        self.folders.append(tempfile.TemporaryDirectory())
        folder = self.folders[-1].name
        for name, table in tables.items():
            self.write(table, f"{folder}/{name}.{self.extension}")
        return FilesConnector("lake", FilesOptions(path=Location(folder)))

    def unreachable_connector(self):
        return FilesConnector("lake", FilesOptions(path=Location("/no/such/folder")))

    def source_calls(self):
        return [(os, "scandir"), (pa, "OSFile"), (pa.ipc, "open_file"), (pq, "ParquetFile")]

    def break_source(self, connector, table):
        path = connector.load_table(table.name).detail.files[0].path
        Path(path).write_bytes(b"garbage" * 100)


_PARQUET_LACKS = "https://github.com/apache/parquet-format/blob/master/LogicalTypes.md"
_TYPE = "test_a_type_comes_back_exactly_or_is_refused"


class TestParquetFiles(_OnDisk):
    extension = "parquet"
    gaps: ClassVar = {
        f"{_TYPE}[interval]": not_able(
            "Arrow writes no intervals to Parquet.", _PARQUET_LACKS, pa.ArrowNotImplementedError
        ),
        f"{_TYPE}[decimal_negative_scale]": not_able(
            "Parquet has no negative scales.", _PARQUET_LACKS, OSError
        ),
    }

    def store_type(self, type_):
        # Parquet counts no seconds, and its dates are days.
        coarse = {
            pa.date64(): pa.date32(),
            pa.timestamp("s"): pa.timestamp("ms"),
            pa.time32("s"): pa.time32("ms"),
        }
        return coarse.get(type_, super().store_type(type_))

    def write(self, table, path):
        pq.write_table(table, path, row_group_size=20_000)


class TestArrowFiles(_OnDisk):
    extension = "arrow"

    def write(self, table, path):
        with pa.ipc.new_file(path, table.schema) as writer:
            writer.write_table(table, max_chunksize=20_000)
