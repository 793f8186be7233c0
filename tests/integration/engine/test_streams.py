"""A query starts at its first read, hands rows on as they come, and reads little ahead."""

import threading
import uuid

import pytest

from igloo.errors import SourceError, UserError

ROWS = 400_000


@pytest.fixture
def mark():
    """Give a text that makes this test's statement findable among the server's."""
    return f"mark_{uuid.uuid4().hex}"


@pytest.fixture
def is_running(ask, mark):
    """Give a function that tells whether the server works for the marked statement."""

    def check():
        ((count,),) = ask(
            "SELECT count(*) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
            f" AND state <> 'idle' AND query LIKE '%{mark}%'"
        )
        return count > 0

    return check


def remote(sql):
    return "SELECT * FROM remote_query('pg', '" + sql.replace("'", "''") + "')"


def test_nothing_is_asked_before_the_first_read(db, mark, is_running, wait_until):
    text = f"SELECT n, repeat('x', 200) || '{mark}' AS m FROM generate_series(1, {ROWS}) n"
    result = db.sql(remote(text))
    assert result.schema.names == ["n", "m"]
    assert not is_running()
    assert result.stats.sources["pg"].rows == 0
    batches = iter(result)
    assert next(batches).num_rows
    assert is_running()
    batches.close()
    wait_until(lambda: not is_running(), limit_s=3.0)


def test_a_slow_reader_makes_the_engine_hold_little(db, mark, is_running, wait_until):
    text = f"SELECT n, repeat('x', 200) || '{mark}' AS m FROM generate_series(1, {ROWS}) n"
    result = db.sql(remote(text))
    batches = iter(result)
    rows = next(batches).num_rows
    seen = [0, 0]

    def is_still():
        seen[:] = [seen[1], result.stats.sources["pg"].rows]
        return seen[0] == seen[1] > 0 and not threading.Event().wait(0.2)

    wait_until(is_still)
    assert seen[1] < ROWS / 2
    assert is_running()
    rows += sum(batch.num_rows for batch in batches)
    assert rows == ROWS == result.stats.rows
    assert result.stats.sources["pg"].rows == ROWS
    assert not is_running()


def test_an_error_of_the_source_in_the_middle_is_told_after_the_rows_before_it(db):
    text = f"SELECT 1 / ({ROWS} - n) AS a, repeat('x', 200) AS s FROM generate_series(1, {ROWS}) n"
    rows = 0
    with pytest.raises((SourceError, UserError), match="zero") as caught:  # noqa: PT012 - rows come first
        for batch in db.sql(remote(text)):
            rows += batch.num_rows
    assert 0 < rows < ROWS
    assert caught.value.context["catalog"] == "pg"
    assert db.sql("SELECT 1").fetchall() == [(1,)]


def test_queries_of_several_threads_each_get_their_own_rows(db, tables):
    errors = []

    def work(number):
        try:
            for source, table in tables.items():
                sql = f"SELECT id FROM {table} WHERE id % 8 = ? ORDER BY id"
                found = db.sql(sql, [number]).fetchall()
                assert found == [(n,) for n in range(number, 60, 8)], source
        except BaseException as error:  # noqa: BLE001 - handed to the main thread
            errors.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []


def test_more_waiting_queries_than_threads_do_not_stop_the_others(db, mark, is_running, wait_until):
    """Each waits in the source; none of them may take what a native query needs."""
    waiting = [
        db.sql(remote(f"SELECT pg_sleep(60), '{mark}' AS m, {number} AS n")) for number in range(12)
    ]
    threads = [threading.Thread(target=read_until_cancelled, args=(each,)) for each in waiting]
    for thread in threads:
        thread.start()
    wait_until(is_running)
    assert db.sql("SELECT count(*), sum(value) FROM range(0, 100000)").fetchall() == [
        (100000, 4999950000)
    ]
    assert db.sql("SELECT count(*) FROM hive.t WHERE k = 1").fetchall() == [(20,)]
    for result in waiting:
        result.cancel()
    for thread in threads:
        thread.join(5)
    assert not any(thread.is_alive() for thread in threads)
    wait_until(lambda: not is_running(), limit_s=3.0)


def read_until_cancelled(result):
    with pytest.raises(Exception, match="cancelled"):
        result.fetchall()
