"""Kinds of catalogs, what they list, and what they say when something is missing."""

import json
import shutil
from pathlib import Path

import pyarrow as pa
import pytest
from iceberg_reading import connect, in_order, read_natively
from iceberg_tables import SIMPLE, simple, simple_rows
from iceberg_writing import Warehouse, local
from pyiceberg.catalog.sql import SqlCatalog

from igloo.cancel import CancelToken
from igloo.connectors.contract import Pushdown
from igloo.connectors.lake.iceberg import IcebergConnector
from igloo.connectors.options import read_options
from igloo.errors import (
    InvalidSetting,
    NotSupported,
    QueryCancelled,
    SourceDataError,
    SourceError,
    SourceUnavailable,
    TableNotFound,
)
from igloo.names import TableName


@pytest.fixture
def folder(lake, tmp_path):
    """Give a warehouse folder without its catalog, with one table of three commits."""
    table = lake.create("t", SIMPLE)
    for start in (0, 10):
        table.append(simple(start, start + 10))
    lake.close()
    (lake.folder / "catalog.db").unlink()
    return lake.folder


def metadata_files(folder):
    return sorted((folder / "db" / "t" / "metadata").glob("*.metadata.json"))


def test_a_warehouse_with_a_database_is_an_sql_catalog(lake, connector):
    lake.create("t", SIMPLE)
    lake.catalog.create_namespace("empty")
    lake.catalog.create_namespace(("db", "inner"))
    lake.catalog.create_table(("db", "inner", "u"), schema=SIMPLE)
    assert connector.list_schemas() == ["db", "db.inner", "empty"]
    assert connector.list_tables("db") == [TableName("db", "t")]
    assert connector.load_table(TableName("db.inner", "u")).row_count == 0
    assert connector.list_tables("empty") == []


def test_a_warehouse_without_a_database_is_a_folder_catalog(folder, session):
    connector = connect(warehouse=str(folder))
    assert connector.list_schemas() == ["db"]
    assert connector.list_tables("db") == [TableName("db", "t")]
    found = read_natively(session, connector, "t").to_pylist()
    assert in_order(found) == in_order(simple_rows(0, 20))


def test_a_version_hint_is_followed_to_the_newest_version(folder):
    files = metadata_files(folder)
    for number, file in enumerate(files, 1):
        file.rename(file.with_name(f"v{number}.metadata.json"))
    hint = files[0].parent / "version-hint.text"
    counts = []
    for version in ("1", "2", "3"):
        hint.write_text(version)
        counts.append(connect(warehouse=str(folder)).load_table(TableName("db", "t")).row_count)
    # The hint is moved after a commit: the versions that follow it count.
    assert counts == [20, 20, 20]
    (hint.parent / "v2.metadata.json").rename(hint.parent / "v9.metadata.json")
    hint.write_text("1")
    assert connect(warehouse=str(folder)).load_table(TableName("db", "t")).row_count == 0


def test_two_files_of_the_highest_version_are_refused(folder):
    newest = metadata_files(folder)[-1]
    shutil.copy(newest, newest.with_name(newest.name[:6] + "other.metadata.json"))
    with pytest.raises(SourceDataError, match="version 2"):
        connect(warehouse=str(folder)).load_table(TableName("db", "t"))
    (newest.parent / "version-hint.text").write_text(newest.name)
    assert connect(warehouse=str(folder)).load_table(TableName("db", "t")).row_count == 20


@pytest.mark.parametrize("name", ["../db/t", "..", "t/../t", "", "."])
def test_a_folder_catalog_stays_in_its_folder(folder, name):
    connector = connect(warehouse=str(folder / "db"), type="folder")
    for table in (TableName("..", "db"), TableName(name, "t"), TableName("t", name)):
        with pytest.raises(TableNotFound):
            connector.load_table(table)


@pytest.mark.parametrize("kind", [None, "sql", "folder"])
def test_a_missing_warehouse_is_an_error_only_when_it_is_asked(tmp_path, kind):
    options = {"warehouse": str(tmp_path / "nowhere")} | ({"type": kind} if kind else {})
    connector = connect(**options)
    with pytest.raises(SourceUnavailable, match="nowhere") as caught:
        connector.list_schemas()
    assert caught.value.context["catalog"] == "ice"
    assert not (tmp_path / "nowhere").exists()


def test_a_relative_warehouse_starts_where_the_configuration_lies(folder):
    options = read_options(
        IcebergConnector.options_type,
        {"warehouse": "lake"},
        connector="iceberg",
        environment={},
        base=folder.parent,
    )
    assert IcebergConnector("ice", options).list_schemas() == ["db"]


def test_an_sqlite_address_never_makes_a_file(tmp_path):
    connector = connect(type="sql", uri=f"sqlite:///{tmp_path}/no.db")
    with pytest.raises(SourceUnavailable, match=r"no\.db"):
        connector.list_schemas()
    assert not (tmp_path / "no.db").exists()


def test_several_catalogs_in_one_database_need_a_name(tmp_path):
    for name in ("one", "two"):
        warehouse = Warehouse(tmp_path / "lake", name)
        warehouse.create(f"table_of_{name}", SIMPLE)
        warehouse.close()
    with pytest.raises(InvalidSetting, match="one, two"):
        connect(warehouse=str(tmp_path / "lake")).list_schemas()
    named = connect(warehouse=str(tmp_path / "lake"), catalog_name="two")
    assert named.list_tables("db") == [TableName("db", "table_of_two")]


@pytest.mark.parametrize("kind", ["glue", "hive"])
def test_catalogs_that_are_not_read_yet_say_so_at_once(kind):
    with pytest.raises(NotSupported, match=kind):
        connect(type=kind, uri="x")


@pytest.mark.parametrize("options", [{}, {"type": "rest"}, {"type": "sql"}, {"type": "folder"}])
def test_what_a_catalog_needs_is_asked_for_at_once(options):
    with pytest.raises(InvalidSetting):
        connect(**options)


def test_an_unreachable_rest_catalog_tells_no_secret(unused_port):
    connector = connect(type="rest", uri=f"http://127.0.0.1:{unused_port}", token="hunter2secret")
    with pytest.raises(SourceUnavailable) as caught:
        connector.list_schemas()
    assert "hunter2secret" not in f"{caught.value} {caught.value!r} {connector.options}"


@pytest.fixture
def unused_port():
    import socket

    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return held.getsockname()[1]


def test_a_database_that_is_no_catalog_is_a_source_error(tmp_path):
    (tmp_path / "catalog.db").write_bytes(b"not a database" * 100)
    with pytest.raises(SourceError) as caught:
        connect(warehouse=str(tmp_path)).list_schemas()
    assert "\n" not in str(caught.value)


def test_a_missing_table_is_told_with_its_neighbour(lake, connector):
    lake.create("people", SIMPLE)
    with pytest.raises(TableNotFound, match="people"):
        connector.load_table(TableName("db", "peopel"))


def test_damaged_metadata_is_a_source_data_error(lake, connector):
    table = lake.create("t", SIMPLE)
    Path(local(table.metadata_location)).write_text("{")
    with pytest.raises(SourceDataError, match=r"db\.t"):
        connector.load_table(TableName("db", "t"))


def test_a_scan_reads_the_snapshot_that_was_loaded(lake, connector, session):
    lake.create("t", SIMPLE).append(simple(0, 10))
    table = connector.load_table(TableName("db", "t"))
    lake.load("t").append(simple(10, 20))
    later = connector.load_table(TableName("db", "t"))
    pushdown = Pushdown(columns=("id",))
    counts = []
    for one in (table, later):
        splits = connector.plan_scan(one, pushdown).splits
        counts.append(sum(len(connector.read_split(s, CancelToken()).read_all()) for s in splits))
    assert counts == [10, 20]
    assert connector.list_files(table, pushdown).files_total == 1


def test_the_version_moves_with_data_and_with_the_schema(lake, connector):
    lake.create("t", SIMPLE)

    def version():
        return connector.load_table(TableName("db", "t")).version

    versions = [version(), version()]
    lake.load("t").append(simple(0, 1))
    versions.append(version())
    with lake.load("t").update_schema() as update:
        update.rename_column("v", "w")
    versions.append(version())
    assert versions[0] == versions[1]
    assert len(set(versions)) == 3


def test_a_cancelled_read_stops(lake, connector):
    lake.create("t", SIMPLE).append(simple(0, 50_000))
    table = connector.load_table(TableName("db", "t"))
    (split,) = connector.plan_scan(table, Pushdown(columns=("id",))).splits
    cancel = CancelToken()
    reader = connector.read_split(split, cancel)
    reader.read_next_batch()
    cancel.cancel()
    with pytest.raises(QueryCancelled):
        reader.read_next_batch()


def test_a_catalog_is_never_written_to(lake, connector):
    lake.create("t", SIMPLE).append(simple(0, 3))
    before = {path: path.read_bytes() for path in lake.folder.rglob("*") if path.is_file()}
    connector.list_schemas()
    table = connector.load_table(TableName("db", "t"))
    connector.list_files(table, Pushdown(columns=("id",)))
    connector.close()
    assert before == {path: path.read_bytes() for path in lake.folder.rglob("*") if path.is_file()}


def test_the_rest_of_the_world_reads_the_same_catalog(lake):
    """The writer's own view of the pointer is the reader's."""
    lake.create("t", SIMPLE)
    uri = f"sqlite:///{lake.folder}/catalog.db"
    other = SqlCatalog("lake", uri=uri, warehouse=str(lake.folder))
    location = other.load_table("db.t").metadata_location
    other.engine.dispose()
    connector = connect(type="sql", uri=uri)
    assert connector.load_table(TableName("db", "t")).detail.metadata_location == location
    connector.close()
    assert json.loads(Path(local(location)).read_text())["format-version"] == 2
    assert pa.schema(SIMPLE).names == ["id", "v", "s"]
