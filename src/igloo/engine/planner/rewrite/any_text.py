"""``x ~ '.*'`` is taken for ``x IS NOT NULL``: the same pattern, written so that it is looked at."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sqlglot import exp

from igloo.engine.planner.rewrite.rule import Rule

if TYPE_CHECKING:
    from igloo.engine.planner.rewrite.facts import Facts

_ANY = ".*"


def _apply(tree: exp.Expr, facts: Facts) -> exp.Expr:
    for node in list(tree.find_all(exp.Literal, exp.Parameter, exp.Placeholder)):
        given = facts.value_of(node)
        text = node.this if isinstance(node, exp.Literal) else given.as_py() if given else None
        if text == _ANY and not isinstance(node.parent, exp.Like | exp.ILike | exp.Alias):
            node.replace(exp.Literal.string(f"(?:{_ANY})"))
    return tree


RULE = Rule(
    name="any_text",
    words=re.compile(r"(~\*?\s*|regexp_like[^)]*,\s*)('\.\*'|\$)", re.IGNORECASE),
    apply=_apply,
)
