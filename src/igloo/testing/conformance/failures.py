"""Failures: whatever goes wrong leaves the connector as one of Igloo's errors."""

from __future__ import annotations

import pickle
import time
from typing import TYPE_CHECKING, Any

import pytest

from igloo.cancel import CancelToken
from igloo.connectors.contract import Pushdown
from igloo.errors import IglooError, SourceError
from igloo.names import TableName
from igloo.testing.conformance import tables as samples
from igloo.testing.conformance.hooks import ConformanceHooks

if TYPE_CHECKING:
    from collections.abc import Callable

    from igloo.connectors.contract import Connector

#: Longer than any sane connection timeout, shorter than a reader's patience.
_UNREACHABLE_S = 60.0


class FailureTests(ConformanceHooks):
    """A source that breaks, and one that is not there."""

    def test_a_source_that_breaks_before_planning_raises_source_errors(self, make: Any) -> None:
        connector = make({samples.FACTS: self.facts()})
        table = self.table(connector, samples.FACTS)
        self.break_source(connector, table)

        def read() -> None:
            pushdown = Pushdown(columns=tuple(table.schema.names))
            for split in connector.plan_scan(table, pushdown).splits:
                connector.read_split(split, CancelToken()).read_all()

        self._assert_source_error(connector, read)

    def test_a_source_that_breaks_before_reading_raises_source_errors(self, make: Any) -> None:
        connector = make({samples.FACTS: self.facts()})
        table = self.table(connector, samples.FACTS)
        pushdown = Pushdown(columns=tuple(table.schema.names))
        scan = connector.plan_scan(table, pushdown)
        self.break_source(connector, table)

        def read() -> None:
            for split in scan.splits:
                connector.read_split(split, CancelToken()).read_all()

        self._assert_source_error(connector, read)

    def test_an_unreachable_source_is_no_error_until_it_is_asked(self) -> None:
        connector = self.unreachable_connector()
        connector.close()

    def test_an_unreachable_source_is_a_source_error(self) -> None:
        connector = self.unreachable_connector()
        name = TableName(connector.default_schema, samples.FACTS)
        started = time.monotonic()
        try:
            self._assert_source_error(connector, lambda: connector.load_table(name))
            self._assert_source_error(
                connector, lambda: connector.list_tables(connector.default_schema)
            )
        finally:
            connector.close()
        assert time.monotonic() - started < _UNREACHABLE_S, "it took too long to give up"

    def test_errors_cross_process_borders(self, connector: Connector) -> None:
        with pytest.raises(IglooError) as caught:
            self.table(connector, "no_such_table")
        copy = pickle.loads(pickle.dumps(caught.value))  # noqa: S301 - our own
        assert (type(copy), str(copy), copy.context) == (
            type(caught.value),
            str(caught.value),
            caught.value.context,
        )

    def test_errors_are_one_line(self, connector: Connector) -> None:
        with pytest.raises(IglooError) as caught:
            self.table(connector, "no such\ntable")
        assert "\n" not in str(caught.value)

    def _assert_source_error(self, connector: Connector, work: Callable[[], object]) -> None:
        error = _raised_by(work)
        if not isinstance(error, SourceError):
            kind = f"{type(error).__module__}.{type(error).__qualname__}"
            pytest.fail(f"{kind}, not a SourceError, was raised: {error}")
        assert error.context.get("catalog") == connector.catalog, "say which catalog failed"
        assert "\n" not in str(error)
        for secret in self.secrets:
            assert secret not in f"{error} {error!r} {error.context}", "a secret was told"


def _raised_by(work: Callable[[], object]) -> BaseException:
    try:
        work()
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever leaves it is looked at
        return error
    raise AssertionError("the source is broken, and nothing was raised")
