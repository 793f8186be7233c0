"""``EXISTS (SELECT …)`` where a value is needed becomes a count, which DataFusion plans there."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sqlglot import exp

from igloo.engine.planner.rewrite.in_subquery import count_of
from igloo.engine.planner.rewrite.places import Place, innermost_first, place_of, unwrapped
from igloo.engine.planner.rewrite.rule import Rule
from igloo.engine.planner.rewrite.suspects import has_exists_as_value

if TYPE_CHECKING:
    from igloo.engine.planner.rewrite.facts import Facts


def _apply(tree: exp.Expr, facts: Facts) -> exp.Expr:
    for node in innermost_first(tree.find_all(exp.Exists)):
        if place_of(node)[0] is Place.VALUE:
            counted = count_of(unwrapped(node.this), facts, node)
            more = exp.GT(this=exp.Subquery(this=counted), expression=exp.Literal.number(0))
            node.replace(exp.paren(more))
    return tree


RULE = Rule(
    name="exists_value",
    words=re.compile(r"\bEXISTS\b", re.IGNORECASE),
    apply=_apply,
    is_suspect=has_exists_as_value,
)
