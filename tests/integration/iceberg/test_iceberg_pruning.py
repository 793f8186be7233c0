"""Filters decide which files are opened, and never which rows are found."""

import datetime as dt
from decimal import Decimal

import pyarrow as pa
import pytest
from iceberg_reading import connect, in_order, list_files, read_natively, read_splits
from iceberg_writing import Warehouse
from pyiceberg.transforms import (
    BucketTransform,
    DayTransform,
    IdentityTransform,
    MonthTransform,
    TruncateTransform,
)

from igloo.connectors.predicates import (
    And,
    Column,
    Comparison,
    ComparisonOperator,
    InList,
    IsNull,
    Like,
    Literal,
    Not,
    Or,
)
from igloo.testing.conformance.predicate_cases import RandomPredicates
from igloo.testing.conformance.reading import assert_same_rows, keep

NAN = float("nan")
SCHEMA = pa.schema(
    [
        ("id", pa.int64()),
        ("n", pa.int32()),
        ("f", pa.float64()),
        ("g", pa.float32()),
        ("d", pa.decimal128(9, 2)),
        ("s", pa.string()),
        ("day", pa.date32()),
        ("at", pa.timestamp("us", "UTC")),
        ("ok", pa.bool_()),
    ]
)
ROWS = 240
PARTITIONS = {
    "nothing": (),
    "text": (("s", IdentityTransform()),),
    "bucket": (("id", BucketTransform(5)),),
    "start_of_text": (("s", TruncateTransform(3)),),
    "tens": (("id", TruncateTransform(50)),),
    "hundredths": (("d", TruncateTransform(500)),),
    "day_of_instant": (("at", DayTransform()),),
    "month_of_day": (("day", MonthTransform()),),
    "flag": (("ok", IdentityTransform()),),
    "date_and_bucket": (("day", MonthTransform()), ("s", BucketTransform(3))),
}


def _row(i):
    """Rows that lie near one another are alike, so that files differ; a stretch is all NULL."""
    is_null = 120 <= i < 160
    start = dt.datetime(1969, 12, 20, tzinfo=dt.UTC)
    return {
        "id": i,
        "n": None if is_null else i - 100,
        "f": NAN if 40 <= i < 80 else None if is_null else float(i // 20) * (-1 if i % 2 else 1),
        "g": NAN if i % 50 == 0 else None if is_null else i / 10,
        "d": None if is_null else Decimal(i * 7 - 500) / 100,
        "s": None if is_null else f"{'long beginning ' * (i // 160)}{i // 30:03}é",
        "day": None if is_null else dt.date(1969, 11, 1) + dt.timedelta(days=i),
        "at": None if is_null else start + dt.timedelta(hours=3 * i, microseconds=i),
        "ok": None if is_null else i % 80 < 40,
    }


@pytest.fixture(scope="module")
def events(tmp_path_factory):
    """Give a connector over one table for each partitioning, and all its rows."""
    warehouse = Warehouse(tmp_path_factory.mktemp("pruning") / "lake")
    rows = pa.Table.from_pylist([_row(i) for i in range(ROWS)], schema=SCHEMA)
    for name, fields in PARTITIONS.items():
        table = warehouse.create(name, SCHEMA, partition_by=fields)
        for start in range(0, ROWS, 40):
            table.append(rows.slice(start, 40))
    warehouse.close()
    connector = connect(warehouse=str(warehouse.folder))
    yield connector, rows
    connector.close()


def compare(column, operator, value, type_=None):
    literal = Literal(pa.scalar(value, type_ or SCHEMA.field(column).type))
    return Comparison(Column(column), ComparisonOperator(operator), literal)


CASES = {
    "above NULL and NaN": compare("f", ">", 3.0),
    "at least, with NaN": compare("f", ">=", 1e300),
    "below": compare("f", "<", -8.0),
    "equals NaN": compare("f", "=", NAN),
    "not NaN": Not(compare("f", "=", NAN)),
    "not below": Not(compare("f", "<", 5.0)),
    "single against double": compare("g", "<", 0.1, pa.float64()),
    "single equals double": compare("g", "=", 0.1, pa.float64()),
    "single above all": compare("g", ">", 1e30),
    "minus zero": compare("f", "=", -0.0),
    "decimal": compare("d", "=", Decimal("2.00")),
    "finer decimal": compare("d", "<", Decimal("-4.995"), pa.decimal128(12, 3)),
    "decimal against integer": compare("d", ">", 11, pa.int64()),
    "integer out of range": compare("n", "<", 2**40, pa.int64()),
    "integer out of range, above": compare("n", ">", 2**40, pa.int64()),
    "long text": compare("s", "=", "long beginning 005é"),
    "text above its cut bound": compare("s", ">", "long beginning long beginning"),
    "text between": And((compare("s", ">=", "002"), compare("s", "<", "004"))),
    "prefix": Like(Column("s"), "long beginning 00%"),
    "prefix, negated": Not(Like(Column("s"), "long%")),
    "pattern without prefix": Like(Column("s"), "%5é"),
    "before 1970": compare("at", "<", dt.datetime(1970, 1, 1, tzinfo=dt.UTC)),
    "instant": compare("at", "=", dt.datetime(1969, 12, 21, microsecond=8, tzinfo=dt.UTC)),
    "instant in nanoseconds": compare("at", "<", -(10**15) + 1, pa.timestamp("ns", "UTC")),
    "day": compare("day", ">=", dt.date(1970, 6, 1)),
    "day in": InList(Column("day"), (pa.scalar(dt.date(1969, 11, 3)),)),
    "null": IsNull(Column("s")),
    "not null": Not(IsNull(Column("n"))),
    "not in": Not(InList(Column("n"), tuple(pa.scalar(i, pa.int32()) for i in range(-100, 100)))),
    "long list": InList(Column("id"), tuple(pa.scalar(i) for i in range(300, 900))),
    "long list with a hit": InList(Column("id"), tuple(pa.scalar(i) for i in range(239, 900))),
    "flag": compare("ok", "=", value=True),
    "flag is not": compare("ok", "<>", value=True),
    "column against column": Comparison(Column("n"), ComparisonOperator("<"), Column("id")),
    "or of both ends": Or((compare("id", "<", 3), compare("id", ">", 237))),
    "not (and)": Not(And((compare("id", ">", 3), compare("n", "<", 1000)))),
    "nothing": compare("id", ">", 10**6),
}


@pytest.mark.parametrize("table", PARTITIONS)
def test_a_pushed_filter_finds_the_rows_of_a_filter_that_is_not(events, session, table):
    connector, rows = events
    for case, where in CASES.items():
        wanted = keep(rows, where)
        assert_same_rows(read_natively(session, connector, table, where), wanted, case)
        assert_same_rows(read_splits(connector, table, where), wanted, case)


@pytest.mark.parametrize("table", PARTITIONS)
def test_random_filters_lose_no_rows(events, session, table):
    connector, rows = events
    generator = RandomPredicates(rows, seed=len(table))
    for _ in range(60):
        where = generator.predicate()
        wanted = keep(rows, where)
        assert_same_rows(read_natively(session, connector, table, where), wanted, repr(where))


@pytest.mark.parametrize(
    ("table", "where"),
    [
        ("nothing", compare("id", "<", 40)),
        ("nothing", compare("day", "=", dt.date(1969, 11, 3))),
        ("nothing", compare("at", ">", dt.datetime(1970, 1, 15, tzinfo=dt.UTC))),
        ("nothing", compare("d", "<", Decimal("-4.00"))),
        ("nothing", compare("f", "<", -8.0)),
        ("nothing", IsNull(Column("s"))),
        ("nothing", Like(Column("s"), "long%")),
        ("text", compare("s", "=", "000é")),
        ("bucket", compare("id", "=", 17)),
        ("bucket", InList(Column("id"), (pa.scalar(17), pa.scalar(18)))),
        ("start_of_text", compare("s", "=", "001é")),
        ("tens", compare("id", ">", 190)),
        ("hundredths", compare("d", ">", Decimal("10.00"))),
        ("day_of_instant", compare("at", "<", dt.datetime(1969, 12, 21, tzinfo=dt.UTC))),
        ("month_of_day", compare("day", "<", dt.date(1969, 12, 1))),
        ("flag", compare("ok", "=", value=False)),
        ("date_and_bucket", compare("s", "=", "003é")),
    ],
)
def test_files_that_cannot_match_are_not_planned(events, table, where):
    connector, _ = events
    scan = list_files(connector, table, where)
    assert 0 < scan.files_planned < scan.files_total
    assert scan.files_total == list_files(connector, table).files_planned


def test_a_filter_that_nothing_matches_plans_no_files(events, session):
    connector, _ = events
    scan = list_files(connector, "nothing", CASES["nothing"])
    assert (scan.files_planned, scan.files_total) == (0, 6)
    assert read_natively(session, connector, "nothing", CASES["nothing"]).num_rows == 0


ODD_VALUES = ("a+b", "x/y", "x%2Fy", "p%q", "a b", "é", "é*[z]?", "#", "a=b", "'", '"', "", None)


@pytest.mark.parametrize("is_deleted", [False, True])
def test_partition_folders_of_any_name_are_read(lake, connector, session, is_deleted):
    schema = pa.schema([("id", pa.int64()), ("s", pa.string())])
    table = lake.create("odd", schema, partition_by=[("s", IdentityTransform())])
    rows = [{"id": i, "s": value} for i, value in enumerate(ODD_VALUES * 2)]
    table.append(pa.Table.from_pylist(rows, schema=schema))
    if is_deleted:
        # The first row of each file is gone.
        for file in table.inspect.data_files().to_pylist():
            value = (file["partition"]["s_0"],)
            lake.delete_positions("odd", {file["file_path"]: [0]}, partition=value)
        rows = rows[len(ODD_VALUES) :]
    assert in_order(read_natively(session, connector, "odd").to_pylist()) == in_order(rows)
    assert in_order(read_splits(connector, "odd").to_pylist()) == in_order(rows)
    for value in ODD_VALUES:
        where = IsNull(Column("s")) if value is None else compare("s", "=", value)
        found = read_natively(session, connector, "odd", where).to_pylist()
        assert in_order(found) == in_order([row for row in rows if row["s"] == value])
        assert list_files(connector, "odd", where).files_planned == 1
