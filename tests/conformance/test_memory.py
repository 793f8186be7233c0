"""The memory connector against the suite: held tables, and registered Parquet datasets."""

import shutil
import tempfile
from typing import ClassVar

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest

from igloo.cancel import CancelToken
from igloo.connectors.contract import Pushdown
from igloo.connectors.memory import MemoryConnector
from igloo.errors import NotSupported
from igloo.names import TableName
from igloo.testing.conformance import (
    ConnectorConformance,
    WritesConformance,
    not_able,
    not_meant,
)
from igloo.testing.conformance.tables import large


class TestMemory(WritesConformance, ConnectorConformance):
    gaps: ClassVar = {
        "test_splits_are_read_in_another_process": not_meant(
            "The rows lie in this process's memory and stay there."
        ),
        "test_an_unreachable_source_is_no_error_until_it_is_asked": not_meant(
            "There is no source outside of the process.", raises=NotImplementedError
        ),
        "test_an_unreachable_source_is_a_source_error": not_meant(
            "There is no source outside of the process.", raises=NotImplementedError
        ),
        "test_whatever_call_to_the_source_fails": not_meant(
            "There is no source outside of the process.", raises=NotImplementedError
        ),
        "test_failures_leave_nothing_open": not_meant(
            "There is no source outside of the process.", raises=NotImplementedError
        ),
        "test_every_failure_of_the_driver_is_a_source_error": not_meant(
            "There is no source outside of the process.", raises=NotImplementedError
        ),
        "test_a_source_that_breaks_before_planning_raises_source_errors": not_meant(
            "A planned scan holds its rows; nothing outside can break them."
        ),
        "test_a_source_that_breaks_before_reading_raises_source_errors": not_meant(
            "A planned scan holds its rows; nothing outside can break them."
        ),
    }

    def make_connector(self, tables):
        connector = MemoryConnector("mem")
        for name, table in tables.items():
            connector.put(TableName("public", name), table)
        return connector

    def break_source(self, connector, table):
        connector.close()


@pytest.fixture(scope="module", autouse=True)
def _folders():
    yield
    for folders in TestRegisteredDatasets.folders.values():
        for folder in folders:
            shutil.rmtree(folder, ignore_errors=True)


_NOT_WRITTEN = not_meant("A registered dataset is read only.", raises=NotSupported)
_AS_PARQUET_KEEPS = {
    pa.date64(): pa.date32(),
    pa.time32("s"): pa.time32("ms"),
    pa.timestamp("s"): pa.timestamp("ms"),
}
_TYPE = "test_a_type_comes_back_exactly_or_is_refused"
_PARQUET = "https://github.com/apache/parquet-format/blob/master/LogicalTypes.md"


class TestRegisteredDatasets(WritesConformance, ConnectorConformance):
    folders: ClassVar[dict] = {}
    gaps: ClassVar = {
        **{name: gap for name, gap in TestMemory.gaps.items() if "breaks" not in name},
        "test_rows_with_other_columns_are_refused": _NOT_WRITTEN,
        f"{_TYPE}[interval]": not_able(
            "Arrow writes no intervals to Parquet.", _PARQUET, pa.ArrowNotImplementedError
        ),
        f"{_TYPE}[decimal_negative_scale]": not_able(
            "Parquet has no negative scales.", _PARQUET, OSError
        ),
    }

    def store_type(self, type_):
        return _AS_PARQUET_KEEPS.get(type_, type_)

    def make_connector(self, tables):
        connector = MemoryConnector("mem")
        for name, table in tables.items():
            folder = tempfile.mkdtemp()
            self.folders.setdefault(connector, []).append(folder)
            pq.write_table(table, f"{folder}/rows.parquet", row_group_size=5_000)
            connector.put(TableName("public", name), ds.dataset(folder))
        return connector

    def test_reading_a_large_table_takes_little_memory(self, make):
        # Arrow's threads read some batches ahead and keep what they give back: the table has to be
        # larger than that, and only Arrow's own count tells.
        rows = large(800_000)
        connector = make({"larger": rows})
        table = self.table(connector, "larger")
        scan = connector.plan_scan(table, Pushdown(columns=("id", "name")))
        before, peak = pa.total_allocated_bytes(), 0
        for _ in connector.read_split(scan.splits[0], CancelToken()):
            peak = max(peak, pa.total_allocated_bytes() - before)
        assert peak < rows.nbytes * 0.8, "without its limit on reading ahead, all of it is there"

    def break_source(self, connector, table):
        for folder in self.folders[connector]:
            shutil.rmtree(folder)
