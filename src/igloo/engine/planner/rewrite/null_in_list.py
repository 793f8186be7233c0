"""``x IN (1, NULL)``: NULL, and what is no constant, leaves the list.

DataFusion merges lists over one operand as if NULL and columns were ordinary values.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sqlglot import exp

from igloo.engine.planner.rewrite.lists import compared, is_null, is_plain, lists_of, taken_out
from igloo.engine.planner.rewrite.places import is_volatile
from igloo.engine.planner.rewrite.rule import Rule
from igloo.engine.planner.rewrite.suspects import has_unplain_list
from igloo.engine.planner.rewrite.syntax import CannotRewrite

if TYPE_CHECKING:
    from igloo.engine.planner.rewrite.facts import Facts


def _apply(tree: exp.Expr, facts: Facts) -> exp.Expr:
    for node in lists_of(tree):
        if isinstance(node.this, exp.Tuple):
            continue
        kept = [value for value in node.expressions if is_plain(value, facts)]
        if len(kept) == len(node.expressions):
            continue
        if is_volatile(node.this):
            raise CannotRewrite("a list is compared with a value that changes at each look")
        others = [value for value in node.expressions if not is_plain(value, facts)]
        out = [compared(node, value) for value in others if not is_null(value, facts)]
        if len(out) < len(others):
            out.append(exp.cast(exp.Null(), "boolean"))
        taken_out(node, kept, out)
    return tree


RULE = Rule(
    name="null_in_list",
    words=re.compile(r"\bIN\s*\(", re.IGNORECASE),
    apply=_apply,
    is_suspect=has_unplain_list,
)
