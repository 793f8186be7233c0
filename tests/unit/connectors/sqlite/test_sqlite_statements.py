"""remote_query(), writing, locks and cancelling."""

import contextlib
import datetime as dt
import sqlite3
import threading
from decimal import Decimal

import pyarrow as pa
import pytest

import igloo
from igloo.cancel import CancelToken
from igloo.connectors.contract import WriteMode
from igloo.connectors.sqlite import SqliteConnector, database
from igloo.connectors.sqlite.options import SqliteOptions
from igloo.errors import (
    IglooError,
    InvalidValue,
    NotSupported,
    QueryCancelled,
    SourceRefused,
    SourceTimeout,
    SourceUnavailable,
    SqlSyntaxError,
    UnsupportedType,
)
from igloo.names import TableName

ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"


def remote(db, sql):
    quoted = sql.replace("'", "''")
    return db.sql(f"SELECT * FROM remote_query('lite', '{quoted}')").to_arrow()


def test_a_remote_query_keeps_declared_types_and_knows_common_functions(db, put):
    put(
        "CREATE TABLE t (d DATE, n DECIMAL(5, 2), s TEXT); INSERT INTO t VALUES ('2024-02-29', 1.5, 'a')"
    )
    found = remote(
        db,
        "SELECT d, n, upper(s) AS u, count(*), avg(n), CAST(sum(n) AS REAL) AS total, 'x' AS x, "
        "s || s, length(s), row_number() OVER () AS r, CAST(s AS BLOB) AS b FROM t; -- done",
    )
    assert [str(type_) for type_ in found.schema.types] == [
        "date32[day]", "decimal128(5, 2)", "string", "int64", "double", "double", "string",
        "string", "int64", "int64", "binary",
    ]  # fmt: skip
    assert list(found.to_pylist()[0].values())[2:] == [
        "A", 1, 1.5, 1.5, "x", "aa", 1, 1, b"a",
    ]  # fmt: skip


def test_an_expression_whose_type_nothing_tells_has_to_be_cast(db, put):
    put("CREATE TABLE t (a INTEGER); INSERT INTO t VALUES (1)")
    with pytest.raises(UnsupportedType, match="CAST"):
        remote(db, "SELECT sum(a) FROM t")
    assert remote(db, "SELECT CAST(sum(a) AS INTEGER) AS s FROM t").to_pylist() == [{"s": 1}]


def test_columns_of_one_name_stay_apart(db, put):
    put("CREATE TABLE t (a INTEGER); INSERT INTO t VALUES (1)")
    found = remote(db, "SELECT a, count(*) AS a, a FROM t")
    assert found.column_names == ["a", "a:1", "a:2"]
    assert list(found.to_pylist()[0].values()) == [1, 1, 1]


@pytest.mark.parametrize(
    "sql",
    [
        "ATTACH '{folder}/other.db' AS other",
        "VACUUM INTO '{folder}/other.db'",
        "PRAGMA user_version = 5",
        "SELECT * FROM pragma_user_version",
        "CREATE TEMP TABLE x (a INTEGER)",
        "SELECT load_extension('{folder}/x')",
        "EXPLAIN SELECT 1",
        "BEGIN",
        "SELECT ?",
    ],
)
def test_what_is_no_plain_reading_is_refused(db, put, tmp_path, path, sql):
    put("CREATE TABLE t (a INTEGER)")
    before = path.read_bytes()
    with pytest.raises(IglooError) as caught:
        remote(db, sql.format(folder=tmp_path))
    assert caught.value.context["catalog"] == "lite"
    assert path.read_bytes() == before
    assert not (tmp_path / "other.db").exists()


def test_a_wrong_statement_is_a_syntax_error(db, put):
    put("CREATE TABLE t (a INTEGER)")
    for sql in ("SELECT FROM WHERE", "SELECT 'x", "SELECT 1; SELECT 2"):
        with pytest.raises(SqlSyntaxError):
            remote(db, sql)


@pytest.mark.parametrize("sql", ["SELECT 'a\0b' AS x", "SELECT '\ud800' AS x"])
def test_a_statement_that_cannot_be_sent_is_refused(put, connector, sql):
    put("CREATE TABLE t (a INTEGER)")
    for ask in (connector.describe_sql, lambda sql: connector.run_sql(sql, CancelToken())):
        with pytest.raises(SqlSyntaxError) as caught:
            ask(sql)
        assert caught.value.context["catalog"] == "lite"


def test_what_makes_the_rows_fails_in_its_own_words(put, look, path):
    put("CREATE TABLE t (a INTEGER)")

    def batches():
        yield pa.record_batch({"a": [1]})
        raise pa.ArrowInvalid("not SQLite's fault")

    rows = pa.RecordBatchReader.from_batches(pa.schema([("a", pa.int64())]), batches())
    pen = SqliteConnector("pen", SqliteOptions(path=path, allow_writes=True))
    with pytest.raises(pa.ArrowInvalid, match="not SQLite's fault"):
        pen.write(TableName("main", "t"), rows, WriteMode.APPEND)
    assert look("SELECT * FROM t") == []


def test_a_statement_that_computes_without_end_is_cancelled(put, connector):
    put("CREATE TABLE t (a INTEGER)")
    cancel = CancelToken()
    reader = connector.run_sql(ENDLESS, cancel)
    threading.Timer(0.2, cancel.cancel).start()
    with pytest.raises(QueryCancelled):
        reader.read_all()


@contextlib.contextmanager
def locked(path):
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN EXCLUSIVE")
    try:
        yield other
    finally:
        other.close()


def test_a_lock_that_stays_is_a_timeout(db, put, path, monkeypatch):
    put("CREATE TABLE t (a INTEGER)")
    monkeypatch.setattr(database, "LOCK_WAIT_S", 0.2)
    with locked(path), pytest.raises(SourceTimeout, match="locked"):
        db.sql("SELECT a FROM lite.t").fetchall()


def test_a_lock_that_goes_is_waited_for(db, put, path):
    put("CREATE TABLE t (a INTEGER); INSERT INTO t VALUES (1)")
    with locked(path) as other:
        ending = threading.Timer(0.3, lambda: other.execute("ROLLBACK"))
        ending.start()
        assert db.sql("SELECT a FROM lite.t").fetchall() == [(1,)]
        ending.join()


def test_a_read_that_waits_for_a_lock_can_be_cancelled(put, connector, path):
    put("CREATE TABLE t (a INTEGER)")
    cancel = CancelToken()
    reader = connector.run_sql("SELECT a FROM t", cancel)
    with locked(path):
        threading.Timer(0.2, cancel.cancel).start()
        with pytest.raises(QueryCancelled):
            reader.read_all()


def test_reading_changes_nothing_and_makes_no_file(db, put, path, tmp_path):
    put("CREATE TABLE t (a INTEGER); INSERT INTO t VALUES (1)")
    before = path.read_bytes()
    assert db.sql("SELECT a FROM lite.t").fetchall() == [(1,)]
    for sql in (
        "CREATE TABLE lite.main.u (a BIGINT)",
        "INSERT INTO lite.t VALUES (2)",
        "DROP TABLE lite.t",
    ):
        with pytest.raises(NotSupported, match="allow_writes"):
            db.sql(sql)
    assert path.read_bytes() == before


def test_a_missing_file_is_unavailable_and_is_not_made(db, path):
    with pytest.raises(SourceUnavailable, match=r"shop.db"):
        db.sql("SELECT * FROM lite.t")
    assert not path.exists()


def test_a_write_ahead_log_is_read(db, put):
    put("PRAGMA journal_mode = WAL; CREATE TABLE t (a INTEGER); INSERT INTO t VALUES (1)")
    assert db.sql("SELECT a FROM lite.t").fetchall() == [(1,)]


def test_tables_are_made_and_filled(db, look):
    db.sql("CREATE TABLE pen.main.t (id INT NOT NULL, name TEXT, d DATE, p DECIMAL(8, 2))")
    db.sql("INSERT INTO pen.t VALUES (1, 'a', DATE '2024-02-29', 1.10), (2, NULL, NULL, -5)")
    assert look("SELECT * FROM t") == [(1, "a", "2024-02-29", 1.1), (2, None, None, -5)]
    assert look("SELECT name, type, \"notnull\" FROM pragma_table_info('t')") == [
        ("id", "INT4", 1), ("name", "TEXT", 0), ("d", "DATE", 0), ("p", "DECIMAL(8, 2)", 0),
    ]  # fmt: skip
    db.sql("CREATE TABLE pen.main.u AS SELECT id, name FROM lite.t WHERE id > 1")
    assert db.sql("SELECT * FROM lite.u").fetchall() == [(2, None)]
    db.sql("DROP TABLE pen.t")
    assert look("SELECT name FROM sqlite_master") == [("u",)]


def test_a_table_is_appended_to_itself(db, put, look):
    put("CREATE TABLE t (a INTEGER)")
    put("INSERT INTO t VALUES (?)", *((number,) for number in range(50_000)))
    db.sql("INSERT INTO pen.t SELECT a FROM lite.t UNION ALL SELECT a FROM pen.t")
    assert look("SELECT count(*), sum(a) FROM t") == [(150_000, 3 * sum(range(50_000)))]


def test_a_value_that_sqlite_would_not_keep_is_refused(db, look):
    db.sql("CREATE TABLE pen.main.t (v DOUBLE)")
    with pytest.raises(InvalidValue, match="NaN"):
        db.sql("INSERT INTO pen.t VALUES ('NaN'::DOUBLE)")
    assert look("SELECT * FROM t") == []


def test_a_row_that_breaks_a_constraint_keeps_all_of_them_out(db, put, look):
    put("CREATE TABLE t (a INTEGER UNIQUE); INSERT INTO t VALUES (5)")
    with pytest.raises(SourceRefused, match="UNIQUE"):
        db.sql("INSERT INTO pen.t VALUES (1), (5)")
    assert look("SELECT a FROM t") == [(5,)]


def test_names_and_paths_are_quoted(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with igloo.connect() as db:
        db.sql("CREATE CATALOG odd USING sqlite WITH (path = '100%?#`x.db', allow_writes = 'true')")
        db.sql('CREATE TABLE odd.main."a`b""c" ("d`e" BIGINT, "f""g" TEXT)')
        db.sql("""INSERT INTO odd.main."a`b""c" VALUES (1, 'x')""")
        found = db.sql("""SELECT "d`e" FROM odd.main."a`b""c" WHERE "f""g" = 'x'""").fetchall()
    assert found == [(1,)]
    assert [path.name for path in tmp_path.iterdir()] == ["100%?#`x.db"]


def test_a_type_that_sqlite_would_not_keep_is_refused(db):
    with pytest.raises(UnsupportedType, match=r'"v".*Cast it'):
        db.sql("CREATE TABLE pen.main.t (v DECIMAL(38, 2))")


def test_a_column_that_would_change_its_texts_is_not_written(db, put):
    put("CREATE TABLE t (v JSON)")
    with pytest.raises(NotSupported, match="digits"):
        db.sql("INSERT INTO pen.t VALUES ('5')")


@pytest.mark.parametrize(
    ("declared", "type_", "value", "text"),
    [
        ("DECIMAL(30, 10)", pa.decimal128(30, 10), Decimal("1234567890.1234567891"), "15 digits"),
        ("DATE", pa.date32(), 2_932_897, "year"),
        ("TIMESTAMP", pa.timestamp("us"), 253_402_300_800_000_000, "year"),
        ("TIMESTAMPTZ", pa.timestamp("us", "UTC"), -62_135_596_800_000_001, "year"),
    ],
)
def test_a_value_without_a_spelling_is_refused(path, put, look, *, declared, type_, value, text):
    put(f"CREATE TABLE t (v {declared})")
    pen = SqliteConnector("pen", SqliteOptions(path=path, allow_writes=True))
    rows = pa.table(
        {
            "v": pa.array([value], None if isinstance(value, Decimal) else _counted(type_)).cast(
                type_
            )
        }
    )
    with pytest.raises(InvalidValue, match=rf'"v".*{text}'):
        pen.write(TableName("main", "t"), rows.to_reader(), WriteMode.APPEND)
    assert look("SELECT * FROM t") == []


def _counted(type_):
    return pa.int32() if type_.bit_width == 32 else pa.int64()


def test_times_keep_their_precision(db, look):
    db.sql("CREATE TABLE pen.main.t (a TIMESTAMP, b TIMESTAMP(3), c TIME, d TIMESTAMPTZ)")
    db.sql(
        "INSERT INTO pen.t VALUES ('2024-02-29 01:02:03.123456789', '2024-02-29 01:02:03.123', "
        "'01:02:03.123456789', '2024-02-29 01:02:03Z')"
    )
    assert look("SELECT a, c FROM t") == [("2024-02-29 01:02:03.123456789", "01:02:03.123456789")]
    assert db.sql("SELECT * FROM lite.t").to_arrow() == db.sql("SELECT * FROM pen.t").to_arrow()
    assert db.sql("SELECT b FROM lite.t").fetchall() == [
        (dt.datetime(2024, 2, 29, 1, 2, 3, 123_000),)  # noqa: DTZ001 - no zone is the point
    ]


def test_sqlite_is_joined_with_memory(db, put):
    put(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT); INSERT INTO t VALUES (1, 'a'), (2, 'b')"
    )
    db.register("m", pa.table({"id": [2, 3], "x": ["p", "q"]}))
    assert db.sql("SELECT t.name, m.x FROM lite.t t JOIN m USING (id)").fetchall() == [("b", "p")]
