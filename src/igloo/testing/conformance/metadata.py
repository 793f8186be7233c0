"""Names: what is listed can be loaded, and what is not there is said clearly."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from igloo.errors import TableNotFound
from igloo.names import TableName
from igloo.testing.conformance import tables as samples
from igloo.testing.conformance.hooks import ConformanceHooks
from igloo.testing.conformance.reading import assert_same_rows, read_table

if TYPE_CHECKING:
    from igloo.connectors.contract import Connector

ODD_NAMES = {
    "keyword": "Select",
    "dot": "a.b",
    "space": "two words",
    "quote": "it's",
    "double_quote": 'say "hi"',
    "semicolon": "x; DROP TABLE facts; --",
    "umlaut": "ünï",
    "cjk": "表",
    "digit": "1st",
    "upper": "UPPER",
    "percent": "100%",
    "long": "n" * 63,
}


class MetadataTests(ConformanceHooks):
    """Lists, loads, and odd names."""

    def test_schemas_are_listed_sorted_and_the_default_is_among_them(
        self, connector: Connector
    ) -> None:
        schemas = list(connector.list_schemas())
        assert schemas == sorted(set(schemas))
        assert connector.default_schema in schemas

    def test_tables_are_listed_sorted_and_all_are_there(self, connector: Connector) -> None:
        listed = list(connector.list_tables(connector.default_schema))
        assert listed == sorted(set(listed))
        wanted = {
            TableName(connector.default_schema, name)
            for name in (samples.FACTS, samples.EMPTY, samples.LARGE)
        }
        assert wanted <= set(listed), f"not listed: {sorted(wanted - set(listed))}"

    def test_an_unknown_schema_has_no_tables(self, connector: Connector) -> None:
        assert list(connector.list_tables("no_such_schema")) == []

    def test_every_listed_table_can_be_loaded_under_its_name(self, connector: Connector) -> None:
        for name in connector.list_tables(connector.default_schema):
            assert connector.load_table(name).name == name

    @pytest.mark.parametrize("name", ["no_such_table", "", "facts ", 'facts"', "%"])
    def test_an_unknown_table_is_table_not_found(self, connector: Connector, name: str) -> None:
        with pytest.raises(TableNotFound) as caught:
            self.table(connector, name)
        assert caught.value.context.get("catalog") == connector.catalog

    def test_a_table_of_an_unknown_schema_is_table_not_found(self, connector: Connector) -> None:
        with pytest.raises(TableNotFound):
            connector.load_table(TableName("no_such_schema", samples.FACTS))

    def test_a_name_in_another_case_is_another_name(self, connector: Connector) -> None:
        with pytest.raises(TableNotFound):
            self.table(connector, samples.FACTS.upper())

    def test_a_nearly_right_name_is_suggested(self, connector: Connector) -> None:
        with pytest.raises(TableNotFound) as caught:
            self.table(connector, samples.FACTS + "x")
        assert samples.FACTS in caught.value.hint

    def test_columns_come_in_the_sources_order_with_the_promised_types(
        self, connector: Connector
    ) -> None:
        schema = self.table(connector, samples.FACTS).schema
        wanted = self.stored(self.facts()).schema
        assert schema.names == wanted.names
        assert dict(zip(schema.names, schema.types, strict=True)) == dict(
            zip(wanted.names, wanted.types, strict=True)
        )

    def test_the_row_count_is_exact_where_it_is_given(self, connector: Connector) -> None:
        for name, rows in (
            (samples.FACTS, samples.FACTS_ROWS),
            (samples.EMPTY, 0),
            (samples.LARGE, self.large_table_rows),
        ):
            assert self.table(connector, name).row_count in {None, rows}

    def test_loading_again_gives_the_same_table(self, connector: Connector) -> None:
        first, second = (self.table(connector, samples.FACTS) for _ in range(2))
        assert (first.name, first.version, first.row_count) == (
            second.name,
            second.version,
            second.row_count,
        )
        assert first.schema.equals(second.schema, check_metadata=True)

    @pytest.mark.parametrize("case", ODD_NAMES)
    def test_a_table_with_an_odd_name_is_listed_and_read(self, make: Any, case: str) -> None:
        name = ODD_NAMES[case]
        rows = _two_rows(self, "id")
        connector = make({name: rows})
        assert TableName(connector.default_schema, name) in connector.list_tables(
            connector.default_schema
        )
        assert_same_rows(read_table(connector, self.table(connector, name)), self.stored(rows))

    @pytest.mark.parametrize("case", ODD_NAMES)
    def test_a_column_with_an_odd_name_is_read(self, make: Any, case: str) -> None:
        rows = _two_rows(self, ODD_NAMES[case])
        connector = make({"odd": rows})
        table = self.table(connector, "odd")
        assert table.schema.names == rows.column_names
        assert_same_rows(read_table(connector, table), self.stored(rows))

    def test_columns_that_differ_only_in_case_stay_apart(self, make: Any) -> None:
        type_ = _small_type(self)
        rows = pa.table({"a": pa.array([1], type_), "A": pa.array([2], type_)})
        connector = make({"cases": rows})
        table = self.table(connector, "cases")
        assert table.schema.names == ["a", "A"]
        assert_same_rows(read_table(connector, table), self.stored(rows))


def _small_type(hooks: ConformanceHooks) -> pa.DataType:
    """Return an integer type that the source can store."""
    choices = (pa.int64(), pa.int32(), pa.int16())
    return next(type_ for type_ in choices if hooks.store_type(type_) is not None)


def _two_rows(hooks: ConformanceHooks, column: str) -> pa.Table:
    return pa.table({column: pa.array([1, 2], _small_type(hooks))})
