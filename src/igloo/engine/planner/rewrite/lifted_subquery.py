"""A subquery inside an aggregate, its FILTER or GROUP BY is answered row by row, below the groups."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sqlglot import exp

from igloo.engine.planner.rewrite.joined_columns import name_columns
from igloo.engine.planner.rewrite.places import (
    innermost_first,
    is_aggregate,
    named,
    quoted,
    unnamed,
)
from igloo.engine.planner.rewrite.relations import read_relation
from igloo.engine.planner.rewrite.rule import Rule

if TYPE_CHECKING:
    from igloo.engine.planner.rewrite.facts import Facts
    from igloo.engine.planner.rewrite.relations import Relation

#: Clauses of a SELECT that are read below its groups.
_BELOW = ("from_", "joins", "laterals", "where")
#: Clauses that are read above them.
_ABOVE = ("expressions", "group", "having", "order", "qualify", "distinct")


def _apply(tree: exp.Expr, facts: Facts) -> exp.Expr:
    for select in innermost_first(tree.find_all(exp.Select)):
        if isinstance(select, exp.Select) and select.args.get("from_") and _has_work(select):
            _lift(select, facts)
    return tree


def _has_work(select: exp.Select) -> bool:
    _write_out_ordinals(select)
    return bool(_grouped(select) or _aggregated(select))


def _write_out_ordinals(select: exp.Select) -> None:
    """Replace ``GROUP BY 1`` by what it means, where that holds a subquery."""
    group = select.args.get("group")
    for item in list(group.expressions) if group is not None else []:
        number = int(item.name) if isinstance(item, exp.Literal) and item.is_int else 0
        if 0 < number <= len(select.expressions):
            meant = unnamed(select.expressions[number - 1])
            if meant.find(exp.Query) is not None:
                item.replace(meant)


def _grouped(select: exp.Select) -> list[exp.Expr]:
    group = select.args.get("group")
    items = group.expressions if group is not None else []
    return [item for item in items if item.find(exp.Query) is not None]


def _aggregated(select: exp.Select) -> list[exp.Expr]:
    """Return the arguments and filters of aggregates that hold a subquery."""
    found: list[exp.Expr] = []
    for node in select.find_all(exp.Func, exp.Filter):
        if node.find_ancestor(exp.Select) is not select:
            continue
        if isinstance(node, exp.Filter):
            found.append(node.expression.this)
        elif is_aggregate(node):
            found += node.expressions
    return [each for each in found if each.find(exp.Query) is not None]


def _lift(select: exp.Select, facts: Facts) -> None:
    relation = read_relation(select, facts)
    name_columns(select, relation, facts)
    lifted: dict[str, exp.Expr] = {}
    for item in _grouped(select):
        name = facts.new_name(select)
        lifted[name] = item.copy()
        _replace_equal(select, item.copy(), name)
    for item in _aggregated(select):
        name = facts.new_name(select)
        lifted[name] = item.copy()
        item.replace(exp.Column(this=quoted(name)))
    derived = facts.new_name(select)
    _split(select, relation, lifted, derived)


def _replace_equal(select: exp.Select, item: exp.Expr, name: str) -> None:
    """Replace what is written like a grouped expression by the column that holds it."""
    for clause in _clauses(select):
        for node in list(clause.walk()):
            if node == item:
                node.replace(exp.Column(this=quoted(name)))


def _clauses(select: exp.Select) -> list[exp.Expr]:
    found: list[exp.Expr] = []
    for key in _ABOVE:
        value = select.args.get(key)
        found += value if isinstance(value, list) else [value] if value is not None else []
    return found


def _split(
    select: exp.Select, relation: Relation, lifted: dict[str, exp.Expr], derived: str
) -> None:
    aliases = {source.alias for source in relation.sources}
    used: dict[tuple[str, str], exp.Expr] = {}
    for clause in _clauses(select):
        for column in list(clause.find_all(exp.Column)):
            key = (column.table, column.name)
            if column.table in aliases and _is_renamed(key, relation):
                used[key] = named(column.copy(), column.name)
                column.replace(exp.Column(this=quoted(column.name), table=quoted(derived)))
    shown = [named(value, name) for name, value in lifted.items()]
    inner = exp.Select(expressions=[*used.values(), *shown])
    for clause_name in _BELOW:
        below = select.args.get(clause_name)
        if below is not None:
            inner.set(clause_name, below)
            select.set(clause_name, None)
    alias = exp.TableAlias(this=quoted(derived))
    select.set("from_", exp.From(this=exp.Subquery(this=inner, alias=alias)))


def _is_renamed(key: tuple[str, str], relation: Relation) -> bool:
    table, name = key
    source = relation.source(table)
    return source is not None and name in source.names.values()


RULE = Rule(
    name="lifted_subquery",
    words=re.compile(r"\bSELECT\b", re.IGNORECASE),
    apply=_apply,
    is_cure=True,
)
