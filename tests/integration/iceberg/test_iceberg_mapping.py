"""Columns are found by field id, whatever a file calls them."""

import json
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from datafusion import functions, lit
from iceberg_reading import in_order, list_files, load, read_natively, read_splits
from iceberg_tables import SIMPLE, simple, simple_rows
from iceberg_writing import local, numbered
from pyiceberg.types import DecimalType, DoubleType, IntegerType, LongType, StringType

from igloo.connectors.contract import Pushdown
from igloo.engine.execution.file_scan import bind_file_scan
from igloo.errors import NotSupported, SourceDataError, UnsupportedType
from igloo.names import TableName


def check(session, connector, name, rows):
    assert in_order(read_natively(session, connector, name).to_pylist()) == in_order(rows)
    assert in_order(read_splits(connector, name).to_pylist()) == in_order(rows)


def replace_file(lake, name, fields, columns):
    """Write other columns into a table's only data file."""
    (location,) = lake.data_files(name)
    pq.write_table(pa.table(columns, schema=pa.schema(fields)), local(location))


def test_a_file_that_calls_columns_otherwise_is_read_by_id(lake, connector, session):
    """The schema never changed, so names alone would give NULLs and swapped columns."""
    lake.create("t", SIMPLE).append(simple(0, 3))
    fields = [
        numbered("col-7f", pa.string(), 3),
        numbered("v", pa.int64(), 1),
        numbered("id", pa.int64(), 2),
    ]
    replace_file(lake, "t", fields, [["a", "b", None], [1, 2, 3], [10, 20, 30]])
    rows = [{"id": i, "v": 10 * i, "s": s} for i, s in ((1, "a"), (2, "b"), (3, None))]
    assert list_files(connector, "t").read_path == "mapped"
    check(session, connector, "t", rows)


def test_columns_added_and_dropped_need_no_mapping(lake, connector, session):
    table = lake.create("t", SIMPLE)
    table.append(simple(0, 3))
    with table.update_schema() as update:
        update.delete_column("v")
        update.add_column("w", StringType())
    lake.load("t").append(pa.table({"id": [3], "s": ["x"], "w": ["y"]}))
    rows = [{"id": r["id"], "s": r["s"], "w": None} for r in simple_rows(0, 3)]
    assert list_files(connector, "t").read_path == "native"
    check(session, connector, "t", [*rows, {"id": 3, "s": "x", "w": "y"}])


def test_odd_column_names_are_read(lake, connector, session):
    names = ["a.b", "Select", 'say "hi"', "ünï", "two words", "a", "A", "1st", "%41"]
    lake.create("t", pa.schema([(name, pa.int64()) for name in names]))
    row = {name: number for number, name in enumerate(names)}
    lake.load("t").append(pa.Table.from_pylist([row]))
    check(session, connector, "t", [row])


def test_files_without_ids_are_read_by_the_name_mapping(lake, connector, session, tmp_path):
    table = lake.create("t", SIMPLE)
    path = tmp_path / "added.parquet"
    pq.write_table(simple(0, 5), path)
    table.add_files([f"file://{path}"])
    check(session, connector, "t", simple_rows(0, 5))
    with lake.load("t").update_schema() as update:
        update.rename_column("v", "w")
    renamed = [{"id": r["id"], "w": r["v"], "s": r["s"]} for r in simple_rows(0, 5)]
    check(session, connector, "t", renamed)


def test_nested_files_without_ids_are_read_by_the_name_mapping(lake, connector, session, tmp_path):
    schema = pa.schema(
        [
            ("p", pa.struct([("x", pa.int64()), ("tags", pa.list_(pa.string()))])),
            ("m", pa.map_(pa.string(), pa.int64())),
        ]
    )
    rows = [{"p": {"x": 1, "tags": ["a", None]}, "m": [("k", 1)]}, {"p": None, "m": None}]
    path = tmp_path / "added.parquet"
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), path)
    lake.create("t", schema).add_files([f"file://{path}"])
    check(session, connector, "t", rows)
    with lake.load("t").update_schema() as update:
        update.rename_column("p.x", "y")
    renamed = [{"p": {"y": 1, "tags": ["a", None]}, "m": [("k", 1)]}, rows[1]]
    check(session, connector, "t", renamed)


def test_files_without_ids_or_mapping_are_refused(lake, connector):
    lake.create("t", SIMPLE).append(simple(0, 3))
    replace_file(lake, "t", SIMPLE, simple(0, 3).columns)
    with pytest.raises(NotSupported, match="no field ids"):
        list_files(connector, "t")


ITEM = pa.struct([("a", pa.int64()), ("b", pa.string())])


def test_what_changes_inside_a_list_or_map_is_read_by_splits_alone(lake, connector):
    schema = pa.schema(
        [("id", pa.int64()), ("items", pa.list_(ITEM)), ("by_key", pa.map_(pa.string(), ITEM))]
    )
    table = lake.create("t", schema)
    item = {"a": 1, "b": "x"}
    rows = [
        {"id": 1, "items": [item, None], "by_key": [("k", item), ("n", None)]},
        {"id": 2, "items": [], "by_key": []},
        {"id": 3, "items": [{"a": None, "b": None}], "by_key": None},
    ]
    table.append(pa.Table.from_pylist(rows, schema=schema))
    # pyiceberg turns NULL lists and maps of structs into empty ones; the file gets the right rows.
    written = pq.read_schema(local(lake.data_files("t")[0]))
    replace_file(
        lake, "t", written, pa.Table.from_pylist(rows, schema=schema).cast(written).columns
    )
    with table.update_schema() as update:
        update.rename_column("items.element.a", "c")
        update.add_column(("items", "element", "d"), IntegerType())
        update.delete_column(("by_key", "value", "b"))
    assert list_files(connector, "t") is None
    found = read_splits(connector, "t").to_pylist()
    new = {"c": 1, "b": "x", "d": None}
    assert in_order(found) == in_order(
        [
            {"id": 1, "items": [new, None], "by_key": [("k", {"a": 1}), ("n", None)]},
            {"id": 2, "items": [], "by_key": []},
            {"id": 3, "items": [{"c": None, "b": None, "d": None}], "by_key": None},
        ]
    )


def test_deletes_and_defaults_hold_where_only_splits_are_read(lake, connector):
    schema = pa.schema([("id", pa.int64()), ("items", pa.list_(ITEM))])
    table = lake.create("t", schema)
    rows = [{"id": i, "items": [{"a": i, "b": "x"}]} for i in range(6)]
    table.append(pa.Table.from_pylist(rows, schema=schema))
    lake.delete_positions("t", {lake.data_files("t")[0]: [0]})
    lake.delete_keys("t", pa.table({"id": pa.array([5])}), {"id": 1})
    with lake.load("t").update_schema() as update:
        update.rename_column("items.element.a", "c")
    assert list_files(connector, "t") is None
    found = read_splits(connector, "t").to_pylist()
    assert in_order(found) == in_order(
        [{"id": i, "items": [{"c": i, "b": "x"}]} for i in range(1, 5)]
    )


def test_defaults_inside_of_a_struct_are_filled_in(lake, connector, session):
    schema = pa.schema([("id", pa.int64()), ("p", pa.struct([("x", pa.int64())]))])
    table = lake.create("t", schema)
    rows = [{"id": 1, "p": {"x": 1}}, {"id": 2, "p": None}]
    table.append(pa.Table.from_pylist(rows, schema=schema))
    with table.update_schema() as update:
        update.add_column(("p", "y"), StringType())

    def edit(content):
        content["format-version"], content["next-row-id"] = 3, 0
        for one in content["schemas"]:
            for field in one["fields"]:
                for child in field["type"]["fields"] if field["name"] == "p" else ():
                    if child["name"] == "y":
                        child["initial-default"] = "new"

    lake.edit_metadata("t", edit)
    check(session, connector, "t", [{"id": 1, "p": {"x": 1, "y": "new"}}, {"id": 2, "p": None}])


def test_a_required_column_that_a_file_lacks_is_an_error(lake, connector):
    schema = pa.schema([pa.field("id", pa.int64(), nullable=False), ("v", pa.int64())])
    lake.create("t", schema).append(pa.Table.from_pylist([{"id": 1, "v": 1}], schema=schema))
    replace_file(lake, "t", [numbered("v", pa.int64(), 2)], [[1]])
    with pytest.raises(SourceDataError, match='"id"'):
        list_files(connector, "t")


@pytest.mark.parametrize(
    ("table_type", "file_type"),
    [
        (pa.int32(), pa.int64()),
        (pa.int64(), pa.string()),
        (pa.timestamp("us"), pa.timestamp("ns")),
        (pa.timestamp("us", "UTC"), pa.timestamp("us")),
        (pa.decimal128(9, 2), pa.decimal128(9, 3)),
        (pa.string(), pa.binary()),
    ],
)
def test_a_file_of_another_type_is_refused(lake, connector, table_type, file_type):
    table = lake.create("t", pa.schema([("c", table_type)]))
    table.append(pa.table({"c": pa.nulls(2, table_type)}))
    replace_file(lake, "t", [numbered("c", file_type, 1)], [pa.nulls(2, file_type)])
    with pytest.raises(NotSupported, match='"c"'):
        list_files(connector, "t")


@pytest.mark.parametrize("kind", ["unknown", "variant", "geometry", "geography"])
def test_types_that_are_not_carried_name_their_column(lake, connector, kind):
    lake.create("t", SIMPLE)

    def edit(content):
        content["format-version"], content["next-row-id"] = 3, 0
        content["schemas"][0]["fields"][1]["type"] = kind

    lake.edit_metadata("t", edit)
    with pytest.raises(UnsupportedType) as caught:
        load(connector, "t")
    assert caught.value.context["column"] == "v"


def test_nanosecond_timestamps_have_their_own_type(lake, connector):
    lake.create("t", pa.schema([("a", pa.timestamp("us")), ("b", pa.timestamp("us", "UTC"))]))

    def edit(content):
        content["format-version"], content["next-row-id"] = 3, 0
        for field in content["schemas"][0]["fields"]:
            field["type"] = {"timestamp": "timestamp_ns", "timestamptz": "timestamptz_ns"}[
                field["type"]
            ]

    lake.edit_metadata("t", edit)
    types = load(connector, "t").schema.types
    assert types == [pa.timestamp("ns"), pa.timestamp("ns", "UTC")]


def test_an_encrypted_table_is_refused(lake, connector):
    lake.create("t", SIMPLE)
    lake.edit_metadata("t", lambda m: m["properties"].update({"encryption.key-id": "k"}))
    with pytest.raises(NotSupported, match="encrypted") as caught:
        load(connector, "t")
    assert caught.value.context["table"] == "db.t"


def test_gzipped_metadata_is_read(lake, connector):
    lake.create("t", SIMPLE, **{"write.metadata.compression-codec": "gzip"}).append(simple(0, 3))
    assert load(connector, "t").row_count == 3


def test_a_table_without_a_snapshot_is_empty(lake, connector, session):
    lake.create("t", SIMPLE)
    assert load(connector, "t").row_count == 0
    check(session, connector, "t", [])


def test_a_version_1_table_is_read(lake, connector, session):
    lake.create("t", SIMPLE, **{"format-version": "1"}).append(simple(0, 3))
    content = json.loads(Path(local(lake.load("t").metadata_location)).read_text())
    assert content["format-version"] == 1
    check(session, connector, "t", simple_rows(0, 3))


def test_a_partition_column_that_was_dropped_prunes_nothing(lake, connector, session):
    from iceberg_writing import BucketTransform

    from igloo.connectors.predicates import Column, Comparison, ComparisonOperator, Literal

    table = lake.create("t", SIMPLE, partition_by=[("v", BucketTransform(2))])
    table.append(simple(0, 10))
    with table.update_spec() as update:
        update.remove_field("v_0")
    with lake.load("t").update_schema() as update:
        update.delete_column("v")
    where = Comparison(Column("id"), ComparisonOperator.LESS, Literal(pa.scalar(3)))
    rows = [{"id": r["id"], "s": r["s"]} for r in simple_rows(0, 3)]
    assert in_order(read_natively(session, connector, "t", where).to_pylist()) == in_order(rows)


def test_zero_columns_are_planned(lake, connector):
    lake.create("t", SIMPLE).append(simple(0, 3))
    table = connector.load_table(TableName("db", "t"))
    assert connector.list_files(table, Pushdown(columns=())).files_planned == 1


def test_counts_and_bounds_from_statistics_are_those_of_the_rows(lake, connector, session):
    """DataFusion answers these from the files' footers, whose types are older than the table's."""
    schema = pa.schema([("i", pa.int32()), ("f", pa.float32()), ("d", pa.decimal128(5, 2))])
    table = lake.create("t", schema)
    old = {"i": -5, "f": 0.5, "d": Decimal("-999.99")}
    table.append(pa.Table.from_pylist([old, dict.fromkeys(old)], schema=schema))
    with table.update_schema() as update:
        update.update_column("i", LongType())
        update.update_column("f", DoubleType())
        update.update_column("d", DecimalType(18, 2))
        update.add_column("new", StringType())
    table = lake.load("t")
    new = {"i": 2**40, "f": 1e300, "d": Decimal("1e15").quantize(Decimal("0.01")), "new": "x"}
    table.append(pa.Table.from_pylist([new], schema=table.schema().as_arrow()))
    scan = list_files(connector, "t")
    assert scan.read_path == "native"
    rows = bind_file_scan(session, scan, load(connector, "t").schema)
    for name in ("i", "f", "d", "new"):
        column = rows.col(name)
        found = rows.aggregate(
            [],
            [
                functions.count(lit(1)).alias("rows"),
                functions.count(column).alias("values"),
                functions.min(column).alias("low"),
                functions.max(column).alias("high"),
            ],
        ).to_pylist()
        low = "x" if name == "new" else old[name]
        values = 1 if name == "new" else 2
        assert found == [{"rows": 3, "values": values, "low": low, "high": new[name]}]
    assert rows.filter(rows.col("i") > lit(2**33)).count() == 1
    assert rows.filter(rows.col("new").is_null()).count() == 2
    assert rows.filter(rows.col("d") < lit(pa.scalar(Decimal("-1.00")))).count() == 1
