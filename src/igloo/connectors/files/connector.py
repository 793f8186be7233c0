"""The connector ``files``."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, cast

import pyarrow as pa

from igloo.connectors.contract import (
    Capabilities,
    Connector,
    Operator,
    Scan,
    Split,
    Statistics,
    Table,
)
from igloo.connectors.file_scan import DataFile, FileFormat, FileGroup, FileScan
from igloo.connectors.files.delimited import Dialect
from igloo.connectors.files.filtering import is_exact
from igloo.connectors.files.formats import EXTENSIONS, Format
from igloo.connectors.files.listing import MAIN, FileTree, TableFiles
from igloo.connectors.files.partitions import partition_terms, partition_values, prune
from igloo.connectors.files.reading import FileSplit, read_rows
from igloo.connectors.files.tables import TableDetail, TableReader, version_of
from igloo.connectors.options import (
    Location,
    Options,
    option,
)
from igloo.connectors.predicates import columns_of, conjoin, conjuncts
from igloo.errors import (
    IglooError,
    InvalidSetting,
    NotSupported,
    SourceDataError,
    TableNotFound,
    did_you_mean,
)
from igloo.names import TableName

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from igloo.cancel import CancelToken
    from igloo.connectors.contract import Pushdown
    from igloo.connectors.files.listing import FoundFile
    from igloo.connectors.predicates import Predicate


@dataclass(frozen=True, slots=True, kw_only=True)
class FilesOptions(Options):
    """What ``CREATE CATALOG … USING files WITH (…)`` takes."""

    path: Location = option(  # noqa: RUF009 - it declares a field
        "A file, a folder, or a glob such as /sales/2024-*/*.parquet."
    )
    format: str | None = option(
        "How the files are written; without it, their extensions say so.",
        default=None,
        choices=tuple(Format),
    )
    table: str | None = option(
        "Read everything that the path finds as one table of this name.", default=None
    )
    delimiter: str | None = option(
        "Character between the fields of a CSV file; a tab may be written as \\t.", default=None
    )
    header: bool = option("Whether a CSV file starts with its columns' names.", default=True)
    quote: str = option(
        "Character around CSV fields that hold others; empty for none.", default='"'
    )
    infer_records: int = option(
        "Records of each CSV and JSON file that are looked at for its columns' types.",
        default=10_000,
    )


class FilesConnector(Connector):
    """Reads Parquet, CSV, JSON, NDJSON and Arrow IPC files of this machine.

    ``files.listing`` says which tables a path holds. DataFusion reads Parquet natively; the other
    formats are read by pyarrow, split by split, so that one reader decides what a value is.
    """

    kind: ClassVar[str] = "files"
    options_type: ClassVar[type[Options]] = FilesOptions
    capabilities: ClassVar[Capabilities] = Capabilities(
        operators=frozenset({Operator.FILTER, Operator.LIMIT})
    )
    default_schema: ClassVar[str] = MAIN

    def __init__(self, catalog: str, options: Options) -> None:
        super().__init__(catalog, options)
        chosen = cast("FilesOptions", options)
        with self._in_catalog():
            self._location = _local(chosen.path)
            self._format = None if chosen.format is None else Format(chosen.format)
            self._one_table = chosen.table
            self._dialect = _dialect(chosen)
            if chosen.infer_records < 1:
                raise InvalidSetting(
                    'The option "infer_records" of "files" must be at least 1.',
                    option="infer_records",
                )
            self._tables = TableReader(self._dialect, chosen.infer_records)

    # -- metadata ------------------------------------------------------------------------------

    def list_schemas(self) -> Sequence[str]:
        """Return ``main`` and the folders that hold tables, as ``a/b``, sorted."""
        with self._in_catalog():
            return self._tree().schemas()

    def list_tables(self, schema: str) -> Sequence[TableName]:
        """Return the tables of ``schema``, sorted; those that cannot be read are listed, too."""
        with self._in_catalog():
            return sorted(TableName(schema, name) for name in self._tree().tables(schema))

    def load_table(self, name: TableName) -> Table:
        """Return the table as its files are now.

        Raises:
            TableNotFound: no table has exactly this schema and name.
            SourceUnavailable: the path does not exist.
            SourceDataError: a file cannot be read, or files do not fit together.
            NotSupported: the files belong to a table of a lakehouse format.
            UnsupportedType: a column's type cannot be carried exactly.
        """
        with self._in_catalog(table=str(name)):
            tree = self._tree()
            found = tree.files(self._find(tree, name))
            if not found:
                raise SourceDataError(
                    f'The folder "{tree.root.path}" holds no data files for the table "{name}".',
                    hint=f"Igloo reads {EXTENSIONS}; for others, give format and a glob.",
                    path=tree.root.path,
                )
            detail, row_count = self._tables.describe(found)
            return Table(
                name=name,
                schema=pa.schema([*detail.file_schema, *detail.partition_schema]),
                row_count=row_count,
                version=version_of(found),
                detail=detail,
            )

    def statistics(self, table: Table) -> Statistics:
        """Return row count, known for Parquet, and size of the files."""
        detail = _detail(table)
        rows = None if table.row_count is None else float(table.row_count)
        return Statistics(row_count=rows, size_bytes=float(detail.size_bytes))

    def _find(self, tree: FileTree, name: TableName) -> TableFiles:
        tables = tree.tables(name.schema)
        places = tables.get(name.table, [])
        if len(places) > 1:
            paths = " and ".join(f'"{place.path}"' for place in places)
            raise SourceDataError(
                f'The table "{name}" is found more than once: {paths}.',
                hint="Rename one of them, or choose with the option format or a glob.",
                path=places[0].path,
            )
        if places:
            return places[0]
        if not tables and name.schema == MAIN:
            raise TableNotFound(
                f'There is no table "{name}": "{self._location}" holds no data files.',
                hint=f"Igloo reads {EXTENSIONS}; for others, give format and a glob.",
                path=tree.root.path,
            )
        raise TableNotFound(
            f'There is no table "{name}" in "{self._location}".',
            hint=did_you_mean(name.table, tables),
        )

    # -- scans ---------------------------------------------------------------------------------

    def list_files(self, table: Table, pushdown: Pushdown) -> FileScan | None:
        """Return the Parquet files that a filter on partition columns leaves.

        None for other formats, and where DataFusion's reader would not be exact: INT96, timestamps
        whose unit differs from file to file, and NaN, which statistics of files leave out.
        """
        detail = _detail(table)
        terms = partition_terms(pushdown.filter, detail.partition_schema)
        files = prune(detail.files, terms, detail.partition_schema)
        columns = {*pushdown.columns, *columns_of(pushdown.filter)}
        with self._in_catalog(table=str(table.name)):
            if not self._tables.is_native(detail, files, columns):
                return None
        data_files = tuple(
            DataFile(
                path=file.path,
                size_bytes=file.size_bytes,
                partition_values=partition_values(file, detail.partition_schema),
            )
            for file in files
        )
        return FileScan(
            format=FileFormat.PARQUET,
            groups=(FileGroup(files=data_files),) if data_files else (),
            partition_schema=detail.partition_schema if detail.partition_schema.names else None,
            files_total=len(detail.files),
            snapshot=table.version,
        )

    def plan_scan(self, table: Table, pushdown: Pushdown) -> Scan:
        """Plan one split a file; take the filters that Arrow answers exactly."""
        detail = _detail(table)
        decided = partition_terms(pushdown.filter, detail.partition_schema)
        files = prune(detail.files, decided, detail.partition_schema)
        open_ = [term for term in conjuncts(pushdown.filter) if term not in decided]
        taken = [term for term in open_ if is_exact(term, table.schema)]
        residual = conjoin(term for term in open_ if term not in taken)
        extra = sorted(columns_of(residual) - set(pushdown.columns))
        columns = (*pushdown.columns, *extra)
        small = replace(table, detail=None)
        work = _Work(filter=conjoin(taken), limit=pushdown.limit if residual is None else None)
        return Scan(
            splits=tuple(
                Split(table=small, columns=columns, detail=self._split(file, detail, work))
                for file in files
            ),
            residual=residual,
            files_planned=len(files),
            files_total=len(detail.files),
        )

    def _split(self, file: FoundFile, detail: TableDetail, work: _Work) -> FileSplit:
        return FileSplit(
            file=file,
            file_schema=detail.file_schema,
            partition_schema=detail.partition_schema,
            partition_values=partition_values(file, detail.partition_schema),
            dialect=self._dialect,
            filter=work.filter,
            limit=work.limit,
        )

    def read_split(self, split: Split, cancel: CancelToken) -> pa.RecordBatchReader:
        """Stream the rows of one file."""
        schema = pa.schema([split.table.schema.field(name) for name in split.columns])
        return pa.RecordBatchReader.from_batches(schema, self._rows(split, cancel))

    def _rows(self, split: Split, cancel: CancelToken) -> Iterator[pa.RecordBatch]:
        detail = cast("FileSplit", split.detail)
        with self._in_catalog(table=str(split.table.name)):
            yield from read_rows(detail, split.columns, cancel)

    def close(self) -> None:
        """Do nothing: no file stays open."""

    # -- shared --------------------------------------------------------------------------------

    def _tree(self) -> FileTree:
        return FileTree(self._location, self._format, self._one_table)

    @contextlib.contextmanager
    def _in_catalog(self, **context: str) -> Iterator[None]:
        """Say in errors of the block which catalog they come from."""
        try:
            yield
        except IglooError as error:
            for name, value in {"catalog": self.catalog, **context}.items():
                error.context.setdefault(name, value)
            raise


@dataclass(frozen=True, slots=True, kw_only=True)
class _Work:
    """What every split of a scan does with its rows."""

    filter: Predicate | None
    limit: int | None


def _detail(table: Table) -> TableDetail:
    return cast("TableDetail", table.detail)


def _local(location: Location) -> Location:
    if location.scheme:
        raise NotSupported(
            f'The path "{location.text}" is not on this machine; '
            "the connector files reads local files only.",
            hint="Copy the files to this machine and give their path.",
            path=location.text,
        )
    return location


def _dialect(options: FilesOptions) -> Dialect:
    delimiter = "\t" if options.delimiter == "\\t" else options.delimiter
    for name, text in (("delimiter", delimiter), ("quote", options.quote or None)):
        if text is not None and (len(text) != 1 or not text.isascii() or text in "\r\n\0"):
            raise InvalidSetting(
                f'The option "{name}" of "files" must be one ASCII character, not "{text}".',
                option=name,
            )
    if delimiter is not None and delimiter == options.quote:
        raise InvalidSetting(
            'The options "delimiter" and "quote" of "files" must differ.', option="delimiter"
        )
    return Dialect(delimiter=delimiter, has_header=options.header, quote=options.quote)
