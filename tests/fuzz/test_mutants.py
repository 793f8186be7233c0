"""The fuzzer finds bugs: those that are planted here, each within 2,000 statements.

Some are planted in the statement on its way to Igloo, others in the code that reads sources.
"""

from dataclasses import replace

import pytest

from fuzz.campaign import run
from fuzz.checks import examine
from fuzz.replay import explain, script, smallest
from fuzz.tree import Expr, Join, replaced, walk
from igloo.connectors.contract import Pushdown
from igloo.connectors.predicates import columns_of
from igloo.engine.execution.scan import ScanDataset, _Leftover

STATEMENTS_MAX = 2000
SEED = "mutants"


def changed(query, change):
    """Return the statement with every node changed that ``change`` knows."""
    for path, node in list(walk(query)):
        new = change(node)
        if new is not None:
            query = replaced(query, path, new)
    return query


def two_valued(node):
    """Let NOT IN be true where it is unknown."""
    if isinstance(node, Expr) and node.tag == "not_in_subquery":
        return replace(node, form="(({0} IN ({1})) IS NOT TRUE)")
    return None


def full_join_without_the_right_side(node):
    if isinstance(node, Join) and node.kind == "FULL JOIN":
        return replace(node, kind="LEFT JOIN")
    return None


def join_of_nulls(node):
    if isinstance(node, Expr) and node.tag == "equi_join":
        return replace(node, form="({0} IS NOT DISTINCT FROM {1})")
    return None


def distinct_forgotten(node):
    if isinstance(node, Expr) and node.tag == "distinct_aggregate":
        return replace(node, form=node.form.replace("DISTINCT ", ""))
    return None


def drop_the_residual(monkeypatch):
    monkeypatch.setattr(_Leftover, "apply", lambda self, batch: batch.select(list(self.columns)))


def limit_before_filtering(monkeypatch):
    """Offer the limit alone, and filter what comes."""
    plan = ScanDataset._plan

    def careless(self, columns, handed):
        if not self.pushdown_enabled or self.hint.limit is None:
            return plan(self, columns, handed)
        needed = dict.fromkeys((*columns, *sorted(columns_of(handed.predicate))))
        offer = Pushdown(columns=tuple(needed), limit=self.hint.limit)
        return replace(self._connector.plan_scan(self._table, offer), residual=handed.predicate)

    monkeypatch.setattr(ScanDataset, "_plan", careless)


def lose_the_last_split(monkeypatch):
    whole = ScanDataset._fragments
    monkeypatch.setattr(
        ScanDataset, "_fragments", lambda self, handed: whole(self, handed)[:-1] or []
    )


@pytest.mark.parametrize(
    "change",
    [two_valued, full_join_without_the_right_side, join_of_nulls, distinct_forgotten],
    ids=lambda change: change.__name__,
)
def test_a_bug_in_the_meaning_of_a_statement_is_found(engines, change):
    engines.planted = lambda query: changed(query, change)
    tally, finding = run(engines, SEED, STATEMENTS_MAX)
    print(f"\n{change.__name__}: found by statement {tally.statements}")
    assert finding is not None
    engines.planted = lambda query: query
    assert not examine(engines, finding.trial).told, "the bug is not the planted one"


@pytest.mark.parametrize(
    "plant",
    [drop_the_residual, limit_before_filtering, lose_the_last_split],
    ids=lambda plant: plant.__name__,
)
def test_a_bug_in_reading_a_source_is_found(engines, plant, monkeypatch):
    with monkeypatch.context() as planted:
        plant(planted)
        tally, finding = run(engines, SEED, STATEMENTS_MAX)
    print(f"\n{plant.__name__}: found by statement {tally.statements}")
    assert finding is not None
    assert not examine(engines, finding.trial).told, "the bug is not the planted one"


def test_a_finding_is_shrunk_to_what_shows_the_bug(engines):
    engines.planted = lambda query: changed(query, full_join_without_the_right_side)
    _, finding = run(engines, SEED, STATEMENTS_MAX)
    small = smallest(engines, finding)
    text = script(small)
    statement = text.splitlines()[-1]
    assert "FULL JOIN" in statement
    assert len(statement) < 150
    assert sum(len(table.rows) for table in small.tables) <= 2
    assert len(small.tables) <= 2
    assert examine(engines, small).told
    told = explain(engines, finding)
    assert text in told
    assert f"IGLOO_TEST_SEED={SEED}" in told
    engines.planted = lambda query: query
    assert not examine(engines, small).told
