"""SQL of the source's own: described before it runs, and never a way to write."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import pyarrow as pa
import pytest

from igloo.cancel import CancelToken
from igloo.connectors.contract import RunsSql
from igloo.errors import IglooError, QueryCancelled
from igloo.names import TableName, quote_identifier, quote_literal
from igloo.testing.conformance import tables as samples
from igloo.testing.conformance.hooks import ConformanceHooks
from igloo.testing.conformance.reading import assert_same_rows, read_table

if TYPE_CHECKING:
    from igloo.connectors.contract import Connector


class SqlConformance(ConformanceHooks):
    """For connectors that ``RunsSql``; put it before ``ConnectorConformance``.

    Attributes:
        writing_statements: statements that the source must refuse; ``{table}`` is the table of
            facts, quoted.
    """

    writing_statements: ClassVar[tuple[str, ...]] = (
        "DELETE FROM {table}",
        "UPDATE {table} SET id = 0",
        "INSERT INTO {table} (id) VALUES (-1)",
        "DROP TABLE {table}",
        "CREATE TABLE made_by_the_suite (a INTEGER)",
        "SELECT 1; DELETE FROM {table}",
        "SELECT 1; COMMIT; DELETE FROM {table}",
    )

    def sql_table(self, name: TableName) -> str:
        """Return the table's name as the source's SQL writes it."""
        return f"{quote_identifier(name.schema)}.{quote_identifier(name.table)}"

    def sql_literal(self, text: str) -> str:
        """Return ``text`` as the source's SQL writes it."""
        return quote_literal(text)

    def test_a_statement_is_described_as_it_runs(self, connector: Connector) -> None:
        source, facts = _runs_sql(connector), self._facts_name(connector)
        table = self.table(connector, samples.FACTS)
        for sql in (f"SELECT * FROM {facts}", f"SELECT * FROM {facts} WHERE 1 = 0"):  # noqa: S608 - quoted
            described = source.describe_sql(sql)
            reader = source.run_sql(sql, CancelToken())
            assert reader.schema.equals(described), "describe_sql and run_sql differ"
            assert (described.names, described.types) == (table.schema.names, table.schema.types)
            reader.read_all()

    def test_a_statement_gives_the_rows_of_the_table(self, connector: Connector) -> None:
        sql = f"SELECT * FROM {self._facts_name(connector)}"  # noqa: S608 - quoted
        found = _runs_sql(connector).run_sql(sql, CancelToken()).read_all()
        assert_same_rows(found, self.stored(self.facts()))

    def test_every_text_is_data(self, connector: Connector) -> None:
        for text in samples.TEXTS:
            if not self.can_store(pa.string(), text):
                continue
            sql = f"SELECT {self.sql_literal(text)} AS x"
            assert _runs_sql(connector).run_sql(sql, CancelToken()).read_all().to_pylist() == [
                {"x": text}
            ]

    def test_writing_is_refused_and_changes_nothing(self, make: Any) -> None:
        connector = make({samples.FACTS: self.facts()})
        for statement in self.writing_statements:
            sql = statement.format(table=self._facts_name(connector))
            with pytest.raises(IglooError) as caught:
                _runs_sql(connector).run_sql(sql, CancelToken()).read_all()
            assert caught.value.context.get("catalog") == connector.catalog, sql
            found = read_table(connector, self.table(connector, samples.FACTS))
            assert_same_rows(found, self.stored(self.facts()), f"after {sql}")
        assert [t.table for t in connector.list_tables(connector.default_schema)] == [samples.FACTS]

    @pytest.mark.parametrize("sql", ["", "SELEC 1", "SELECT * FROM no_such_table", "SELECT 'x"])
    def test_a_wrong_statement_is_an_error_of_igloos(self, connector: Connector, sql: str) -> None:
        for work in (
            lambda: _runs_sql(connector).describe_sql(sql),
            lambda: _runs_sql(connector).run_sql(sql, CancelToken()).read_all(),
        ):
            with pytest.raises(IglooError) as caught:
                work()
            assert caught.value.context.get("catalog") == connector.catalog
            assert "\n" not in str(caught.value)

    def test_a_cancelled_statement_stops(self, connector: Connector) -> None:
        cancel = CancelToken()
        cancel.cancel()
        sql = f"SELECT * FROM {self._facts_name(connector)}"  # noqa: S608 - quoted
        with pytest.raises(QueryCancelled):
            _runs_sql(connector).run_sql(sql, cancel).read_all()

    def _facts_name(self, connector: Connector) -> str:
        return self.sql_table(TableName(connector.default_schema, samples.FACTS))


def _runs_sql(connector: Connector) -> RunsSql:
    assert isinstance(connector, RunsSql), "take SqlConformance only for connectors that run SQL"
    return connector
