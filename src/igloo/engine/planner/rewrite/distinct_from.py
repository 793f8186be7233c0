"""``a IS DISTINCT FROM b OR c`` is read as ``a IS DISTINCT FROM (b OR c)``: brackets around it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sqlglot import exp

from igloo.engine.planner.rewrite.rule import Rule

if TYPE_CHECKING:
    from igloo.engine.planner.rewrite.facts import Facts


def _apply(tree: exp.Expr, _facts: Facts) -> exp.Expr:
    for node in list(tree.find_all(exp.NullSafeEQ, exp.NullSafeNEQ)):
        is_alone = isinstance(node.parent, exp.Select | exp.Alias | exp.Paren | exp.If)
        if not is_alone:
            node.replace(exp.paren(_bracketed(node)))
        elif not isinstance(node.expression, exp.Column | exp.Literal | exp.Null | exp.Paren):
            node.replace(_bracketed(node))
    return tree


def _bracketed(node: exp.Expr) -> exp.Expr:
    copied = node.copy()
    if not isinstance(copied.expression, exp.Paren):
        copied.set("expression", exp.paren(copied.expression, copy=False))
    return copied


RULE = Rule(
    name="distinct_from",
    words=re.compile(r"\bDISTINCT\s+FROM\b", re.IGNORECASE),
    apply=_apply,
)
