import itertools
import os
from typing import ClassVar
from urllib.parse import urlsplit, urlunsplit

import adbc_driver_manager
import adbc_driver_postgresql
import adbc_driver_postgresql.dbapi as driver
import pyarrow as pa
import pytest
from adbc_driver_manager import _reader as driver_reader

from igloo.connectors.options import read_options
from igloo.connectors.postgres import PostgresConnector
from igloo.connectors.postgres.options import PostgresOptions
from igloo.errors import UnsupportedType
from igloo.names import quote_identifier
from igloo.testing.conformance import ConnectorConformance, SqlConformance

_NUMBERS = itertools.count()
#: How the source is told to store a type, and what it gives back.
_STORED = {
    pa.bool_(): ("bool", pa.bool_()),
    pa.int8(): ("int2", pa.int16()),
    pa.int16(): ("int2", pa.int16()),
    pa.int32(): ("int4", pa.int32()),
    pa.int64(): ("int8", pa.int64()),
    pa.uint8(): ("int2", pa.int16()),
    pa.uint16(): ("int4", pa.int32()),
    pa.uint32(): ("int8", pa.int64()),
    pa.uint64(): ("numeric(20, 0)", pa.decimal128(20, 0)),
    pa.float16(): ("float4", pa.float32()),
    pa.float32(): ("float4", pa.float32()),
    pa.float64(): ("float8", pa.float64()),
    pa.string(): ("text", pa.string()),
    pa.large_string(): ("text", pa.string()),
    pa.string_view(): ("text", pa.string()),
    pa.binary(): ("bytea", pa.binary()),
    pa.large_binary(): ("bytea", pa.binary()),
    pa.binary_view(): ("bytea", pa.binary()),
    pa.binary(4): ("bytea", pa.binary()),
    pa.date32(): ("date", pa.date32()),
    pa.date64(): ("date", pa.date32()),
    pa.month_day_nano_interval(): ("interval", pa.month_day_nano_interval()),
    pa.null(): ("text", pa.string()),
    pa.list_(pa.int64()): ("int8[]", pa.list_(pa.int64())),
    pa.large_list(pa.int64()): ("int8[]", pa.list_(pa.int64())),
    pa.list_(pa.int64(), 2): ("int8[]", pa.list_(pa.int64())),
    pa.list_(pa.string()): ("text[]", pa.list_(pa.string())),
    pa.dictionary(pa.int32(), pa.string()): ("text", pa.string()),
}


def _storage(type_):
    """Return the column type to declare and the Arrow type that comes back; None for neither."""
    if pa.types.is_decimal(type_):
        precision, scale = type_.precision, type_.scale
        declared = f"numeric({precision}, {scale})"
        if precision > 38:
            return declared, None
        return declared, pa.decimal128(max(precision, precision - scale), max(scale, 0))
    if pa.types.is_time(type_):
        return "time", pa.time64("us")
    if pa.types.is_timestamp(type_):
        if type_.tz is None:
            return "timestamp", pa.timestamp("us")
        return "timestamptz", pa.timestamp("us", "UTC")
    return _STORED.get(type_, (None, None))


def run(uri, *statements):
    with driver.connect(uri, autocommit=True) as connection, connection.cursor() as cursor:
        for statement in statements:
            cursor.executescript(statement)


_KINDS = (
    adbc_driver_manager.OperationalError,
    adbc_driver_manager.DatabaseError,
    adbc_driver_manager.DataError,
    adbc_driver_manager.Error,
    adbc_driver_manager.IntegrityError,
    adbc_driver_manager.InterfaceError,
    adbc_driver_manager.InternalError,
    adbc_driver_manager.ProgrammingError,
)


class TestPostgres(SqlConformance, ConnectorConformance):
    admin_uri: ClassVar[str]
    made: ClassVar[list[str]]
    source_types: ClassVar = (
        adbc_driver_manager.AdbcConnection,
        adbc_driver_manager.AdbcDatabase,
        adbc_driver_manager.AdbcStatement,
        driver_reader.AdbcRecordBatchReader,
    )
    source_failures: ClassVar = [
        *(kind("planted", status_code=adbc_driver_manager.AdbcStatusCode.IO) for kind in _KINDS),
        adbc_driver_manager.NotSupportedError("planted"),
        OSError("planted"),
        pa.ArrowInvalid("planted"),
    ]

    @pytest.fixture(autouse=True, scope="class")
    @classmethod
    def server(cls, postgres_uri):
        cls.admin_uri, cls.made = postgres_uri, []
        cls.secrets = (urlsplit(postgres_uri).password,)
        yield
        for database in cls.made:
            run(postgres_uri, f"DROP DATABASE IF EXISTS {database} WITH (FORCE)")

    def make_connector(self, tables):
        database = f"conformance_{os.getpid()}_{next(_NUMBERS)}"
        run(self.admin_uri, f"CREATE DATABASE {database} TEMPLATE template0")
        self.made.append(database)
        uri = urlunsplit(urlsplit(self.admin_uri)._replace(path=f"/{database}"))
        with driver.connect(uri) as connection, connection.cursor() as cursor:
            for name, table in tables.items():
                self.put(cursor, name, table)
            connection.commit()
        return self.connect(uri)

    def connect(self, uri):
        given = {"uri": uri}
        options = read_options(PostgresOptions, given, connector="postgres", environment={})
        return PostgresConnector("pg", options)

    def put(self, cursor, name, table):
        declared = []
        for field in table.schema:
            column_type, _ = _storage(field.type)
            if column_type is None:
                raise UnsupportedType("PostgreSQL has no such type.", column=field.name)
            declared.append(f"{quote_identifier(field.name)} {column_type}")
        cursor.executescript(f"CREATE TABLE {quote_identifier(name)} ({', '.join(declared)})")
        if all(self.store_type(type_) for type_ in table.schema.types):
            cursor.adbc_ingest(name, self.stored(table), mode="append")

    def store_type(self, type_):
        return _storage(type_)[1]

    def can_store(self, type_, value):
        if pa.types.is_time(type_) or pa.types.is_timestamp(type_):
            return type_.unit != "ns" or value % 1000 == 0
        return True

    def source_calls(self):
        return [
            (adbc_driver_postgresql, "connect"),
            (adbc_driver_manager, "AdbcConnection"),
            (adbc_driver_manager, "AdbcStatement"),
            (driver_reader, "AdbcRecordBatchReader"),
        ]

    def break_source(self, connector, table):
        database = urlsplit(connector.options.uri.reveal()).path[1:]
        run(self.admin_uri, f"DROP DATABASE {database} WITH (FORCE)")

    def unreachable_connector(self):
        return self.connect("postgresql://somebody:unreachable-secret@127.0.0.1:1/nowhere")

    def open_connections(self, connector):
        database = urlsplit(connector.options.uri.reveal()).path[1:]
        counting = "SELECT count(*) FROM pg_stat_activity WHERE datname = $1"
        with driver.connect(self.admin_uri) as connection, connection.cursor() as cursor:
            cursor.execute(counting, (database,))
            return cursor.fetchone()[0]
