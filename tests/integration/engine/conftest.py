"""One engine over PostgreSQL, Iceberg, hive-partitioned files and memory, all with the same rows."""

import contextlib
import os
import time

import adbc_driver_postgresql.dbapi as driver
import pyarrow.parquet as pq
import pytest
from awkward_rows import awkward_table, write_hive, write_iceberg, write_postgres
from pyiceberg.catalog.sql import SqlCatalog

import igloo

POSTGRES_TABLE = f"awkward_{os.getpid()}"


@pytest.fixture(scope="session")
def sources(postgres_uri, tmp_path_factory):
    """Lay the awkward rows into every source; give the SQL that makes the catalogs."""
    table = awkward_table()
    root = tmp_path_factory.mktemp("sources")
    write_postgres(postgres_uri, table, POSTGRES_TABLE)
    write_hive(root / "hive" / "t", table)
    (root / "one").mkdir()
    pq.write_table(table, root / "one" / "t.parquet", row_group_size=7)
    warehouse = root / "warehouse"
    warehouse.mkdir()
    catalog = SqlCatalog(
        "lake", uri=f"sqlite:///{warehouse}/catalog.db", warehouse=f"file://{warehouse}"
    )
    catalog.create_namespace("ns")
    write_iceberg(catalog, "ns.t", table)
    catalog.engine.dispose()
    yield [
        f"CREATE CATALOG pg USING postgres WITH (uri = '{postgres_uri}')",
        f"CREATE CATALOG hive USING files WITH (path = '{root / 'hive'}')",
        f"CREATE CATALOG one USING files WITH (path = '{root / 'one'}')",
        f"CREATE CATALOG ice USING iceberg WITH (warehouse = '{warehouse}')",
    ]
    with driver.connect(postgres_uri, autocommit=True) as connection:
        connection.execute(f'DROP TABLE "{POSTGRES_TABLE}"').close()


@pytest.fixture(scope="session")
def tables():
    """Give the names of the tables that hold the same rows, by a short name of their source."""
    return {
        "pg": f"pg.public.{POSTGRES_TABLE}",
        "hive": "hive.main.t",
        "one": "one.main.t",
        "ice": "ice.ns.t",
    }


@pytest.fixture
def db(sources, tmp_path, monkeypatch):
    """Give a connection with all catalogs and the same rows in memory as ``mem``."""
    monkeypatch.chdir(tmp_path)
    with igloo.connect() as connection:
        for statement in sources:
            connection.sql(statement)
        connection.register("mem", awkward_table())
        yield connection


@pytest.fixture
def ask(postgres_uri):
    """Give a function that asks PostgreSQL itself, past Igloo."""

    def run(sql):
        with (
            contextlib.closing(driver.connect(postgres_uri, autocommit=True)) as connection,
            contextlib.closing(connection.cursor()) as cursor,
        ):
            cursor.execute(sql)
            return cursor.fetchall() if cursor.description else []

    return run


@pytest.fixture
def wait_until():
    """Give a function that waits for a condition and returns how long that took, with a limit."""

    def wait(condition, limit_s=10.0):
        start = time.monotonic()
        while not condition():
            assert time.monotonic() < start + limit_s, "the condition did not come true in time"
            time.sleep(0.01)
        return time.monotonic() - start

    return wait
