"""Which rows a delete removes, and which it must leave."""

from pathlib import Path

import pyarrow as pa
import pytest
from iceberg_reading import in_order, list_files, load, read_natively, read_splits
from iceberg_tables import SIMPLE, simple, simple_rows
from iceberg_writing import local
from pyiceberg.transforms import IdentityTransform
from pyiceberg.types import LongType

from igloo.cancel import CancelToken
from igloo.connectors.contract import Pushdown
from igloo.connectors.predicates import Column, Comparison, ComparisonOperator, Literal
from igloo.errors import NotSupported, SourceDataError


def below(column, value):
    return Comparison(Column(column), ComparisonOperator.LESS, Literal(pa.scalar(value)))


def check(session, connector, name, rows, where=None):
    assert in_order(read_natively(session, connector, name, where).to_pylist()) == in_order(rows)
    assert in_order(read_splits(connector, name, where).to_pylist()) == in_order(rows)


def test_deletes_hold_under_a_filter_that_prunes_files(lake, connector, session):
    table = lake.create("t", SIMPLE)
    for start in (0, 100, 200):
        table.append(simple(start, start + 100))
    files = lake.data_files("t")
    lake.delete_positions("t", {file: [0, 1, 50] for file in files})
    where = below("id", 120)
    scan = list_files(connector, "t", where)
    assert (scan.files_planned, scan.files_total) == (2, 3)
    gone = {0, 1, 50, 100, 101, 150}
    rows = [row for row in simple_rows(0, 120) if row["id"] not in gone]
    check(session, connector, "t", rows, where)


def test_the_row_numbers_count_rows_that_a_filter_skips(lake, connector, session):
    table = lake.create("t", SIMPLE, **{"write.parquet.row-group-limit": "10"})
    table.append(simple(0, 100))
    lake.delete_positions("t", {lake.data_files("t")[0]: [95, 99]})
    scan = list_files(connector, "t")
    found = read_natively(session, connector, "t", below("id", 10**6)).to_pylist()
    assert scan.read_path == "deletes"
    assert in_order(found) == in_order([r for r in simple_rows(0, 100) if r["id"] not in (95, 99)])


def test_deletes_by_position_spare_files_that_are_younger(lake, connector, session):
    lake.create("t", SIMPLE).append(simple(0, 10))
    first = lake.data_files("t")[0]
    lake.delete_positions("t", {first: [1]})
    lake.load("t").append(simple(10, 20))
    check(session, connector, "t", [r for r in simple_rows(0, 20) if r["id"] != 1])


def test_deletes_by_key_hold_in_their_own_partition_only(lake, connector, session):
    table = lake.create("t", SIMPLE, partition_by=[("s", IdentityTransform())])
    table.append(simple(0, 14))
    keys = pa.table({"id": pa.array([0, 1, 7])})
    lake.delete_keys("t", keys, {"id": 1}, partition=("s0",))
    # 1 is in the partition s1, where the delete does not reach.
    check(session, connector, "t", [r for r in simple_rows(0, 14) if r["id"] not in (0, 7)])


def test_deletes_by_key_of_an_unpartitioned_spec_hold_everywhere(lake, connector, session):
    table = lake.create("t", SIMPLE)
    lake.load("t").append(simple(100, 105))
    lake.delete_keys("t", pa.table({"id": pa.array([101])}), {"id": 1})
    with table.update_spec() as update:
        update.add_field("s", IdentityTransform(), "s_0")
    table = lake.load("t")
    table.append(simple(0, 7))
    # Younger data is spared, also in a partition of a younger spec.
    lake.load("t").append(simple(101, 102))
    rows = [r for r in simple_rows(100, 105) if r["id"] != 101]
    check(session, connector, "t", rows + simple_rows(0, 7) + simple_rows(101, 102))


def test_keys_are_compared_after_a_promotion_and_a_rename(lake, connector, session):
    schema = pa.schema([("id", pa.int32()), ("s", pa.string())])
    table = lake.create("t", schema)
    table.append(pa.table({"id": [1, 2, 3], "s": ["a", "b", "c"]}, schema=schema))
    lake.delete_keys("t", pa.table({"id": pa.array([2], pa.int32())}), {"id": 1})
    with lake.load("t").update_schema() as update:
        update.update_column("id", LongType())
        update.rename_column("id", "number")
    check(session, connector, "t", [{"number": 1, "s": "a"}, {"number": 3, "s": "c"}])


def test_keys_over_several_columns_delete_whole_matches_only(lake, connector, session):
    table = lake.create("t", SIMPLE)
    rows = [{"id": i, "v": i % 2 or None, "s": None if i % 3 else "x"} for i in range(12)]
    table.append(pa.Table.from_pylist(rows, schema=SIMPLE))
    keys = pa.table({"v": pa.array([None, 1], pa.int64()), "s": pa.array(["x", None])})
    lake.delete_keys("t", keys, {"v": 2, "s": 3})
    left = [r for r in rows if (r["v"], r["s"]) not in ((None, "x"), (1, None))]
    assert 0 < len(left) < 12
    check(session, connector, "t", left)


@pytest.mark.parametrize("kind", [pa.float64(), pa.float32()])
def test_keys_of_floats_are_refused(lake, connector, kind):
    table = lake.create("t", pa.schema([("f", kind)]))
    table.append(pa.table({"f": pa.array([1.0, -0.0], kind)}))
    lake.delete_keys("t", pa.table({"f": pa.array([0.0], kind)}), {"f": 1})
    with pytest.raises(NotSupported, match='"f"') as caught:
        list_files(connector, "t")
    assert caught.value.context["table"] == "db.t"


def test_a_replaced_vector_deletes_nothing(lake, connector, session):
    """Two vectors share a file; when one is replaced, its old bits are still in the file."""
    table = lake.create("t", SIMPLE)
    for start in (0, 10):
        table.append(simple(start, start + 10))
    files = lake.data_files("t")
    lake.delete_by_vectors("t", {files[0]: [1], files[1]: [2, 3]})
    scan = list_files(connector, "t")
    (group,) = scan.groups
    assert sorted(group.position_deletes.positions["position"].to_pylist()) == [1, 2, 3]
    check(session, connector, "t", [r for r in simple_rows(0, 20) if r["id"] not in (1, 12, 13)])


def test_a_vector_reaches_beyond_32_bits(lake, connector):
    lake.create("t", SIMPLE).append(simple(0, 10))
    file = lake.data_files("t")[0]
    positions = [3, 2**32 + 5, 2**40]
    lake.delete_by_vectors("t", {file: positions})
    found = list_files(connector, "t").groups[0].position_deletes.positions
    assert found["position"].to_pylist() == positions


def test_a_damaged_vector_is_an_error(lake, connector):
    lake.create("t", SIMPLE).append(simple(0, 10))
    location = lake.delete_by_vectors("t", {lake.data_files("t")[0]: [3]})
    path = Path(local(location))
    content = bytearray(path.read_bytes())
    content[20] ^= 1
    path.write_bytes(content)
    with pytest.raises(SourceDataError, match="damaged"):
        list_files(connector, "t")


def test_a_vector_that_deletes_another_number_of_rows_is_an_error(lake, connector):
    lake.create("t", SIMPLE).append(simple(0, 10))
    lake.delete_by_vectors("t", {lake.data_files("t")[0]: [3]}, cardinality=2)
    with pytest.raises(SourceDataError, match="deletes 1 rows"):
        list_files(connector, "t")


def test_a_missing_delete_file_is_an_error_and_not_more_rows(lake, connector):
    lake.create("t", SIMPLE).append(simple(0, 10))
    location = lake.delete_by_vectors("t", {lake.data_files("t")[0]: [3]})
    Path(local(location)).unlink()
    with pytest.raises(SourceDataError, match="puffin") as caught:
        list_files(connector, "t")
    assert caught.value.context["catalog"] == "ice"
    table = load(connector, "t")
    (split,) = connector.plan_scan(table, Pushdown(columns=("id",))).splits
    with pytest.raises(SourceDataError):
        connector.read_split(split, CancelToken()).read_all()
