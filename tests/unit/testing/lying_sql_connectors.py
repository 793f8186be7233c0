"""Connectors that lie about the SQL they run, over an embedded DuckDB, and an honest one."""

import contextlib
import dataclasses
from dataclasses import dataclass
from typing import ClassVar

import duckdb
import pyarrow as pa

from igloo.cancel import CancelToken
from igloo.connectors.contract import Capabilities, Connector, Scan, Split, Table
from igloo.connectors.options import Options
from igloo.errors import SourceRefused, TableNotFound, did_you_mean
from igloo.names import TableName, quote_identifier
from igloo.testing.conformance import ConnectorConformance, SqlConformance


@dataclass(frozen=True, slots=True, kw_only=True)
class DuckOptions(Options):
    """None."""


class HonestSql(Connector):
    kind = "duck"
    options_type = DuckOptions
    capabilities = Capabilities(sql_dialect="duckdb")

    def __init__(self, catalog, tables):
        super().__init__(catalog, DuckOptions())
        self.source = duckdb.connect()
        for name, rows in tables.items():
            self.source.register("arriving", rows)
            self.source.execute(f"CREATE TABLE {quote_identifier(name)} AS FROM arriving")
            self.source.unregister("arriving")

    def list_schemas(self):
        return ["main"]

    def list_tables(self, schema):
        found = self.source.cursor().execute(
            "SELECT table_name FROM duckdb_tables() WHERE schema_name = ?", [schema]
        )
        return sorted(TableName(schema, name) for (name,) in found.fetchall())

    def load_table(self, name):
        if name not in self.list_tables(name.schema):
            hint = did_you_mean(name.table, [known.table for known in self.list_tables("main")])
            raise TableNotFound(f'No table "{name}".', hint=hint, catalog=self.catalog)
        return Table(name=name, schema=self.describe_sql(f"FROM {quote_identifier(name.table)}"))

    def plan_scan(self, table, pushdown):
        columns = tuple(table.schema.names)
        assert pushdown.columns == columns, "only whole tables are read here"
        return Scan(splits=(Split(table=table, columns=columns),))

    def read_split(self, split, cancel):
        return self.run_sql(f"FROM {quote_identifier(split.table.name.table)}", cancel)

    def describe_sql(self, sql):
        return self.run_sql(sql, CancelToken()).schema

    def run_sql(self, sql, cancel):
        cancel.raise_if_cancelled()
        try:
            self.refuse_writes(sql)
            reader = self.source.cursor().execute(sql).to_arrow_reader(1000)
            return pa.RecordBatchReader.from_batches(reader.schema, reader)
        except duckdb.Error as error:
            raise SourceRefused(f"DuckDB refused: {error}", catalog=self.catalog) from error

    def refuse_writes(self, sql):
        types = [statement.type for statement in duckdb.extract_statements(sql)]
        if types != [duckdb.StatementType.SELECT]:
            raise SourceRefused("Give one SELECT.", catalog=self.catalog)

    def close(self):
        self.source.close()


class RunsWrites(HonestSql):
    def refuse_writes(self, sql):
        pass


class RunsTheSecondStatement(HonestSql):
    def refuse_writes(self, sql):
        super().refuse_writes(sql.partition(";")[0])


class RefusesAfterWriting(HonestSql):
    def refuse_writes(self, sql):
        with contextlib.suppress(duckdb.Error):
            self.source.cursor().execute(sql)
        super().refuse_writes(sql)


class DescribesOtherTypes(HonestSql):
    def describe_sql(self, sql):
        wide = [
            pa.field(f.name, pa.float64() if f.name == "id" else f.type)
            for f in super().describe_sql(sql)
        ]
        return pa.schema(wide)


class LosesTheLastRow(HonestSql):
    def run_sql(self, sql, cancel):
        rows = super().run_sql(sql, cancel).read_all()
        return rows.slice(0, max(0, rows.num_rows - 1)).to_reader()


class TextIsChanged(HonestSql):
    def run_sql(self, sql, cancel):
        return super().run_sql(sql.replace("\\", "\\\\"), cancel)


class DriverErrorsLeave(HonestSql):
    def run_sql(self, sql, cancel):
        try:
            return super().run_sql(sql, cancel)
        except SourceRefused as error:
            raise (error.__cause__ or error) from None


class SqlErrorsWithoutCatalog(HonestSql):
    def run_sql(self, sql, cancel):
        try:
            return super().run_sql(sql, cancel)
        except SourceRefused as error:
            raise SourceRefused(error.message) from error


class RunsWhatWasCancelled(HonestSql):
    def run_sql(self, sql, cancel):
        return super().run_sql(sql, CancelToken())


class HasNoDialect(HonestSql):
    capabilities = dataclasses.replace(HonestSql.capabilities, sql_dialect=None)


#: Each liar, and the tests of which every one has to catch it.
CAUGHT_BY = {
    RunsWrites: ["test_writing_is_refused_and_changes_nothing"],
    RunsTheSecondStatement: ["test_writing_is_refused_and_changes_nothing"],
    RefusesAfterWriting: ["test_writing_is_refused_and_changes_nothing"],
    DescribesOtherTypes: ["test_a_statement_is_described_as_it_runs"],
    LosesTheLastRow: ["test_a_statement_gives_the_rows_of_the_table"],
    TextIsChanged: ["test_every_text_is_data"],
    DriverErrorsLeave: ["test_a_wrong_statement_is_an_error_of_igloos[SELEC 1]"],
    SqlErrorsWithoutCatalog: ["test_a_wrong_statement_is_an_error_of_igloos[SELEC 1]"],
    RunsWhatWasCancelled: ["test_a_cancelled_statement_stops"],
    HasNoDialect: ["test_a_dialect_and_running_sql_go_together"],
}


class _Conformance(SqlConformance, ConnectorConformance):
    connector_type: ClassVar = HonestSql
    large_table_rows: ClassVar = 10

    def make_connector(self, tables):
        return self.connector_type("lies", tables)


class TestHonest(_Conformance):
    pass


for liar in CAUGHT_BY:
    globals()[f"Test{liar.__name__}"] = type(
        f"Test{liar.__name__}", (_Conformance,), {"connector_type": liar}
    )
del liar
