import datetime as dt

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from igloo.connectors.contract import Pushdown
from igloo.connectors.files.partitions import read_partition_name
from igloo.connectors.predicates import (
    And,
    Column,
    Comparison,
    ComparisonOperator,
    InList,
    IsNull,
    Literal,
    Not,
    Or,
)
from igloo.errors import SourceDataError

EQUAL, LESS = ComparisonOperator.EQUAL, ComparisonOperator.LESS


def put(folder, rows=1, **columns):
    folder.mkdir(parents=True, exist_ok=True)
    columns = columns or {"v": list(range(rows))}
    pq.write_table(pa.table(columns), folder / "a.parquet")


def equal(column, value, type_=None):
    return Comparison(Column(column), EQUAL, Literal(pa.scalar(value, type_)))


@pytest.mark.parametrize(
    ("name", "pair"),
    [
        ("k=v", ("k", "v")),
        ("k=", ("k", "")),
        ("k=a=b", ("k", "a=b")),
        ("s=x%2Fy%20%C3%A9", ("s", "x/y é")),
        ("a%20b=1", ("a b", "1")),
        ("k=__HIVE_DEFAULT_PARTITION__", ("k", None)),
        ("plain", None),
        ("=v", None),
    ],
)
def test_the_name_of_a_folder_gives_key_and_value(name, pair):
    assert read_partition_name(name) == pair


@pytest.mark.parametrize(
    ("values", "type_"),
    [
        (["1", "-20", "0"], pa.int64()),
        (["1", "__HIVE_DEFAULT_PARTITION__"], pa.int64()),
        (["01", "2"], pa.string()),
        (["1", "-0"], pa.string()),
        (["9223372036854775808"], pa.string()),
        (["1", "x"], pa.string()),
        (["2024-02-29", "2024-03-01"], pa.date32()),
        (["2023-02-29"], pa.string()),
        (["2024-1-1"], pa.string()),
        (["1", "2024-01-01"], pa.string()),
        (["٣"], pa.string()),
        ([""], pa.string()),
        (["__HIVE_DEFAULT_PARTITION__"], pa.string()),
    ],
)
def test_the_type_is_the_one_that_all_values_have(tmp_path, opened, values, type_):
    for value in values:
        put(tmp_path / "t" / f"k={value}")
    catalog = opened(tmp_path)
    assert catalog.load("t").schema.field("k").type == type_
    found = {row["k"] for row in catalog.rows("t")}
    kept = [None if v.startswith("__HIVE") else v for v in values]
    if type_ == pa.int64():
        kept = [None if v is None else int(v) for v in kept]
    if type_ == pa.date32():
        kept = [dt.date.fromisoformat(v) for v in kept]
    assert found == set(kept)
    assert {row["k"] for row in catalog.native("t").to_pylist()} == set(kept)


@pytest.fixture
def events(tmp_path, opened):
    for region in ("eu", "us", "__HIVE_DEFAULT_PARTITION__"):
        for day in (1, 2):
            put(tmp_path / "events" / f"region={region}" / f"day={day}", v=[day])
    return opened(tmp_path)


def planned(catalog, predicate):
    table = catalog.load("events")
    scan = catalog.scan(table, filter=predicate)
    offer = Pushdown(columns=tuple(table.schema.names), filter=predicate)
    listed = catalog.connector.list_files(table, offer)
    assert listed.files_planned == scan.files_planned == len(scan.splits)
    assert listed.files_total == scan.files_total == 6
    return scan


@pytest.mark.parametrize(
    ("predicate", "files"),
    [
        (equal("region", "eu"), 2),
        (Not(equal("region", "eu")), 2),
        (IsNull(Column("region")), 2),
        (Not(IsNull(Column("region"))), 4),
        (And((equal("region", "eu"), equal("day", 1))), 1),
        (Or((equal("region", "eu"), equal("day", 1))), 4),
        (InList(Column("region"), (pa.scalar("us"), pa.scalar("asia"))), 2),
        (Not(InList(Column("region"), (pa.scalar("us"),))), 2),
        (Comparison(Column("day"), LESS, Literal(pa.scalar(1))), 0),
        (Comparison(Literal(pa.scalar(1)), LESS, Column("day")), 3),
    ],
)
def test_files_are_left_out_by_their_folders(events, predicate, files):
    scan = planned(events, predicate)
    assert scan.files_planned == files
    assert scan.residual is None
    assert len(events.rows("events", filter=predicate)) == files
    assert events.native("events", predicate=predicate).num_rows == files


@pytest.mark.parametrize(
    "predicate",
    [
        equal("v", 1),
        Or((equal("region", "eu"), equal("v", 1))),
        equal("day", 1.5),
        equal("day", 1, pa.int8()),
    ],
)
def test_files_are_kept_where_their_folders_do_not_decide(events, predicate):
    assert planned(events, predicate).files_planned == 6


def test_a_filter_over_both_kinds_of_columns_gives_the_same_rows(events):
    both = And((equal("region", "eu"), equal("v", 2)))
    assert events.rows("events", filter=both) == [{"v": 2, "region": "eu", "day": 2}]
    assert planned(events, both).files_planned == 2


def test_partition_columns_alone_give_a_row_for_each_row(tmp_path, opened):
    put(tmp_path / "t" / "k=1", rows=3)
    catalog = opened(tmp_path)
    assert catalog.read("t", columns=("k",)).to_pylist() == [{"k": 1}] * 3


def test_files_of_other_keys_are_refused_by_name(tmp_path, opened):
    put(tmp_path / "t" / "k=1")
    put(tmp_path / "t" / "j=1")
    with pytest.raises(SourceDataError, match=r"j=1.*k=1.*same key=value"):
        opened(tmp_path).load("t")


def test_files_beside_partition_folders_are_refused_by_name(tmp_path, opened):
    put(tmp_path / "t" / "k=1")
    put(tmp_path / "t")
    with pytest.raises(SourceDataError, match=r"t/a\.parquet"):
        opened(tmp_path).load("t")


def test_a_key_twice_in_one_path_is_refused(tmp_path, opened):
    put(tmp_path / "t" / "k=1" / "k=2")
    with pytest.raises(SourceDataError, match="same key"):
        opened(tmp_path).load("t")


def test_a_column_that_the_file_proves_equal_to_its_folder_is_taken(tmp_path, opened):
    put(tmp_path / "t" / "k=1" / "s=a", k=pa.array([1, 1], pa.int32()), s=["a", "a"], v=[1, 2])
    put(tmp_path / "t" / "k=2" / "s=b", k=pa.array([2], pa.int32()), s=["b"], v=[3])
    catalog = opened(tmp_path)
    assert catalog.load("t").schema.names == ["v", "k", "s"]
    rows = [
        {"v": 1, "k": 1, "s": "a"},
        {"v": 2, "k": 1, "s": "a"},
        {"v": 3, "k": 2, "s": "b"},
    ]
    assert catalog.rows("t") == rows
    assert sorted(catalog.native("t").to_pylist(), key=lambda row: row["v"]) == rows


@pytest.mark.parametrize(
    "column", [[1, 2], [2, 2], [1, None], ["1", "1"]], ids=["other", "all other", "NULL", "text"]
)
def test_a_column_that_may_differ_from_its_folder_is_refused(tmp_path, opened, column):
    put(tmp_path / "t" / "k=1", k=column)
    with pytest.raises(SourceDataError, match=r'"k".*k=1/a\.parquet.*not proven equal'):
        opened(tmp_path).load("t")


def test_a_text_file_that_holds_its_partition_column_is_refused(tmp_path, opened):
    folder = tmp_path / "t" / "k=1"
    folder.mkdir(parents=True)
    (folder / "a.csv").write_text("k,v\n1,2\n")
    with pytest.raises(SourceDataError, match='"k"'):
        opened(tmp_path).load("t")
