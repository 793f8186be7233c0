"""A run of many random statements, and what it came to."""

from __future__ import annotations

import math
import random
import time
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from fuzz.checks import Counted, Judged, Limited, Partitioned, Trial, examine
from fuzz.engines import MODES, SOURCES, Layout
from fuzz.scope import Scope, make
from fuzz.shapes import excluded, is_correlated
from fuzz.statements import Statements
from fuzz.tables import random_tables
from fuzz.tree import Expr, Join, Select, SetOperation, Values, With, nodes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fuzz.checks import Check, Outcome
    from fuzz.engines import Engines

#: What each run of some length has to hold. More is counted and printed.
CONSTRUCTS = {
    *SOURCES,
    "mixed sources",
    *("judged", "partitioned", "counted", "limited"),
    *("join", "left_join", "right_join", "full_join", "cross_join", "using", "values", "with"),
    *("in_list", "in_subquery", "not_in_subquery", "exists", "quantified", "scalar_subquery"),
    *("correlated", "compared_subquery", "between", "like", "is_distinct", "is_null", "is_true"),
    *("case", "coalesce", "nullif", "greatest", "arithmetic", "function", "cast"),
    *("group_by", "rollup", "cube", "grouping sets", "having", "aggregate", "distinct_aggregate"),
    *("filter", "string_aggregate", "window", "rank", "neighbour"),
    *("distinct", "distinct_on", "limit", "union", "union all", "intersect", "except"),
}
#: So many statements are asked of one set of tables.
STATEMENTS_A_SET = 60


class Trials(Statements):
    """Gives random checks over random tables."""

    def check(self) -> Check:
        make_one = self.pick(
            (12, self.judged), (3, self.partitioned), (1.5, self.counted), (1.5, self.limited)
        )
        return make_one()

    def judged(self) -> Judged:
        return Judged(self.statement())

    def partitioned(self) -> Partitioned:
        return Partitioned(*self.filtered())

    def counted(self) -> Counted:
        return Counted(*self.filtered())

    def filtered(self) -> tuple[Select, Expr]:
        source = self.source(1)
        select = self.plain(self.kinds(2), source, 1)
        return select, self.expr("bool", Scope(source.columns), 3)

    def limited(self) -> Limited:
        # A limit gets into the scan of one table, with a filter that the source takes.
        source = self.table() if self.chance.random() < 0.6 else self.source(1)
        select = self.plain(self.kinds(2), source, 1)
        if self.chance.random() < 0.6:
            kind = self.kind(Scope(source.columns))
            column = self.chance.choice(Scope(source.columns).of(kind) or [self.literal(kind)])
            test = make("bool", "({0} >= {1})", column, self.literal(kind, null=0.0))
            select = replace(select, where=test)
        return Limited(select, self.chance.choice([0, 1, 2, 4, 9]))


def trials(seed: str) -> Iterator[tuple[str, Trial, str]]:
    """Yield endless trials, each with the seed that gives it and why it is left out, if it is."""
    number = 0
    while True:
        tables = random_tables(random.Random(f"{seed}/{number // STATEMENTS_A_SET}"))
        chance = random.Random(f"{seed}/statement {number}")
        check = Trials(chance, tables).check()
        place = chance.choice([*SOURCES, "mixed"])
        sources = {t.name: chance.choice(SOURCES) if place == "mixed" else place for t in tables}
        trial = Trial(tables, check, Layout(sources, chance.choice(MODES)))
        yield f"{seed}/{number}", trial, excluded(check.queries())
        number += 1


@dataclass
class Tally:
    """What a run came to."""

    statements: int = 0
    excluded: Counter[str] = field(default_factory=Counter)
    constructs: Counter[str] = field(default_factory=Counter)
    rejections: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    empty: int = 0
    judges_differ: int = 0
    seconds: float = 0.0

    def add(self, trial: Trial, outcome: Outcome) -> None:
        self.statements += 1
        self.constructs.update(constructs(trial))
        self.empty += outcome.is_empty
        self.judges_differ += outcome.judges_differ
        for engine, reason in outcome.rejections:
            self.rejections[engine] += 1
            self.reasons[f"{engine}: {reason[:110]}"] += 1

    def share(self, count: int) -> float:
        return count / max(self.statements, 1)

    def report(self) -> str:
        shares = ", ".join(
            f"{name} {self.share(count):.1%}" for name, count in self.constructs.most_common()
        )
        left_out = ", ".join(f"{name} {count}" for name, count in self.excluded.most_common())
        rejected = ", ".join(
            f"{name} {self.share(count):.2%}" for name, count in self.rejections.most_common()
        )
        return (
            f"{self.statements} statements in {self.seconds:.0f} s;"
            f" empty answers: {self.share(self.empty):.1%};"
            f" rejected: {rejected or 'none'}; judges differ: {self.judges_differ};"
            f" left out: {left_out or 'none'}; share of each construct: {shares}"
        )


def constructs(trial: Trial) -> set[str]:
    """Return the names of the constructs that a statement has."""
    found = {type(trial.check).__name__.lower()}
    sources = set(trial.layout.sources.values())
    found.add(sources.pop() if len(sources) == 1 else "mixed sources")
    for query in trial.check.queries():
        for each in nodes(query, Expr):
            found |= {each.tag, "filter" if "FILTER" in each.form else each.tag}
            found |= {"correlated"} if is_correlated(each) else set()
        for join in nodes(query, Join):
            found.add(f"{join.kind.split()[0].lower()}_join" if join.kind != "JOIN" else "join")
            found |= {"using"} if join.using else set()
        found |= {each.operator.lower() for each in nodes(query, SetOperation)}
        found |= {"with"} if any(nodes(query, With)) else set()
        found |= {"values"} if any(nodes(query, Values)) else set()
        for select in nodes(query, Select):
            found |= clauses(select)
    return found - {"", "column", "literal"}


def clauses(select: Select) -> set[str]:
    named: dict[str, Any] = {
        "group_by": select.group,
        select.grouping.lower() or "group_by": select.group,
        "having": select.having,
        "distinct": select.distinct,
        "distinct_on": select.distinct_on,
        "limit": select.limit is not None,
        "where": select.where,
    }
    return {name for name, is_there in named.items() if is_there}


@dataclass(frozen=True, slots=True)
class Finding:
    """A trial that came out wrong."""

    seed: str
    trial: Trial
    told: str
    is_error: bool


def run(
    engines: Engines, seed: str, statements: int, seconds: float = math.inf
) -> tuple[Tally, Finding | None]:
    """Ask random statements; end with so many, with the time, or with the first finding."""
    tally = Tally()
    start = time.monotonic()
    for name, trial, reason in trials(seed):
        tally.seconds = time.monotonic() - start
        if tally.statements >= statements or tally.seconds > seconds:
            break
        if reason:
            tally.excluded[reason] += 1
            continue
        outcome = examine(engines, trial)
        tally.add(trial, outcome)
        if outcome.told:
            return tally, Finding(name, trial, outcome.told, outcome.is_error)
    return tally, None
