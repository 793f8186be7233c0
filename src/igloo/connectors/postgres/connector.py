"""The connector to PostgreSQL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from igloo.cancel import CancelToken
from igloo.connectors.contract import Capabilities, Connector, Operator, Scan, Split, Table
from igloo.connectors.postgres import catalog as catalog_statements
from igloo.connectors.postgres import remote_sql, statistics
from igloo.connectors.postgres.address import read_address
from igloo.connectors.postgres.dialect import PostgresDialect
from igloo.connectors.postgres.errors import Site, statement_error
from igloo.connectors.postgres.lease import borrow, query_rows
from igloo.connectors.postgres.options import PostgresOptions, duration_s
from igloo.connectors.postgres.pool import Pool
from igloo.connectors.postgres.reader import open_reader
from igloo.connectors.postgres.scan import plan_select, unsupported_in_table
from igloo.connectors.postgres.session import Database
from igloo.connectors.sql.types import arrow_schema
from igloo.errors import InvalidSetting, NotSupported, TableNotFound, did_you_mean
from igloo.names import TableName

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa

    from igloo.connectors.contract import Pushdown, Statistics
    from igloo.connectors.options import Options
    from igloo.connectors.sql.types import SqlColumn
    from igloo.errors import IglooError


class PostgresConnector(Connector):
    """Reads tables and views of one PostgreSQL database (12 or newer), read-only.

    Columns, filters and limits become one SELECT, where they mean exactly what they mean in the
    engine; ``types.py`` says which types are carried, and how. A column that cannot be carried
    exactly stays in the table's schema as a place holder (nullable text), and a scan that reads it
    is refused with ``UnsupportedType``: the other columns stay usable.
    """

    kind: ClassVar[str] = "postgres"
    options_type: ClassVar[type[Options]] = PostgresOptions
    capabilities: ClassVar[Capabilities] = Capabilities(
        operators=frozenset({Operator.FILTER, Operator.LIMIT}), sql_dialect="postgres"
    )
    default_schema: ClassVar[str] = "public"

    def __init__(self, catalog: str, options: PostgresOptions) -> None:
        super().__init__(catalog, options)
        if options.allow_writes:
            raise NotSupported(
                'The connector "postgres" does not write yet.', hint="Leave out allow_writes."
            )
        if options.pool_size < 1:
            raise InvalidSetting(
                'The option "pool_size" of "postgres" must be at least 1.', option="pool_size"
            )
        self._schemas = options.schemas
        self._site = Site(catalog, read_address(options))
        self._dialect = PostgresDialect()
        timeout = options.statement_timeout
        timeout_s = None if timeout is None else duration_s("statement_timeout", timeout)
        database = Database(
            self._site,
            statement_timeout_ms=None if timeout_s is None else max(1, round(timeout_s * 1000)),
        )
        self._pool = Pool(
            catalog,
            database.open,
            size=options.pool_size,
            wait_s=duration_s("pool_timeout", options.pool_timeout),
        )

    def list_schemas(self) -> Sequence[str]:
        """Return the schemas, the system's own left out; only those of the option ``schemas``."""
        names = {row["name"] for row in self._rows(catalog_statements.SCHEMAS)}
        return sorted(names & set(self._schemas) if self._schemas else names)

    def list_tables(self, schema: str) -> Sequence[TableName]:
        """Return the tables, views, materialized views and foreign tables of ``schema``."""
        statement = catalog_statements.tables_statement(schema, self._dialect)
        if statement is None or not self._is_shown(schema):
            return []
        return sorted(TableName(schema, row["name"]) for row in self._rows(statement))

    def load_table(self, name: TableName) -> Table:
        """Return a table's columns as they are now; one round trip.

        Raises:
            TableNotFound: no table has exactly this schema and name.
            UnsupportedType: not one of its columns can be carried exactly.
        """
        statement = catalog_statements.columns_statement(name, self._dialect)
        rows = []
        if statement is not None and self._is_shown(name.schema):
            rows = self._rows(statement)
        if not rows:
            known = (table.table for table in self.list_tables(name.schema))
            raise TableNotFound(
                f'Catalog "{self.catalog}" has no table "{name}".',
                hint=did_you_mean(name.table, known),
                catalog=self.catalog,
            )
        detail = catalog_statements.read_columns(rows)
        if detail.columns and all(column.refusal for column in detail.columns):
            raise unsupported_in_table(detail.columns[0], f"{self.catalog}.{name}")
        return Table(name=name, schema=arrow_schema(detail.columns), detail=detail)

    def plan_scan(self, table: Table, pushdown: Pushdown) -> Scan:
        """Return the one statement that reads ``table``; nothing is sent."""
        detail: Any = table.detail
        columns = {column.name: column for column in detail.columns}
        label = f"{self.catalog}.{table.name}"
        planned = plan_select(table.name, label, columns, pushdown, self._dialect)
        names = tuple(column.name for column in planned.plan.columns)
        split = Split(table=table, columns=names, detail=planned.plan)
        return Scan(splits=(split,), residual=planned.residual, sql=(planned.plan.statement,))

    def read_split(self, split: Split, cancel: CancelToken) -> pa.RecordBatchReader:
        """Stream the rows; the connection goes back when the reader ends or is dropped."""
        plan: Any = split.detail
        return open_reader(self._pool, self._site, plan, cancel)

    def describe_sql(self, sql: str) -> pa.Schema:
        """Return the schema of a statement of PostgreSQL's own SQL; the server only plans it."""
        statement = remote_sql.single_statement(sql, self.catalog)
        return arrow_schema(self._describe(statement, CancelToken()))

    def run_sql(self, sql: str, cancel: CancelToken) -> pa.RecordBatchReader:
        """Stream the rows of a read-only statement of PostgreSQL's own SQL."""
        statement = remote_sql.single_statement(sql, self.catalog)
        columns = self._describe(statement, cancel)
        plan = remote_sql.plan_statement(statement, self.catalog, columns, self._dialect)
        # The statement may have changed its session's settings, the one that refuses writes too.
        return open_reader(
            self._pool, self._site, plan, cancel, is_users=True, reuses_session=False
        )

    def statistics(self, table: Table) -> Statistics:
        """Return the server's estimates; unknown for views and tables never analyzed."""
        return statistics.read_statistics(
            self._rows(statistics.table_statement(table.name, self._dialect)),
            self._rows(statistics.columns_statement(table.name, self._dialect)),
        )

    def close(self) -> None:
        """Close the connections: idle ones now, those in use as their readers end."""
        self._pool.close()

    def _is_shown(self, schema: str) -> bool:
        return not self._schemas or schema in self._schemas

    def _rows(self, statement: str) -> list[dict[str, Any]]:
        return query_rows(self._pool, CancelToken(), self._site, statement)

    def _describe(self, statement: str, cancel: CancelToken) -> tuple[SqlColumn, ...]:
        def wrap(error: BaseException) -> IglooError:
            return statement_error(error, self._site, what=f'"{remote_sql.LABEL}"', is_users=True)

        def describe() -> pa.Schema:
            lease, schema = borrow(
                self._pool, cancel, lambda session: session.describe(statement), wrap
            )
            lease.finish(reusable=not remote_sql.has_unknown_type(schema))
            described: pa.Schema = schema
            return described

        schema = describe()
        if remote_sql.has_unknown_type(schema):
            # The driver reads the server's types when it connects; this one was made later.
            self._pool.drop_idle()
            schema = describe()
        return remote_sql.described_columns(schema, self.catalog)
