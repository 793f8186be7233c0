import gc
import socket
import subprocess
import sys
import threading
import time
from urllib.parse import urlsplit

import adbc_driver_postgresql.dbapi as driver
import pyarrow as pa
import pytest

from igloo.cancel import CancelToken
from igloo.connectors.contract import Pushdown
from igloo.connectors.options import read_options
from igloo.connectors.postgres import PostgresConnector
from igloo.connectors.postgres.options import PostgresOptions
from igloo.errors import (
    IglooError,
    LimitExceeded,
    NotSupported,
    QueryCancelled,
    QueryTimeout,
    SourceError,
    SourceRefused,
    SourceTimeout,
    SourceUnavailable,
)
from igloo.names import TableName
from igloo.testing.servers import PostgresServer

BIG = "CREATE VIEW big AS SELECT g, repeat('x', 100) AS t FROM generate_series(1, 5000000) g"
SLOW = "CREATE VIEW slow AS SELECT 1 AS a, pg_sleep(30)::text AS t"


def _named(source, name, **options):
    mark = "&" if "?" in source.uri else "?"
    return source.connector(uri=f"{source.uri}{mark}application_name={name}", **options)


def _open_sessions(source, name):
    sql = f"SELECT count(*) FROM pg_stat_activity WHERE application_name = '{name}'"
    return source.ask(sql)[0][0]


def _one_line(error):
    assert "\n" not in str(error)
    assert error.context["catalog"] == "pg"


def test_a_wrong_password_is_refused_and_not_repeated(source):
    wrong = urlsplit(source.uri)._replace(
        netloc=f"postgres:hunter2hunter2@{urlsplit(source.uri).netloc.split('@')[1]}"
    )
    connector = source.connector(uri=wrong.geturl())
    place = f"{wrong.hostname}:{wrong.port}"
    with pytest.raises(
        SourceRefused, match=f'catalog "pg" at {place}: password rejected'
    ) as caught:
        connector.list_schemas()
    _one_line(caught.value)
    chain = f"{caught.value!r} {caught.value.__cause__!r} {connector.options!r}"
    assert "hunter2" not in chain


def test_a_missing_password_is_refused(source):
    url = urlsplit(source.uri)
    connector = source.connector(
        host=url.hostname, port=url.port, user="postgres", database="postgres"
    )
    with pytest.raises(SourceRefused, match='password rejected for user "postgres"'):
        connector.list_schemas()


@pytest.mark.parametrize("spelling", ["url", "pairs", "apart"])
def test_every_spelling_of_the_address_connects(source, spelling):
    url = urlsplit(source.uri)
    apart = {
        "host": url.hostname,
        "port": url.port,
        "user": url.username,
        "password": url.password,
        "database": url.path[1:],
    }
    pairs = f"host={url.hostname} port={url.port} user='{url.username}' password = {url.password} dbname={url.path[1:]}"
    options = {"url": {"uri": source.uri}, "pairs": {"uri": pairs}, "apart": apart}[spelling]
    assert source.schema in source.connector(**options).list_schemas()


def test_a_missing_database_is_refused(source):
    missing = urlsplit(source.uri)._replace(path="/no_such_database").geturl()
    with pytest.raises(SourceRefused, match='database "no_such_database" does not exist') as caught:
        source.connector(uri=missing).list_schemas()
    _one_line(caught.value)


def test_an_encrypted_connection_is_refused_where_the_server_has_none(source):
    if source.ask("SELECT current_setting('ssl')") == [("on",)]:
        assert source.connector(sslmode="require").list_schemas()
        return
    with pytest.raises(SourceRefused, match="sslmode"):
        source.connector(sslmode="require").list_schemas()


@pytest.mark.parametrize(
    "place", ["127.0.0.1:1", "no-such-host.invalid:5432", "localhost:1,127.0.0.1:1"]
)
def test_an_unreachable_server_is_unavailable(source, place):
    connector = source.connector(uri=f"postgresql://u:hunter2@{place}/d")
    with pytest.raises(SourceUnavailable, match='Cannot connect to catalog "pg" at') as caught:
        connector.list_schemas()
    _one_line(caught.value)
    assert caught.value.retryable
    assert "hunter2" not in str(caught.value)


@pytest.fixture
def silent_port():
    """Give a port that accepts connections and says nothing."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        yield listening.getsockname()[1]


def test_a_server_that_says_nothing_times_out(source, silent_port):
    connector = source.connector(host="127.0.0.1", port=silent_port, connect_timeout="2s")
    started = time.monotonic()
    with pytest.raises(SourceTimeout):
        connector.list_schemas()
    assert time.monotonic() - started < 8


def test_connecting_is_cancelled_within_a_second(source, silent_port):
    source.run("CREATE TABLE t (a int)")
    (split,) = source.scan(source.connector(), "t").splits
    cancel = CancelToken()
    threading.Timer(0.2, cancel.cancel).start()
    started = time.monotonic()
    with pytest.raises(QueryCancelled):
        source.connector(host="127.0.0.1", port=silent_port).read_split(split, cancel)
    assert time.monotonic() - started < 1.2


def test_a_missing_right_is_refused(source):
    source.run("CREATE TABLE t (a int)", "CREATE TABLE u (a int)")
    role = f"{source.schema}_reader"
    source.run(
        f"CREATE ROLE {role} LOGIN PASSWORD 'pw'",
        f"GRANT USAGE ON SCHEMA {source.schema} TO {role}",
    )
    try:
        url = urlsplit(source.uri)
        connector = source.connector(
            host=url.hostname, port=url.port, user=role, password="pw", database=url.path[1:]
        )
        with pytest.raises(SourceRefused, match="permission denied for table t") as caught:
            source.read(connector, "t")
        _one_line(caught.value)
        connector.close()
    finally:
        source.run(f"DROP OWNED BY {role}", f"DROP ROLE {role}")


def test_a_statement_that_runs_too_long_times_out(source):
    source.run(SLOW)
    connector = source.connector(statement_timeout="200ms")
    with pytest.raises(SourceTimeout, match="statement_timeout") as caught:
        source.read(connector, "slow")
    _one_line(caught.value)


def test_a_value_that_the_source_cannot_compute_is_its_datas_error(source):
    source.run("CREATE VIEW v AS SELECT 1 / (g - 3) AS a FROM generate_series(1, 5) g")
    with pytest.raises(SourceError, match="division by zero"):
        source.read(source.connector(), "v")


@pytest.mark.parametrize("view", ["slow", "big"])
def test_a_read_is_cancelled_within_a_second_and_leaves_nothing(source, view, wait_until):
    source.run(BIG, SLOW)
    connector = _named(source, f"{source.schema}_cancel")
    cancel = CancelToken()
    cancelled = []

    def stop():
        cancelled.append(time.monotonic())
        cancel.cancel(QueryTimeout("The query ran longer than 300 ms."))

    threading.Timer(0.3, stop).start()
    with pytest.raises(QueryTimeout):
        for _ in source.open(connector, view, cancel=cancel):
            pass
    assert time.monotonic() - cancelled[0] < 1
    wait_until(lambda: _open_sessions(source, f"{source.schema}_cancel") == 0)
    assert source.read(connector, "big", ("g",), limit=1).num_rows == 1


def test_a_reader_that_is_dropped_midway_stops_the_source(source, wait_until):
    source.run(BIG)
    name = f"{source.schema}_dropped"
    connector = _named(source, name)
    reader = source.open(connector, "big")
    reader.read_next_batch()
    assert _open_sessions(source, name) == 1
    started = time.monotonic()
    del reader
    gc.collect()
    wait_until(lambda: _open_sessions(source, name) == 0)
    assert time.monotonic() - started < 2


def test_connections_are_used_again_and_given_back(source, wait_until):
    source.run("CREATE TABLE t AS SELECT 1 AS a")
    name = f"{source.schema}_again"
    connector = _named(source, name)
    for _ in range(5):
        source.read(connector, "t")
    assert _open_sessions(source, name) == 1
    readers = [source.open(connector, "t") for _ in range(3)]
    assert _open_sessions(source, name) == 3
    assert [reader.read_all().num_rows for reader in readers] == [1, 1, 1]
    assert _open_sessions(source, name) == 3
    connector.close()
    connector.close()
    wait_until(lambda: _open_sessions(source, name) == 0)
    with pytest.raises(SourceUnavailable, match="closed"):
        connector.list_schemas()


def test_a_reader_outlives_the_closing_of_its_connector(source, wait_until):
    source.run("CREATE TABLE t AS SELECT 1 AS a")
    name = f"{source.schema}_outlives"
    connector = _named(source, name)
    reader = source.open(connector, "t")
    connector.close()
    assert reader.read_all().num_rows == 1
    wait_until(lambda: _open_sessions(source, name) == 0)


def test_failures_leave_no_connection_lent(source):
    source.run("CREATE VIEW v AS SELECT 1 / (g - 3) AS a FROM generate_series(1, 5) g")
    connector = source.connector(pool_size=1, pool_timeout="300ms")
    for _ in range(3):
        with pytest.raises(SourceError):
            source.read(connector, "v")
        with pytest.raises(IglooError):
            connector.run_sql("SELECT nope", CancelToken())
        with pytest.raises(IglooError):
            source.load(connector, "nope")
    assert connector.list_schemas()


def test_an_exhausted_pool_names_its_limits(source):
    source.run(BIG)
    connector = source.connector(pool_size=2, pool_timeout="200ms")
    (split,) = source.scan(connector, "big").splits
    readers = [connector.read_split(split, CancelToken()) for _ in range(2)]
    with pytest.raises(
        LimitExceeded, match=r'All 2 connections of catalog "pg" were busy for 0\.2 s'
    ) as caught:
        connector.read_split(split, CancelToken())
    assert "pool_size" in caught.value.hint
    readers.pop()
    connector.read_split(split, CancelToken()).read_next_batch()


def test_waiting_for_a_connection_is_cancelled_within_a_second(source):
    source.run(BIG)
    connector = source.connector(pool_size=1)
    (split,) = source.scan(connector, "big").splits
    held = connector.read_split(split, CancelToken())
    cancel = CancelToken()
    threading.Timer(0.2, cancel.cancel).start()
    started = time.monotonic()
    with pytest.raises(QueryCancelled):
        connector.read_split(split, cancel)
    assert time.monotonic() - started < 1.2
    del held


def test_many_threads_share_one_connector(source):
    source.run("CREATE TABLE t AS SELECT g AS a FROM generate_series(1, 1000) g")
    connector = source.connector(pool_size=3)
    found, failed = [], []

    def work():
        try:
            found.extend([source.read(connector, "t").num_rows for _ in range(5)])
        except BaseException as error:  # noqa: BLE001 - shown by the assertion
            failed.append(error)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert found == [1000] * 40


def test_a_table_larger_than_its_memory_is_streamed(source):
    source.run(BIG)
    program = f"""
import sys
from igloo.cancel import CancelToken
from igloo.connectors.contract import Pushdown
from igloo.connectors.options import read_options
from igloo.connectors.postgres import PostgresConnector
from igloo.connectors.postgres.options import PostgresOptions
from igloo.names import TableName
options = read_options(PostgresOptions, {{"uri": sys.argv[1]}}, connector="postgres", environment={{}})
connector = PostgresConnector("pg", options)
table = connector.load_table(TableName("{source.schema}", "big"))
(split,) = connector.plan_scan(table, Pushdown(columns=("g", "t"))).splits
reader = connector.read_split(split, CancelToken())
rows = reader.read_next_batch().num_rows
def peak():
    # Not ru_maxrss: Linux starts that of a child at the size of its parent.
    with open("/proc/self/status") as status:
        (line,) = (line for line in status if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024
before = peak()
size = 0
for batch in reader:
    rows += batch.num_rows
    size += batch.nbytes
print(rows, size, peak() - before)
"""
    done = subprocess.run(
        [sys.executable, "-c", program, source.uri], capture_output=True, text=True, check=True
    )
    rows, size, grown = map(int, done.stdout.split())
    assert rows == 5_000_000
    assert size > 500_000_000
    assert grown < 64_000_000


@pytest.fixture
def own_server():
    with PostgresServer() as server:
        yield server


def _connector_to(server, **options):
    given = {"uri": server.uri, **options}
    read = read_options(PostgresOptions, given, connector="postgres", environment={})
    return PostgresConnector("pg", read)


def _execute(server, *statements):
    with driver.connect(server.uri, autocommit=True) as connection, connection.cursor() as cursor:
        for statement in statements:
            cursor.executescript(statement)


def test_a_server_killed_while_it_sends_is_unavailable_and_comes_back(own_server):
    _execute(own_server, BIG)
    connector = _connector_to(own_server)
    table = connector.load_table(TableName("public", "big"))
    (split,) = connector.plan_scan(table, Pushdown(columns=("g", "t"))).splits
    reader = connector.read_split(split, CancelToken())
    reader.read_next_batch()
    own_server.kill()
    with pytest.raises(SourceUnavailable) as caught:
        for _ in reader:
            pass
    _one_line(caught.value)
    with pytest.raises(SourceUnavailable):
        connector.list_schemas()
    own_server.start()
    assert connector.list_schemas() == ["public"]
    connector.close()


def test_idle_connections_are_renewed_after_a_restart(own_server):
    _execute(own_server, "CREATE TABLE t AS SELECT 1 AS a")
    connector = _connector_to(own_server)
    table = connector.load_table(TableName("public", "t"))
    (split,) = connector.plan_scan(table, Pushdown(columns=("a",))).splits
    readers = [connector.read_split(split, CancelToken()) for _ in range(3)]
    for reader in readers:
        assert reader.read_all().num_rows == 1
    own_server.restart()
    assert connector.read_split(split, CancelToken()).read_all().num_rows == 1
    assert connector.list_schemas() == ["public"]
    connector.close()


def test_a_session_ended_by_an_administrator_is_replaced(source):
    name = f"{source.schema}_ended"
    connector = _named(source, name)
    connector.list_schemas()
    source.ask(
        f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = '{name}'"
    )
    assert source.schema in connector.list_schemas()


def test_too_many_connections_for_the_server_are_unavailable():
    with PostgresServer(
        settings={
            "max_connections": "4",
            "max_wal_senders": "0",
            "superuser_reserved_connections": "0",
            "reserved_connections": "0",
        }
    ) as server:
        _execute(server, BIG)
        connector = _connector_to(server)
        table = connector.load_table(TableName("public", "big"))
        (split,) = connector.plan_scan(table, Pushdown(columns=("g",))).splits
        with pytest.raises(SourceUnavailable, match="too many clients") as caught:
            _ = [connector.read_split(split, CancelToken()) for _ in range(6)]
        _one_line(caught.value)
        connector.close()


def test_writing_is_refused_when_the_catalog_is_made(source):
    with pytest.raises(NotSupported, match="does not write"):
        source.connector(allow_writes="true")


def test_making_a_connector_dials_nothing(silent_port):
    options = {"host": "127.0.0.1", "port": str(silent_port)}
    read = read_options(PostgresOptions, options, connector="postgres", environment={})
    PostgresConnector("pg", read).close()


def test_text_that_is_not_unicode_is_refused(own_server):
    _execute(
        own_server,
        "CREATE DATABASE bytes TEMPLATE template0 ENCODING SQL_ASCII LOCALE 'C' LOCALE_PROVIDER libc",
    )
    uri = own_server.uri.rpartition("/")[0] + "/bytes"
    with driver.connect(uri, autocommit=True) as connection, connection.cursor() as cursor:
        cursor.executescript(
            "CREATE TABLE t AS SELECT 1 AS id, convert_from('\\xff', 'SQL_ASCII') AS c"
        )
    options = read_options(PostgresOptions, {"uri": uri}, connector="postgres", environment={})
    connector = PostgresConnector("pg", options)
    table = connector.load_table(TableName("public", "t"))
    (split,) = connector.plan_scan(table, Pushdown(columns=("id", "c"))).splits
    reader = connector.read_split(split, CancelToken())
    with pytest.raises(SourceError, match="invalid byte sequence"):
        reader.read_all()
    connector.close()


def test_a_database_in_another_encoding_is_read_and_its_text_filtered_by_the_engine(own_server):
    from igloo.connectors.predicates import Column, Comparison, ComparisonOperator, Literal

    _execute(
        own_server,
        "CREATE DATABASE latin TEMPLATE template0 ENCODING LATIN1 LOCALE 'C' LOCALE_PROVIDER libc",
    )
    uri = own_server.uri.rpartition("/")[0] + "/latin?client_encoding=UTF8"
    with driver.connect(uri, autocommit=True) as connection, connection.cursor() as cursor:
        cursor.executescript("CREATE TABLE t AS SELECT 'é'::text AS c")
    options = read_options(PostgresOptions, {"uri": uri}, connector="postgres", environment={})
    connector = PostgresConnector("pg", options)
    table = connector.load_table(TableName("public", "t"))
    moon = Comparison(Column("c"), ComparisonOperator.NOT_EQUAL, Literal(pa.scalar("🌙")))
    scan = connector.plan_scan(table, Pushdown(columns=("c",), filter=moon))
    assert scan.residual == moon
    rows = connector.read_split(scan.splits[0], CancelToken()).read_all()
    assert rows.to_pylist() == [{"c": "é"}]
    connector.close()
