"""What rules over ``x IN (…)`` with a list of values share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

if TYPE_CHECKING:
    from collections.abc import Iterator

    from igloo.engine.planner.rewrite.facts import Facts


def lists_of(tree: exp.Expr) -> Iterator[exp.In]:
    """Yield each IN with a list of values."""
    return (node for node in list(tree.find_all(exp.In)) if node.expressions)


def is_null(value: exp.Expr, facts: Facts) -> bool:
    """Return whether a value is NULL as it is written, or by its parameter."""
    while isinstance(value, exp.Paren | exp.Cast | exp.TryCast):
        value = value.this
    given = facts.value_of(value)
    return isinstance(value, exp.Null) or (given is not None and not given.is_valid)


def is_plain(value: exp.Expr, facts: Facts) -> bool:
    """Return whether a value is a constant that is not NULL, as it is written."""
    while isinstance(value, exp.Paren | exp.Neg):
        value = value.this
    if isinstance(value, exp.Add | exp.Sub | exp.Mul):
        return is_plain(value.left, facts) and is_plain(value.right, facts)
    if isinstance(value, exp.Cast):
        return isinstance(value.this, exp.Literal)
    given = facts.value_of(value)
    return isinstance(value, exp.Literal | exp.Boolean) or (given is not None and given.is_valid)


def taken_out(node: exp.In, kept: list[exp.Expr], out: list[exp.Expr]) -> None:
    """Replace ``x IN (kept, out)`` by ``x IN (kept) OR out``; NOT IN by AND."""
    above = node.parent
    is_negated = isinstance(above, exp.Not)
    target: exp.Expr = above if isinstance(above, exp.Not) else node
    parts: list[exp.Expr] = []
    if kept:
        listed: exp.Expr = exp.In(this=node.this.copy(), expressions=[k.copy() for k in kept])
        parts.append(exp.Not(this=listed) if is_negated else listed)
    parts += out
    joined = parts[0]
    for part in parts[1:]:
        both = {"this": joined, "expression": part}
        joined = exp.And(**both) if is_negated else exp.Or(**both)
    target.replace(exp.paren(joined))


def compared(node: exp.In, value: exp.Expr) -> exp.Expr:
    """Return ``x = value``, or ``x <> value`` for NOT IN."""
    both = {"this": exp.paren(node.this.copy()), "expression": exp.paren(value.copy())}
    return exp.NEQ(**both) if isinstance(node.parent, exp.Not) else exp.EQ(**both)
