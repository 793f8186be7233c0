"""Servers that several tests share."""

import os

import pytest

from igloo.testing.servers import PostgresServer


@pytest.fixture(scope="session")
def postgres_uri():
    """Give the URL of a PostgreSQL superuser: the server that is named, or an embedded one."""
    given = os.environ.get("TEST_ADBC_POSTGRESQL_URI")
    if given:
        yield given
        return
    with PostgresServer() as server:
        yield server.uri
