"""Random statements answer what DuckDB and PostgreSQL answer, over memory and Parquet.

Set ``IGLOO_TEST_SEED`` and ``IGLOO_TEST_QUERIES`` to hunt with other and more statements.
"""

import contextlib
import os
import random
from collections import Counter

import adbc_driver_postgresql.dbapi as driver
import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from random_statements import COLUMNS, TABLES, RandomStatements

import igloo

SEED = os.environ.get("IGLOO_TEST_SEED", "1")
QUERIES = int(os.environ.get("IGLOO_TEST_QUERIES", "150"))
#: Of the statements, DataFusion still refuses so many at most.
REFUSED_MAX = 0.05


@pytest.fixture(scope="module")
def small_tables():
    chance = random.Random(7)

    def column(rows):
        return pa.array([chance.choice([0, 1, 2, 3, None]) for _ in range(rows)], pa.int64())

    return {
        name: pa.table({column_name: column(6 - number) for column_name in COLUMNS})
        for number, name in enumerate(TABLES)
    }


@pytest.fixture(scope="module")
def judges(small_tables, postgres_uri):
    """Give functions that ask DuckDB and PostgreSQL; None where one refuses the statement."""
    in_duckdb = duckdb.connect()
    connecting = contextlib.closing(driver.connect(postgres_uri, autocommit=True))
    with connecting as connection, contextlib.closing(connection.cursor()) as cursor:
        for name, table in small_tables.items():
            in_duckdb.register(name, table)
            cursor.adbc_ingest(name, table, mode="create", temporary=True)

        def ask_duckdb(sql):
            try:
                return bag(in_duckdb.sql(sql).fetchall())
            except duckdb.Error:
                return None

        def ask_postgres(sql):
            try:
                cursor.execute(sql)
                return bag(cursor.fetchall())
            except driver.Error:
                return None

        yield ask_duckdb, ask_postgres
    in_duckdb.close()


@pytest.fixture(scope="module")
def asked(small_tables, tmp_path_factory):
    """Give connections whose tables lie in memory, and in files of several row groups."""
    folder = tmp_path_factory.mktemp("small")
    with igloo.connect() as in_memory, igloo.connect() as in_files:
        for name, table in small_tables.items():
            in_memory.register(name, table)
            pq.write_table(table, folder / f"{name}.parquet", row_group_size=2)
        in_files.sql(f"CREATE CATALOG files USING files WITH (path = '{folder}')")
        in_files.sql("USE files")
        yield in_memory, in_files


def bag(rows):
    """Return rows as a bag; PostgreSQL's sums come as text."""
    return Counter(tuple(None if v is None else str(v) for v in row) for row in rows)


def test_random_statements_are_answered_as_the_judges_answer(asked, judges):
    refused = judged = 0
    for number in range(QUERIES):
        seed = f"{SEED}/{number}"
        sql = RandomStatements(seed).statement()
        answers = [answer for answer in (ask(sql) for ask in judges) if answer is not None]
        if not answers:
            continue
        judged += 1
        try:
            found = bag(asked[number % 2].sql(sql).fetchall())
        except igloo.IglooError:
            refused += 1
            continue
        assert [found] * len(answers) == answers, f"seed {seed}: {sql}"
    assert judged > QUERIES * 0.9
    assert refused <= QUERIES * REFUSED_MAX


def test_statements_that_are_not_rewritten_would_differ(asked, judges):
    """The generator finds what it is made for."""
    in_memory, _ = asked
    in_memory.sql("SET igloo.rewrites = off")
    wrong = 0
    for number in range(QUERIES):
        sql = RandomStatements(f"{SEED}/{number}").statement()
        right = judges[0](sql)
        with contextlib.suppress(igloo.IglooError):
            wrong += right is not None and bag(in_memory.sql(sql).fetchall()) != right
    in_memory.sql("RESET igloo.rewrites")
    assert wrong > 0
