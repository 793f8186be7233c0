"""``INTERSECT ALL`` and ``EXCEPT ALL`` count rows: a number for each of equal rows stands beside."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sqlglot import exp

from igloo.engine.planner.rewrite.places import innermost_first, named, quoted
from igloo.engine.planner.rewrite.rule import Rule
from igloo.engine.planner.rewrite.syntax import CannotRewrite

if TYPE_CHECKING:
    from igloo.engine.planner.rewrite.facts import Facts


def _apply(tree: exp.Expr, facts: Facts) -> exp.Expr:
    nodes = tree.find_all(exp.Intersect, exp.Except)
    for node in innermost_first(n for n in nodes if n.args.get("distinct") is False):
        counted = _counted(node, facts)
        if node is tree:
            tree = counted
        else:
            node.replace(counted)
    return tree


def _counted(node: exp.Expr, facts: Facts) -> exp.Select:
    schema = facts.schema_of(node.this, node)
    if schema is None:
        raise CannotRewrite("INTERSECT ALL or EXCEPT ALL stands in a correlated subquery")
    names = [facts.new_name(node) for _ in schema]
    number, left, right, both = (facts.new_name(node) for _ in range(4))
    sides = [
        _numbered(side, names, number, alias)
        for side, alias in ((node.this, left), (node.expression, right))
    ]
    distinct = type(node)(this=sides[0], expression=sides[1], distinct=True)
    shown = _named(names, schema.names)
    select = exp.select(*shown).from_(exp.Subquery(this=distinct, alias=_alias(both)))
    for key in ("with_", "order", "limit", "offset"):
        if node.args.get(key) is not None:
            select.set(key, node.args[key].copy())
    return select


def _named(columns: list[str], names: list[str]) -> list[exp.Expr]:
    """Return the columns under their names; of equal names only the first keeps it."""
    shown: list[exp.Expr] = []
    for index, (column, name) in enumerate(zip(columns, names, strict=True)):
        alias = name if name not in names[:index] else column
        shown.append(named(exp.Column(this=quoted(column)), alias))
    return shown


def _numbered(side: exp.Expr, names: list[str], number: str, alias: str) -> exp.Select:
    columns: list[exp.Expr] = [exp.Column(this=quoted(name)) for name in names]
    window = exp.Window(
        this=exp.Anonymous(this="row_number"), partition_by=[c.copy() for c in columns]
    )
    table = exp.TableAlias(this=quoted(alias), columns=[quoted(name) for name in names])
    source = side.copy() if isinstance(side, exp.Subquery) else exp.Subquery(this=side.copy())
    source.set("alias", table)
    return exp.select(*columns, named(window, number)).from_(source)


def _alias(name: str) -> exp.TableAlias:
    return exp.TableAlias(this=quoted(name))


RULE = Rule(
    name="set_operation_all",
    words=re.compile(r"\b(INTERSECT|EXCEPT|MINUS)\s+ALL\b", re.IGNORECASE),
    apply=_apply,
)
