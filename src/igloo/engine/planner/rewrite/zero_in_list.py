"""``x IN (0, 1, 2, 3)``: a zero leaves the list, which is searched by bits and misses -0.0."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pyarrow as pa
from sqlglot import exp

from igloo.engine.planner.rewrite.lists import lists_of, taken_out
from igloo.engine.planner.rewrite.places import is_volatile
from igloo.engine.planner.rewrite.rule import Rule
from igloo.engine.planner.rewrite.suspects import has_long_list_with_zero
from igloo.engine.planner.rewrite.syntax import CannotRewrite

if TYPE_CHECKING:
    from igloo.engine.planner.rewrite.facts import Facts

#: Shorter lists are compared value by value, as with ``=``.
_SEARCHED_FROM = 4


def _apply(tree: exp.Expr, facts: Facts) -> exp.Expr:
    for node in lists_of(tree):
        zeros = [value for value in node.expressions if _is_zero(value, facts)]
        if len(node.expressions) < _SEARCHED_FROM or not zeros:
            continue
        if not _has_two_zeros(node, zeros, facts):
            continue
        if is_volatile(node.this):
            raise CannotRewrite("a list is compared with a value that changes at each look")
        kept = [value for value in node.expressions if not _is_zero(value, facts)]
        taken_out(node, kept, [_is_nothing(node)])
    return tree


def _is_zero(value: exp.Expr, facts: Facts) -> bool:
    while isinstance(value, exp.Paren | exp.Neg | exp.Cast):
        value = value.this
    given = facts.value_of(value)
    text = str(given.as_py()) if given is not None else value.name
    if given is None and not isinstance(value, exp.Literal):
        return False
    try:
        return float(text) == 0
    except ValueError:
        return False


def _has_two_zeros(node: exp.In, zeros: list[exp.Expr], facts: Facts) -> bool:
    """Return whether the operand may be -0.0, or is compared with it."""
    type_ = facts.type_of(node.this, node)
    if type_ is not None and pa.types.is_floating(type_):
        return True
    is_number = type_ is not None and (pa.types.is_integer(type_) or pa.types.is_decimal(type_))
    if type_ is not None and not is_number:
        return False
    if type_ is None and any(value.is_string for value in zeros):
        raise CannotRewrite("a list holds the text of a zero, and its operand's type is not known")
    return type_ is None or any(value.find(exp.Neg) for value in zeros)


def _is_nothing(node: exp.In) -> exp.Expr:
    """Return ``x + 0.0 = 0.0``, or ``<>`` for NOT IN; with ``x = 0.0`` a list would be merged."""
    zero = exp.Literal.number("0.0")
    sum_ = exp.paren(exp.Add(this=exp.paren(node.this.copy()), expression=zero))
    both = {"this": sum_, "expression": zero.copy()}
    return exp.NEQ(**both) if isinstance(node.parent, exp.Not) else exp.EQ(**both)


RULE = Rule(
    name="zero_in_list",
    words=re.compile(r"\bIN\s*\(", re.IGNORECASE),
    apply=_apply,
    is_suspect=has_long_list_with_zero,
)
