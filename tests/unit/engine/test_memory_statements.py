"""Tables in memory: made, filled, replaced, dropped; and files under a plain name."""

import datetime as dt
import decimal
import json

import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet as pq
import pytest

from igloo.errors import (
    AlreadyExists,
    CatalogNotFound,
    ColumnNotFound,
    IglooError,
    InvalidSetting,
    InvalidValue,
    NotSupported,
    SchemaNotFound,
    SourceError,
    SqlSyntaxError,
    TableNotFound,
    TypeMismatch,
    UserError,
)

TYPES = {
    "BOOLEAN": ("true", True),
    "TINYINT": ("-128", -128),
    "SMALLINT": ("-32768", -32768),
    "INT": ("2147483647", 2147483647),
    "INTEGER": ("1", 1),
    "BIGINT": ("9223372036854775807", 9223372036854775807),
    "REAL": ("1.5", 1.5),
    "DOUBLE": ("1e300", 1e300),
    "DOUBLE PRECISION": ("'NaN'", None),
    "DECIMAL(10, 2)": ("12.345", decimal.Decimal("12.35")),
    "NUMERIC(38, 0)": ("1", decimal.Decimal(1)),
    "TEXT": ("'é'", "é"),
    "VARCHAR": ("''", ""),
    "VARCHAR(10)": ("'abc'", "abc"),
    "CHAR(3)": ("'ab'", "ab"),
    "BYTEA": ("'ab'", b"ab"),
    "DATE": ("'2024-02-29'", dt.date(2024, 2, 29)),
    "TIME": ("'23:59:59'", dt.time(23, 59, 59)),
    "TIMESTAMP": ("'2024-02-29 23:59:59'", dt.datetime(2024, 2, 29, 23, 59, 59)),  # noqa: DTZ001 - a timestamp without a zone
    "TIMESTAMP WITH TIME ZONE": (
        "'2024-02-29 23:59:59+02:00'",
        dt.datetime(2024, 2, 29, 21, 59, 59, tzinfo=dt.UTC),
    ),
    "INT[]": ("[1, 2]", [1, 2]),
}


@pytest.mark.parametrize("name", TYPES)
def test_a_column_of_each_ordinary_type_keeps_its_values(rows, name):
    literal, value = TYPES[name]
    rows(f"CREATE TABLE t (a {name}, b INT)")
    rows(f"INSERT INTO t VALUES ({literal}, 1), (NULL, 2)")
    ((found,), (missing,)) = rows("SELECT a FROM t ORDER BY b")
    assert missing is None
    assert found == value or (value is None and found != found)  # noqa: PLR0124 - NaN


def test_statements_that_change_something_answer_with_a_count(rows, db):
    assert rows("CREATE TABLE t (a INT, b TEXT)") == []
    result = db.sql("INSERT INTO t VALUES (1, 'x'), (2, 'y')")
    assert result.schema.names == ["count"]
    assert result.fetchall() == [(2,)]
    assert rows("INSERT INTO t SELECT a + 10, b FROM t WHERE a > 5") == [(0,)]
    assert rows("CREATE TABLE u AS SELECT * FROM t") == []
    assert rows("DROP TABLE t") == []


def test_insert_takes_columns_in_any_order_and_fills_the_others_with_null(rows):
    rows("CREATE TABLE t (a INT, b TEXT, c DATE)")
    rows("INSERT INTO t (c, a) VALUES ('2024-01-01', 1)")
    rows("INSERT INTO t (b) SELECT 'x'")
    assert rows("SELECT * FROM t ORDER BY a") == [
        (1, None, dt.date(2024, 1, 1)),
        (None, "x", None),
    ]


def test_insert_from_the_table_itself_sees_it_as_it_was(rows):
    rows("CREATE TABLE t AS SELECT * FROM (VALUES (1), (2)) v(a)")
    for expected in [2, 4, 8]:
        assert rows("INSERT INTO t SELECT a FROM t") == [(expected,)]
    assert rows("SELECT count(*) FROM t") == [(16,)]


def test_values_are_cast_to_the_column_or_refused(rows):
    rows("CREATE TABLE t (a INT, b TEXT)")
    rows("INSERT INTO t VALUES ('7', 8)")
    assert rows("SELECT * FROM t") == [(7, "8")]
    for values in ["('zz', 'a')", "(3000000000, 'a')"]:
        with pytest.raises(UserError):
            rows(f"INSERT INTO t VALUES {values}")
    assert rows("SELECT count(*) FROM t") == [(1,)]


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO t VALUES (NULL, 'x')",
        "INSERT INTO t (b) VALUES ('x')",
        "INSERT INTO t VALUES (1, 'x'), (NULL, 'y')",
        "INSERT INTO t SELECT NULL, 'x'",
        "INSERT INTO t SELECT CASE WHEN b = 'q' THEN 1 END, b FROM s",
    ],
)
def test_not_null_is_kept_and_nothing_of_a_bad_insert_stays(rows, sql):
    rows("CREATE TABLE t (a INT NOT NULL, b TEXT)")
    rows("CREATE TABLE s AS SELECT * FROM (VALUES ('q'), ('r')) v(b)")
    assert [row[2] for row in rows("DESCRIBE t")] == ["NO", "YES"]
    with pytest.raises(IglooError) as caught:
        rows(sql)
    assert isinstance(caught.value, UserError), caught.value
    assert "a" in str(caught.value)
    assert rows("SELECT * FROM t") == []


def test_create_again_replace_and_if_not_exists(rows):
    rows("CREATE TABLE t AS SELECT 1 AS a")
    with pytest.raises(AlreadyExists):
        rows("CREATE TABLE t (b INT)")
    with pytest.raises(AlreadyExists):
        rows("CREATE TABLE t AS SELECT 2 AS b")
    rows("CREATE TABLE IF NOT EXISTS t (b INT)")
    rows("CREATE TABLE IF NOT EXISTS t AS SELECT 2 AS b")
    assert rows("SELECT a FROM t") == [(1,)]
    rows("CREATE OR REPLACE TABLE t AS SELECT a + 1 AS a FROM t")
    assert rows("SELECT a FROM t") == [(2,)]
    rows("CREATE OR REPLACE TABLE t (c TEXT)")
    assert rows("SELECT c FROM t") == []


def test_a_failed_replacement_leaves_the_old_table(rows):
    rows("CREATE TABLE t AS SELECT 1 AS a")
    with pytest.raises(UserError):
        rows("CREATE OR REPLACE TABLE t AS SELECT 1 / (a - 1) AS a FROM t")
    assert rows("SELECT a FROM t") == [(1,)]


def test_drop(rows):
    with pytest.raises(TableNotFound):
        rows("DROP TABLE t")
    rows("DROP TABLE IF EXISTS t")
    rows("CREATE TABLE t (a INT)")
    rows("DROP TABLE IF EXISTS t")
    with pytest.raises(TableNotFound):
        rows("SELECT * FROM t")


def test_a_table_is_made_in_a_schema_that_is_there(rows):
    rows("CREATE TABLE memory.public.t AS SELECT 1 AS a")
    rows("CREATE TABLE public.u AS SELECT 2 AS a")
    assert rows("SELECT t.a, u.a FROM t, u") == [(1, 2)]
    with pytest.raises(SchemaNotFound):
        rows("CREATE TABLE other.t (a INT)")
    with pytest.raises(CatalogNotFound):
        rows("CREATE TABLE other.public.t (a INT)")


@pytest.mark.parametrize(
    ("sql", "kind"),
    [
        ("CREATE TABLE t ()", UserError),
        ("CREATE TABLE t (a INT PRIMARY KEY)", NotSupported),
        ("CREATE TABLE t (a INT DEFAULT 1)", NotSupported),
        ("CREATE TABLE t (a INT CHECK (a > 1))", NotSupported),
        ("CREATE TABLE t (a INT, UNIQUE (a))", NotSupported),
        ("CREATE TABLE t (a FROBNICATE)", UserError),
        ("CREATE TABLE t (a INT, a TEXT)", UserError),
        ("CREATE TABLE t (a INT) AS SELECT 1", SqlSyntaxError),
        ("CREATE TABLE t", SqlSyntaxError),
        ("CREATE TABLE t AS", SqlSyntaxError),
        ("CREATE TEMPORARY TABLE t (a INT)", NotSupported),
        ("CREATE INDEX i ON t (a)", NotSupported),
        ("INSERT INTO nowhere VALUES (1)", TableNotFound),
        ("INSERT INTO system.queries VALUES (1)", UserError),
        ("INSERT OVERWRITE s VALUES (1)", NotSupported),
        ("INSERT INTO s (nope) VALUES (1)", ColumnNotFound),
        ("INSERT INTO s VALUES (1, 2, 3)", UserError),
        ("INSERT INTO s (a, a) VALUES (1, 2)", UserError),
        ("DELETE FROM s", NotSupported),
        ("UPDATE s SET a = 1", NotSupported),
        ("TRUNCATE TABLE s", NotSupported),
        ("ALTER TABLE s ADD COLUMN b INT", NotSupported),
        ("DROP SCHEMA public", NotSupported),
        ("PREPARE p AS SELECT 1", NotSupported),
        ("BEGIN", NotSupported),
        ("CREATE TABLE system.main.t (a INT)", UserError),
        ("CREATE TABLE nowhere.public.t (a INT)", UserError),
        ("SELECT * FROM s; DROP TABLE s", SqlSyntaxError),
    ],
)
def test_what_is_wrong_or_not_offered_is_told_and_changes_nothing(rows, sql, kind):
    rows("CREATE TABLE s AS SELECT 5 AS a")
    with pytest.raises(kind) as caught:
        rows(sql)
    assert "\n" not in str(caught.value)
    assert rows("SELECT a FROM s") == [(5,)]
    assert rows("SHOW TABLES") == [("s", "public", "memory")]


# -- files ---------------------------------------------------------------------------------------

TABLE = pa.table({"a": pa.array([1, 2], pa.int64()), "s": ["x", None]})


@pytest.fixture
def files(tmp_path):
    (tmp_path / "many").mkdir()
    pq.write_table(TABLE, tmp_path / "one.parquet")
    pq.write_table(TABLE, tmp_path / "many" / "a.parquet")
    pq.write_table(TABLE, tmp_path / "many" / "b.parquet")
    (tmp_path / "one.csv").write_text("a,s\n1,x\n2,\n")
    (tmp_path / "bare.csv").write_text("1;x\n2;y\n")
    (tmp_path / "one.json").write_text('{"a": 1, "s": "x"}\n{"a": 2, "s": null}\n')
    with (
        pa.OSFile(str(tmp_path / "one.arrow"), "wb") as sink,
        pyarrow.ipc.new_file(sink, TABLE.schema) as writer,
    ):
        writer.write_table(TABLE)
    return tmp_path


@pytest.mark.parametrize(
    ("format_", "place", "expected"),
    [
        ("PARQUET", "one.parquet", 2),
        ("PARQUET", "many", 4),
        ("PARQUET", "many/", 4),
        ("PARQUET", "many/*.parquet", 4),
        ("PARQUET", "many/a*", 2),
        ("CSV", "one.csv", 2),
        ("JSON", "one.json", 2),
        ("ARROW", "one.arrow", 2),
    ],
)
def test_an_external_table_reads_files_under_a_plain_name(rows, files, format_, place, expected):
    rows(f"CREATE EXTERNAL TABLE t STORED AS {format_} LOCATION '{files / place}'")
    assert rows("SELECT count(*), sum(a) FROM t") == [(expected, 3 * expected // 2)]
    assert ("t", "public", "memory") in rows("SHOW TABLES")
    assert rows("SELECT s FROM t WHERE a = 1 LIMIT 1") == [("x",)]
    with pytest.raises(NotSupported):
        rows("INSERT INTO t VALUES (1, 'x')")
    rows("DROP TABLE t")
    assert rows("SHOW TABLES") == []


def test_a_relative_location_starts_from_the_working_folder(rows, files):
    rows("CREATE EXTERNAL TABLE t STORED AS PARQUET LOCATION 'one.parquet'")
    assert rows("SELECT count(*) FROM t") == [(2,)]


def test_options_of_csv_are_given_as_datafusion_names_them(rows, files):
    rows(
        "CREATE EXTERNAL TABLE t STORED AS CSV LOCATION 'bare.csv'"
        " OPTIONS ('format.has_header' 'false', 'format.delimiter' ';')"
    )
    assert [row[1] for row in rows("SELECT * FROM t")] == ["x", "y"]


def test_external_tables_keep_to_names_that_are_free(rows, files):
    rows("CREATE TABLE t (a INT)")
    rows("CREATE VIEW v AS SELECT 1 AS a")
    for name in "tv":
        with pytest.raises(AlreadyExists):
            rows(f"CREATE EXTERNAL TABLE {name} STORED AS PARQUET LOCATION 'one.parquet'")
    rows("CREATE EXTERNAL TABLE IF NOT EXISTS t STORED AS PARQUET LOCATION 'one.parquet'")
    assert rows("SELECT count(*) FROM t") == [(0,)]


def test_an_external_table_sees_a_changed_file(rows, files):
    rows("CREATE EXTERNAL TABLE t STORED AS PARQUET LOCATION 'one.parquet'")
    assert rows("SELECT sum(a) FROM t") == [(3,)]
    pq.write_table(pa.table({"a": [10, 20, 30], "s": ["p", "q", "r"]}), files / "one.parquet")
    assert rows("SELECT sum(a) FROM t") == [(60,)]


@pytest.mark.parametrize(
    ("sql", "kind"),
    [
        ("CREATE EXTERNAL TABLE t STORED AS PARQUET LOCATION 'missing.parquet'", SourceError),
        ("CREATE EXTERNAL TABLE t STORED AS PARQUET LOCATION 'one.csv'", SourceError),
        ("CREATE EXTERNAL TABLE t STORED AS AVRO LOCATION 'one.csv'", InvalidSetting),
        ("CREATE EXTERNAL TABLE t STORED AS CSV", SqlSyntaxError),
        ("CREATE EXTERNAL TABLE t LOCATION 'one.csv'", SqlSyntaxError),
        ("CREATE EXTERNAL TABLE t (a INT) STORED AS CSV LOCATION 'one.csv'", NotSupported),
        (
            "CREATE EXTERNAL TABLE t STORED AS CSV LOCATION 'one.csv' OPTIONS (headr 'true')",
            InvalidSetting,
        ),
    ],
)
def test_a_bad_external_table_is_told_at_once(rows, files, sql, kind):
    with pytest.raises(kind):
        rows(sql)
    assert rows("SHOW TABLES") == []


@pytest.mark.parametrize("format_", ["PARQUET", "CSV", "JSON", "ARROW"])
def test_copy_writes_what_an_external_table_reads_back(rows, tmp_path, format_):
    rows("CREATE TABLE t AS SELECT * FROM (VALUES (1, 'x'), (2, 'é')) v(a, s)")
    target = tmp_path / f"out.{format_.lower()}"
    assert rows(f"COPY t TO '{target}' STORED AS {format_}") == [(2,)]
    assert target.exists()
    rows(f"CREATE EXTERNAL TABLE back STORED AS {format_} LOCATION '{target}'")
    assert sorted(rows("SELECT a, s FROM back")) == [(1, "x"), (2, "é")]
    query = tmp_path / f"query.{format_.lower()}"
    assert rows(f"COPY (SELECT a FROM t WHERE a > 1) TO '{query}' STORED AS {format_}") == [(1,)]


def test_copy_of_what_is_not_there_writes_nothing(rows, tmp_path):
    for sql in ["COPY nowhere TO 'x.csv'", "COPY (SELECT nope FROM nowhere) TO 'x.csv'"]:
        with pytest.raises(TableNotFound):
            rows(sql)
    assert list(tmp_path.iterdir()) == []


def test_json_text_of_copy_is_one_object_a_line(rows, tmp_path):
    rows("COPY (SELECT 1 AS a, 'x' AS s) TO 'out.json'")
    assert json.loads((tmp_path / "out.json").read_text()) == {"a": 1, "s": "x"}


def test_types_that_do_not_fit_and_columns_that_are_not_there(rows):
    rows("CREATE TABLE t (a INT, s TEXT)")
    with pytest.raises(ColumnNotFound, match="Known: a, s"):
        rows("SELECT b FROM t")
    with pytest.raises(TypeMismatch):
        rows("SELECT abs(s, 1) FROM t")
    with pytest.raises(InvalidValue):
        rows("SELECT CAST('x' AS INT)")
