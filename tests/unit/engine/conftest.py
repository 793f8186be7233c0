"""An engine in an empty folder, with nothing configured."""

import pytest

import igloo


@pytest.fixture
def db(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with igloo.connect() as connection:
        yield connection


@pytest.fixture
def rows(db):
    """Give a function that runs a statement and returns its rows."""

    def run(sql, parameters=None):
        return db.sql(sql, parameters).fetchall()

    return run
