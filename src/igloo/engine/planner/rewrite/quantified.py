"""``x = ANY (SELECT …)`` is ``x IN (SELECT …)``, ``x <> ALL`` is ``NOT IN``: not quadratic then."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sqlglot import exp

from igloo.engine.planner.rewrite.places import as_subquery, unwrapped
from igloo.engine.planner.rewrite.rule import Rule

if TYPE_CHECKING:
    from igloo.engine.planner.rewrite.facts import Facts


def _apply(tree: exp.Expr, _facts: Facts) -> exp.Expr:
    for node in list(tree.find_all(exp.EQ, exp.NEQ)):
        quantified = exp.Any if isinstance(node, exp.EQ) else exp.All
        right = node.expression
        if isinstance(right, quantified) and isinstance(unwrapped(right.this), exp.Query):
            found = exp.In(this=node.this.copy(), query=as_subquery(right.this))
            node.replace(exp.paren(exp.Not(this=found) if isinstance(node, exp.NEQ) else found))
    return tree


RULE = Rule(
    name="quantified",
    words=re.compile(r"\b(ANY|SOME|ALL)\s*\(", re.IGNORECASE),
    apply=_apply,
)
