"""Sources that let wait: they hold up no other query, and end with their own."""

import threading
import time

import pyarrow as pa
import pytest

import igloo
from igloo.config.machine import processor_count

SCHEMA = pa.schema([("x", pa.int64())])
LIMIT_S = 60
#: More than DataFusion has threads.
MANY = 2 * max(2, processor_count()) + 1
#: Minutes of work that gives way often.
LONG = "SELECT count(DISTINCT a.value % 9999991 + b.value) FROM range(4000000) a, range(400) b"


@pytest.fixture
def db(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with igloo.connect() as connection:
        yield connection


class Slow:
    """Readers whose rows come when they are let."""

    def __init__(self):
        self.waiting = threading.Semaphore(0)
        self.go_on = threading.Event()

    def reader(self, rows=3):
        def batches():
            self.waiting.release()
            assert self.go_on.wait(LIMIT_S)
            yield pa.record_batch({"x": list(range(rows))}, schema=SCHEMA)

        return pa.RecordBatchReader.from_batches(SCHEMA, batches())


@pytest.fixture
def slow():
    source = Slow()
    yield source
    source.go_on.set()


def in_background(call):
    outcome = []
    thread = threading.Thread(target=lambda: outcome.append(call()), daemon=True)
    thread.start()

    def finish():
        thread.join(LIMIT_S)
        assert outcome
        return outcome[0]

    return finish


def test_slow_sources_hold_up_no_other_query(db, slow):
    waiting = []
    for number in range(MANY):
        db.register(f"slow{number}", slow.reader())
        # Grouping sends the rows through DataFusion's own tasks.
        result = db.sql(f"SELECT x, count(*) FROM slow{number} GROUP BY x")
        waiting.append(in_background(result.fetchall))
    for _ in range(MANY):
        assert slow.waiting.acquire(timeout=LIMIT_S)
    quick = in_background(
        db.sql(
            "SELECT count(*) FROM (SELECT value % 7, count(*) FROM range(1000000) GROUP BY 1)"
        ).fetchall
    )
    assert quick() == [(7,)]
    slow.go_on.set()
    for finish in waiting:
        assert sorted(finish()) == [(0, 1), (1, 1), (2, 1)]


def test_queries_can_be_the_tables_of_a_query(db):
    for number in range(MANY):
        inner = db.sql("SELECT value % 3 AS x, count(*) AS n FROM range(100000) GROUP BY 1")
        db.register(f"inner{number}", pa.RecordBatchReader.from_stream(inner))
    joins = " ".join(f"JOIN inner{n} ON inner{n}.x = inner0.x" for n in range(1, MANY))
    assert db.sql(f"SELECT count(*) FROM inner0 {joins}").fetchall() == [(3,)]


def test_waiting_for_rows_shows_no_batch_without_rows(db, slow):
    db.register("slow", slow.reader())
    batches = in_background(lambda: list(db.sql("SELECT x FROM slow")))
    assert slow.waiting.acquire(timeout=LIMIT_S)
    slow.go_on.set()
    assert [batch.num_rows for batch in batches()] == [3]


def test_a_source_whose_rows_are_not_needed_is_let_go(db):
    closed = threading.Event()

    def batches():
        try:
            for _ in range(1000):
                yield pa.record_batch({"x": list(range(1000))}, schema=SCHEMA)
        finally:
            closed.set()

    db.register("many", pa.RecordBatchReader.from_batches(SCHEMA, batches()))
    assert db.sql("SELECT x FROM many LIMIT 1").fetchall() == [(0,)]
    db.unregister("many")
    assert closed.wait(LIMIT_S)


@pytest.mark.parametrize("how", ["cancel", "close"])
def test_a_stopped_query_computes_no_more_while_its_result_is_kept(db, how):
    result = db.sql(LONG)
    reading = in_background(lambda: _error_of(result.fetchall))
    _wait_until(lambda: _load() > 0.5)
    getattr(result, how)()
    assert reading() == "QueryCancelled"
    _wait_until(lambda: _load() < 0.2)
    assert result.stats.rows == 0


def _error_of(call):
    try:
        return call()
    except igloo.errors.IglooError as error:
        return type(error).__name__


def _load(seconds=0.25):
    """Return how many processors this process keeps busy."""
    started = time.process_time()
    time.sleep(seconds)
    return (time.process_time() - started) / seconds


def _wait_until(condition):
    deadline = time.monotonic() + LIMIT_S
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true in time"
