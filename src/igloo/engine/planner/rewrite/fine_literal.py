"""A timestamp finer than the column that it is compared with is hidden behind CASE.

DataFusion casts such a constant to the column's type, and cuts off what does not fit there.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pyarrow as pa
from sqlglot import exp

from igloo.engine.planner.rewrite.lists import lists_of
from igloo.engine.planner.rewrite.places import is_volatile
from igloo.engine.planner.rewrite.rule import Rule
from igloo.engine.planner.rewrite.syntax import write

if TYPE_CHECKING:
    from igloo.engine.planner.rewrite.facts import Facts

_COMPARISONS = (exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE, exp.NullSafeEQ, exp.NullSafeNEQ)
_FRACTION = re.compile(r":\d\d\.(\d*[1-9])")
_FINE_INTERVAL = re.compile(r"(micro|milli|nano)sec|\d\.\d|:\d\d\.", re.IGNORECASE)
#: Digits of a second's fraction that each unit holds.
_DIGITS = {"s": 0, "ms": 3, "us": 6, "ns": 9}


def _apply(tree: exp.Expr, facts: Facts) -> exp.Expr:
    for node in list(tree.find_all(*_COMPARISONS)):
        _hide(node, "expression", node.this, facts)
        _hide(node, "this", node.expression, facts)
    for between in list(tree.find_all(exp.Between)):
        _hide(between, "low", between.this, facts)
        _hide(between, "high", between.this, facts)
    for found in lists_of(tree):
        for value in list(found.expressions):
            if _needs_hiding(value, found.this, facts):
                value.replace(_hidden(found.this, value))
    return tree


def _hide(node: exp.Expr, key: str, operand: exp.Expr, facts: Facts) -> None:
    value = node.args[key]
    if _needs_hiding(value, operand, facts):
        node.set(key, _hidden(operand, value))


def _hidden(operand: exp.Expr, value: exp.Expr) -> exp.Expr:
    """Return a value that is no constant to the optimizer, as it seems to depend on the operand."""
    below = exp.LT(this=exp.paren(operand.copy()), expression=exp.paren(value.copy()))
    either = exp.Case(ifs=[exp.If(this=below, true=value.copy())], default=value.copy())
    return exp.paren(either)


def _needs_hiding(value: exp.Expr, operand: exp.Expr, facts: Facts) -> bool:
    digits = _digits(value, facts)
    if not digits or is_volatile(operand) or not any(operand.find_all(exp.Column)):
        return False
    type_ = facts.type_of(operand, operand)
    return type_ is None or (pa.types.is_timestamp(type_) and _DIGITS[type_.unit] < digits)


def _digits(value: exp.Expr, facts: Facts) -> int:
    """Return how many digits of a second's fraction a constant may have; 0 for what is none."""
    if any(value.find_all(exp.Column, exp.Query)):
        return 0
    most = 0
    for node in value.walk():
        given = facts.value_of(node)
        if isinstance(node, exp.Literal) and node.is_string:
            found = _FRACTION.search(node.this)
            most = max(most, len(found[1]) if found else 0)
        elif given is not None and pa.types.is_timestamp(given.type) and given.is_valid:
            most = max(most, _digits_of(given.cast(pa.int64()).as_py(), given.type.unit))
        elif _may_be_fine(node):
            most = _DIGITS["ns"]
    return most


def _may_be_fine(node: exp.Expr) -> bool:
    """Return whether a call or an interval may have a fraction of a second."""
    if isinstance(node, exp.Anonymous):
        return node.name.lower().startswith(("to_timestamp", "arrow_cast", "from_unixtime"))
    return isinstance(node, exp.Interval) and _FINE_INTERVAL.search(write(node)) is not None


def _digits_of(count: int, unit: str) -> int:
    digits = _DIGITS[unit]
    while digits and count % 10 == 0:
        count //= 10
        digits -= 1
    return digits


RULE = Rule(
    name="fine_literal",
    words=re.compile(
        r":\d\d\.\d*[1-9]|to_timestamp|from_unixtime|arrow_cast|(micro|milli|nano)sec|\.\d+ s",
        re.IGNORECASE,
    ),
    apply=_apply,
    is_suspect_value=lambda value: pa.types.is_timestamp(value.type),
)
