import datetime as dt
import re
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from igloo.connectors.contract import HasStatistics, ListsFiles, Pushdown
from igloo.connectors.predicates import Column, Comparison, ComparisonOperator, Literal
from igloo.errors import SourceDataError, UnsupportedType

moment = dt.datetime.fromisoformat
EARLY = moment("2020-01-01")
LATER = moment("2020-01-01T00:00:00.000001")


def put(path, **columns):
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns), path)
    return path


def both_ways(catalog, name):
    """Read a table natively and split by split, which must agree; return its rows."""
    slow = catalog.read(name)
    native = catalog.native(name)
    key = lambda row: repr(sorted(row.items()))  # noqa: E731 - a sort key
    assert sorted(native.to_pylist(), key=key) == sorted(slow.to_pylist(), key=key)
    assert slow.schema.equals(catalog.load(name).schema)
    return slow.to_pylist()


def test_the_row_count_and_statistics_come_from_the_footers(tmp_path, opened):
    put(tmp_path / "t" / "a.parquet", v=[1, 2])
    put(tmp_path / "t" / "b.parquet", v=[3])
    catalog = opened(tmp_path)
    table = catalog.load("t")
    assert table.row_count == 3
    assert isinstance(catalog.connector, HasStatistics)
    size = sum(file.stat().st_size for file in (tmp_path / "t").iterdir())
    found = catalog.connector.statistics(table)
    assert (found.row_count, found.size_bytes) == (3.0, float(size))


def test_files_are_listed_for_datafusion_with_their_sizes(tmp_path, opened):
    file = put(tmp_path / "t.parquet", v=[1])
    catalog = opened(tmp_path)
    assert isinstance(catalog.connector, ListsFiles)
    table = catalog.load("t")
    scan = catalog.connector.list_files(table, Pushdown(columns=("v",)))
    (group,) = scan.groups
    assert [(f.path, f.size_bytes) for f in group.files] == [(str(file), file.stat().st_size)]
    assert (scan.files_planned, scan.files_total, scan.snapshot) == (1, 1, table.version)
    assert scan.read_path == "native"


def test_columns_that_a_file_lacks_are_null_in_its_rows(tmp_path, opened):
    put(tmp_path / "t" / "a.parquet", a=[1], b=["x"])
    put(tmp_path / "t" / "b.parquet", c=[2.5], a=[2])
    catalog = opened(tmp_path)
    assert catalog.load("t").schema.names == ["a", "b", "c"]
    assert both_ways(catalog, "t") == [
        {"a": 1, "b": "x", "c": None},
        {"a": 2, "b": None, "c": 2.5},
    ]


WIDENINGS = {
    "int32 and int64": (pa.array([1, 2**31 - 1], pa.int32()), pa.array([2**40], pa.int64())),
    "int8 and int16": (pa.array([-128], pa.int8()), pa.array([300], pa.int16())),
    "uint32 and int64": (pa.array([2**32 - 1], pa.uint32()), pa.array([-1], pa.int64())),
    "uint8 and uint64": (pa.array([255], pa.uint8()), pa.array([2**64 - 1], pa.uint64())),
    "float32 and float64": (pa.array([0.1], pa.float32()), pa.array([0.1], pa.float64())),
    "float16 and float32": (pa.array([0.1], pa.float16()), pa.array([0.1], pa.float32())),
    "decimals": (
        pa.array([Decimal("9.99")], pa.decimal128(3, 2)),
        pa.array([Decimal("12345.6789")], pa.decimal128(18, 4)),
    ),
    "a wide decimal": (
        pa.array([Decimal("9.99")], pa.decimal128(3, 2)),
        pa.array([Decimal("1" * 50)], pa.decimal256(60, 4)),
    ),
    "no type and int64": (pa.nulls(2), pa.array([1], pa.int64())),
    "no type and a struct": (pa.nulls(2), pa.array([{"x": 1}])),
    "text and large text": (pa.array(["a"]), pa.array(["b"], pa.large_string())),
    "text and views": (pa.array(["a"]), pa.array(["b"], pa.string_view())),
    "bytes and large bytes": (pa.array([b"a"]), pa.array([b"b"], pa.large_binary())),
    "dictionary and text": (pa.array(["a", "b"]).dictionary_encode(), pa.array(["c"])),
    "two dictionaries": (
        pa.array(["a"]).cast(pa.dictionary(pa.int8(), pa.string())),
        pa.array(["b"]).cast(pa.dictionary(pa.int32(), pa.string())),
    ),
}


@pytest.mark.parametrize("case", WIDENINGS)
@pytest.mark.parametrize("order", ["ab", "ba"])
def test_the_type_that_holds_both_files_values_is_taken(tmp_path, opened, case, order):
    narrow, wide = WIDENINGS[case]
    put(tmp_path / "t" / f"{order[0]}.parquet", v=narrow)
    put(tmp_path / "t" / f"{order[1]}.parquet", v=wide)
    catalog = opened(tmp_path)
    assert catalog.load("t").schema.field("v").type == wide.type
    found = sorted(map(repr, (row["v"] for row in both_ways(catalog, "t"))))
    half = pa.types.is_float16(narrow.type)
    exact = [float(v) for v in narrow.to_pylist()] if half else narrow.cast(wide.type).to_pylist()
    assert found == sorted(map(repr, (*exact, *wide.to_pylist())))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (pa.array([1]), pa.array(["x"])),
        (pa.array([1], pa.int64()), pa.array([1.5])),
        (pa.array([1], pa.int8()), pa.array([1], pa.uint8())),
        (pa.array([Decimal(1)], pa.decimal128(38, 0)), pa.array([Decimal("1.5")], pa.decimal128(38, 1))),
        (pa.array([1], pa.timestamp("us", "UTC")), pa.array([1], pa.timestamp("us"))),
        (pa.array([{"x": 1}]), pa.array([{"x": 1, "y": 2}])),
        (pa.array([True]), pa.array([b"a"])),
    ],
)  # fmt: skip
def test_types_that_do_not_fit_name_both_files_the_column_and_both_types(
    tmp_path, opened, one, other
):
    put(tmp_path / "t" / "a.parquet", v=one)
    put(tmp_path / "t" / "b.parquet", v=other)
    with pytest.raises(SourceDataError) as caught:
        opened(tmp_path).load("t")
    text = caught.value.message
    assert re.search(r'column "v".*a\.parquet.*b\.parquet', text)
    assert str(one.type) in text
    assert str(other.type) in text
    assert caught.value.context["column"] == "v"


def test_timestamps_of_two_units_are_read_split_by_split(tmp_path, opened):
    put(tmp_path / "t" / "a.parquet", at=pa.array([EARLY], pa.timestamp("ms")))
    put(tmp_path / "t" / "b.parquet", at=pa.array([LATER], pa.timestamp("us")))
    catalog = opened(tmp_path)
    assert catalog.native("t") is None, "DataFusion cuts the filter's value to milliseconds"
    assert catalog.load("t").schema.field("at").type == pa.timestamp("us")
    before = Comparison(
        Column("at"), ComparisonOperator.LESS, Literal(pa.scalar(LATER, pa.timestamp("us")))
    )
    assert catalog.rows("t", filter=before) == [{"at": EARLY}]


def test_timestamps_that_the_wider_unit_cannot_hold_are_an_error(tmp_path, opened):
    far = pa.array([moment("9999-01-01")], pa.timestamp("us"))
    put(tmp_path / "t" / "a.parquet", at=far)
    put(tmp_path / "t" / "b.parquet", at=pa.array([1], pa.timestamp("ns")))
    with pytest.raises(SourceDataError, match=r'a\.parquet.*"at"'):
        opened(tmp_path).rows("t")


def test_int96_is_read_in_microseconds_for_all_years(tmp_path, opened):
    moments = [moment("0001-01-01"), moment("9999-12-31T23:59:59.999999"), None]
    table = pa.table({"at": pa.array(moments, pa.timestamp("us")), "v": [1, 2, 3]})
    pq.write_table(table, tmp_path / "t.parquet", use_deprecated_int96_timestamps=True)
    catalog = opened(tmp_path)
    assert catalog.native("t") is None
    assert catalog.read("t").equals(table)
    assert catalog.read("t", columns=("v",)).column("v").to_pylist() == [1, 2, 3]


def test_int96_finer_than_a_microsecond_is_refused(tmp_path, opened):
    table = pa.table({"at": pa.array([1_001], pa.timestamp("ns"))})
    pq.write_table(table, tmp_path / "t.parquet", use_deprecated_int96_timestamps=True)
    with pytest.raises(SourceDataError, match=r'"at".*finer than a microsecond'):
        opened(tmp_path).rows("t")


def test_int96_inside_of_another_type_is_refused_by_name(tmp_path, opened):
    table = pa.table({"s": pa.array([{"at": EARLY}], pa.struct([("at", pa.timestamp("us"))]))})
    pq.write_table(table, tmp_path / "t.parquet", use_deprecated_int96_timestamps=True)
    with pytest.raises(UnsupportedType, match=r"s\.at") as caught:
        opened(tmp_path).load("t")
    assert caught.value.context["type"] == "INT96"


@pytest.mark.parametrize("type_", [pa.float16(), pa.float32(), pa.float64()])
def test_columns_that_hold_nan_are_read_split_by_split(tmp_path, opened, type_):
    put(tmp_path / "t.parquet", x=pa.array([1.0, float("nan")], type_), y=[1.0, None], v=[1, 2])
    catalog = opened(tmp_path)
    assert catalog.native("t") is None, "DataFusion would take x for constantly 1.0"
    table = catalog.load("t")
    for columns, is_native in ((("v",), True), (("y", "v"), True), (("x",), False)):
        listed = catalog.connector.list_files(table, Pushdown(columns=columns))
        assert (listed is not None) is is_native
    above = Comparison(Column("x"), ComparisonOperator.GREATER, Literal(pa.scalar(3.0, type_)))
    offer = Pushdown(columns=("v",), filter=above)
    assert catalog.connector.list_files(table, offer) is None
    if not pa.types.is_float16(type_):
        assert [row["v"] for row in catalog.rows("t", filter=above)] == [2]


def test_a_rewritten_file_is_searched_for_nan_again(tmp_path, opened):
    put(tmp_path / "t.parquet", x=[1.0, 2.0])
    catalog = opened(tmp_path)
    assert catalog.native("t").num_rows == 2
    put(tmp_path / "t.parquet", x=[1.0, float("nan")])
    assert catalog.native("t") is None


def test_a_table_too_large_to_be_searched_for_nan_is_read_split_by_split(
    tmp_path, opened, monkeypatch
):
    from igloo.connectors.files import parquet

    put(tmp_path / "t.parquet", x=[1.0, 1.0], v=[1, 2])
    monkeypatch.setattr(parquet, "_NAN_SEARCH_BYTES_MAX", 1)
    catalog = opened(tmp_path)
    assert catalog.native("t") is None
    listed = catalog.connector.list_files(catalog.load("t"), Pushdown(columns=("v",)))
    assert listed is not None


def test_what_pandas_says_of_types_and_order_is_not_believed(tmp_path, opened):
    table = pa.table({"v": [1]}, metadata={b"pandas": b'{"index_columns": ["nope"]}'})
    pq.write_table(table, tmp_path / "t.parquet")
    schema = opened(tmp_path).load("t").schema
    assert schema.metadata is None
    assert schema.names == ["v"]


def test_a_column_may_be_null_unless_every_file_requires_it(tmp_path, opened):
    required = pa.schema([pa.field("v", pa.int64(), nullable=False)])
    (tmp_path / "t").mkdir()
    pq.write_table(pa.table({"v": [1]}, schema=required), tmp_path / "t" / "a.parquet")
    assert not opened(tmp_path).load("t").schema.field("v").nullable
    pq.write_table(pa.table({"v": [2, None]}), tmp_path / "t" / "b.parquet")
    assert opened(tmp_path).load("t").schema.field("v").nullable
    assert opened(tmp_path).native("t").column("v").null_count == 1


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[: len(data) // 2],
        lambda data: data[:-1],
        lambda _: b"garbage" * 50,
        lambda _: b"",
        lambda data: data[:-12] + b"\xff" * 4 + data[-8:],
    ],
    ids=["half", "one byte short", "garbage", "empty", "footer"],
)
def test_a_damaged_file_is_named(tmp_path, opened, damage):
    file = put(tmp_path / "t.parquet", v=list(range(1000)))
    file.write_bytes(damage(file.read_bytes()))
    with pytest.raises(SourceDataError, match=r"t\.parquet.*as Parquet"):
        opened(tmp_path).rows("t")


def test_damage_between_the_footers_is_found_when_it_is_read(tmp_path, opened):
    file = put(tmp_path / "t.parquet", v=list(range(10_000)))
    data = bytearray(file.read_bytes())
    data[4:200] = b"\xff" * 196
    file.write_bytes(data)
    catalog = opened(tmp_path)
    table = catalog.load("t")
    assert table.row_count == 10_000
    with pytest.raises(SourceDataError, match=r"t\.parquet"):
        catalog.rows("t")


def test_a_file_that_goes_away_before_it_is_read_is_named(tmp_path, opened):
    from igloo.cancel import CancelToken
    from igloo.errors import SourceUnavailable

    file = put(tmp_path / "t.parquet", v=[1])
    catalog = opened(tmp_path)
    (split,) = catalog.scan(catalog.load("t")).splits
    file.unlink()
    with pytest.raises(SourceUnavailable, match=r"t\.parquet") as caught:
        catalog.connector.read_split(split, CancelToken()).read_all()
    assert caught.value.context["catalog"] == "lake"


def test_two_columns_of_one_name_are_refused(tmp_path, opened):
    pq.write_table(pa.table([[1], [2]], names=["v", "v"]), tmp_path / "t.parquet")
    with pytest.raises(SourceDataError, match='two columns named "v"'):
        opened(tmp_path).load("t")


def test_a_column_named_like_a_path_into_another_is_not_mixed_up(tmp_path, opened):
    put(tmp_path / "t.parquet", **{"a": [{"b": 1}], "a.b": [2]})
    catalog = opened(tmp_path)
    assert catalog.read("t", columns=("a.b",)).to_pylist() == [{"a.b": 2}]
    assert catalog.read("t", columns=("a",)).to_pylist() == [{"a": {"b": 1}}]


def test_extension_types_are_read_as_what_they_are_stored_as(tmp_path, opened):
    ids = pa.ExtensionArray.from_storage(pa.uuid(), pa.array([b"\x01" * 16, None], pa.binary(16)))
    put(tmp_path / "t.parquet", id=ids)
    catalog = opened(tmp_path)
    assert catalog.load("t").schema.field("id").type == pa.binary(16)
    assert both_ways(catalog, "t") == [{"id": b"\x01" * 16}, {"id": None}]


def test_lists_whose_items_are_named_in_two_ways_fit(tmp_path, opened):
    table = pa.table({"v": [[1, None], None]})
    (tmp_path / "t").mkdir()
    pq.write_table(table, tmp_path / "t" / "a.parquet", use_compliant_nested_type=False)
    pq.write_table(table, tmp_path / "t" / "b.parquet", use_compliant_nested_type=True)
    assert both_ways(opened(tmp_path), "t") == table.to_pylist() * 2


def test_a_rewritten_file_is_described_anew(tmp_path, opened):
    put(tmp_path / "t.parquet", v=[1])
    catalog = opened(tmp_path)
    assert catalog.load("t").schema.names == ["v"]
    put(tmp_path / "t.parquet", w=["x", "y"])
    table = catalog.load("t")
    assert (table.schema.names, table.row_count) == (["w"], 2)


def test_a_file_without_rows_or_groups_is_an_empty_table(tmp_path, opened):
    put(tmp_path / "t.parquet", v=pa.array([], pa.int64()))
    catalog = opened(tmp_path)
    assert catalog.load("t").row_count == 0
    assert catalog.native("t").num_rows == catalog.read("t").num_rows == 0
