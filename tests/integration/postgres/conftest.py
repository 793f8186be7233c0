"""A schema of its own for each test, and connectors to it."""

import gc
import itertools
import os
import time

import adbc_driver_postgresql.dbapi as driver
import pytest

from igloo.cancel import CancelToken
from igloo.connectors.contract import Pushdown
from igloo.connectors.options import read_options
from igloo.connectors.postgres import PostgresConnector
from igloo.connectors.postgres.options import PostgresOptions
from igloo.connectors.predicates import to_arrow
from igloo.names import TableName

_NUMBERS = itertools.count()


class Source:
    """A schema on the real server: runs statements, makes connectors, reads tables."""

    def __init__(self, uri, schema):
        self.uri = uri
        self.schema = schema
        self._connectors = []

    def run(self, *statements):
        """Run statements as the superuser, in this schema."""
        with driver.connect(self.uri, autocommit=True) as connection, connection.cursor() as cursor:
            cursor.executescript(f'SET search_path TO "{self.schema}"')
            for statement in statements:
                cursor.executescript(statement)

    def ask(self, sql):
        """Return the rows of a statement run as the superuser."""
        with driver.connect(self.uri) as connection, connection.cursor() as cursor:
            cursor.executescript(f'SET search_path TO "{self.schema}"')
            cursor.execute(sql)
            return cursor.fetchall()

    def connector(self, **options):
        if "host" not in options:
            options.setdefault("uri", self.uri)
        given = {name: str(value) for name, value in options.items()}
        made = PostgresConnector(
            "pg",
            read_options(PostgresOptions, given, connector="postgres", environment={}),
        )
        self._connectors.append(made)
        return made

    def load(self, connector, table):
        return connector.load_table(TableName(self.schema, table))

    def scan(self, connector, table, columns=None, **pushdown):
        loaded = self.load(connector, table)
        columns = tuple(loaded.schema.names) if columns is None else columns
        return connector.plan_scan(loaded, Pushdown(columns=columns, **pushdown))

    def open(self, connector, table, columns=None, cancel=None, **pushdown):
        (split,) = self.scan(connector, table, columns, **pushdown).splits
        return connector.read_split(split, cancel or CancelToken())

    def read(self, connector, table, columns=None, **pushdown):
        """Read as the engine does: the residual and the limit are applied above the scan."""
        scan = self.scan(connector, table, columns, **pushdown)
        (split,) = scan.splits
        rows = connector.read_split(split, CancelToken()).read_all()
        if scan.residual is not None:
            rows = rows.filter(to_arrow(scan.residual, rows.schema))
        if columns is not None:
            rows = rows.select(list(columns))
        return rows.slice(0, pushdown.get("limit"))

    def close(self):
        for connector in self._connectors:
            connector.close()
        # What a caught error's traceback holds, a reader and with it a lock, goes first.
        gc.collect()
        self.run("SET lock_timeout TO '5s'", f'DROP SCHEMA "{self.schema}" CASCADE')


@pytest.fixture
def source(postgres_uri):
    schema = f"igloo_{os.getpid()}_{next(_NUMBERS)}"
    made = Source(postgres_uri, schema)
    with driver.connect(postgres_uri, autocommit=True) as connection:
        connection.execute(f'CREATE SCHEMA "{schema}"').close()
    yield made
    made.close()


@pytest.fixture
def wait_until():
    """Give a function that waits for a condition, with a limit."""

    def wait(condition, limit_s=10.0):
        deadline = time.monotonic() + limit_s
        while not condition():
            assert time.monotonic() < deadline, "the condition did not come true in time"
            time.sleep(0.01)

    return wait
