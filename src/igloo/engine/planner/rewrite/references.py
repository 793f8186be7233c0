"""Which column a name in a SELECT means, in its clauses and in the subqueries inside of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from igloo.engine.planner.rewrite.places import folded, sources_of
from igloo.engine.planner.rewrite.relations import alias_of
from igloo.engine.planner.rewrite.syntax import CannotRewrite

if TYPE_CHECKING:
    from igloo.engine.planner.rewrite.facts import Facts
    from igloo.engine.planner.rewrite.relations import Relation


def replace_references(select: exp.Select, relation: Relation, facts: Facts) -> None:
    """Replace each column of the relation by what it is now; names of others stay.

    Raises:
        CannotRewrite: what a name means is not known.
    """
    outputs = {projection.alias for projection in select.expressions if projection.alias}
    for column in list(select.find_all(exp.Column)):
        if isinstance(column.this, exp.Star) or _is_elsewhere(column, select):
            continue
        if _is_output(column, select, outputs) or _belongs_inside(column, select, facts):
            continue
        meant = _meant(column, relation)
        if meant is not None:
            column.replace(meant)


def _is_elsewhere(column: exp.Column, select: exp.Select) -> bool:
    """Return whether a column stands where those of the SELECT cannot be used, or in USING."""
    node: exp.Expr = column
    while node.parent is not None and node is not select:
        above = node.parent
        if isinstance(above, exp.With):
            return True
        is_source = isinstance(above, exp.From | exp.Join) and node.arg_key == "this"
        if is_source and isinstance(node, exp.Subquery) and _is_of(above, select):
            return _holds_query(node)
        if isinstance(above, exp.Join) and node.arg_key == "using":
            return True
        node = above
    return False


def _holds_query(node: exp.Expr) -> bool:
    while isinstance(node, exp.Subquery):
        node = node.this
    return isinstance(node, exp.Query)


def _is_of(clause: exp.Expr, select: exp.Select) -> bool:
    return clause.find_ancestor(exp.Select) is select


def _is_output(column: exp.Column, select: exp.Select, outputs: set[str]) -> bool:
    """Return whether ORDER BY names a column of the result."""
    ordered = column.parent
    if column.args.get("table") is not None or not isinstance(ordered, exp.Ordered):
        return False
    order = ordered.parent
    return order is not None and order.parent is select and folded(column.this) in outputs


def _belongs_inside(column: exp.Column, select: exp.Select, facts: Facts) -> bool:
    """Return whether a column is of a subquery between it and the SELECT."""
    inner = column.find_ancestor(exp.Select)
    while inner is not None and inner is not select:
        table = column.args.get("table")
        for source in sources_of(inner):
            if table is not None:
                if alias_of(source) == folded(table):
                    return True
                continue
            schema = facts.columns_of_source(source, inner)
            if schema is None:
                raise CannotRewrite(f'"{column.name}" may be a column of several tables')
            if folded(column.this) in schema.names:
                return True
        inner = inner.find_ancestor(exp.Select)
    return False


def _meant(column: exp.Column, relation: Relation) -> exp.Expr | None:
    name, table = folded(column.this), column.args.get("table")
    if table is None:
        found = relation.named(name)
        if len(found) > 1:
            raise CannotRewrite(f'"{name}" may be a column of several tables')
        return found[0].expression() if found else None
    source = relation.source(folded(table))
    if source is not None:
        return source.column(name) if name in source.names else None
    db = column.args.get("db")
    owner = relation.source(folded(db)) if db is not None else None
    if owner is not None and folded(table) in owner.names and column.args.get("catalog") is None:
        held_in = owner.column(folded(table))
        return exp.Anonymous(this="get_field", expressions=[held_in, exp.Literal.string(name)])
    held = relation.named(folded(table))
    if len(held) == 1 and db is None:
        key = exp.Literal.string(name)
        return exp.Anonymous(this="get_field", expressions=[held[0].expression(), key])
    return None
