"""SQLite's own part of the hunt: what it can hold of the awkward rows, with pushdown on and off.

``IGLOO_TEST_SEED`` and ``IGLOO_TEST_QUERIES`` hunt with other and more queries.
"""

import contextlib
import math
import os
import sqlite3
from decimal import Decimal

import pyarrow as pa
import pytest
from awkward_rows import SCHEMA, awkward_table
from random_sql import RandomSql

import igloo
from igloo.connectors.contract import WriteMode
from igloo.connectors.sqlite import SqliteConnector
from igloo.connectors.sqlite.options import SqliteOptions
from igloo.errors import UserError
from igloo.names import TableName

SEED = os.environ.get("IGLOO_TEST_SEED", "1")
QUERIES = int(os.environ.get("IGLOO_TEST_QUERIES", "90"))
COLUMNS = ", ".join(SCHEMA.names)
DECLARED = (
    "id INTEGER PRIMARY KEY, i INT4, big INTEGER, f DOUBLE, r FLOAT4, d DECIMAL(20, 4), "
    "s TEXT COLLATE NOCASE, b BOOLEAN, day DATE, ts TIMESTAMP, tz TIMESTAMPTZ, raw BLOB, k INTEGER"
)


def storable(value):
    """SQLite has no NaN, and keeps 15 digits of a decimal."""
    if isinstance(value, float) and math.isnan(value):
        return None
    if isinstance(value, Decimal) and len(value.as_tuple().digits) > 15:
        return None
    return value


@pytest.fixture
def db(tmp_path, monkeypatch):
    """Give a connection with the same rows in memory as ``mem`` and in SQLite as ``lite.t``."""
    monkeypatch.chdir(tmp_path)
    rows = awkward_table()
    columns = [[storable(value) for value in column.to_pylist()] for column in rows.columns]
    table = pa.table(dict(zip(SCHEMA.names, columns, strict=True)), schema=SCHEMA)
    with contextlib.closing(sqlite3.connect("rows.db")) as database:
        database.executescript(f"CREATE TABLE t ({DECLARED}); CREATE INDEX by_s ON t (s)")
    pen = SqliteConnector("pen", SqliteOptions(path=tmp_path / "rows.db", allow_writes=True))
    pen.write(TableName("main", "t"), table.to_reader(), WriteMode.APPEND)
    with igloo.connect() as connection:
        connection.sql("CREATE CATALOG lite USING sqlite WITH (path = 'rows.db')")
        connection.register("mem", table)
        yield connection


def outcome(db, sql):
    """Return the rows in one order, or the class of the error."""
    try:
        rows = db.sql(sql).fetchall()
    except UserError as error:
        return type(error).__name__
    return sorted(repr(row).replace("-0.0", "0.0") for row in rows)


def test_random_queries_give_the_rows_that_memory_gives(db):
    answered, sent = 0, 0
    for number in range(QUERIES):
        sql = RandomSql(f"{SEED}/{number}").query("@table")
        sql = sql.replace("SELECT *", f"SELECT {COLUMNS}", 1)
        expected = outcome(db, sql.replace("@table", "mem"))
        answered += isinstance(expected, list)
        for mode in ("full", "scan", "off"):
            db.sql(f"SET igloo.pushdown = {mode}")
            found = outcome(db, sql.replace("@table", "lite.t"))
            assert found == expected, f"pushdown {mode}, seed {SEED}/{number}: {sql}"
        db.sql("RESET igloo.pushdown")
        if isinstance(expected, list):
            plan = dict(db.sql(f"EXPLAIN {sql.replace('@table', 'lite.t')}").fetchall())
            sent += " WHERE " in plan["igloo_plan"].partition("sql=")[2]
    assert answered > QUERIES * 0.7
    assert sent > QUERIES * 0.1, "hardly a filter was sent"
