"""Two IN-lists over one operand: all but one are hidden behind CASE.

DataFusion merges them, and takes the operand for never NULL when nothing is left of the lists.
"""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING

from sqlglot import exp

from igloo.engine.planner.rewrite.lists import lists_of
from igloo.engine.planner.rewrite.places import folded, is_volatile, null_is_false
from igloo.engine.planner.rewrite.rule import Rule
from igloo.engine.planner.rewrite.suspects import has_repeated_list

if TYPE_CHECKING:
    from igloo.engine.planner.rewrite.facts import Facts


def _apply(tree: exp.Expr, facts: Facts) -> exp.Expr:
    groups: dict[object, list[exp.In]] = defaultdict(list)
    for node in lists_of(tree):
        groups[_operand(node.this)].append(node)
    for group in groups.values():
        exposed = [node for node in group if not null_is_false(node)]
        # One may stay as it is: it has nothing to be merged with, but in a view.
        start = 0 if len(group) > len(exposed) or facts.is_view else 1
        for node in exposed[start:]:
            if not is_volatile(node.this):
                node.replace(exp.paren(guarded(node.this, node)))
    return tree


def guarded(operand: exp.Expr, value: exp.Expr) -> exp.Case:
    """Return ``CASE WHEN operand IS NULL THEN NULL ELSE value END``, which nothing is merged with."""
    is_null = exp.Is(this=exp.paren(operand.copy()), expression=exp.Null())
    return exp.Case(ifs=[exp.If(this=is_null, true=exp.Null())], default=value.copy())


def _operand(operand: exp.Expr) -> object:
    """Return what tells operands apart; a column by its name alone, whatever its table is called."""
    return tuple(
        folded(node.this) if isinstance(node, exp.Column) else type(node)
        for node in operand.walk()
        if not isinstance(node, exp.Identifier | exp.Paren)
    )


RULE = Rule(
    name="repeated_list",
    words=re.compile(r"\bIN\s*\(", re.IGNORECASE),
    apply=_apply,
    is_suspect=has_repeated_list,
)
