"""What declared types mean, and what happens to values that do not fit them."""
# ruff: noqa: DTZ001 - times without a zone are the point

import datetime as dt
from decimal import Decimal

import pyarrow as pa
import pytest

from igloo.errors import NotSupported, SourceDataError, UnsupportedType

UTC = dt.UTC
#: Declared type, Arrow type, and values: what SQLite was given and what comes back.
FITTING = [
    ("INTEGER", pa.int64(), [(-(2**63), -(2**63)), (2**63 - 1, 2**63 - 1), ("7", 7)]),
    ("unsigned big int", pa.int64(), [(5, 5)]),
    ("INT2", pa.int16(), [(-(2**15), -(2**15)), (2**15 - 1, 2**15 - 1)]),
    ("BOOLEAN", pa.bool_(), [(0, False), (1, True), ("1", True)]),
    ("REAL", pa.float64(), [(0.1, 0.1), (5, 5.0), (float("inf"), float("inf"))]),
    ("double precision", pa.float64(), [(1e300, 1e300)]),
    ("NUMERIC", pa.float64(), [(1.5, 1.5), (3, 3.0), (2**53, 2.0**53)]),
    ("FLOAT4", pa.float32(), [(0.5, 0.5)]),
    ("DECIMAL(10, 2)", pa.decimal128(10, 2), [(1.1, Decimal("1.10")), (7, Decimal("7.00")), ("2.50", Decimal("2.50"))]),
    ("DECIMAL(30, 2)", pa.decimal128(30, 2), [(2**63 - 1, Decimal(2**63 - 1)), (0.07, Decimal("0.07"))]),
    ("NUMERIC(4)", pa.decimal128(4, 0), [(9999, Decimal(9999))]),
    ("VARCHAR(2)", pa.string(), [("longer", "longer"), (5, "5"), ("a\0b", "a\0b"), ("", "")]),
    ("TEXT", pa.string(), [("5", "5"), ("日本", "日本")]),
    ("JSON", pa.string(), [('{"a": 1}', '{"a": 1}')]),
    ("BLOB", pa.binary(), [(b"\x00\xff", b"\x00\xff"), (b"", b"")]),
    ("VARBINARY(5)", pa.binary(), [(b"5", b"5")]),
    ("DATE", pa.date32(), [("2024-02-29", dt.date(2024, 2, 29))]),
    ("TIME", pa.time64("us"), [("23:59:59.000001", dt.time(23, 59, 59, 1)), ("07:05", dt.time(7, 5))]),
    ("DATETIME", pa.timestamp("us"), [
        ("2024-02-29 01:02:03.5", dt.datetime(2024, 2, 29, 1, 2, 3, 500_000)),
        ("2024-02-29T01:02", dt.datetime(2024, 2, 29, 1, 2)),
        ("2024-02-29", dt.datetime(2024, 2, 29)),
    ]),
    ("TIMESTAMP(3)", pa.timestamp("ms"), [("2024-02-29 01:02:03.5", dt.datetime(2024, 2, 29, 1, 2, 3, 500_000))]),
    ("TIMESTAMPTZ", pa.timestamp("us", "UTC"), [
        ("2024-02-29 01:02:03Z", dt.datetime(2024, 2, 29, 1, 2, 3, tzinfo=UTC)),
        ("2024-02-29 01:02:03+01:30", dt.datetime(2024, 2, 28, 23, 32, 3, tzinfo=UTC)),
    ]),
]  # fmt: skip

MISFITS = [
    ("INTEGER", ["five", 5.5, b"5"]),
    ("INT2", [2**15, -(2**15) - 1]),
    ("INT1", [128, -129]),
    ("BOOLEAN", [2, "true", -1, 0.5]),
    ("REAL", ["five", b"\x00"]),
    ("NUMERIC", ["five", 2**53 + 1]),
    ("FLOAT4", [0.1, 1e300]),
    ("DECIMAL(10, 2)", [0.001, 0.1 + 0.2, 10**9, "abc"]),
    ("DECIMAL(30, 20)", [1.2345678901234567]),
    ("TEXT", [b"blob"]),
    ("JSON", ["5", b"{}"]),
    ("BLOB", ["text", 5]),
    ("DATE", ["2024-02-31", "2024-2-1", "2024-02-29 00:00:00", 20240229, "now"]),
    ("TIME", ["24:00", "7:05", "07:05:00.1234567", 25200]),
    ("DATETIME", ["2024-02-29 01:02:03Z", 1709168523, "2024-02-29 01:02:03.1234567"]),
    ("TIMESTAMPTZ", ["2024-02-29 01:02:03"]),
]


@pytest.mark.parametrize(("declared", "type_", "values"), FITTING, ids=lambda v: str(v)[:20])
def test_values_that_fit_come_back_exactly(db, put, declared, type_, values):
    put(f"CREATE TABLE t (v {declared})")
    put("INSERT INTO t VALUES (?)", (None,), *((given,) for given, _ in values))
    found = db.sql("SELECT v FROM lite.t").to_arrow()
    assert found.schema.field("v").type == type_
    assert found.column("v").to_pylist() == [None, *(wanted for _, wanted in values)]


@pytest.mark.parametrize(("declared", "values"), MISFITS)
def test_a_value_that_does_not_fit_is_refused_by_its_columns_name(db, put, declared, values):
    for number, value in enumerate(values):
        put(f"CREATE TABLE t{number} (id INTEGER PRIMARY KEY, v {declared})")
        put(f"INSERT INTO t{number} VALUES (?, ?)", (1, None), (2, value))
        for sql in ("SELECT v FROM {}", "SELECT max(id) FROM {} WHERE v IS NOT DISTINCT FROM v"):
            with pytest.raises(SourceDataError, match=r'Column "v" of "lite\.main\.t') as caught:
                db.sql(sql.format(f"lite.t{number}")).fetchall()
            assert caught.value.context["column"] == "v"
        ids = db.sql(f"SELECT id FROM lite.t{number} ORDER BY id").fetchall()
        assert ids == [(1,), (2,)]


COMPARED = {
    "INTEGER": "v < 3",
    "INT2": "v < 3",
    "INT1": "v < 3",
    "BOOLEAN": "v",
    "REAL": "v < 3",
    "TEXT": "v < 'b'",
    "BLOB": "v < x'00'",
    "DATE": "v < DATE '2024-01-01'",
}


@pytest.mark.parametrize(("declared", "values"), [m for m in MISFITS if m[0] in COMPARED])
def test_a_filter_that_sqlite_applies_hides_no_misfit(db, put, declared, values):
    for number, value in enumerate(values):
        put(f"CREATE TABLE t{number} (id INTEGER PRIMARY KEY, v {declared})")
        put(f"INSERT INTO t{number} VALUES (?, ?)", (1, None), (2, value))
        for pushdown in ("full", "off"):
            db.sql(f"SET igloo.pushdown = '{pushdown}'")
            for selected in ("id", "count(*)"):
                sql = f"SELECT {selected} FROM lite.t{number} WHERE {COMPARED[declared]}"
                with pytest.raises(SourceDataError, match='Column "v"'):
                    db.sql(sql).fetchall()


@pytest.mark.parametrize("declared", ["", "ANY", "MONEY", "DECIMAL(39, 2)", "DECIMAL(2, 5)"])
def test_a_column_without_a_known_type_is_refused_and_the_others_are_read(db, put, declared):
    put(f"CREATE TABLE t (id INTEGER, v {declared}); INSERT INTO t VALUES (1, 2)")
    assert db.sql("SELECT id FROM lite.t").fetchall() == [(1,)]
    with pytest.raises(UnsupportedType, match="remote_query") as caught:
        db.sql("SELECT v FROM lite.t").fetchall()
    assert caught.value.context["column"] == "v"


def test_a_table_of_nothing_but_unknown_types_says_so(db, put):
    put("CREATE TABLE t (v)")
    with pytest.raises(UnsupportedType, match=r'"v".*no declared type'):
        db.sql("SELECT count(*) FROM lite.t")


def test_not_null_is_told_and_held(connector, put):
    put("CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT NOT NULL, b TEXT, c TEXT UNIQUE)")
    from igloo.names import TableName

    schema = connector.load_table(TableName("main", "t")).schema
    assert [field.nullable for field in schema] == [False, False, True, True]


def test_a_primary_key_that_is_no_row_number_may_hold_anything(db, put):
    put("CREATE TABLE t (id INTEGER PRIMARY KEY DESC, k TEXT)")
    put("INSERT INTO t VALUES (?, ?)", ("one", "a"), (None, "b"))
    with pytest.raises(SourceDataError, match=r'Column "id"'):
        db.sql("SELECT k FROM lite.t WHERE id = 1").fetchall()


def test_a_text_that_is_not_utf8_is_refused_by_its_columns_name(db, put):
    put("CREATE TABLE t (id INTEGER, v TEXT); INSERT INTO t VALUES (1, CAST(x'ff' AS TEXT))")
    with pytest.raises(SourceDataError, match=r'Column "v".*UTF-8'):
        db.sql("SELECT v FROM lite.t").fetchall()


def test_a_database_of_utf16_is_refused(db, put):
    put("PRAGMA encoding = 'UTF-16le'; CREATE TABLE t (v TEXT)")
    with pytest.raises(NotSupported, match="UTF-16le"):
        db.sql("SELECT v FROM lite.t")


def test_generated_columns_and_views_are_read(db, put):
    put(
        "CREATE TABLE t (a INTEGER, b INTEGER GENERATED ALWAYS AS (a * 2), c TEXT);"
        "INSERT INTO t (a, c) VALUES (2, 'x');"
        "CREATE VIEW v AS SELECT a AS n, c FROM t"
    )
    assert db.sql("SELECT * FROM lite.t").fetchall() == [(2, 4, "x")]
    assert db.sql("SELECT c, n FROM lite.v WHERE n > 1").fetchall() == [("x", 2)]
