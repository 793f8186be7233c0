"""Columns of joined tables get names of their own, and merged ones are written out.

DataFusion pushes filters below outer joins by the names of columns, so that ``a.s IS NULL`` may
become ``b.s IS NULL``; it takes a merged column from the left side always, and does not know it
again in the next USING.
"""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING

from sqlglot import exp

from igloo.engine.planner.rewrite.places import folded, innermost_first, named, quoted
from igloo.engine.planner.rewrite.references import replace_references
from igloo.engine.planner.rewrite.relations import read_relation
from igloo.engine.planner.rewrite.result_names import give_names, names_at_once, names_of_result
from igloo.engine.planner.rewrite.rule import Rule
from igloo.engine.planner.rewrite.syntax import CannotRewrite

if TYPE_CHECKING:
    from collections.abc import Mapping

    from igloo.engine.planner.rewrite.facts import Facts
    from igloo.engine.planner.rewrite.relations import Relation, Shown, Source


def _apply(tree: exp.Expr, facts: Facts) -> exp.Expr:
    for select in innermost_first(tree.find_all(exp.Select)):
        if isinstance(select, exp.Select) and _may_need(select):
            relation = read_relation(select, facts)
            is_unsafe = relation.has_outer and relation.has_repeated_names
            if is_unsafe:
                name_columns(select, relation, facts)
            elif _has_to_be_written_out(select, relation, facts):
                _qualify(select, relation, facts)
    return tree


def _has_to_be_written_out(select: exp.Select, relation: Relation, facts: Facts) -> bool:
    is_refused = facts.may_cure and relation.has_merged
    return relation.is_merging or is_refused or (select.is_star and relation.is_reordered)


def _may_need(select: exp.Select) -> bool:
    joins = [j for j in select.find_all(exp.Join) if j.find_ancestor(exp.Select) is select]
    return any(join.side or join.method == "NATURAL" or join.args.get("using") for join in joins)


def name_columns(select: exp.Select, relation: Relation, facts: Facts) -> None:
    """Give each column that a SELECT reads a name of its own, and write out what is merged."""
    for source in relation.sources:
        others = {n for other in relation.sources if other is not source for n in other.names}
        if source.is_dependent and others.intersection(source.names):
            raise CannotRewrite(f'"{source.alias}" depends on a table with equal names of columns')
    names = {}
    movable = [source for source in relation.sources if not source.is_dependent]
    for source in movable:
        prefix = facts.new_name(select)
        names[source.alias] = {name: f"{prefix}_{name}" for name in source.names}
    _qualify(select, relation, facts, names)
    for source in movable:
        _wrap(source)


def _qualify(
    select: exp.Select,
    relation: Relation,
    facts: Facts,
    new_names: Mapping[str, dict[str, str]] = MappingProxyType({}),
) -> None:
    names = [] if select.is_star else names_at_once(select, facts)
    facts.has_other_names |= select.is_star and relation.is_reordered
    expand_stars(select, relation)
    give_names(select, names or names_of_result(select, facts), facts)
    for source in relation.sources:
        source.names = new_names.get(source.alias, source.names)
    replace_references(select, relation, facts)
    for join, pairs in relation.joins:
        if pairs or join.method == "NATURAL":
            _write_out(join, pairs)


def expand_stars(select: exp.Select, relation: Relation) -> None:
    """Replace ``*`` and ``t.*`` by the columns that they stand for."""
    expanded: list[exp.Expr] = []
    for projection in select.expressions:
        is_star = isinstance(projection, exp.Star)
        star = projection if is_star else projection.this
        if not isinstance(star, exp.Star) or isinstance(projection, exp.Alias | exp.Anonymous):
            expanded.append(projection.copy())
            continue
        if any(star.args.get(key) for key in ("replace", "rename", "ilike")):
            raise CannotRewrite("it changes columns of a star")
        left_out = {folded(item) for item in star.args.get("except_") or ()}
        columns = _starred(None if is_star else folded(projection.args["table"]), relation)
        expanded += [value for name, value in columns if name not in left_out]
    select.set("expressions", expanded)


def _starred(alias: str | None, relation: Relation) -> list[tuple[str, exp.Expr]]:
    if alias is None:
        return [(s.name, named(s.expression(), s.name)) for s in relation.shown]
    source = relation.source(alias)
    if source is None:
        raise CannotRewrite(f'there is no table "{alias}" beside the star')
    return [(n, named(source.column(n), n)) for n in source.names]


def _write_out(join: exp.Join, pairs: list[tuple[Shown, Shown]]) -> None:
    equal = [exp.EQ(this=left.expression(), expression=right.expression()) for left, right in pairs]
    join.set("using", None)
    if join.method == "NATURAL":
        join.set("method", None)
    if equal:
        join.set("on", exp.and_(*equal, copy=False))
    elif join.side:
        join.set("on", exp.true())
    else:
        join.set("kind", "CROSS")


def _wrap(source: Source) -> None:
    node = source.node
    inner = node.copy()
    for key in ("joins", "laterals"):
        inner.set(key, None)
    columns = [named(exp.Column(this=quoted(old)), new) for old, new in source.names.items()]
    alias = exp.TableAlias(this=quoted(source.alias))
    wrapped = exp.Subquery(this=exp.select(*columns).from_(inner), alias=alias)
    # Moved and not copied: other sources stand in them.
    joins = node.args.get("joins")
    node.replace(wrapped)
    if joins:
        wrapped.set("joins", joins)


RULE = Rule(
    name="joined_columns",
    words=re.compile(
        r"\b(LEFT|RIGHT|FULL|NATURAL)\s+([A-Z]+\s+)?JOIN\b|\bUSING\s*\(", re.IGNORECASE
    ),
    apply=_apply,
)
