"""Failures: whatever goes wrong leaves the connector as one of Igloo's errors."""

from __future__ import annotations

import contextlib
import pickle
import time
from typing import TYPE_CHECKING, Any

import pytest

from igloo.cancel import CancelToken
from igloo.connectors.contract import HasStatistics, Pushdown
from igloo.errors import IglooError, SourceError
from igloo.names import TableName
from igloo.testing.conformance import tables as samples
from igloo.testing.conformance.faults import Faults
from igloo.testing.conformance.predicate_cases import Literals
from igloo.testing.conformance.reading import ask, assert_same_rows, keep, read_table
from igloo.testing.conformance.resources import ResourceTests

if TYPE_CHECKING:
    from collections.abc import Callable

    from igloo.connectors.contract import Connector

#: Longer than any sane connection timeout, shorter than a reader's patience.
_UNREACHABLE_S = 60.0
#: More calls than any one question should need.
_CALLS_MAX = 500


class FailureTests(ResourceTests):
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

    @pytest.mark.parametrize("is_lasting", [False, True], ids=["once", "for good"])
    def test_whatever_call_to_the_source_fails(self, make: Any, *, is_lasting: bool) -> None:
        connector = make({samples.FACTS: self.facts()})
        for call in range(1, _CALLS_MAX):
            failure = self.source_failures[0]
            if not self._survives(connector, failure, call=call, is_lasting=is_lasting):
                assert call > 1, "source_calls names nothing that the connector calls"
                return
        pytest.fail(f"one question after the other took more than {_CALLS_MAX} calls")

    def test_every_failure_of_the_driver_is_a_source_error(self, make: Any) -> None:
        connector = make({samples.FACTS: self.facts()})
        for failure in self.source_failures:
            for call in (1, 2):
                self._survives(connector, failure, call=call, is_lasting=True)

    def test_failures_leave_nothing_open(self, make: Any) -> None:
        connector = make({samples.FACTS: self.facts()})
        failure = self.source_failures[0]

        def fail() -> None:
            for call in (1, 2, 3):
                self._survives(connector, failure, call=call, is_lasting=False)

        self._assert_returns_to_rest(connector, fail)

    def _survives(
        self, connector: Connector, failure: Exception, *, call: int, is_lasting: bool
    ) -> bool:
        """Let a call fail; return whether there was such a call. Its error, if any, is right."""
        faults = Faults(failure, call=call, is_lasting=is_lasting, types=self.source_types)
        told = f"when call {call} to the source raises {failure!r}"
        places, whole = self.source_calls(), self.stored(self.facts())
        with contextlib.closing(self.reopen(connector)) as fresh, faults.planted(places):
            try:
                self._ask_everything(fresh)
            except AssertionError as error:
                raise AssertionError(f"a wrong answer {told}: {error}") from error
            except Exception as error:  # noqa: BLE001 - whatever leaves it is looked at
                self._check_source_error(fresh, error, told)
            faults.relent()
            # It was the source that failed, not the connector.
            assert_same_rows(read_table(fresh, self.table(fresh, samples.FACTS)), whole, told)
        return faults.is_struck

    def _ask_everything(self, connector: Connector) -> None:
        """List, load, estimate, plan and read, and check what comes."""
        schema = connector.default_schema
        assert schema in connector.list_schemas(), "the default schema is not listed"
        listed = [name.table for name in connector.list_tables(schema)]
        assert listed == [samples.FACTS], f"listed were {listed}"
        table = self.table(connector, samples.FACTS)
        if isinstance(connector, HasStatistics):
            connector.statistics(table)
        whole = self.stored(self.facts())
        assert_same_rows(read_table(connector, table), whole)
        predicate = Literals(table.schema).compare("id", "<", 30)
        found = ask(connector, table, ("id",), filter=predicate).result
        assert_same_rows(found, keep(whole, predicate).select(["id"]))

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
        self._check_source_error(connector, _raised_by(work), "")

    def _check_source_error(self, connector: Connector, error: BaseException, told: str) -> None:
        if not isinstance(error, SourceError):
            kind = f"{type(error).__module__}.{type(error).__qualname__}"
            pytest.fail(f"{kind}, not a SourceError, was raised {told}: {error}")
        assert error.context.get("catalog") == connector.catalog, f"say which catalog failed {told}"
        assert "\n" not in str(error)
        for secret in self.secrets:
            assert secret not in f"{error} {error!r} {error.context}", "a secret was told"


def _raised_by(work: Callable[[], object]) -> BaseException:
    try:
        work()
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever leaves it is looked at
        return error
    raise AssertionError("the source is broken, and nothing was raised")
