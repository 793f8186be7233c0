"""What a connector says of itself is true, and nothing secret is said."""

from __future__ import annotations

import dataclasses
import re
import typing
from typing import TYPE_CHECKING

import pytest

from igloo.config.secrets import Secret
from igloo.connectors.contract import (
    AcceptsWrites,
    Capabilities,
    Connector,
    HasStatistics,
    Operator,
    Pushdown,
    RunsSql,
)
from igloo.connectors.options import Options, read_options
from igloo.errors import InvalidSetting, TableNotFound
from igloo.testing.conformance import tables as samples
from igloo.testing.conformance.hooks import ConformanceHooks
from igloo.testing.conformance.sql import SqlConformance
from igloo.testing.conformance.writes import WritesConformance

if TYPE_CHECKING:
    from collections.abc import Iterator

_SECRET_NAME = re.compile(r"password|secret|token|credential|private|api_?key", re.IGNORECASE)


class HonestyTests(ConformanceHooks):
    """Kind, options, capabilities, secrets."""

    def test_the_kind_is_a_lower_case_word(self, connector: Connector) -> None:
        assert re.fullmatch(r"[a-z][a-z0-9_]*", connector.kind)
        assert isinstance(connector, Connector)

    def test_capabilities_are_values(self, connector: Connector) -> None:
        claimed = connector.capabilities
        assert isinstance(claimed, Capabilities)
        assert claimed.operators <= set(Operator)

    def test_a_dialect_and_running_sql_go_together(self, connector: Connector) -> None:
        runs_sql = isinstance(connector, RunsSql)
        assert runs_sql == (connector.capabilities.sql_dialect is not None), (
            "sql_dialect is given exactly where describe_sql and run_sql are"
        )

    def test_the_suites_for_writes_and_sql_are_taken_where_they_apply(
        self, connector: Connector
    ) -> None:
        assert isinstance(connector, AcceptsWrites) == isinstance(self, WritesConformance), (
            "WritesConformance is a base of the test class exactly if the connector AcceptsWrites"
        )
        assert isinstance(connector, RunsSql) == isinstance(self, SqlConformance), (
            "SqlConformance is a base of the test class exactly if the connector RunsSql"
        )

    def test_estimates_can_be_true(self, connector: Connector) -> None:
        table = self.table(connector, samples.FACTS)
        if not isinstance(connector, HasStatistics):
            return
        told = connector.statistics(table)
        columns = dict(told.columns)
        assert set(columns) <= set(table.schema.names), "estimates of columns that are not there"
        for estimate in (
            told.row_count,
            told.size_bytes,
            *(c.distinct_count for c in columns.values()),
        ):
            assert estimate is None or estimate >= 0, f"an estimate below zero: {told}"
        for name, column in columns.items():
            share = column.null_fraction
            assert share is None or 0 <= share <= 1, f"{share} of column {name} is NULL"

    def test_a_scan_opens_no_more_files_than_there_are(self, connector: Connector) -> None:
        scan = connector.plan_scan(self.table(connector, samples.FACTS), Pushdown(columns=("id",)))
        assert (scan.files_planned is None) == (scan.files_total is None)
        assert (scan.files_planned or 0) <= (scan.files_total or 0), (
            f"{scan.files_planned} of {scan.files_total} files"
        )

    def test_options_are_a_frozen_dataclass(self, connector: Connector) -> None:
        options = connector.options_type
        assert issubclass(options, Options)
        assert isinstance(connector.options, options)
        assert options.__dataclass_params__.frozen  # type: ignore[attr-defined]

    def test_every_option_is_documented(self, connector: Connector) -> None:
        for field in dataclasses.fields(connector.options_type):
            text = field.metadata.get("help", "")
            assert text.endswith("."), f'the option "{field.name}" needs one sentence of help'

    def test_an_unknown_option_is_refused(self, connector: Connector) -> None:
        with pytest.raises(InvalidSetting) as caught:
            _read(connector, {"no_such_option_at_all": "1"})
        assert "no_such_option_at_all" in str(caught.value)
        with pytest.raises(TypeError):
            connector.options_type(no_such_option_at_all="1")  # type: ignore[call-arg]

    def test_a_misspelt_option_is_corrected(self, connector: Connector) -> None:
        for field in dataclasses.fields(connector.options_type):
            if field.name == "storage":
                continue
            with pytest.raises(InvalidSetting) as caught:
                _read(connector, {field.name + "x": "1"})
            assert field.name in caught.value.hint

    def test_options_that_hold_secrets_are_secrets(self, connector: Connector) -> None:
        hints = typing.get_type_hints(connector.options_type)
        open_ = [
            name
            for name, hint in hints.items()
            if _SECRET_NAME.search(name) and not _is_secret(hint)
        ]
        assert not open_, f"these options must be of type Secret: {open_}"

    def test_secrets_are_never_printed(self, connector: Connector) -> None:
        told = [repr(connector), str(connector), repr(connector.options), str(connector.options)]
        told += [
            repr(connector.load_table(name))
            for name in connector.list_tables(connector.default_schema)
        ]
        with pytest.raises(TableNotFound) as caught:
            self.table(connector, "no_such_table")
        told += [str(caught.value), repr(caught.value), repr(caught.value.context)]
        secrets = {*self.secrets, *_revealed(connector.options)} - {""}
        for secret in secrets:
            assert not [text for text in told if secret in text], "a secret was printed"

    def test_scans_say_no_secret(self, connector: Connector) -> None:
        from igloo.testing.conformance.reading import ask

        table = self.table(connector, samples.FACTS)
        scan = ask(connector, table, ("id",)).scan
        for secret in {*self.secrets, *_revealed(connector.options)} - {""}:
            assert secret not in " ".join(scan.sql), "the SQL of a scan holds a secret"
            assert secret not in repr(scan), "a scan prints a secret"


def _read(connector: Connector, given: dict[str, str]) -> Options:
    return read_options(connector.options_type, given, connector=connector.kind, environment={})


def _is_secret(hint: object) -> bool:
    return hint is Secret or Secret in typing.get_args(hint)


def _revealed(options: Options) -> Iterator[str]:
    for field in dataclasses.fields(options):
        value = getattr(options, field.name)
        if isinstance(value, Secret):
            yield value.reveal()
        elif field.name == "storage" and value:
            yield from (text for key, text in value.items() if _SECRET_NAME.search(key))
