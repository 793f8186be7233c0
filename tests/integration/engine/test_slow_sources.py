"""Sources that let wait: they hold up no other query, and end with their own."""

import asyncio
import gc
import os
import subprocess
import sys
import threading
import time

import pyarrow as pa
import pytest

import igloo
from igloo.config.machine import processor_count

SCHEMA = pa.schema([("x", pa.int64())])
LIMIT_S = 60
#: More than there are processors.
MANY = 2 * max(2, processor_count()) + 1
#: Operators that DataFusion runs in tasks of its own, each in another way.
SHAPES = (
    "SELECT x, count(*) AS n FROM {0} GROUP BY x",
    "SELECT count(*) AS n FROM {0}",
    "SELECT x FROM {0} ORDER BY x",
    "SELECT a.x FROM {0} a JOIN (SELECT value AS x FROM range(3)) b ON a.x = b.x",
    "SELECT x FROM {0} UNION ALL SELECT value FROM range(1)",
)
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


@pytest.mark.parametrize("shape", SHAPES)
def test_slow_sources_hold_up_no_other_query(db, slow, shape):
    waiting = []
    for number in range(MANY):
        db.register(f"slow{number}", slow.reader())
        result = db.sql(shape.format(f"slow{number}"))
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
    answers = [sorted(finish()) for finish in waiting]
    assert answers == [answers[0]] * MANY
    assert answers[0]


@pytest.mark.parametrize("order", ["", "ORDER BY 1"])
def test_queries_can_be_the_tables_of_a_query(db, order):
    for number in range(MANY):
        inner = db.sql(f"SELECT value % 3 AS x, count(*) AS n FROM range(99999) GROUP BY 1 {order}")
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


def test_a_failed_conversion_keeps_no_rows(db):
    """The error is remembered in the history, and an error's frames hold what they worked on."""
    db.sql("SET igloo.limits.result_rows_kept = 1000000")
    for _ in range(3):
        with pytest.raises(igloo.errors.ResultTooLarge):
            db.sql("SELECT value FROM range(100000000)").to_arrow()

    def batches_kept():
        gc.collect()
        return sum(isinstance(o, pa.RecordBatch) and o.num_rows > 1 for o in gc.get_objects())

    # Each may leave one behind that was on its way.
    _wait_until(lambda: batches_kept() <= 3)


@pytest.mark.parametrize("shape", SHAPES[:3])
def test_a_query_runs_under_an_event_loop_of_the_caller(db, shape):
    async def ask():
        db.register("t", pa.RecordBatchReader.from_batches(SCHEMA, iter([_batch(3)])))
        return db.sql(shape.format("t")).fetchall()

    assert asyncio.run(ask())


def _batch(rows):
    return pa.record_batch({"x": list(range(rows))}, schema=SCHEMA)


WORKERS = """
import os, sys, igloo
db = igloo.connect()
{}
db.sql("SELECT 1").fetchall()
count = 0
for task in os.listdir("/proc/self/task"):
    try:
        count += "tokio" in open(f"/proc/self/task/{{task}}/comm").read()
    except OSError:
        pass  # it has ended meanwhile
print(count)
"""
FILES = "db.sql(\"CREATE CATALOG f USING files WITH (path = '.')\")"
DATABASE = "db.sql(\"CREATE CATALOG pg USING postgres WITH (host = 'db', user = 'u')\")"


@pytest.mark.skipif(not os.path.isdir("/proc/self/task"), reason="it counts threads in /proc")  # noqa: PTH112
@pytest.mark.parametrize(
    ("catalogs", "variable", "workers"),
    [
        (FILES, None, processor_count()),
        (DATABASE, None, 64),
        (f"{FILES}; {DATABASE}", None, 64),
        ("", None, 64),
        (DATABASE, "5", 5),
    ],
)
def test_threads_are_many_unless_only_files_are_read(tmp_path, catalogs, variable, workers):
    environment = {k: v for k, v in os.environ.items() if k != "TOKIO_WORKER_THREADS"}
    if variable:
        environment["TOKIO_WORKER_THREADS"] = variable
    ran = subprocess.run(
        [sys.executable, "-c", WORKERS.format(catalogs)],
        capture_output=True, text=True, check=True, timeout=LIMIT_S, cwd=tmp_path, env=environment,
    )  # fmt: skip
    assert int(ran.stdout) == workers


AT_EXIT = """
import random, sys, threading, time, igloo, pyarrow as pa
S = pa.schema([("x", pa.int64())])
def slow():
    while True:
        time.sleep(random.random() * 0.004)
        yield pa.record_batch({"x": list(range(100))}, schema=S)
db = igloo.connect()
def read(result):
    for _ in result: pass
for n, shape in enumerate(sys.argv[1:]):
    db.register(f"s{n}", pa.RecordBatchReader.from_batches(S, slow()))
    threading.Thread(target=read, args=(db.sql(shape.format(f"s{n}")),), daemon=True).start()
time.sleep(0.3)
sys.stdout.write("ends\\n")
sys.exit(3)
"""


def test_a_process_can_end_while_queries_run(tmp_path):
    shapes = [*SHAPES, "SELECT x FROM {0}", LONG.replace("FROM ", "FROM {0}, ", 1)]
    ran = subprocess.run(
        [sys.executable, "-c", AT_EXIT, *shapes],
        capture_output=True, text=True, check=False, timeout=LIMIT_S, cwd=tmp_path,
    )  # fmt: skip
    assert (ran.returncode, ran.stdout) == (3, "ends\n"), ran.stderr


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
