"""Two columns of one name: the second gets another name inside, and its own again in the result."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sqlglot import exp

from igloo.engine.planner.rewrite.joined_columns import expand_stars
from igloo.engine.planner.rewrite.places import innermost_first
from igloo.engine.planner.rewrite.relations import read_relation
from igloo.engine.planner.rewrite.result_names import give_names, names_of_result
from igloo.engine.planner.rewrite.rule import Rule

if TYPE_CHECKING:
    from igloo.engine.planner.rewrite.facts import Facts


def _apply(tree: exp.Expr, facts: Facts) -> exp.Expr:
    for select in innermost_first(tree.find_all(exp.Select)):
        if not isinstance(select, exp.Select) or facts.schema_of(select, select) is not None:
            continue
        if select.is_star and len(select.expressions) > 1:
            expand_stars(select, read_relation(select, facts))
        if select.is_star:
            continue
        names = names_of_result(select, facts)
        if len(set(names)) < len(names):
            give_names(select, names, facts)
    return tree


RULE = Rule(
    name="repeated_names",
    words=re.compile(r"\bSELECT\b", re.IGNORECASE),
    apply=_apply,
    is_cure=True,
)
