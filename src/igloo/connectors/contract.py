"""What a connector is.

A connector reads one source. Five methods are required; everything else is a Protocol that a
connector may add, and the engine asks for it with ``isinstance``. Work is *offered* to a connector
(``Pushdown``); it takes what it can do exactly and hands back the rest (``Scan.residual``), which
the engine applies above the scan. Nothing depends on a promise.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pyarrow as pa

    from igloo.cancel import CancelToken
    from igloo.connectors.file_scan import FileScan
    from igloo.connectors.options import Options
    from igloo.connectors.predicates import Predicate
    from igloo.names import TableName


class Operator(StrEnum):
    """An operator that a source may run for the engine."""

    FILTER = "filter"
    LIMIT = "limit"


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What a connector claims; the empty value is always correct.

    Attributes:
        operators: what the source may take over. A claim says "sometimes", and the conformance
            suite holds the connector to it; what was taken is in each ``Scan``.
        sql_dialect: sqlglot's name of the source's SQL, if it speaks SQL.
    """

    operators: frozenset[Operator] = frozenset()
    sql_dialect: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table as its source describes it now.

    Attributes:
        name: schema and table in the source's own spelling.
        schema: exact Arrow schema of a full read, in the source's column order.
        row_count: number of rows if the source knows it exactly and cheaply.
        version: changes whenever the data or schema changes; None means "I cannot tell".
        detail: the connector's own facts; picklable; the engine never looks inside.
    """

    name: TableName
    schema: pa.Schema
    row_count: int | None = None
    version: str | None = None
    detail: object = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pushdown:
    """Work offered to a scan.

    Attributes:
        columns: the columns to return, in this order; may be empty (only rows are counted then).
        filter: only rows for which this is TRUE are needed.
        limit: no more than this many rows are needed, counted after the filter.
    """

    columns: tuple[str, ...]
    filter: Predicate | None = None
    limit: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """A piece of a scan that can be read by itself, in any process. Small and picklable.

    Attributes:
        table: what is read.
        columns: the columns its batches have, in order.
        detail: the connector's own facts.
    """

    table: Table
    columns: tuple[str, ...]
    detail: object = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """How a connector will read, and what it leaves to the engine.

    Attributes:
        splits: their rows together are the scan. Each split's columns are the pushdown's, followed
            by those that only the residual needs.
        residual: the part of the filter that still has to be applied; None if all was taken.
        sql: the statements that the source will be sent, for EXPLAIN and ``stats``.
        files_planned: files that will be opened, None if the source has no files.
        files_total: files of the table, None if the source has no files.
    """

    splits: tuple[Split, ...]
    residual: Predicate | None = None
    sql: tuple[str, ...] = ()
    files_planned: int | None = None
    files_total: int | None = None


class Connector(ABC):
    """One connection to one source. Thread-safe. Making one never dials the source.

    Errors that leave a connector are ``IglooError``s; a failure of the source is a ``SourceError``
    with ``catalog`` in its context, raised from the driver's own exception.
    """

    kind: ClassVar[str]
    options_type: ClassVar[type[Options]]
    capabilities: ClassVar[Capabilities] = Capabilities()
    #: The schema that ``catalog.table`` means.
    default_schema: ClassVar[str] = "main"

    def __init__(self, catalog: str, options: Options) -> None:
        self.catalog = catalog
        self.options = options

    @abstractmethod
    def list_schemas(self) -> Sequence[str]:
        """Return the names of the schemas, sorted."""

    @abstractmethod
    def list_tables(self, schema: str) -> Sequence[TableName]:
        """Return the tables of ``schema``, sorted; empty if there is no such schema."""

    @abstractmethod
    def load_table(self, name: TableName) -> Table:
        """Return the table as it is now.

        Raises:
            TableNotFound: no table has exactly this schema and name.
            UnsupportedType: a column's type cannot be carried exactly.
        """

    @abstractmethod
    def plan_scan(self, table: Table, pushdown: Pushdown) -> Scan:
        """Decide how to read; metadata only, no rows. Must be cheap."""

    @abstractmethod
    def read_split(self, split: Split, cancel: CancelToken) -> pa.RecordBatchReader:
        """Stream the rows of a split.

        The reader's schema is the table's, cut to ``split.columns``, exactly. Memory stays bounded
        however large the split is. ``cancel`` stops the source within a second.
        """

    @abstractmethod
    def close(self) -> None:
        """Give back every connection. Safe to call twice."""


@runtime_checkable
class ListsFiles(Protocol):
    """The table is files that DataFusion reads natively."""

    def list_files(self, table: Table, pushdown: Pushdown) -> FileScan | None:
        """Return the files to read, or None where only ``read_split`` is right."""


@runtime_checkable
class HoldsArrow(Protocol):
    """The table lies in this process's memory."""

    def arrow_table(self, table: Table) -> pa.Table | None:
        """Return all rows without copying, or None where only ``read_split`` is right."""


@runtime_checkable
class RunsSql(Protocol):
    """The source runs SQL of its own dialect."""

    def describe_sql(self, sql: str) -> pa.Schema:
        """Return the exact schema of a read-only statement without running it."""

    def run_sql(self, sql: str, cancel: CancelToken) -> pa.RecordBatchReader:
        """Stream the rows of one read-only statement. What would write is refused by the source."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnStatistics:
    """What the source knows of one column; None means "unknown"."""

    distinct_count: float | None = None
    null_fraction: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistics:
    """Estimates for the planner; never used for answers.

    Attributes:
        row_count: estimated number of rows.
        size_bytes: estimated size in the source.
        columns: by column name.
    """

    row_count: float | None = None
    size_bytes: float | None = None
    columns: tuple[tuple[str, ColumnStatistics], ...] = ()


@runtime_checkable
class HasStatistics(Protocol):
    """The source keeps statistics that are cheap to ask for."""

    def statistics(self, table: Table) -> Statistics:
        """Return the source's estimates for ``table``."""


class Snapshot(Protocol):
    """A frozen state of a source that several scans read."""

    id: str

    def close(self) -> None:
        """Let the source forget the state. Safe to call twice."""


@runtime_checkable
class HoldsSnapshot(Protocol):
    """The source can hold one state still for several reads."""

    def open_snapshot(self) -> Snapshot:
        """Freeze the present state."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One change of a table, in the order of the source's log.

    Attributes:
        table: the table, or None when every table of the source may have changed.
        position: where in the log to resume after this change.
    """

    table: TableName | None
    position: str


@runtime_checkable
class EmitsChanges(Protocol):
    """The source tells what changed."""

    def follow_changes(self, *, after: str | None) -> Iterator[Change]:
        """Yield changes that come after a position; None means "from now on"."""


class WriteMode(StrEnum):
    """What happens to the rows that are there already."""

    APPEND = "append"
    OVERWRITE = "overwrite"


@runtime_checkable
class AcceptsWrites(Protocol):
    """Tables of the source can be made, filled and dropped."""

    def create_table(self, name: TableName, schema: pa.Schema) -> None:
        """Make an empty table. Raises ``AlreadyExists``."""

    def drop_table(self, name: TableName) -> None:
        """Remove a table. Raises ``TableNotFound``."""

    def write(self, name: TableName, rows: pa.RecordBatchReader, mode: WriteMode) -> int:
        """Write all rows or none; return how many. The reader has exactly the table's schema."""
