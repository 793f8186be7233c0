"""Writes what pyiceberg cannot: delete files, deletion vectors, format version 3."""

import json
import struct
import uuid
import zlib
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from pyiceberg.avro.file import AvroOutputFile
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.io.pyarrow import schema_to_pyarrow
from pyiceberg.manifest import (
    DataFile,
    DataFileContent,
    FileFormat,
    ManifestContent,
    ManifestEntry,
    ManifestWriterV2,
)
from pyiceberg.table.snapshots import Operation
from pyiceberg.table.update.snapshot import _FastAppendFiles
from pyiceberg.transforms import (
    BucketTransform,
    DayTransform,
    MonthTransform,
    TruncateTransform,
)
from pyiceberg.typedef import Record
from pyroaring import BitMap64


def _transform_in_python(self, source):
    """Compute partition values as the transform itself does; pyiceberg-core is not installed."""
    transform = self.transform(source)
    # Days since 1970 go into the partition as they are, not as dates.
    is_date = isinstance(self, DayTransform)
    result = pa.int32() if is_date else schema_to_pyarrow(self.result_type(source))

    def apply(array):
        plain = array
        if pa.types.is_temporal(array.type):
            plain = array.cast(pa.int32() if array.type.bit_width == 32 else pa.int64())
        return pa.array([transform(value) for value in plain.to_pylist()], result)

    return apply


for _kind in (BucketTransform, DayTransform, MonthTransform, TruncateTransform):
    _kind.pyarrow_transform = _transform_in_python

PATH_ID, POSITION_ID = 2147483546, 2147483545


class Warehouse:
    """A folder with an SQL catalog on SQLite, and the means to write odd tables into it."""

    def __init__(self, folder, name="lake"):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        uri = f"sqlite:///{self.folder}/catalog.db"
        self.catalog = SqlCatalog(name, uri=uri, warehouse=f"file://{self.folder}")
        self.catalog.create_namespace_if_not_exists("db")

    def close(self):
        self.catalog.engine.dispose()

    def create(self, name, schema, partition_by=(), **properties):
        """Create a table partitioned by pairs of a column and a transform."""
        table = self.catalog.create_table(f"db.{name}", schema=schema, properties=properties)
        if partition_by:
            with table.update_spec() as update:
                for number, (column, transform) in enumerate(partition_by):
                    update.add_field(column, transform, f"{column}_{number}")
        return table

    def load(self, name):
        return self.catalog.load_table(f"db.{name}")

    def data_files(self, name):
        """Return the locations of a table's data files, oldest first."""
        files = self.load(name).inspect.data_files()["file_path"].to_pylist()
        return sorted(files, key=lambda path: Path(local(path)).stat().st_mtime_ns)

    def write_parquet(self, table, label, rows):
        location = f"{table.location()}/data/{label}-{uuid.uuid4().hex}.parquet"
        Path(local(location)).parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(rows, local(location))
        return location

    # -- deletes -------------------------------------------------------------------------------

    def delete_positions(self, name, positions, *, partition=None):
        """Commit one delete file: ``positions`` maps data files to row numbers."""
        table = self.load(name)
        rows = sorted((file, row) for file, listed in positions.items() for row in listed)
        schema = pa.schema(
            [numbered("file_path", pa.string(), PATH_ID), numbered("pos", pa.int64(), POSITION_ID)]
        )
        columns = [[file for file, _ in rows], [row for _, row in rows]]
        location = self.write_parquet(table, "positions", pa.table(columns, schema=schema))
        content = DataFileContent.POSITION_DELETES
        self._commit(table, delete_file(table, content, location, len(rows), partition))

    def delete_keys(self, name, keys, ids, *, partition=None):
        """Commit one delete file of keys: ``keys`` is a table, ``ids`` the fields' numbers."""
        table = self.load(name)
        fields = [numbered(f.name, f.type, ids[f.name]) for f in keys.schema]
        location = self.write_parquet(table, "keys", keys.cast(pa.schema(fields)))
        entry = delete_file(
            table,
            DataFileContent.EQUALITY_DELETES,
            location,
            len(keys),
            partition,
            equality_ids=list(ids.values()),
        )
        self._commit(table, entry)

    def delete_by_vectors(self, name, positions, *, cardinality=None):
        """Commit one puffin file with a deletion vector for each data file."""
        table = self.load(name)
        location = f"{table.location()}/data/vectors-{uuid.uuid4().hex}.puffin"
        content, places = puffin(positions)
        Path(local(location)).write_bytes(content)
        entries = [
            delete_file(
                table,
                DataFileContent.POSITION_DELETES,
                location,
                len(positions[file]) if cardinality is None else cardinality,
                None,
                file_format=FileFormat.PUFFIN,
                referenced_data_file=file,
                content_offset=offset,
                content_size_in_bytes=size,
            )
            for file, (offset, size) in places.items()
        ]
        self._commit(table, *entries)
        return location

    def _commit(self, table, *entries):
        with table.transaction() as transaction:
            append = _AppendDeletes(
                operation=Operation.APPEND, transaction=transaction, io=table.io, branch="main"
            )
            append._added_data_files = list(entries)
            append.commit()

    # -- metadata ------------------------------------------------------------------------------

    def edit_metadata(self, name, edit):
        """Change a table's metadata by hand and make it the table's present state."""
        table = self.load(name)
        content = json.loads(Path(local(table.metadata_location)).read_text())
        edit(content)
        folder = table.metadata_location.rsplit("/", 1)[0]
        location = f"{folder}/99999-{uuid.uuid4()}.metadata.json"
        Path(local(location)).write_text(json.dumps(content))
        self.point(name, location)

    def point(self, name, location):
        """Make a metadata file the table's present state without looking into it."""
        with self.catalog.engine.begin() as connection:
            connection.exec_driver_sql(
                "UPDATE iceberg_tables SET metadata_location = ? WHERE table_name = ?",
                (location, name),
            )

    def raise_to_version_3(self, name):
        def edit(content):
            content["format-version"] = 3
            content["next-row-id"] = 0

        self.edit_metadata(name, edit)


class _DeleteManifestWriter(ManifestWriterV2):
    """Writes all fields of version 3, of which pyiceberg's writers leave out deletion vectors'."""

    def content(self):
        return ManifestContent.DELETES

    @property
    def version(self):
        return 3

    @property
    def _meta(self):
        return {**super()._meta, "content": "deletes"}

    def new_writer(self):
        return AvroOutputFile[ManifestEntry](
            output_file=self._output_file,
            file_schema=self._with_partition(3),
            record_schema=self._with_partition(3),
            schema_name="manifest_entry",
            metadata=self._meta,
        )


class _AppendDeletes(_FastAppendFiles):
    def new_manifest_writer(self, spec):
        return _DeleteManifestWriter(
            spec, self.schema(), self.new_manifest_output(), self._snapshot_id, self._compression
        )


def delete_file(
    table,
    content,
    location,
    record_count,
    partition,
    *,
    file_format=FileFormat.PARQUET,
    equality_ids=None,
    referenced_data_file=None,
    content_offset=None,
    content_size_in_bytes=None,
):
    file = DataFile.from_args(
        _table_format_version=3,
        content=content,
        file_path=location,
        file_format=file_format,
        partition=Record(*partition) if partition else Record(),
        record_count=record_count,
        file_size_in_bytes=Path(local(location)).stat().st_size,
        column_sizes={},
        value_counts={},
        null_value_counts={},
        nan_value_counts={},
        lower_bounds={},
        upper_bounds={},
        key_metadata=None,
        split_offsets=None,
        equality_ids=equality_ids,
        sort_order_id=None,
        first_row_id=None,
        referenced_data_file=referenced_data_file,
        content_offset=content_offset,
        content_size_in_bytes=content_size_in_bytes,
    )
    file.spec_id = table.metadata.default_spec_id
    return file


def puffin(positions):
    """Return a puffin file's bytes, and where in it each data file's vector is."""
    content, places, blobs = bytearray(b"PFA1"), {}, []
    for file, rows in positions.items():
        body = b"\xd1\xd3\x39\x64" + BitMap64(rows).serialize()
        blob = struct.pack(">I", len(body)) + body + struct.pack(">I", zlib.crc32(body))
        places[file] = (len(content), len(blob))
        blobs.append(
            {
                "type": "deletion-vector-v1",
                "fields": [2147483645],
                "snapshot-id": -1,
                "sequence-number": -1,
                "offset": len(content),
                "length": len(blob),
                "properties": {"referenced-data-file": file, "cardinality": str(len(rows))},
            }
        )
        content += blob
    footer = json.dumps({"blobs": blobs, "properties": {}}).encode()
    content += b"PFA1" + footer + struct.pack("<I", len(footer)) + b"\0\0\0\0PFA1"
    return bytes(content), places


def numbered(name, type_, field_id):
    return pa.field(name, type_, metadata={"PARQUET:field_id": str(field_id)})


def local(location):
    return location.removeprefix("file://")
