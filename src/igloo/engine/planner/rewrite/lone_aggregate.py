"""An aggregate without GROUP BY has one row, also when a filter above it lets none through below.

DataFusion pushes a filter that needs no aggregate below it: ``WHERE c > 5`` over ``SELECT count(*)
AS n, 5 AS c`` counts no rows, instead of dropping the count. What such a filter can stand on is made
to depend on the aggregate, and a subquery that is read like a table gets a limit, which stops
filters without any column.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sqlglot import exp

from igloo.engine.planner.rewrite.places import AGGREGATES, is_aggregate
from igloo.engine.planner.rewrite.rule import Rule
from igloo.engine.planner.rewrite.suspects import has_lone_constant

if TYPE_CHECKING:
    from collections.abc import Iterator

    from igloo.engine.planner.rewrite.facts import Facts


_NO_LIMIT = 2**63 - 1


def _apply(tree: exp.Expr, _facts: Facts) -> exp.Expr:
    for select in list(tree.find_all(exp.Select)):
        has_sets = _has_sets(select)
        if not has_sets and (select.args.get("group") is not None or not _aggregates(select)):
            continue
        for shown in list(select.expressions):
            # Beside sets of groups stand the columns that they are made of.
            is_column = has_sets and shown.find(exp.Column) is not None
            if not is_column and not _has_aggregate(shown):
                value = shown.this if isinstance(shown, exp.Alias) else shown
                value.replace(_dependent(value))
        having = select.args.get("having")
        for term in list(_terms(having.this)) if having is not None else []:
            if not _has_aggregate(term):
                term.replace(exp.Case(ifs=[exp.If(this=term.copy(), true=_is_counted())]))
        is_source = isinstance(select.parent, exp.CTE) or (
            isinstance(select.parent, exp.Subquery)
            and isinstance(select.parent.parent, exp.From | exp.Join)
        )
        if is_source and not any(select.args.get(key) for key in ("limit", "offset", "fetch")):
            rows = exp.Literal.number(_NO_LIMIT if has_sets else 1)
            select.set("limit", exp.Limit(expression=rows))
    return tree


def _has_sets(select: exp.Select) -> bool:
    """Return whether one of several sets of groups may be that of all rows."""
    group = select.args.get("group")
    return group is not None and group.find(exp.GroupingSets, exp.Rollup, exp.Cube) is not None


def _aggregates(select: exp.Select) -> bool:
    """Return whether a SELECT without GROUP BY makes one row of all."""
    having = select.args.get("having")
    parts = [*select.expressions, *([having] if having is not None else [])]
    return any(_has_aggregate(part) for part in parts)


def _has_aggregate(tree: exp.Expr) -> bool:
    """Return whether an expression calls an aggregate of its own SELECT."""
    walked = tree.walk(prune=lambda node: isinstance(node, exp.Query | exp.Window))
    return any(is_aggregate(node) for node in walked)


def _terms(condition: exp.Expr) -> Iterator[exp.Expr]:
    if isinstance(condition, exp.And):
        yield from _terms(condition.left)
        yield from _terms(condition.right)
    elif isinstance(condition, exp.Paren) and isinstance(condition.this, exp.And):
        yield from _terms(condition.this)
    else:
        yield condition


def _dependent(value: exp.Expr) -> exp.Case:
    return exp.Case(ifs=[exp.If(this=_is_counted(), true=value.copy())])


def _is_counted() -> exp.GTE:
    """Return a condition that always holds, and that only the aggregate can tell."""
    count = exp.Anonymous(this="count", expressions=[exp.Star()])
    return exp.GTE(this=count, expression=exp.Literal.number(0))


RULE = Rule(
    name="lone_aggregate",
    words=re.compile(
        rf"\b(?:{'|'.join(sorted(AGGREGATES))}|ROLLUP|CUBE|GROUPING\s+SETS)\s*\(", re.IGNORECASE
    ),
    apply=_apply,
    is_suspect=has_lone_constant,
)
