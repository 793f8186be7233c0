"""Writing: all rows or none, and readers keep what they read."""

from __future__ import annotations

import concurrent.futures
from typing import TYPE_CHECKING, Any, NoReturn

import pyarrow as pa
import pytest

from igloo.cancel import CancelToken
from igloo.connectors.contract import Pushdown, WriteMode
from igloo.errors import AlreadyExists, InvalidValue, TableNotFound, TypeMismatch
from igloo.names import TableName
from igloo.testing.conformance import tables as samples
from igloo.testing.conformance.hooks import ConformanceHooks
from igloo.testing.conformance.reading import assert_same_rows, join_parts, read_table, rows_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from igloo.connectors.contract import Connector

_THREADS = 4
_WRITES_PER_THREAD = 5


class WritesConformance(ConformanceHooks):
    """For connectors that ``AcceptsWrites``; put it before ``ConnectorConformance``."""

    def test_a_created_table_is_there_and_empty(self, make: Any) -> None:
        connector = make({})
        name, rows = _name(connector), self.stored(self.facts())
        connector.create_table(name, rows.schema)
        table = connector.load_table(name)
        assert name in connector.list_tables(name.schema)
        assert (table.schema.names, table.schema.types) == (rows.schema.names, rows.schema.types)
        assert read_table(connector, table).num_rows == 0

    def test_creating_twice_is_already_exists(self, make: Any) -> None:
        connector = make({samples.FACTS: self.facts()})
        with pytest.raises(AlreadyExists):
            connector.create_table(
                TableName(connector.default_schema, samples.FACTS), self.facts().schema
            )
        _assert_rows(connector, samples.FACTS, self.stored(self.facts()))

    def test_a_dropped_table_is_gone(self, make: Any) -> None:
        connector = make({samples.FACTS: self.facts()})
        name = TableName(connector.default_schema, samples.FACTS)
        connector.drop_table(name)
        assert name not in connector.list_tables(name.schema)
        with pytest.raises(TableNotFound):
            connector.load_table(name)

    def test_what_is_not_there_can_be_neither_dropped_nor_written(self, make: Any) -> None:
        connector = make({})
        name = TableName(connector.default_schema, "no_such_table")
        with pytest.raises(TableNotFound):
            connector.drop_table(name)
        with pytest.raises(TableNotFound):
            connector.write(name, self.facts().to_reader(), WriteMode.APPEND)

    def test_appended_rows_come_after_those_that_are_there(self, make: Any) -> None:
        connector = make({})
        name, rows = _name(connector), self.stored(self.facts())
        connector.create_table(name, rows.schema)
        for _ in range(2):
            assert connector.write(name, rows.to_reader(), WriteMode.APPEND) == rows.num_rows
        _assert_rows(connector, name.table, pa.concat_tables([rows, rows]))

    def test_overwritten_rows_are_gone(self, make: Any) -> None:
        connector = make({})
        name, rows = _name(connector), self.stored(self.facts())
        connector.create_table(name, rows.schema)
        connector.write(name, rows.to_reader(), WriteMode.APPEND)
        assert connector.write(name, rows.slice(0, 3).to_reader(), WriteMode.OVERWRITE) == 3
        _assert_rows(connector, name.table, rows.slice(0, 3))
        assert connector.write(name, rows.slice(0, 0).to_reader(), WriteMode.OVERWRITE) == 0
        _assert_rows(connector, name.table, rows.slice(0, 0))

    @pytest.mark.parametrize("mode", WriteMode)
    def test_a_write_that_fails_midway_leaves_no_row(self, make: Any, mode: WriteMode) -> None:
        connector = make({})
        name, rows = _name(connector), self.stored(self.facts())
        connector.create_table(name, rows.schema)
        connector.write(name, rows.slice(0, 5).to_reader(), WriteMode.APPEND)
        version = connector.load_table(name).version
        with pytest.raises(Exception, match="the stream broke"):
            connector.write(name, _breaking(rows), mode)
        _assert_rows(connector, name.table, rows.slice(0, 5))
        assert connector.load_table(name).version == version

    @pytest.mark.parametrize("mode", WriteMode)
    def test_the_version_changes_with_every_write(self, make: Any, mode: WriteMode) -> None:
        connector = make({})
        name, rows = _name(connector), self.stored(self.facts())
        connector.create_table(name, rows.schema)
        versions = [connector.load_table(name).version]
        for _ in range(3):
            connector.write(name, rows.to_reader(), mode)
            versions.append(connector.load_table(name).version)
        told = [version for version in versions if version is not None]
        assert len(told) in {0, len(versions)}
        assert len(set(told)) == len(told), f"the same version for different rows: {versions}"

    def test_a_scan_reads_one_version(self, make: Any) -> None:
        connector = make({})
        name, rows = _name(connector), self.stored(self.facts())
        connector.create_table(name, rows.schema)
        connector.write(name, rows.to_reader(), WriteMode.APPEND)
        table = connector.load_table(name)
        splits = connector.plan_scan(table, Pushdown(columns=tuple(rows.column_names))).splits
        readers = [connector.read_split(split, CancelToken()) for split in splits]
        connector.write(name, rows.slice(0, 2).to_reader(), WriteMode.OVERWRITE)
        found = join_parts([reader.read_all() for reader in readers], table.schema)
        assert rows_of(found) in (rows_of(rows), rows_of(rows.slice(0, 2))), (
            "the rows of two versions were mixed"
        )

    def test_a_null_in_a_column_that_is_not_null_is_refused(self, make: Any) -> None:
        connector = make({})
        name, type_ = _name(connector), self.stored(pa.table({"id": [1]})).schema.types[0]
        schema = pa.schema([pa.field("id", type_, nullable=False)])
        connector.create_table(name, schema)
        rows = pa.table({"id": pa.array([1, None]).cast(type_)})
        with pytest.raises(InvalidValue, match='"id"'):
            connector.write(name, rows.to_reader(), WriteMode.APPEND)
        assert read_table(connector, connector.load_table(name)).num_rows == 0

    def test_rows_with_other_columns_are_refused(self, make: Any) -> None:
        connector = make({samples.FACTS: self.facts()})
        name = TableName(connector.default_schema, samples.FACTS)
        rows = self.stored(self.facts())
        for wrong in (
            rows.rename_columns([f"{c}_" for c in rows.column_names]),
            rows.select(["id"]),
        ):
            with pytest.raises(TypeMismatch):
                connector.write(name, wrong.to_reader(), WriteMode.APPEND)
        _assert_rows(connector, samples.FACTS, rows)

    def test_concurrent_appends_lose_nothing(self, make: Any) -> None:
        connector = make({})
        name, rows = _name(connector), self.stored(self.facts())
        connector.create_table(name, rows.schema)

        def append() -> None:
            for _ in range(_WRITES_PER_THREAD):
                connector.write(name, rows.to_reader(), WriteMode.APPEND)

        with concurrent.futures.ThreadPoolExecutor(_THREADS) as threads:
            for done in [threads.submit(append) for _ in range(_THREADS)]:
                done.result()
        _assert_rows(
            connector, name.table, pa.concat_tables([rows] * _THREADS * _WRITES_PER_THREAD)
        )


def _name(connector: Connector) -> TableName:
    return TableName(connector.default_schema, "written")


def _assert_rows(connector: Connector, name: str, wanted: pa.Table) -> None:
    table = connector.load_table(TableName(connector.default_schema, name))
    assert table.row_count in {None, wanted.num_rows}
    assert_same_rows(read_table(connector, table), wanted)


def _breaking(rows: pa.Table) -> pa.RecordBatchReader:
    def batches() -> Iterator[pa.RecordBatch]:
        yield from rows.to_batches()
        _break()

    return pa.RecordBatchReader.from_batches(rows.schema, batches())


def _break() -> NoReturn:
    raise OSError("the stream broke")
