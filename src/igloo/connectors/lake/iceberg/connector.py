"""The ``iceberg`` connector."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, cast

import pyarrow as pa
from pyiceberg.io import load_file_io
from pyiceberg.types import DoubleType, FloatType

from igloo.connectors.contract import Connector, Pushdown, Scan, Split, Table
from igloo.connectors.lake.iceberg.catalogs import check_options, file_properties, open_catalog
from igloo.connectors.lake.iceberg.deletes import DeleteReader, delete_source
from igloo.connectors.lake.iceberg.failures import source_errors
from igloo.connectors.lake.iceberg.footers import FooterReader
from igloo.connectors.lake.iceberg.manifests import ManifestReader, row_count
from igloo.connectors.lake.iceberg.options import IcebergOptions
from igloo.connectors.lake.iceberg.planning import FilePlan, plan_files
from igloo.connectors.lake.iceberg.pruning import wider_expression
from igloo.connectors.lake.iceberg.reader import FileTask, read_file
from igloo.connectors.lake.iceberg.scanning import native_scan
from igloo.connectors.lake.iceberg.tables import MetadataReader, TableState
from igloo.connectors.lake.iceberg.types import arrow_schema
from igloo.connectors.predicates import columns_of
from igloo.errors import NotSupported, TableNotFound, did_you_mean
from igloo.names import TableName

if TYPE_CHECKING:
    import contextlib
    from collections.abc import Iterator, Sequence

    from igloo.cancel import CancelToken
    from igloo.config.secrets import Secret
    from igloo.connectors.file_scan import FileScan
    from igloo.connectors.lake.iceberg.lake_catalog import LakeCatalog
    from igloo.connectors.lake.iceberg.tables import LoadedTable
    from igloo.connectors.options import Options


class IcebergConnector(Connector):
    """Reads Iceberg tables of one catalog.

    A scan reads the snapshot that ``load_table`` saw, whatever is committed meanwhile.
    """

    kind: ClassVar[str] = "iceberg"
    options_type: ClassVar[type[Options]] = IcebergOptions
    default_schema: ClassVar[str] = "default"

    def __init__(self, catalog: str, options: IcebergOptions) -> None:
        super().__init__(catalog, options)
        check_options(catalog, options)
        self._options = options
        self._lock = threading.Lock()
        self._opened: LakeCatalog | None = None
        self._io = load_file_io(file_properties(options.storage))
        self._metadata = MetadataReader()
        self._manifests = ManifestReader()
        self._footers = FooterReader()
        self._deletes = DeleteReader()

    # -- names ---------------------------------------------------------------------------------

    def list_schemas(self) -> Sequence[str]:
        """Return the names of the namespaces, levels joined by dots, sorted."""
        with self._errors("list its namespaces"):
            return sorted(self._lake().namespaces())

    def list_tables(self, schema: str) -> Sequence[TableName]:
        """Return the tables of a namespace, sorted."""
        with self._errors(f'list the tables of "{schema}"'):
            return sorted(TableName(schema, table) for table in self._lake().tables(schema))

    def load_table(self, name: TableName) -> Table:
        """Return the table as its catalog knows it now.

        Raises:
            TableNotFound: no table has exactly this namespace and name.
            UnsupportedType: a column's type cannot be carried exactly.
            NotSupported: the table is encrypted.
        """
        with self._errors(f'load the table "{name}"'), _naming(self.catalog, name):
            pointer = self._lake().locate(name.schema, name.table)
            if pointer is None:
                raise self._not_found(name)
            loaded = self._metadata.load(pointer.metadata_location, pointer.io)
            metadata = loaded.metadata
            snapshot = metadata.current_snapshot()
            rows: int | None = 0
            if snapshot is not None:
                rows = row_count(self._manifests.manifests(snapshot, loaded.io))
            snapshot_id = None if snapshot is None else snapshot.snapshot_id
            return Table(
                name=name,
                schema=arrow_schema(loaded.schema),
                row_count=rows,
                version=f"{metadata.table_uuid}/{snapshot_id}/{metadata.current_schema_id}",
                detail=TableState(pointer.metadata_location, snapshot_id),
            )

    # -- scans ---------------------------------------------------------------------------------

    def list_files(self, table: Table, pushdown: Pushdown) -> FileScan | None:
        """Return the files that may hold rows of the filter, and how they are read natively."""
        with self._errors(f'plan a scan of "{table.name}"'), _naming(self.catalog, table.name):
            loaded, state = self._loaded(table)
            plan = self._plan(loaded, state, pushdown)
            scan = native_scan(plan, loaded, self._footers, self._deletes)
            if scan is None or self._hides_nan(plan, loaded):
                return None
            return replace(scan, snapshot=str(state.snapshot_id))

    def plan_scan(self, table: Table, pushdown: Pushdown) -> Scan:
        """Return one split for each file that may hold rows of the filter; none is applied."""
        with self._errors(f'plan a scan of "{table.name}"'), _naming(self.catalog, table.name):
            loaded, state = self._loaded(table)
            plan = self._plan(loaded, state, pushdown)
            extra = [c for c in table.schema.names if c in columns_of(pushdown.filter)]
            columns = tuple(dict.fromkeys((*pushdown.columns, *extra)))
            return Scan(
                splits=tuple(
                    Split(
                        table=table,
                        columns=columns,
                        detail=FileTask(
                            path=file.data.path,
                            position_deletes=tuple(map(delete_source, file.position_deletes)),
                            equality_deletes=tuple(map(delete_source, file.equality_deletes)),
                        ),
                    )
                    for file in plan.files
                ),
                residual=pushdown.filter,
                files_planned=len(plan.files),
                files_total=plan.files_total,
            )

    def read_split(self, split: Split, cancel: CancelToken) -> pa.RecordBatchReader:
        """Stream the rows of one data file that are not deleted."""
        schema = pa.schema([split.table.schema.field(name) for name in split.columns])
        return pa.RecordBatchReader.from_batches(schema, self._batches(split, schema, cancel))

    def close(self) -> None:
        """Give back the catalog's connections."""
        with self._lock:
            if self._opened is not None:
                self._opened.close()
                self._opened = None

    def _hides_nan(self, plan: FilePlan, loaded: LoadedTable) -> bool:
        fields = loaded.metadata.schema().fields
        if not any(isinstance(field.field_type, FloatType | DoubleType) for field in fields):
            return False
        return any(self._footers.hides_nan(file.data.path, loaded.io) for file in plan.files)

    # -- inside --------------------------------------------------------------------------------

    def _batches(
        self, split: Split, schema: pa.Schema, cancel: CancelToken
    ) -> Iterator[pa.RecordBatch]:
        name = split.table.name
        with self._errors(f'read "{name}"'), _naming(self.catalog, name):
            loaded, _ = self._loaded(split.table)
            batches = read_file(
                cast("FileTask", split.detail),
                loaded,
                split.columns,
                self._deletes,
                cancel,
            )
            for batch in batches:
                yield batch.cast(schema) if batch.num_columns else batch

    def _loaded(self, table: Table) -> tuple[LoadedTable, TableState]:
        state = cast("TableState", table.detail)
        return self._metadata.load(state.metadata_location, self._io), state

    def _plan(self, loaded: LoadedTable, state: TableState, pushdown: Pushdown) -> FilePlan:
        if state.snapshot_id is None:
            return FilePlan((), 0)
        row_filter = wider_expression(pushdown.filter, loaded.schema)
        snapshot = loaded.snapshot(state.snapshot_id)
        return plan_files(loaded.metadata, snapshot, loaded.io, row_filter, self._manifests)

    def _lake(self) -> LakeCatalog:
        with self._lock:
            if self._opened is None:
                self._opened = open_catalog(self.catalog, self._options)
            return self._opened

    def _not_found(self, name: TableName) -> TableNotFound:
        known = self._lake().tables(name.schema)
        return TableNotFound(
            f'The catalog "{self.catalog}" has no table "{name}".',
            hint=did_you_mean(name.table, known),
            catalog=self.catalog,
        )

    def _errors(self, doing: str) -> contextlib.AbstractContextManager[None]:
        given = (self._options.uri, self._options.credential, self._options.token)
        secrets: list[Secret] = [secret for secret in given if secret is not None]
        return source_errors(self.catalog, doing, secrets)


def _naming(catalog: str, name: TableName) -> contextlib.AbstractContextManager[None]:
    """Say in which table something was met that is not supported."""
    import contextlib

    @contextlib.contextmanager
    def named() -> Iterator[None]:
        try:
            yield
        except NotSupported as error:
            if "table" in error.context:
                raise
            raise type(error)(
                f'Table "{catalog}.{name}": {error.message}',
                hint=error.hint,
                **{**error.context, "catalog": catalog, "table": str(name)},
            ) from error

    return named()
