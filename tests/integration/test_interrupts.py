"""Stopping queries: control comes back at once, the source stops working, the session goes on."""

import contextlib
import gc
import os
import signal
import subprocess
import sys
import threading
import time
import uuid

import adbc_driver_postgresql.dbapi as driver
import pytest

import igloo
from igloo.errors import QueryCancelled, QueryTimeout

#: The promise is one second on a machine that is not busy; the statements sleep for thirty.
AT_ONCE_S = 5.0


@pytest.fixture
def mark():
    """Give a text that makes this test's statement findable among the server's."""
    return f"mark_{uuid.uuid4().hex}"


@pytest.fixture
def sleeping(postgres_uri, mark):
    """Give a function that tells whether the server works on the marked statement."""
    with contextlib.closing(driver.connect(postgres_uri, autocommit=True)) as connection:

        def is_active():
            with contextlib.closing(connection.cursor()) as cursor:
                cursor.execute(
                    "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' "
                    f"AND query LIKE '%{mark}%' AND pid <> pg_backend_pid()"
                )
                return cursor.fetchone()[0] > 0

        yield is_active


@pytest.fixture
def db(postgres_uri, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with igloo.connect() as connection:
        connection.sql(f"CREATE CATALOG pg USING postgres WITH (uri = '{postgres_uri}')")
        yield connection


def wait_until(condition, limit_s=20.0):
    """Return how many seconds the condition took to come true."""
    start = time.monotonic()
    while not condition():
        assert time.monotonic() < start + limit_s, "the condition did not come true in time"
        time.sleep(0.01)
    return time.monotonic() - start


def sleep_sql(mark):
    # The rows before the sleep let the query start; a row is not sent before it is over.
    return (
        "SELECT * FROM remote_query('pg', "
        f"'SELECT g AS {mark}, pg_sleep(30)::text AS s FROM generate_series(1, 2) AS g')"
    )


class Reader(threading.Thread):
    """Reads a result on a thread of its own, and keeps what came of it."""

    def __init__(self, result):
        super().__init__(daemon=True)
        self.result = result
        self.error = None
        self.start()

    def run(self):
        try:
            self.result.fetchall()
        except BaseException as error:  # noqa: BLE001 - the test looks at it
            self.error = error
        self.result = None


def assert_usable(db):
    assert db.sql("SELECT * FROM remote_query('pg', 'SELECT 7 AS x')").fetchall() == [(7,)]


@pytest.mark.parametrize("stop", ["cancel", "close"])
def test_stopping_from_another_thread_stops_the_server_at_once(db, mark, sleeping, stop):
    result = db.sql(sleep_sql(mark))
    reader = Reader(result)
    wait_until(sleeping)
    start = time.monotonic()
    getattr(result, stop)()
    assert time.monotonic() - start < AT_ONCE_S
    reader.join(AT_ONCE_S)
    assert not reader.is_alive()
    assert isinstance(reader.error, QueryCancelled)
    wait_until(lambda: not sleeping(), AT_ONCE_S)
    assert_usable(db)


def test_a_timeout_stops_the_server(db, mark, sleeping):
    db.sql("SET igloo.timeout = 700ms")
    result = db.sql(sleep_sql(mark))
    start = time.monotonic()
    with pytest.raises(QueryTimeout):
        result.fetchall()
    assert time.monotonic() - start < 0.7 + AT_ONCE_S
    wait_until(lambda: not sleeping(), AT_ONCE_S)
    db.sql("RESET igloo.timeout")
    assert_usable(db)


def first_batch_sql(mark):
    """One batch comes at once, the rest sleeps."""
    return (
        "SELECT * FROM remote_query('pg', "
        f"'SELECT g AS {mark}, (CASE WHEN g > 300000 THEN pg_sleep(30) END)::text AS s, "
        "repeat(''x'', 100) AS filler FROM generate_series(1, 300002) AS g')"
    )


@pytest.mark.parametrize("how", ["close", "drop"])
def test_a_result_left_midway_stops_the_server(db, mark, sleeping, how):
    result = db.sql(first_batch_sql(mark))
    batches = iter(result)
    assert next(batches).num_rows > 0
    wait_until(sleeping)
    start = time.monotonic()
    if how == "close":
        result.close()
    else:
        del batches, result
        gc.collect()
    assert time.monotonic() - start < AT_ONCE_S
    wait_until(lambda: not sleeping(), AT_ONCE_S)
    assert_usable(db)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM remote_query('pg', '{}') WHERE n + 1 > 0 LIMIT 3",
        "SELECT * FROM remote_query('pg', '{}')",
        "SELECT n FROM remote_query('pg', '{}') UNION ALL SELECT n FROM remote_query('pg', '{}')",
    ],
)
@pytest.mark.parametrize("how", ["close", "cancel", "drop"])
def test_every_connection_comes_back(postgres_uri, tmp_path, monkeypatch, sql, how):
    monkeypatch.chdir(tmp_path)
    rows = "SELECT n, repeat(''x'', 100) AS f FROM generate_series(1, 200000) n"
    with igloo.connect() as db:
        db.sql(
            f"CREATE CATALOG pg USING postgres WITH (uri = '{postgres_uri}', pool_size = '2',"
            " pool_timeout = '20')"
        )
        for _ in range(8):
            result = db.sql(sql.replace("{}", rows))
            batches = iter(result)
            assert next(batches).num_rows
            if how != "drop":
                getattr(result, how)()
            if how == "cancel":
                with pytest.raises(QueryCancelled):
                    list(batches)
            del batches, result


def test_a_forked_child_leaves_its_parents_query_alone(postgres_uri, tmp_path):
    ran = subprocess.run(
        [sys.executable, "-c", FORKING, postgres_uri],
        capture_output=True, text=True, check=True, timeout=60, cwd=tmp_path,
    )  # fmt: skip
    assert ran.stdout == "400000\n", ran.stderr


FORKING = """
import gc, os, sys, warnings, igloo
warnings.simplefilter("ignore", DeprecationWarning)
db = igloo.connect()
db.sql(f"CREATE CATALOG pg USING postgres WITH (uri = '{sys.argv[1]}')")
result = db.sql("SELECT * FROM remote_query('pg', 'SELECT n, repeat(''x'', 100) AS f "
                "FROM generate_series(1, 400000) n')")
batches = iter(result)
rows = next(batches).num_rows
for how in range(3):
    child = os.fork()
    if child == 0:
        if how == 1:
            del batches, result
            gc.collect()
        if how == 2:
            db.close()
        sys.stdout = sys.stderr
        sys.exit(0)
    os.waitpid(child, 0)
print(rows + sum(batch.num_rows for batch in batches))
"""


def test_cancelling_the_connection_stops_what_runs_inside_of_sql_too(db, mark, sleeping):
    errors = []

    def create():
        try:
            db.sql(f"CREATE TABLE t AS {sleep_sql(mark)}")
        except BaseException as error:  # noqa: BLE001 - the test looks at it
            errors.append(error)

    creating = threading.Thread(target=create, daemon=True)
    creating.start()
    reader = Reader(db.sql(sleep_sql(mark)))
    wait_until(sleeping)
    db.cancel()
    for thread in (creating, reader):
        thread.join(AT_ONCE_S)
        assert not thread.is_alive()
    assert isinstance(reader.error, QueryCancelled)
    assert [type(error) for error in errors] == [QueryCancelled]
    wait_until(lambda: not sleeping(), AT_ONCE_S)
    assert db.sql("SHOW TABLES").fetchall() == []
    assert_usable(db)


def test_closing_the_connection_stops_what_runs(db, mark, sleeping):
    reader = Reader(db.sql(sleep_sql(mark)))
    wait_until(sleeping)
    start = time.monotonic()
    db.close()
    assert time.monotonic() - start < AT_ONCE_S
    reader.join(AT_ONCE_S)
    assert isinstance(reader.error, QueryCancelled)
    wait_until(lambda: not sleeping(), AT_ONCE_S)


SCRIPT = """
import sys, igloo
with igloo.connect() as db:
    db.sql(f"CREATE CATALOG pg USING postgres WITH (uri = '{sys.argv[1]}')")
    result = db.sql(sys.argv[2])
    print("running", flush=True)
    try:
        result.fetchall()
    except KeyboardInterrupt:
        print("interrupted", flush=True)
        raise
"""
# Some hundred million pairs whose comparison nothing can simplify away, below the refused size.
CROSS_JOIN = (
    "SELECT count(*) FROM (SELECT value AS a FROM range(30000)) x "
    "JOIN (SELECT value AS b FROM range(30000)) y ON sin(x.a * y.b) > 0.999999"
)


@pytest.fixture
def child(postgres_uri, tmp_path):
    """Give a function that starts the script in a folder of its own and waits until it runs."""
    started = []

    def start(sql):
        process = subprocess.Popen(
            [sys.executable, "-c", SCRIPT, postgres_uri, sql],
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        assert process.stdout.readline() == "running\n"
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def interrupt(process):
    """Send Ctrl-C; return the seconds until the script saw it, and what it printed."""
    start = time.monotonic()
    process.send_signal(signal.SIGINT)
    seen = process.stdout.readline()
    seconds = time.monotonic() - start
    _, errors = process.communicate(timeout=20)
    return seen, seconds, errors


def test_ctrl_c_during_a_remote_sleep(child, mark, sleeping):
    process = child(sleep_sql(mark))
    wait_until(sleeping)
    seen, seconds, errors = interrupt(process)
    assert (seen, process.returncode) == ("interrupted\n", -signal.SIGINT), errors
    assert seconds < AT_ONCE_S
    assert errors.rstrip().endswith("KeyboardInterrupt")
    wait_until(lambda: not sleeping(), AT_ONCE_S)


def cpu_seconds(process):
    """Return the CPU time of a process, in seconds."""
    with open(f"/proc/{process.pid}/stat") as file:  # noqa: PTH123 - a file of the kernel
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.mark.parametrize(
    "sql",
    [
        "COPY (SELECT value, value % 7 AS k FROM range(4000000000)) TO 'out.parquet'",
        "INSERT INTO t SELECT value FROM range(40000000000) WHERE value < 0",
        "CREATE TABLE u AS SELECT value FROM range(40000000000) WHERE value < 0",
    ],
)
def test_ctrl_c_stops_the_work_of_a_command(postgres_uri, tmp_path, sql):
    process = subprocess.Popen(
        [sys.executable, "-c", LONG_COMMAND, sql],
        cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert process.stdout.readline() == "running\n"
        started = cpu_seconds(process)
        wait_until(lambda: cpu_seconds(process) > started + 0.5)
        process.send_signal(signal.SIGINT)
        assert process.stdout.readline() == "interrupted\n"

        def is_idle():
            before = cpu_seconds(process)
            time.sleep(0.3)
            return cpu_seconds(process) - before < 0.1

        wait_until(is_idle)
        assert process.poll() is None
    finally:
        process.kill()
        process.communicate()


LONG_COMMAND = """
import sys, time, igloo
db = igloo.connect()
db.sql("CREATE TABLE t (a BIGINT)")
print("running", flush=True)
try:
    db.sql(sys.argv[1])
except KeyboardInterrupt:
    print("interrupted", flush=True)
    time.sleep(60)
"""


def test_ctrl_c_during_a_native_cross_join(child):
    process = child(CROSS_JOIN)
    started = cpu_seconds(process)
    # The join itself works, not the start of it.
    wait_until(lambda: cpu_seconds(process) > started + 0.5)
    seen, seconds, errors = interrupt(process)
    assert (seen, process.returncode) == ("interrupted\n", -signal.SIGINT), errors
    assert seconds < AT_ONCE_S
    assert errors.rstrip().endswith("KeyboardInterrupt")
