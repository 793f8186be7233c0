import itertools
import json
import shutil
import uuid
from pathlib import Path
from typing import ClassVar

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from datafusion import SessionContext
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.io.pyarrow import PyArrowFileIO
from sqlalchemy.engine import Engine
from sqlalchemy.exc import DatabaseError, OperationalError

from igloo.connectors.contract import Scan, Split
from igloo.connectors.file_scan import FileScan
from igloo.connectors.lake.iceberg import IcebergConnector
from igloo.connectors.options import read_options
from igloo.connectors.predicates import columns_of
from igloo.engine.execution.file_scan import bind_file_scan
from igloo.errors import SourceDataError
from igloo.testing.conformance import ConnectorConformance, not_meant

_NUMBERS = itertools.count()
_POINT = pa.struct([("x", pa.int64()), ("y", pa.string())])
#: How the source stores a type. What is missing is no Iceberg type at all.
_STORED = {
    pa.bool_(): pa.bool_(),
    pa.int8(): pa.int32(),
    pa.int16(): pa.int32(),
    pa.int32(): pa.int32(),
    pa.int64(): pa.int64(),
    pa.uint8(): pa.int32(),
    pa.uint16(): pa.int32(),
    pa.uint32(): pa.int64(),
    pa.uint64(): pa.decimal128(20, 0),
    pa.float16(): pa.float32(),
    pa.float32(): pa.float32(),
    pa.float64(): pa.float64(),
    pa.string(): pa.string(),
    pa.large_string(): pa.string(),
    pa.string_view(): pa.string(),
    pa.binary(): pa.binary(),
    pa.large_binary(): pa.binary(),
    pa.binary_view(): pa.binary(),
    pa.binary(4): pa.binary(4),
    pa.date32(): pa.date32(),
    pa.date64(): pa.date32(),
    pa.dictionary(pa.int32(), pa.string()): pa.string(),
    pa.list_(pa.int64()): pa.list_(pa.int64()),
    pa.large_list(pa.int64()): pa.list_(pa.int64()),
    pa.list_(pa.int64(), 2): pa.list_(pa.int64()),
    pa.list_(pa.string()): pa.list_(pa.string()),
    pa.list_(pa.list_(pa.int32())): pa.list_(pa.list_(pa.int32())),
    pa.list_(_POINT): pa.list_(_POINT),
    _POINT: _POINT,
    pa.struct([("p", _POINT)]): pa.struct([("p", _POINT)]),
    pa.map_(pa.string(), pa.int64()): pa.map_(pa.string(), pa.int64()),
    pa.uuid(): pa.uuid(),
}


def _stored(type_):
    if pa.types.is_decimal(type_) and type_.precision <= 38:
        return pa.decimal128(
            max(type_.precision, type_.precision - type_.scale), max(type_.scale, 0)
        )
    if pa.types.is_time(type_):
        return pa.time64("us")
    if pa.types.is_timestamp(type_):
        return pa.timestamp("us", None if type_.tz is None else "UTC")
    return _STORED.get(type_)


class IcebergConformance(ConnectorConformance):
    connector_type = IcebergConnector
    #: Arrow's allocator keeps about 40 MB of what was given back; the table is far larger.
    large_table_rows = 600_000
    folder: ClassVar[Path]
    source_failures: ClassVar = [
        OSError("planted"),
        FileNotFoundError("planted"),
        PermissionError("planted"),
        TimeoutError("planted"),
        OperationalError("SELECT 1", {}, Exception("planted")),
        DatabaseError("SELECT 1", {}, Exception("planted")),
    ]

    @pytest.fixture(autouse=True, scope="class")
    @classmethod
    def warehouses(cls, tmp_path_factory):
        cls.folder = tmp_path_factory.mktemp("warehouses")

    def make_connector(self, tables):
        warehouse = self.folder / f"lake{next(_NUMBERS)}"
        warehouse.mkdir()
        uri = f"sqlite:///{warehouse}/catalog.db"
        catalog = SqlCatalog("lake", uri=uri, warehouse=f"file://{warehouse}")
        catalog.create_namespace("default")
        for name, table in tables.items():
            self.put(catalog, name, table)
        catalog.engine.dispose()
        return self.connect(warehouse)

    def put(self, catalog, name, table):
        refused = [f.name for f in table.schema if _stored(f.type) is None]
        fields = [
            pa.field(f.name, pa.string() if f.name in refused else _stored(f.type))
            for f in table.schema
        ]
        schema = pa.schema(fields)
        made = catalog.create_table(("default", name), schema=schema)
        if refused:
            self.change_types(catalog, made, set(refused))
            return
        rows = table.cast(schema)
        # Several files, so that filters have something to leave out.
        step = max(1, -(-len(rows) // 3))
        for start in range(0, len(rows), step):
            made.append(rows.slice(start, step))
        if any(pa.types.is_list(type_) for type_ in schema.types):
            self.write_again(made, rows, step)

    def write_again(self, table, rows, step):
        """Put the right rows into the files: pyiceberg turns a NULL list of structs into []."""
        files = [file.removeprefix("file://") for file in _data_files(table)]
        for number, path in enumerate(
            sorted(files, key=lambda file: Path(file).stat().st_mtime_ns)
        ):
            schema = pq.read_schema(path)
            pq.write_table(rows.slice(number * step, step).cast(schema), path)

    def change_types(self, catalog, table, columns):
        """Give columns a type that Iceberg has and that no reader here knows."""
        path = Path(table.metadata_location.removeprefix("file://"))
        content = json.loads(path.read_text())
        for schema in content["schemas"]:
            for field in schema["fields"]:
                field["type"] = "variant" if field["name"] in columns else field["type"]
        changed = path.with_name(f"00009-{uuid.uuid4()}.metadata.json")
        changed.write_text(json.dumps(content))
        with catalog.engine.begin() as connection:
            connection.exec_driver_sql(
                "UPDATE iceberg_tables SET metadata_location = ? WHERE table_name = ?",
                (f"file://{changed}", table.name()[-1]),
            )

    def connect(self, warehouse):
        options = read_options(
            IcebergConnector.options_type,
            {"warehouse": str(warehouse)},
            connector="iceberg",
            environment={},
        )
        return self.connector_type("lake", options)

    def store_type(self, type_):
        return _stored(type_)

    def can_store(self, type_, value):
        is_fine = pa.types.is_timestamp(type_) or pa.types.is_time(type_)
        return not (is_fine and type_.unit == "ns" and isinstance(value, int) and value % 1000)

    def source_calls(self):
        return [(Engine, "connect"), (pa, "OSFile"), (PyArrowFileIO, "new_input")]

    def break_source(self, connector, table):
        shutil.rmtree(connector.options.warehouse.resolved())

    def unreachable_connector(self):
        return self.connect(self.folder / "nowhere")


def _data_files(table):
    return table.inspect.data_files()["file_path"].to_pylist()


class TestIcebergSplits(IcebergConformance):
    """What every engine reads: one split a file."""


class NativeIceberg(IcebergConnector):
    """Reads the listed files as the engine does: one split, all files, DataFusion's scans."""

    def plan_scan(self, table, pushdown):
        scan = self.list_files(table, pushdown)
        if scan is None:
            return super().plan_scan(table, pushdown)
        extra = sorted(columns_of(pushdown.filter) - set(pushdown.columns))
        split = Split(table=table, columns=(*pushdown.columns, *extra), detail=scan)
        splits = (split,) if scan.groups else ()
        return Scan(splits=splits, residual=pushdown.filter)

    def read_split(self, split, cancel):
        if not isinstance(split.detail, FileScan):
            return super().read_split(split, cancel)
        schema = pa.schema([split.table.schema.field(name) for name in split.columns])
        try:
            rows = bind_file_scan(SessionContext(), split.detail, schema)
        except SourceDataError as error:
            # The engine names the catalog; this stands in for it.
            raise SourceDataError(error.message, catalog=self.catalog) from error
        return pa.RecordBatchReader.from_batches(schema, _batches(rows, schema, cancel))


def _batches(rows, schema, cancel):
    for batch in rows.execute_stream():
        cancel.raise_if_cancelled()
        found = batch.to_pyarrow()
        yield found.cast(schema) if schema.names else found


class TestIcebergNatively(IcebergConformance):
    connector_type = NativeIceberg
    gaps: ClassVar = {
        "test_splits_are_read_in_another_process": not_meant(
            "The class that reads natively is this test's own; another process has no such module."
        ),
    }
