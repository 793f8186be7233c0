"""The connector to SQLite files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from igloo.connectors.contract import Capabilities, Connector, Operator, Scan, Split, Table
from igloo.connectors.sql.types import arrow_schema
from igloo.connectors.sqlite import catalog as database_catalog
from igloo.connectors.sqlite import remote_sql, writer
from igloo.connectors.sqlite.catalog import SCHEMA
from igloo.connectors.sqlite.database import Site, opened
from igloo.connectors.sqlite.dialect import SqliteDialect
from igloo.connectors.sqlite.options import SqliteOptions
from igloo.connectors.sqlite.reader import open_reader
from igloo.connectors.sqlite.scan import plan_select, unsupported
from igloo.errors import NotSupported, TableNotFound, did_you_mean
from igloo.names import TableName

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa

    from igloo.cancel import CancelToken
    from igloo.connectors.contract import Pushdown, WriteMode
    from igloo.connectors.options import Options
    from igloo.connectors.sqlite.catalog import TableColumns
    from igloo.connectors.sqlite.scan import ReadPlan


class SqliteConnector(Connector):
    """Reads tables and views of one SQLite file, and writes them where ``allow_writes`` is set.

    Each piece of work opens the file for itself, read-only but for writes, so that readers in
    other threads and processes need nothing of this one. ``types.py`` says what declared types
    mean. A column without a known type stays in the table's schema as a place holder (nullable
    text), and a scan that reads it is refused with ``UnsupportedType``.
    """

    kind: ClassVar[str] = "sqlite"
    options_type: ClassVar[type[Options]] = SqliteOptions
    capabilities: ClassVar[Capabilities] = Capabilities(
        operators=frozenset({Operator.FILTER, Operator.LIMIT}), sql_dialect="sqlite"
    )
    default_schema: ClassVar[str] = SCHEMA

    def __init__(self, catalog: str, options: SqliteOptions) -> None:
        super().__init__(catalog, options)
        self._site = Site(catalog=catalog, path=options.path, is_writable=options.allow_writes)
        self._dialect = SqliteDialect()

    def list_schemas(self) -> Sequence[str]:
        """Return the one schema that a database file has."""
        return [SCHEMA]

    def list_tables(self, schema: str) -> Sequence[TableName]:
        """Return the tables and views; none for another schema than ``main``."""
        if schema != SCHEMA:
            return []
        with opened(self._site, what="its list of tables") as session:
            return [TableName(schema, name) for name in database_catalog.table_names(session)]

    def load_table(self, name: TableName) -> Table:
        """Return a table's columns as they are declared now.

        Raises:
            TableNotFound: no table has exactly this schema and name.
            UnsupportedType: not one of its columns has a type that Igloo knows.
            NotSupported: the database holds its texts in UTF-16.
        """
        detail = self._detail(name)
        if detail.columns and all(column.refusal for column in detail.columns):
            raise unsupported(detail.columns[0], self._label(name))
        return Table(name=name, schema=arrow_schema(detail.columns), detail=detail)

    def plan_scan(self, table: Table, pushdown: Pushdown) -> Scan:
        """Return the one statement that reads ``table``; the file is not touched."""
        detail: Any = table.detail
        columns = {column.name: column for column in detail.columns}
        label = self._label(table.name)
        plan, residual = plan_select(table.name, label, columns, pushdown, self._dialect)
        names = tuple(column.name for column in plan.columns)
        split = Split(table=table, columns=names, detail=plan)
        return Scan(splits=(split,), residual=residual, sql=(plan.statement,))

    def read_split(self, split: Split, cancel: CancelToken) -> pa.RecordBatchReader:
        """Stream the rows; the file is closed when the reader ends or is dropped."""
        plan: Any = split.detail
        return open_reader(self._site, plan, cancel)

    def describe_sql(self, sql: str) -> pa.Schema:
        """Return the schema of a SELECT in SQLite's own SQL, without running it."""
        return arrow_schema(self._plan(sql, None).columns)

    def run_sql(self, sql: str, cancel: CancelToken) -> pa.RecordBatchReader:
        """Stream the rows of a SELECT in SQLite's own SQL."""
        return open_reader(self._site, self._plan(sql, cancel), cancel, is_users=True)

    def create_table(self, name: TableName, schema: pa.Schema) -> None:
        """Make an empty table.

        Raises:
            NotSupported: the catalog is read only, or has no such schema.
            AlreadyExists: there is a table of that name.
            UnsupportedType: SQLite keeps no values of a column's type.
            InvalidValue: two columns have one name, or there is no column.
        """
        self._check_writable(name)
        with opened(self._site, what=f'"{self._label(name)}"') as session:
            writer.create_table(session, name, schema, self.catalog, self._dialect)

    def drop_table(self, name: TableName) -> None:
        """Remove a table. Raises ``TableNotFound``."""
        self._check_writable(name)
        if self._detail(name).is_view:
            raise NotSupported(f'"{self._label(name)}" is a view.', catalog=self.catalog)
        with opened(self._site, what=f'"{self._label(name)}"') as session:
            session.execute(f"DROP TABLE {self._dialect.table(name)}")

    def write(self, name: TableName, rows: pa.RecordBatchReader, mode: WriteMode) -> int:
        """Write all rows or none; return how many.

        Raises:
            TableNotFound: there is no such table.
            TypeMismatch: the reader's columns are not the table's.
            InvalidValue: a NULL meets a NOT NULL column, or SQLite cannot keep a value.
            NotSupported: the catalog is read only, or a column would change its texts.
        """
        self._check_writable(name)
        detail = self._detail(name)
        with opened(self._site, what=f'"{self._label(name)}"') as session:
            target = writer.Target(
                catalog=self.catalog,
                name=name,
                columns=detail.columns,
                quoted=self._dialect.table(name),
            )
            return writer.write(session, target, rows, mode, self._dialect)

    def close(self) -> None:
        """Nothing stays open between two pieces of work."""

    def _label(self, name: TableName) -> str:
        return f"{self.catalog}.{name}"

    def _detail(self, name: TableName) -> TableColumns:
        found: TableColumns | None = None
        known: list[str] = []
        if name.schema == SCHEMA:
            with opened(self._site, what=f'"{self._label(name)}"') as session:
                found = database_catalog.read_table(session, name.table, self._site, self._dialect)
                known = [] if found else database_catalog.table_names(session)
        if found is None:
            raise TableNotFound(
                f'Catalog "{self.catalog}" has no table "{name}".',
                hint=did_you_mean(name.table, known),
                catalog=self.catalog,
            )
        return found

    def _plan(self, sql: str, cancel: CancelToken | None) -> ReadPlan:
        what = f'"{remote_sql.LABEL}"'
        with opened(self._site, cancel, what=what, is_users=True, is_read_only=True) as session:
            return remote_sql.plan_statement(session, sql, self._site, self._dialect)

    def _check_writable(self, name: TableName) -> None:
        if not self._site.is_writable:
            raise NotSupported(
                f'The catalog "{self.catalog}" is read only.',
                hint="Make it with allow_writes = 'true'.",
                catalog=self.catalog,
            )
        if name.schema != SCHEMA:
            raise NotSupported(
                f'A SQLite file has the schema "{SCHEMA}" only, not "{name.schema}".',
                catalog=self.catalog,
            )
