"""Databases made by SQLite itself, and catalogs on them."""

import contextlib
import sqlite3

import pytest

import igloo
from igloo.connectors.sqlite import SqliteConnector
from igloo.connectors.sqlite.options import SqliteOptions


@pytest.fixture
def path(tmp_path):
    return tmp_path / "shop.db"


@pytest.fixture
def put(path):
    """Give a function that runs a script in the database, past Igloo."""

    def put(script, *rows):
        with contextlib.closing(sqlite3.connect(path)) as database, database:
            if rows:
                database.executemany(script, rows)
            else:
                database.executescript(script)

    return put


@pytest.fixture
def look(path):
    """Give a function that asks the database, past Igloo."""

    def look(sql):
        with contextlib.closing(sqlite3.connect(path)) as database:
            return database.execute(sql).fetchall()

    return look


@pytest.fixture
def connector(path):
    return SqliteConnector("lite", SqliteOptions(path=path))


@pytest.fixture
def db(path, tmp_path, monkeypatch):
    """Give a connection with the database as ``lite``, and as ``pen`` to write to."""
    monkeypatch.chdir(tmp_path)
    with igloo.connect() as connection:
        connection.sql(f"CREATE CATALOG lite USING sqlite WITH (path = '{path}')")
        connection.sql(
            f"CREATE CATALOG pen USING sqlite WITH (path = '{path}', allow_writes = 'true')"
        )
        yield connection
