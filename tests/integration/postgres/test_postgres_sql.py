import threading
import time

import pyarrow as pa
import pytest

from igloo.cancel import CancelToken
from igloo.errors import (
    IglooError,
    NotSupported,
    QueryCancelled,
    SourceDataError,
    SourceRefused,
    SqlSyntaxError,
    UnsupportedType,
)


def _run(connector, sql):
    return connector.run_sql(sql, CancelToken()).read_all()


@pytest.mark.parametrize(
    ("sql", "values"),
    [
        ("SELECT 1 AS a", [[1]]),
        ("SELECT 1 AS a;", [[1]]),
        (" ( SELECT 1 ) ; ; -- done", [[1]]),
        ("-- first\nSELECT 1 -- last", [[1]]),
        ("SELECT ';' AS a /* ; */", [[";"]]),
        ("VALUES (1, 'x'), (2, NULL)", [[1, 2], ["x", None]]),
        ("WITH w AS (SELECT 1) SELECT * FROM w", [[1]]),
        ("SELECT 1 AS a, 2 AS a", [[1], [2]]),
        ("SELECT g FROM generate_series(1, 3) g ORDER BY g DESC", [[3, 2, 1]]),
        ("SELECT NULL", [[None]]),
        ("SHOW standard_conforming_strings", [["on"]]),
        ("SELECT $$a;b$$", [["a;b"]]),
    ],
)
def test_a_read_only_statement_runs_as_described(source, sql, values):
    connector = source.connector()
    rows = _run(connector, sql)
    assert [column.to_pylist() for column in rows.columns] == values
    assert rows.schema == connector.describe_sql(sql)


def test_a_statement_is_described_without_running_it(source):
    started = time.monotonic()
    schema = source.connector().describe_sql("SELECT pg_sleep(30), 1.5::numeric(4, 2) AS n")
    assert time.monotonic() - started < 5
    assert schema.field("n").type == pa.decimal128(4, 2)


def test_explain_shows_the_sources_plan(source):
    rows = _run(source.connector(), "EXPLAIN SELECT 1")
    assert rows.num_columns == 1
    assert "Result" in rows.column(0)[0].as_py()


def test_rows_without_columns_are_counted(source):
    rows = _run(source.connector(), "SELECT FROM generate_series(1, 3)")
    assert (rows.num_rows, rows.num_columns) == (3, 0)


@pytest.mark.parametrize(
    ("sql", "error"),
    [
        ("", NotSupported),
        (";", NotSupported),
        ("SELECT 1; SELECT 2", NotSupported),
        ("INSERT INTO t VALUES (2)", NotSupported),
        ("COPY t TO PROGRAM 'true'", NotSupported),
        ("SET default_transaction_read_only = off", NotSupported),
        ("SELECT 'x", SqlSyntaxError),
        ("SELECT 1 FROM", SqlSyntaxError),
        ("SELECT '\0'", SqlSyntaxError),
        ("SELECT 1) AS x; DROP TABLE t; --", IglooError),
        ("SELECT 1) TO PROGRAM 'true' --", SqlSyntaxError),
        ("SELECT * FROM no_such_table", SourceRefused),
        ("SELECT $1::int", SourceRefused),
        ("WITH w AS (DELETE FROM t RETURNING a) SELECT * FROM w", SourceRefused),
        ("SELECT a FROM t FOR UPDATE", SourceRefused),
        ("SELECT nextval('s')", SourceRefused),
        ("EXPLAIN ANALYZE DELETE FROM t", SourceRefused),
        ("SELECT grow()", SourceRefused),
        ("SELECT 1 / 0", SourceDataError),
        ("SELECT 1.5", UnsupportedType),
    ],
)
def test_what_is_wrong_or_writes_is_refused_and_the_catalog_stays_usable(source, sql, error):
    source.run(
        "CREATE TABLE t AS SELECT 1 AS a",
        "CREATE SEQUENCE s",
        f"CREATE FUNCTION grow() RETURNS int LANGUAGE sql AS "
        f"'INSERT INTO {source.schema}.t VALUES (2) RETURNING a'",
    )
    (role,) = source.ask("SELECT current_user")[0]
    source.run(f"ALTER ROLE {role} SET search_path TO {source.schema}")
    try:
        connector = source.connector()
        with pytest.raises(error) as caught:
            _run(connector, sql)
    finally:
        source.run(f"ALTER ROLE {role} RESET ALL")
    assert caught.value.context["catalog"] == "pg"
    assert "\n" not in str(caught.value)
    assert source.read(connector, "t").to_pylist() == [{"a": 1}]


def test_a_statement_cannot_switch_writing_on_for_the_next(source):
    source.run(
        "CREATE TABLE t AS SELECT 1 AS a",
        f"CREATE FUNCTION grow() RETURNS int LANGUAGE sql AS "
        f"'INSERT INTO {source.schema}.t VALUES (2) RETURNING a'",
    )
    connector = source.connector(pool_size=1)
    _run(connector, "SELECT set_config('default_transaction_read_only', 'off', false)")
    with pytest.raises(SourceRefused, match="read-only"):
        _run(connector, f"SELECT {source.schema}.grow()")
    with pytest.raises(SourceRefused, match="read-write"):
        _run(
            connector,
            f"SELECT set_config('transaction_read_only', 'off', false), {source.schema}.grow()",
        )
    assert source.ask("SELECT a FROM t") == [(1,)]


def test_a_type_that_cannot_be_carried_is_refused_when_described(source):
    with pytest.raises(UnsupportedType, match=r'"total".*::numeric') as caught:
        source.connector().describe_sql("SELECT sum(g) AS total FROM generate_series(1, 2::int8) g")
    assert caught.value.context["column"] == "total"


def test_a_running_statement_is_cancelled_within_a_second(source):
    connector = source.connector()
    cancel = CancelToken()
    cancelled = []

    def stop():
        cancelled.append(time.monotonic())
        cancel.cancel()

    threading.Timer(0.3, stop).start()
    with pytest.raises(QueryCancelled):
        connector.run_sql("SELECT pg_sleep(30)::text", cancel).read_all()
    assert time.monotonic() - cancelled[0] < 1
    assert _run(connector, "SELECT 1 AS a").to_pylist() == [{"a": 1}]
