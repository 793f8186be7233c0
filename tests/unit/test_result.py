"""What a result promises: any order of conversions, one pass of streaming, facts, release."""

import collections
import datetime as dt
import decimal
import gc
import json
import threading
import time

import duckdb
import polars as pl
import pyarrow as pa
import pytest

import igloo
from igloo.errors import InvalidValue, QueryCancelled, QueryTimeout, ResultConsumed, ResultTooLarge

SQL = "SELECT value AS a, 'r' || value AS s FROM range(0, 5)"
ROWS = [(n, f"r{n}") for n in range(5)]
#: Enough rows to be still running when something happens to it, and no row held.
ENDLESS = "SELECT value AS a FROM range(0, 4000000000)"


@pytest.fixture
def db(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with igloo.connect() as connection:
        yield connection


@pytest.fixture
def settle():
    """Give a function that waits until the engine's reading threads are gone."""

    def wait(limit_s=5.0):
        deadline = time.monotonic() + limit_s
        while any(t.name == "igloo-rows" for t in threading.enumerate()):
            assert time.monotonic() < deadline, "a reading thread did not end"
            time.sleep(0.01)

    return wait


CONVERSIONS = {
    "arrow": lambda result: result.to_arrow().to_pylist(),
    "pandas": lambda result: result.to_pandas().to_dict("records"),
    "polars": lambda result: result.to_polars().to_dicts(),
    "batches": lambda result: pa.Table.from_batches(list(result)).to_pylist(),
    "stream": lambda result: pa.table(result).to_pylist(),
}


@pytest.mark.parametrize("first", ["arrow", "pandas", "polars"])
def test_a_whole_conversion_keeps_the_rows_for_every_other(db, first):
    expected = [{"a": a, "s": s} for a, s in ROWS]
    result = db.sql(SQL)
    for name in [first, *CONVERSIONS, first]:
        assert CONVERSIONS[name](result) == expected, name
    assert result.fetchall() == ROWS


@pytest.mark.parametrize("first", ["batches", "stream"])
@pytest.mark.parametrize("then", ["arrow", "pandas", "polars", "batches", "stream"])
def test_streaming_keeps_nothing_and_a_later_read_says_so(db, first, then):
    result = db.sql(SQL)
    assert len(CONVERSIONS[first](result)) == 5
    with pytest.raises(ResultConsumed, match="streamed already"):
        CONVERSIONS[then](result)
    with pytest.raises(ResultConsumed):
        result.fetchone()


def test_a_stream_left_half_way_is_consumed_too(db, settle):
    result = db.sql(ENDLESS)
    for batch in result:
        assert batch.num_rows
        break
    with pytest.raises(ResultConsumed):
        result.to_arrow()
    settle()


def test_rows_are_fetched_one_many_and_all(db):
    result = db.sql(SQL)
    assert result.fetchone() == ROWS[0]
    assert result.fetchmany(2) == ROWS[1:3]
    assert result.fetchmany(0) == []
    assert result.fetchmany() == [ROWS[3]]
    assert result.fetchall() == [ROWS[4]]
    assert result.fetchone() is None
    assert result.fetchmany(5) == []
    assert result.to_arrow().num_rows == 5
    with pytest.raises(InvalidValue):
        db.sql(SQL).fetchmany(-1)


def test_values_are_pythons_own(db):
    sql = """SELECT 1.10::decimal(10, 2) AS a, date '2024-02-29' AS b,
        timestamp '2024-02-29 01:02:03' AS c, timestamptz '2024-02-29 01:02:03+01:00' AS d,
        'x'::bytea AS e, [1, NULL] AS f, named_struct('k', 1) AS g, NULL AS h, true AS i"""
    (row,) = db.sql(sql).fetchall()
    assert row[0] == decimal.Decimal("1.10")
    assert row[1] == dt.date(2024, 2, 29)
    assert row[2] == dt.datetime.fromisoformat("2024-02-29T01:02:03")
    assert row[2].tzinfo is None
    assert row[3] == dt.datetime(2024, 2, 29, 0, 2, 3, tzinfo=dt.UTC)
    assert row[3].tzinfo is not None
    assert row[4:] == (b"x", [1, None], {"k": 1}, None, True)


def test_no_columns_and_no_rows(db):
    assert db.sql("CREATE TABLE t (a INT)").fetchall() == []
    assert db.sql("SET igloo.timeout = 5s").fetchall() == []
    empty = db.sql("SELECT a FROM t")
    assert empty.schema.names == ["a"]
    assert (empty.fetchall(), empty.to_arrow().num_rows) == ([], 0)
    assert sum(batch.num_rows for batch in db.sql("SELECT a FROM t")) == 0


def test_text_and_bytes_are_plain_types_everywhere(db):
    sql = "SELECT 'x' AS s, ['y'] AS l, named_struct('k', 'z') AS r, 'b'::bytea AS b"
    expected = pa.schema(
        [
            ("s", pa.string()),
            ("l", pa.list_(pa.string())),
            ("r", pa.struct([("k", pa.string())])),
            ("b", pa.binary()),
        ]
    )
    result = db.sql(sql)
    assert [field.type for field in result.schema] == expected.types
    assert result.to_arrow().schema.types == expected.types
    (batch,) = list(db.sql(sql))
    assert batch.schema.types == expected.types
    db.sql("CREATE TABLE t (s TEXT, v VARCHAR)")
    assert db.sql("SELECT * FROM t").schema.types == [pa.string()] * 2
    assert db.sql("SELECT upper(s), s || v AS w FROM t").schema.types == [pa.string()] * 2


def test_the_schema_is_known_before_anything_runs(db):
    result = db.sql(ENDLESS)
    assert (result.schema.names, result.schema.types) == (["a"], [pa.int64()])
    assert result.stats.rows == 0
    result.close()


def test_other_libraries_read_the_stream(db):
    expected = [{"a": a, "s": s} for a, s in ROWS]
    assert pa.RecordBatchReader.from_stream(db.sql(SQL)).read_all().to_pylist() == expected
    assert pl.DataFrame(db.sql(SQL)).to_dicts() == expected
    db.sql(SQL)
    with duckdb.connect() as duck:
        assert sorted(duck.from_arrow(db.sql(SQL)).fetchall()) == ROWS
    with igloo.connect() as other:
        other.register("t", db.sql(SQL))
        assert other.sql("SELECT sum(a) FROM t").fetchall() == [(10,)]


def test_an_error_in_the_middle_reaches_every_reader(db):
    sql = "SELECT 1 / (value - 20000) AS a FROM range(0, 40000)"
    for read in CONVERSIONS.values():
        # pyarrow wraps what a stream raises, and quotes it.
        with pytest.raises((InvalidValue, pa.ArrowInvalid), match="zero"):
            read(db.sql(sql))
    result = db.sql(sql)
    with pytest.raises(InvalidValue):
        result.fetchall()
    with pytest.raises(ResultConsumed):
        result.fetchall()
    assert db.sql("SELECT 1").fetchall() == [(1,)]


# -- facts -----------------------------------------------------------------------------------------


def test_stats_are_complete_after_the_last_row_and_readable_before(db):
    db.register("t", pa.table({"a": list(range(100))}))
    result = db.sql("SELECT a FROM t WHERE a < 10")
    before = result.stats
    assert (before.rows, before.cache, before.cache_reason) == (0, "bypass", "no cache")
    assert before.execution == "embedded"
    assert result.to_arrow().num_rows == 10
    after = result.stats
    assert after.rows == 10
    assert after.query_id == before.query_id
    assert after.elapsed_ms >= before.elapsed_ms > 0
    assert result.stats.elapsed_ms == after.elapsed_ms
    assert after.sources["memory"].rows == 100
    assert list(after.as_of) == ["memory.public.t"]
    assert after.tasks >= 1
    with pytest.raises(AttributeError):
        after.rows = 5
    assert db.sql("SELECT 1").stats.query_id != after.query_id


def test_stats_are_json(db):
    db.register("t", pa.table({"a": [1]}))
    result = db.sql("SELECT x.a FROM t x, t y WHERE x.a <= y.a")
    result.fetchall()
    facts = json.loads(json.dumps(result.stats.to_dict()))
    assert facts["rows"] == 1
    assert facts["sources"]["memory"]["sql"] == []
    assert set(facts) >= {
        "query_id",
        "elapsed_ms",
        "rows",
        "cache",
        "cache_reason",
        "as_of",
        "sources",
        "execution",
        "execution_reason",
        "tasks",
        "token",
    }


# -- release ---------------------------------------------------------------------------------------


def state_of(db, sql):
    """Return the state of the one query of this text."""
    ((state,),) = db.sql("SELECT state FROM system.queries WHERE sql = ?", [sql]).fetchall()
    return state


def test_close_stops_the_work_and_what_was_kept_stays(db, settle):
    running = db.sql(ENDLESS)
    next(iter(running))
    running.close()
    running.close()
    settle()
    assert state_of(db, ENDLESS) == "cancelled"
    with pytest.raises(ResultConsumed, match="closed"):
        running.fetchall()
    kept = db.sql(SQL)
    kept.to_arrow()
    kept.close()
    assert kept.fetchall() == ROWS


def test_a_result_is_a_context_manager(db, settle):
    with db.sql(ENDLESS) as result:
        assert next(iter(result)).num_rows
    settle()
    with pytest.raises(ResultConsumed):
        result.to_arrow()
    with db.sql(SQL) as result:
        assert result.fetchall() == ROWS


def test_a_result_that_nobody_read_or_kept_ends(db, settle):
    db.sql(ENDLESS)
    gc.collect()
    assert state_of(db, ENDLESS) == "cancelled"
    abandoned = iter(db.sql(ENDLESS + " "))
    next(abandoned)
    del abandoned
    gc.collect()
    settle()


def test_cancel_from_another_thread_ends_the_read_at_once(db, settle):
    result = db.sql("SELECT count(*) FROM range(0, 40000000000)")
    errors = []

    def read():
        try:
            result.fetchall()
        except QueryCancelled as error:
            errors.append((time.monotonic(), error))

    thread = threading.Thread(target=read)
    thread.start()
    while not any(t.name == "igloo-rows" for t in threading.enumerate()):
        time.sleep(0.001)
    start = time.monotonic()
    result.cancel()
    thread.join(5)
    ((moment, error),) = errors
    assert moment - start < 1
    assert error.context["query_id"] == result.stats.query_id
    settle()
    assert db.sql("SELECT 1").fetchall() == [(1,)]


def test_cancel_before_the_first_read_and_after_the_last(db):
    early = db.sql(SQL)
    early.cancel()
    with pytest.raises(QueryCancelled):
        early.fetchall()
    late = db.sql(SQL)
    late.to_arrow()
    late.cancel()
    assert late.fetchall() == ROWS


def test_the_timeout_ends_a_query_wherever_it_is(db, settle):
    db.sql("SET igloo.timeout = 200ms")
    start = time.monotonic()
    with pytest.raises(QueryTimeout, match=r"igloo\.timeout"):
        db.sql("SELECT count(*) FROM range(0, 40000000000)").fetchall()
    assert time.monotonic() - start < 1.2
    with pytest.raises(QueryTimeout):
        collections.deque(db.sql(ENDLESS), maxlen=0)
    settle()
    db.sql("RESET igloo.timeout")
    assert db.sql("SELECT 1").fetchall() == [(1,)]


def test_closing_the_connection_ends_its_queries(tmp_path, monkeypatch, settle):
    monkeypatch.chdir(tmp_path)
    db = igloo.connect()
    batches = iter(db.sql(ENDLESS))
    next(batches)
    db.close()
    with pytest.raises(QueryCancelled):
        list(batches)
    settle()


def test_many_queries_leave_no_threads(db, settle):
    for _ in range(50):
        db.sql(SQL).fetchall()
        next(iter(db.sql(ENDLESS)))
    gc.collect()
    settle()


def test_a_limit_on_kept_rows_spares_streams(db):
    db.sql("SET igloo.limits.result_rows_kept = 100")
    sql = "SELECT * FROM range(0, 101)"
    with pytest.raises(ResultTooLarge, match=r"igloo\.limits\.result_rows_kept"):
        db.sql(sql).to_arrow()
    assert sum(batch.num_rows for batch in db.sql(sql)) == 101
    assert len(db.sql("SELECT * FROM range(0, 100)").fetchall()) == 100


def test_fetchall_gives_the_same_rows_again_and_leaves_none_to_fetch():
    with igloo.connect() as db:
        result = db.sql("SELECT * FROM (VALUES (1), (2), (3)) t(a) ORDER BY a")
        assert result.fetchone() == (1,)
        assert result.fetchall() == [(2,), (3,)]
        assert result.fetchall() == [(2,), (3,)]
        assert result.fetchone() is None
