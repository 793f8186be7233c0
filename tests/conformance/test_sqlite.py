"""The SQLite connector against the suite; what it reads was written by itself."""

import itertools
import math
import sqlite3
from typing import ClassVar

import pytest

from igloo.connectors.contract import WriteMode
from igloo.connectors.sqlite import SqliteConnector
from igloo.connectors.sqlite.options import SqliteOptions
from igloo.connectors.sqlite.types import declared_type
from igloo.errors import InvalidValue
from igloo.names import TableName
from igloo.testing.conformance import (
    ConnectorConformance,
    SqlConformance,
    WritesConformance,
    not_able,
)

_NUMBERS = itertools.count()


class TestSqlite(SqlConformance, WritesConformance, ConnectorConformance):
    source_types: ClassVar = (sqlite3.Connection, sqlite3.Cursor)
    source_failures: ClassVar = [
        sqlite3.OperationalError("disk I/O error"),
        *(kind("planted") for kind in sqlite3.Error.__subclasses__()),
        *(kind("planted") for kind in sqlite3.DatabaseError.__subclasses__()),
    ]
    gaps: ClassVar = {
        "test_columns_that_differ_only_in_case_stay_apart": not_able(
            "SQLite's names have no case.", "https://sqlite.org/lang_createtable.html", InvalidValue
        ),
    }

    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path_factory):
        self.folder = tmp_path_factory.mktemp("sqlite")

    def make_connector(self, tables):
        connector = self.connect(self.folder / f"{next(_NUMBERS)}.db")
        for name, rows in tables.items():
            connector.create_table(TableName("main", name), rows.schema)
            connector.write(TableName("main", name), rows.to_reader(), WriteMode.APPEND)
        return connector

    def connect(self, path, *, allow_writes=True):
        return SqliteConnector("lite", SqliteOptions(path=path, allow_writes=allow_writes))

    def store_type(self, type_):
        return type_ if declared_type(type_) else None

    def can_store(self, type_, value):
        # SQLite turns NaN into NULL, and -0.0 into 0.0.
        is_float = isinstance(value, float)
        return not (is_float and (math.isnan(value) or math.copysign(1, value) < 0 == value))

    def source_calls(self):
        return [(sqlite3, "connect")]

    def break_source(self, connector, table):
        connector.options.path.write_bytes(b"garbage" * 1000)

    def unreachable_connector(self):
        return self.connect(self.folder / "no" / "such.db")
