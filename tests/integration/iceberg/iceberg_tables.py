"""The seven kinds of Iceberg table that readers get wrong, each with its rows known beforehand.

Each maker writes one table and returns the rows that a right reader finds, as dictionaries. The
rows are computed here and never read back from the table.
"""

import datetime as dt
from decimal import Decimal

import pyarrow as pa
from pyiceberg.transforms import BucketTransform, DayTransform, TruncateTransform
from pyiceberg.types import DecimalType, DoubleType, IntegerType, LongType, StringType

SIMPLE = pa.schema([("id", pa.int64()), ("v", pa.int64()), ("s", pa.string())])


def simple_rows(start, end):
    return [{"id": i, "v": i * 10, "s": f"s{i % 7}"} for i in range(start, end)]


def simple(start, end):
    return pa.Table.from_pylist(simple_rows(start, end), schema=SIMPLE)


def evolved(lake):
    """Renamed, promoted, dropped, re-added, reordered and nested columns."""
    schema = pa.schema(
        [
            ("id", pa.int32()),
            ("name", pa.string()),
            ("price", pa.float32()),
            ("d", pa.decimal128(9, 2)),
            ("addr", pa.struct([("street", pa.string()), ("zip", pa.int32())])),
            ("dropme", pa.string()),
        ]
    )
    old = [
        {
            "id": i,
            "name": f"old{i}",
            "price": i * 0.5,
            "d": Decimal(i),
            "addr": None if i == 50 else {"street": f"st{i}", "zip": i},
            "dropme": "gone",
        }
        for i in range(100)
    ]
    table = lake.create("evolved", schema)
    table.append(pa.Table.from_pylist(old, schema=schema))
    with table.update_schema() as update:
        update.rename_column("name", "full_name")
        update.update_column("id", LongType())
        update.update_column("price", DoubleType())
        update.update_column("d", DecimalType(18, 2))
        update.rename_column("addr.street", "road")
        update.add_column(("addr", "country"), StringType())
        update.delete_column("dropme")
        update.move_first("price")
    with table.update_schema() as update:
        update.add_column("name", StringType())
        update.add_column("dropme", StringType())
    new = [
        {
            "price": i * 0.5,
            "id": i + 2**40,
            "full_name": f"new{i}",
            "d": Decimal(i),
            "addr": {"road": f"st{i}", "zip": i, "country": "NZ"},
            "name": "second",
            "dropme": "back",
        }
        for i in range(100, 200)
    ]
    table.append(pa.Table.from_pylist(new, schema=table.schema().as_arrow()))
    moved = [
        {
            "price": row["price"],
            "id": row["id"],
            "full_name": row["name"],
            "d": row["d"],
            "addr": row["addr"]
            and {"road": row["addr"]["street"], "zip": row["addr"]["zip"], "country": None},
            "name": None,
            "dropme": None,
        }
        for row in old
    ]
    return moved + new


def defaults(lake):
    """A column added with a default, which only format version 3 has."""
    table = lake.create("defaults", pa.schema([("id", pa.int64())]))
    table.append(pa.table({"id": pa.array(range(10), pa.int64())}))
    with table.update_schema() as update:
        update.add_column("c", IntegerType())
    rows = {"id": pa.array(range(10, 20), pa.int64()), "c": pa.array([7] * 10, pa.int32())}
    table.append(pa.table(rows))

    def edit(content):
        content["format-version"] = 3
        content["next-row-id"] = 0
        for schema in content["schemas"]:
            for field in schema["fields"]:
                if field["name"] == "c":
                    field["initial-default"] = field["write-default"] = 42

    lake.edit_metadata("defaults", edit)
    return [{"id": i, "c": 42 if i < 10 else 7} for i in range(20)]


def repartitioned(lake):
    """Unpartitioned, then bucketed, then by day and truncated text; before and after 1970."""
    schema = pa.schema([("id", pa.int64()), ("ts", pa.timestamp("us")), ("s", pa.string())])
    start = dt.datetime(1969, 12, 1)  # noqa: DTZ001 - a timestamp without zone
    rows = [
        {"id": i, "ts": start + dt.timedelta(hours=6 * i), "s": f"k{i % 5}x"} for i in range(300)
    ]
    table = lake.create("repartitioned", schema)

    def append(first, end):
        table.append(pa.Table.from_pylist(rows[first:end], schema=schema))

    append(0, 100)
    with table.update_spec() as update:
        update.add_field("id", BucketTransform(4), "id_bucket")
    append(100, 200)
    with table.update_spec() as update:
        update.remove_field("id_bucket")
        update.add_field("ts", DayTransform(), "ts_day")
        update.add_field("s", TruncateTransform(2), "s_start")
    append(200, 300)
    return rows


def position_deleted(lake):
    """One delete file that names rows of two data files, and a third file without deletes."""
    table = lake.create("position_deleted", SIMPLE)
    for start in (0, 100, 200):
        table.append(simple(start, start + 100))
    files = lake.data_files("position_deleted")
    lake.delete_positions("position_deleted", {files[0]: [0, 1, 2], files[1]: [5]})
    lake.delete_positions("position_deleted", {files[0]: [99]})
    return [row for row in simple_rows(0, 300) if row["id"] not in (0, 1, 2, 99, 105)]


def equality_deleted(lake):
    """Rows deleted by value, NULL included, some of them inserted again afterwards."""
    table = lake.create("equality_deleted", SIMPLE)
    table.append(simple(0, 100))
    nulls = [{"id": 1000, "v": None, "s": None}, {"id": 1001, "v": 1, "s": None}]
    table.append(pa.Table.from_pylist(nulls, schema=SIMPLE))
    lake.delete_keys("equality_deleted", pa.table({"id": pa.array([3, 4, 5])}), {"id": 1})
    pair = pa.table({"v": pa.array([None, 70], pa.int64()), "s": pa.array([None, "s0"])})
    lake.delete_keys("equality_deleted", pair, {"v": 2, "s": 3})
    lake.load("equality_deleted").append(simple(3, 5))
    return [row for row in simple_rows(0, 100) if row["id"] not in (3, 4, 5, 7)] + [
        {"id": 1001, "v": 1, "s": None},
        *simple_rows(3, 5),
    ]


def vector_deleted(lake):
    """Deletion vectors of two data files in one puffin file, one of them replaced later.

    The replaced one comes back into force for nobody: what it deleted and its successor does not
    must be there.
    """
    table = lake.create("vector_deleted", SIMPLE)
    for start in (0, 100, 200):
        table.append(simple(start, start + 100))
    files = lake.data_files("vector_deleted")
    lake.delete_positions("vector_deleted", {files[0]: [7]})
    lake.delete_by_vectors("vector_deleted", {files[0]: [0, 50, 99], files[1]: [10]})
    lake.raise_to_version_3("vector_deleted")
    # A vector takes the place of the delete file, whose position 7 no longer counts.
    return [row for row in simple_rows(0, 300) if row["id"] not in (0, 50, 99, 110)]


def rewritten(lake):
    """An upsert, a tag, a branch with rows of its own, and a delete that rewrites files."""
    table = lake.create("rewritten", SIMPLE)
    table.append(simple(0, 100))
    table.manage_snapshots().create_tag(table.current_snapshot().snapshot_id, "v1").commit()
    changed = [{"id": i, "v": -1, "s": "u"} for i in range(90, 110)]
    table.upsert(pa.Table.from_pylist(changed, schema=SIMPLE), join_cols=["id"])
    table.manage_snapshots().create_branch(table.current_snapshot().snapshot_id, "dev").commit()
    table.append(simple(500, 510), branch="dev")
    table.delete("id < 10")
    return simple_rows(10, 90) + changed


MAKERS = {
    maker.__name__: maker
    for maker in (
        evolved,
        defaults,
        repartitioned,
        position_deleted,
        equality_deleted,
        vector_deleted,
        rewritten,
    )
}
