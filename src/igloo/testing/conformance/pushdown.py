"""Work that is offered: what is taken is done exactly, what is not is handed back whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from igloo.connectors.contract import Operator
from igloo.connectors.predicates import And, Not, Or, conjuncts
from igloo.testing.conformance import tables as samples
from igloo.testing.conformance.hooks import ConformanceHooks
from igloo.testing.conformance.predicate_cases import NAMED_CASES, Literals, RandomPredicates
from igloo.testing.conformance.reading import Answer, ask, assert_rows_among, assert_same_rows, keep

if TYPE_CHECKING:
    from igloo.connectors.contract import Connector
    from igloo.connectors.predicates import Predicate

_SEEDS = 20
_PREDICATES_PER_SEED = 8


class PushdownTests(ConformanceHooks):
    """Filters and limits. What a scan gives plus its residual is what Arrow alone gives."""

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Leave out the named cases whose columns the source cannot store."""
        super().pytest_generate_tests(metafunc)
        if "filter_case" in metafunc.fixturenames:
            stored = set(metafunc.cls().facts().column_names)
            usable = [name for name, (reads, _) in NAMED_CASES.items() if stored.issuperset(reads)]
            metafunc.parametrize("filter_case", usable)

    def test_filter_case(self, connector: Connector, filter_case: str) -> None:
        _check_filter(self, connector, _named(self, connector, filter_case))

    def test_filter_case_negated(self, connector: Connector, filter_case: str) -> None:
        _check_filter(self, connector, Not(_named(self, connector, filter_case)))

    def test_filter_case_beside_another(self, connector: Connector, filter_case: str) -> None:
        case = _named(self, connector, filter_case)
        other = Literals(self.table(connector, samples.FACTS).schema).compare("id", "<", 60)
        _check_filter(self, connector, And((case, other)))
        _check_filter(self, connector, Or((case, Not(other))))

    def test_filter_case_with_a_limit(self, connector: Connector, filter_case: str) -> None:
        for limit in (0, 1, 3, samples.FACTS_ROWS):
            _check_limit(self, connector, _named(self, connector, filter_case), limit)

    @pytest.mark.parametrize("seed", range(_SEEDS))
    def test_random_filters(self, connector: Connector, seed: int) -> None:
        wanted = self.stored(self.facts())
        generator = RandomPredicates(wanted, seed)
        for number in range(_PREDICATES_PER_SEED):
            predicate = generator.predicate()
            _check_filter(self, connector, predicate)
            _check_limit(self, connector, predicate, number)

    def test_a_filter_may_read_columns_that_are_not_asked_for(self, connector: Connector) -> None:
        table = self.table(connector, samples.FACTS)
        last = table.schema.names[-1]
        predicate = Literals(table.schema).compare("id", "<", 30)
        answer = ask(connector, table, (last,), filter=predicate)
        assert_same_rows(answer.result, self.stored(self.facts()).slice(0, 30).select([last]))

    def test_a_filter_on_no_columns_counts_rows(self, connector: Connector) -> None:
        table = self.table(connector, samples.FACTS)
        predicate = Literals(table.schema).compare("id", "<", 30)
        assert ask(connector, table, (), filter=predicate).result.num_rows == 30

    def test_filtering_an_empty_table_gives_nothing(self, connector: Connector) -> None:
        table = self.table(connector, samples.EMPTY)
        predicate = Literals(table.schema).compare("id", "<", 30)
        assert ask(connector, table, ("id",), filter=predicate, limit=5).result.num_rows == 0

    def test_filters_are_taken_as_claimed(self, connector: Connector) -> None:
        table = self.table(connector, samples.FACTS)
        taken = []
        for name in self._storable_cases():
            predicate = _named(self, connector, name)
            residual = conjuncts(ask(connector, table, ("id",), filter=predicate).scan.residual)
            if set(residual) != set(conjuncts(predicate)):
                taken.append(name)
        if Operator.FILTER in connector.capabilities.operators:
            assert taken, "FILTER is claimed, and no filter was ever taken"
        else:
            assert not taken, f"FILTER is not claimed, and yet these were taken: {taken}"

    @pytest.mark.parametrize("limit", [0, 1, 7, samples.FACTS_ROWS - 1, samples.FACTS_ROWS * 10])
    def test_a_limit_without_a_filter(self, connector: Connector, limit: int) -> None:
        _check_limit(self, connector, None, limit)

    def test_limits_are_taken_as_claimed(self, connector: Connector) -> None:
        table = self.table(connector, samples.LARGE)
        answer = ask(connector, table, ("id",), limit=10)
        if Operator.LIMIT in connector.capabilities.operators:
            assert answer.rows.num_rows < self.large_table_rows, (
                "LIMIT is claimed, and every row was sent"
            )
        else:
            assert answer.rows.num_rows == self.large_table_rows, (
                "LIMIT is not claimed, and yet rows are missing"
            )

    def _storable_cases(self) -> list[str]:
        stored = set(self.facts().column_names)
        return [name for name, (reads, _) in NAMED_CASES.items() if stored.issuperset(reads)]


def _named(suite: PushdownTests, connector: Connector, name: str) -> Predicate:
    schema = suite.table(connector, samples.FACTS).schema
    return NAMED_CASES[name][1](Literals(schema))


def _check_filter(suite: PushdownTests, connector: Connector, predicate: Predicate) -> None:
    """Scan plus residual must give what Arrow's own filter gives."""
    table = suite.table(connector, samples.FACTS)
    whole = suite.stored(suite.facts())
    answer = ask(connector, table, tuple(table.schema.names), filter=predicate)
    wanted = keep(whole, predicate)
    assert_same_rows(answer.result, wanted, _told(answer, predicate))
    _check_residual(connector, answer, predicate)


def _check_limit(
    suite: PushdownTests, connector: Connector, predicate: Predicate | None, limit: int
) -> None:
    """A limit may shorten the result, but never below the rows that are there or asked for."""
    table = suite.table(connector, samples.FACTS)
    whole = suite.stored(suite.facts())
    wanted = keep(whole, predicate)
    columns = tuple(table.schema.names)
    answer = ask(connector, table, columns, filter=predicate, limit=limit)
    told = f"with limit {limit}: {_told(answer, predicate)}"
    assert_rows_among(answer.result, wanted, told)
    needed = min(limit, wanted.num_rows)
    assert answer.result.num_rows >= needed, (
        f"{told}: {answer.result.num_rows} rows, at least {needed} are needed"
    )
    if Operator.LIMIT not in connector.capabilities.operators:
        assert_same_rows(answer.result, wanted, f"LIMIT is not claimed; {told}")


def _check_residual(connector: Connector, answer: Answer, predicate: Predicate) -> None:
    left = set(conjuncts(answer.scan.residual))
    if Operator.FILTER not in connector.capabilities.operators:
        assert left == set(conjuncts(predicate)), (
            f"FILTER is not claimed, so all of {predicate} is residual, not {answer.scan.residual}"
        )


def _told(answer: Answer, predicate: Predicate | None) -> str:
    sent = f", sent {list(answer.scan.sql)}" if answer.scan.sql else ""
    return f"filter {predicate}, residual {answer.scan.residual}{sent}"
