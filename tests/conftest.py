"""Servers that several tests share."""

import os
import signal

import pytest

from igloo.testing.servers import PostgresServer

# A shell starts what it puts in the background with Ctrl-C ignored, and children inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)


# The first query of a process decides how many threads may wait; tests come in any order.
os.environ["TOKIO_WORKER_THREADS"] = "64"


@pytest.fixture(scope="session")
def postgres_uri():
    """Give the URL of a PostgreSQL superuser: the server that is named, or an embedded one."""
    given = os.environ.get("TEST_ADBC_POSTGRESQL_URI")
    if given:
        yield given
        return
    with PostgresServer() as server:
        yield server.uri
