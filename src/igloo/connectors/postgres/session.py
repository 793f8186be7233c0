"""One connection of the driver, set up so that values are exact and nothing is written."""

from __future__ import annotations

import contextlib
import os
import time
from typing import TYPE_CHECKING, Any

import adbc_driver_manager
import adbc_driver_postgresql
from adbc_driver_manager import _reader as driver_reader

from igloo.connectors.postgres.errors import DRIVER_ERRORS, connection_error
from igloo.errors import NotSupported

if TYPE_CHECKING:
    import pyarrow as pa

    from igloo.connectors.postgres.errors import Site

#: Bytes of one batch, about; several are in memory at once for each scan.
BATCH_BYTES = 4 * 1024 * 1024
#: pg_collation tells which collations are deterministic since this version.
OLDEST_VERSION = 120000

_SETTINGS = {
    "default_transaction_read_only": "on",
    "client_min_messages": "error",
    "standard_conforming_strings": "on",
    # Texts of values: one spelling, no digit lost.
    "bytea_output": "hex",
    "DateStyle": "ISO, YMD",
    "extra_float_digits": "1",
    "IntervalStyle": "postgres",
    "quote_all_identifiers": "off",
    "TimeZone": "UTC",
}
# Our casts, collations and operators are the built-in ones, whatever the role's path says; views
# and functions still find what they found.
_SEARCH_PATH = (
    "pg_catalog.set_config('search_path', 'pg_catalog'"
    " || CASE WHEN pg_catalog.current_setting('search_path') <> ''"
    " THEN ', ' || pg_catalog.current_setting('search_path') ELSE '' END, false)"
)
_VERSION = "SELECT pg_catalog.current_setting('server_version_num')::int4 AS version"


class Database:
    """What the driver knows of one server; opens sessions. Thread-safe."""

    def __init__(self, site: Site, *, statement_timeout_ms: int | None) -> None:
        self._site = site
        self._settings = dict(_SETTINGS)
        if statement_timeout_ms is not None:
            self._settings["statement_timeout"] = str(statement_timeout_ms)

    def open(self) -> Session:
        """Connect and set the session up.

        Raises:
            SourceUnavailable: the server cannot be reached.
            SourceRefused: it refused the user, the password or the database.
            SourceTimeout: it did not answer in time.
            NotSupported: its version is too old.
        """
        handle = connection = session = None
        try:
            # Each session has its own handle: the driver reads the server's types when it makes
            # one, so that a new session knows the types that were made meanwhile.
            handle = adbc_driver_postgresql.connect(self._site.address.connection_text())
            connection = adbc_driver_manager.AdbcConnection(handle)
            session = Session(handle, connection)
            self._set_up(session)
        except BaseException as error:
            if session is not None:
                # The driver closes no connection that has a statement open, and says so instead.
                session.finish_statement()
            for opened in (connection, handle):
                if opened is not None:
                    with contextlib.suppress(*DRIVER_ERRORS):
                        opened.close()
            if isinstance(error, DRIVER_ERRORS):
                raise connection_error(error, self._site) from error
            raise
        return session

    def _set_up(self, session: Session) -> None:
        calls = [f"pg_catalog.set_config('{k}', '{v}', false)" for k, v in self._settings.items()]
        session.rows(f"SELECT {', '.join([_SEARCH_PATH, *calls])}")
        # After the path is set, the cast is the built-in one.
        number = session.rows(_VERSION)[0]["version"]
        if number < OLDEST_VERSION:
            raise NotSupported(
                f'Catalog "{self._site.catalog}" at {self._site.address} is PostgreSQL '
                f"{number // 10000}.",
                hint=f"PostgreSQL {OLDEST_VERSION // 10000} or newer is needed.",
                catalog=self._site.catalog,
            )


class Session:
    """One connection: one statement at a time; only ``cancel`` may come from another thread."""

    def __init__(self, database: Any, connection: Any) -> None:
        self._database = database
        self._connection = connection
        self._statement: Any = None
        self._reader: Any = None
        self._process = os.getpid()
        self.idle_since = time.monotonic()
        self.is_reused = False

    def execute(self, sql: str, *, use_copy: bool = True) -> Any:
        """Start a statement; return a reader of record batches that raises the driver's errors."""
        self.finish_statement()
        statement = adbc_driver_manager.AdbcStatement(self._connection)
        self._statement = statement
        options = {"adbc.postgresql.batch_size_hint_bytes": str(BATCH_BYTES)}
        if not use_copy:
            options["adbc.postgresql.use_copy"] = "false"
        statement.set_options(**options)
        statement.set_sql_query(sql)
        stream, _ = statement.execute_query()
        self._reader = driver_reader.AdbcRecordBatchReader._import_from_c(stream.address)  # noqa: SLF001 - pyarrow's own reader drops SQLSTATE
        return self._reader

    def describe(self, sql: str) -> pa.Schema:
        """Let the server plan a statement without running it; return the driver's schema."""
        import pyarrow as pa

        self.finish_statement()
        statement = adbc_driver_manager.AdbcStatement(self._connection)
        self._statement = statement
        statement.set_sql_query(sql)
        described: Any = statement.execute_schema()
        return pa.schema(described)

    def rows(self, sql: str) -> list[dict[str, Any]]:
        """Run a statement of few rows, whole."""
        rows: list[dict[str, Any]] = self.execute(sql, use_copy=False).read_all().to_pylist()
        self.finish_statement()
        return rows

    def cancel(self) -> None:
        """Ask the server to stop the statement. From any thread."""
        if self._process != os.getpid():
            return
        with contextlib.suppress(*DRIVER_ERRORS):
            self._connection.cancel()

    def finish_statement(self) -> None:
        """Forget the statement that ran before."""
        reader, self._reader = self._reader, None
        statement, self._statement = self._statement, None
        for part in (reader, statement):
            if part is not None:
                with contextlib.suppress(*DRIVER_ERRORS):
                    part.close()

    def close(self) -> None:
        """Disconnect, stopping what still runs. Safe to call twice.

        A forked child leaves the connection to its parent: a goodbye would be read as the parent's.
        """
        if self._process != os.getpid():
            return
        if self._statement is not None:
            # A server that computes without sending does not notice that nobody listens.
            self.cancel()
        self.finish_statement()
        for part in (self._connection, self._database):
            with contextlib.suppress(*DRIVER_ERRORS):
                part.close()
