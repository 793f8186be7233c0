"""One table of awkward values, and the ways to lay it into sources."""

import datetime as dt
import itertools
from decimal import Decimal

import adbc_driver_postgresql.dbapi as driver
import pyarrow as pa
import pyarrow.parquet as pq

NAN, INF = float("nan"), float("inf")
VALUES = {
    "i": [0, 1, -1, 2**31 - 1, -(2**31), None, 7],
    "big": [0, 2**63 - 1, -(2**63), 2**53 + 1, None, 10**18],
    "f": [0.0, -0.0, NAN, INF, -INF, 1.5, None, 5e-324, -1e308, 1.0],
    "r": [0.0, -0.0, NAN, INF, 0.1, None, 16777216.0, -1.5],
    "d": [
        Decimal(0),
        Decimal("0.0001"),
        Decimal("-0.0001"),
        None,
        Decimal("9999999999999999.9999"),
        Decimal("12.5"),
        Decimal(1),
    ],
    "s": ["", "a", "A", "ab", "AB", "Ab", "a ", "%", "_", "\\", "é", "É", None, "aéb", "~", "a_b"],
    "b": [True, False, None],
    "day": [
        dt.date(1970, 1, 1),
        dt.date(1, 1, 1),
        dt.date(9999, 12, 31),
        None,
        dt.date(2024, 2, 29),
        dt.date(1969, 12, 31),
    ],
    "ts": [
        dt.datetime.fromisoformat("2024-02-29T23:59:59.999999"),
        dt.datetime.fromisoformat("1969-12-31T23:59:59"),
        None,
        dt.datetime.fromisoformat("2024-02-29"),
        dt.datetime.fromisoformat("0001-01-01"),
    ],
    "tz": [
        dt.datetime(2024, 2, 29, 23, 59, 59, 999999, dt.UTC),
        None,
        dt.datetime(2024, 2, 29, 22, tzinfo=dt.UTC),
        dt.datetime(1900, 1, 1, tzinfo=dt.UTC),
    ],
    "raw": [b"", b"\x00", b"a", None, b"\xff\x00"],
}
SCHEMA = pa.schema(
    [
        ("id", pa.int64()),
        ("i", pa.int32()),
        ("big", pa.int64()),
        ("f", pa.float64()),
        ("r", pa.float32()),
        ("d", pa.decimal128(20, 4)),
        ("s", pa.string()),
        ("b", pa.bool_()),
        ("day", pa.date32()),
        ("ts", pa.timestamp("us")),
        ("tz", pa.timestamp("us", "UTC")),
        ("raw", pa.binary()),
        ("k", pa.int64()),
    ]
)
POSTGRES_COLUMNS = (
    "id bigint, i integer, big bigint, f double precision, r real, d numeric(20, 4), s text, "
    "b boolean, day date, ts timestamp, tz timestamptz, raw bytea, k bigint"
)
PARTITIONS = 3
ROWS = 60


def awkward_table():
    """Return the rows; every column walks its values at its own pace, so that they mix."""
    columns = {"id": range(ROWS)}
    for step, (name, values) in enumerate(VALUES.items(), start=1):
        walk = itertools.islice(itertools.cycle(values), step, None)
        columns[name] = list(itertools.islice(walk, ROWS))
    columns["k"] = [row % PARTITIONS for row in range(ROWS)]
    return pa.table(columns, schema=SCHEMA)


def write_postgres(uri, table, name):
    with driver.connect(uri, autocommit=True) as connection, connection.cursor() as cursor:
        cursor.execute(f'CREATE TABLE "{name}" ({POSTGRES_COLUMNS})')
        # Its own writer takes no decimals, so they travel as text.
        texts = table.set_column(5, "d", table["d"].cast(pa.string()))
        cursor.adbc_ingest(f"{name}_in", texts)
        columns = [f"{c}::numeric" if c == "d" else c for c in SCHEMA.names]
        cursor.execute(f'INSERT INTO "{name}" SELECT {", ".join(columns)} FROM "{name}_in"')
        cursor.execute(f'DROP TABLE "{name}_in"')
        cursor.execute(f'ANALYZE "{name}"')


def write_hive(folder, table):
    """Write one file for each value of k, and a second one for the first, in small row groups."""
    for key in range(PARTITIONS):
        rows = table.filter(pa.compute.equal(table["k"], key)).drop_columns(["k"])
        inside = folder / f"k={key}"
        inside.mkdir(parents=True)
        halves = [rows.slice(0, 5), rows.slice(5)] if key == 0 else [rows]
        for number, half in enumerate(halves):
            pq.write_table(half, inside / f"part-{number}.parquet", row_group_size=4)


def write_iceberg(catalog, name, table):
    """Append the rows in three files that are not sorted by anything."""
    made = catalog.create_table(name, schema=table.schema)
    for start in range(PARTITIONS):
        made.append(table.take(list(range(start, table.num_rows, PARTITIONS))))
