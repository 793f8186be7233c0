"""A subquery in ON of an inner join moves to WHERE, where it is answered right."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sqlglot import exp

from igloo.engine.planner.rewrite.rule import Rule

if TYPE_CHECKING:
    from igloo.engine.planner.rewrite.facts import Facts


def _apply(tree: exp.Expr, _facts: Facts) -> exp.Expr:
    for select in list(tree.find_all(exp.Select)):
        joins = select.args.get("joins") or []
        for index, join in enumerate(joins):
            keeps_rows = any(later.side in {"RIGHT", "FULL"} for later in joins[index + 1 :])
            if join.args.get("on") is not None and not (join.side or join.method or keeps_rows):
                _move(select, join)
    return tree


def _move(select: exp.Select, join: exp.Join) -> None:
    condition = join.args["on"].unnest()
    terms = list(condition.flatten()) if isinstance(condition, exp.And) else [condition]
    moved = [term for term in terms if term.find(exp.Query) is not None]
    if not moved:
        return
    left = [term.copy() for term in terms if term.find(exp.Query) is None]
    join.set("on", exp.and_(*left, copy=False) if left else exp.true())
    select.where(*[exp.paren(term.copy()) for term in moved], copy=False)


RULE = Rule(
    name="join_condition",
    words=re.compile(r"\bON\b.*\b(SELECT|VALUES)\b", re.IGNORECASE | re.DOTALL),
    apply=_apply,
)
