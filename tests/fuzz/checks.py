"""What must be true of every statement: the judges agree, and its parts make the whole."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from fuzz.answers import difference, normal, wrong_type
from fuzz.engines import Rejected
from fuzz.scope import conjunction, make
from fuzz.shapes import KNOWN_FAILURES
from fuzz.tables import DOMAINS
from fuzz.tree import (
    Derived,
    Expr,
    Item,
    Select,
    SetOperation,
    Table,
    is_ordered,
    nodes,
    output_kinds,
)
from igloo.errors import IglooError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fuzz.engines import Engines, Layout
    from fuzz.tables import TableData
    from fuzz.tree import Query


@dataclass(frozen=True, slots=True)
class Judged:
    """The answer is PostgreSQL's; DuckDB judges where PostgreSQL does not take the statement."""

    query: Query

    def queries(self) -> list[Query]:
        return [self.query]


@dataclass(frozen=True, slots=True)
class Partitioned:
    """Rows for which a predicate is true, false and unknown are all the rows."""

    query: Select
    predicate: Expr

    def queries(self) -> list[Query]:
        negated = make("bool", "(NOT {0})", self.predicate, tag="not")
        unknown = make("bool", "({0} IS NULL)", self.predicate, tag="is_null")
        true, false, null = (
            replace(self.query, where=conjunction(self.query.where, each))
            for each in (self.predicate, negated, unknown)
        )
        return [self.query, SetOperation("UNION ALL", SetOperation("UNION ALL", true, false), null)]


@dataclass(frozen=True, slots=True)
class Counted:
    """A filter keeps as many rows as its predicate is true for when it is computed as a value."""

    query: Select
    predicate: Expr

    def queries(self) -> list[Query]:
        count = Expr("int", "count(*)", (), "aggregate")
        filtered = replace(
            self.query,
            items=(Item(count, "n"),),
            where=conjunction(self.query.where, self.predicate),
        )
        flag = make("int", "CASE WHEN {0} THEN 1 ELSE 0 END", self.predicate, tag="case")
        flags = replace(self.query, items=(Item(flag, "flag"),))
        total = make("int", "coalesce(sum({0}), 0)", Expr("int", "q.flag", (), "column"))
        return [filtered, Select((Item(total, "n"),), Derived(flags, "q"))]


@dataclass(frozen=True, slots=True)
class Limited:
    """A LIMIT without an order keeps as many rows as there are, and only such as there are."""

    query: Select
    limit: int

    def queries(self) -> list[Query]:
        return [self.query, replace(self.query, limit=self.limit)]


Check = Judged | Partitioned | Counted | Limited


@dataclass(frozen=True, slots=True)
class Trial:
    """One check of one statement over some tables, read from somewhere."""

    tables: tuple[TableData, ...]
    check: Check
    layout: Layout


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came out: ``told`` is a difference, ``rejections`` say which engine took it not."""

    told: str = ""
    rejections: tuple[tuple[str, str], ...] = ()
    is_empty: bool = False
    judges_differ: bool = False
    #: Whether Igloo broke instead of giving other rows.
    is_error: bool = False


def examine(engines: Engines, trial: Trial) -> Outcome:
    """Run a trial."""
    engines.lay(trial.tables)
    if isinstance(trial.check, Judged):
        return _judge(engines, trial)
    try:
        one, other = (_igloo(engines, query, trial.layout) for query in trial.check.queries())
    except Rejected as error:
        return Outcome(rejections=(("igloo", str(error)),))
    except Broken as error:
        return Outcome(told=str(error), is_error=True)
    if isinstance(trial.check, Limited):
        told = _limit_difference(other, one, trial.check.limit)
    else:
        told = difference(other, one, is_ordered=False)
    return Outcome(told=told, is_empty=not one)


class Broken(Exception):
    """Igloo failed in a way that no statement may make it fail."""


def _igloo(engines: Engines, query: Query, layout: Layout) -> list[tuple[Any, ...]]:
    try:
        rows, schema = engines.ask_igloo(query, layout)
    except IglooError as error:
        told = f"{type(error).__name__}: {error}"
        is_known = any(words in told for words in KNOWN_FAILURES)
        raise (Rejected if is_known else Broken)(told) from error
    kinds = output_kinds(query)
    told = wrong_type(rows, kinds) or _wrong_column_type(query, schema, engines.laid)
    if told:
        raise Broken(told)
    return normal(rows, kinds)


def _judge(engines: Engines, trial: Trial) -> Outcome:
    (query,) = trial.check.queries()
    kinds = output_kinds(query)
    judged, rejections = {}, []
    for name, ask in (("postgres", engines.ask_postgres), ("duckdb", engines.ask_duckdb)):
        try:
            judged[name] = normal(ask(query), kinds)
        except Rejected as error:
            rejections.append((name, str(error)))
    if not judged:
        return Outcome(rejections=tuple(rejections))
    expected = next(iter(judged.values()))
    try:
        found = _igloo(engines, query, trial.layout)
    except Rejected as error:
        return Outcome(rejections=(*rejections, ("igloo", str(error))))
    except Broken as error:
        return Outcome(told=str(error), is_error=True)
    ordered = is_ordered(query)
    told = difference(found, expected, is_ordered=ordered)
    differ = len(judged) == 2 and bool(difference(*judged.values(), is_ordered=ordered))
    if told:
        told = f"{told} (judged by {', '.join(judged)}{', who differ' if differ else ''})"
    return Outcome(told, tuple(rejections), not expected, differ)


def _limit_difference(
    limited: Sequence[tuple[Any, ...]], whole: Sequence[tuple[Any, ...]], limit: int
) -> str:
    if len(limited) != min(limit, len(whole)):
        return f"{len(limited)} rows of {len(whole)} with LIMIT {limit}"
    added = set(limited) - set(whole)
    return f"rows that are not there without the LIMIT: {list(added)[:9]}" if added else ""


def _wrong_column_type(query: Query, schema: Any, tables: Sequence[TableData]) -> str:
    """Say which bare column of a table came out with another type than it has."""
    if not isinstance(query, Select):
        return ""
    columns = {(t.name, name): letter for t in tables for name, letter in t.columns}
    names = {table.alias: table.name for table in nodes(query.source, Table)}
    for field, item in zip(schema, query.items, strict=True):
        alias, _, name = item.expr.form.rpartition(".")
        letter = columns.get((names.get(alias, ""), name))
        if item.expr.tag == "column" and letter and field.type != DOMAINS[letter].arrow:
            return f"{item.expr.form} should be {DOMAINS[letter].arrow}, and is {field.type}"
    return ""
