"""Where in a statement an expression stands, and what NULL means there."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from sqlglot import exp

if TYPE_CHECKING:
    from collections.abc import Iterator


class Place(Enum):
    """The clause that an expression stands in."""

    WHERE = "WHERE"
    HAVING = "HAVING"
    INNER_ON = "ON of an inner join"
    OUTER_ON = "ON of an outer join"
    ORDER = "ORDER BY"
    VALUE = "where a value is needed"


#: Names of DataFusion's aggregate functions.
AGGREGATES = frozenset(
    [
        "approx_distinct",
        "approx_median",
        "approx_percentile_cont",
        "approx_percentile_cont_with_weight",
        "array_agg",
        "avg",
        "bit_and",
        "bit_or",
        "bit_xor",
        "bool_and",
        "bool_or",
        "corr",
        "count",
        "covar",
        "covar_pop",
        "covar_samp",
        "first_value",
        "grouping",
        "last_value",
        "max",
        "mean",
        "median",
        "min",
        "nth_value",
        "percentile_cont",
        "quantile_cont",
        "regr_avgx",
        "regr_avgy",
        "regr_count",
        "regr_intercept",
        "regr_r2",
        "regr_slope",
        "regr_sxx",
        "regr_sxy",
        "regr_syy",
        "stddev",
        "stddev_pop",
        "stddev_samp",
        "string_agg",
        "sum",
        "var",
        "var_pop",
        "var_population",
        "var_samp",
        "var_sample",
        "any_value",
    ]
)
#: Functions that give another value at each call.
VOLATILE = frozenset({"random", "uuid"})


def is_aggregate(node: exp.Expr) -> bool:
    """Return whether a node calls an aggregate function."""
    if isinstance(node, exp.AggFunc):
        return True
    return isinstance(node, exp.Anonymous) and node.name.lower() in AGGREGATES


def is_volatile(tree: exp.Expr) -> bool:
    """Return whether evaluating a tree twice may give two values."""
    calls = (node for node in tree.find_all(exp.Anonymous))
    return any(call.name.lower() in VOLATILE for call in calls)


def folded(identifier: exp.Expr | str | None) -> str:
    """Return an identifier as DataFusion understands it: in lower case unless quoted."""
    if isinstance(identifier, exp.Identifier):
        return identifier.name if identifier.args.get("quoted") else identifier.name.lower()
    return str(identifier or "").lower()


def quoted(name: str) -> exp.Identifier:
    """Return an identifier of exactly this name."""
    return exp.to_identifier(name, quoted=True)


def named(value: exp.Expr, name: str) -> exp.Alias:
    """Return a column of a result: a value and its name."""
    return exp.Alias(this=value, alias=quoted(name))


def unnamed(projection: exp.Expr) -> exp.Expr:
    """Return a copy of the value of a column of a result."""
    value = projection.unalias().copy()
    if isinstance(value, exp.Subquery):
        value.set("alias", None)
    return value


def unwrapped(query: exp.Expr) -> exp.Expr:
    """Return a query without the brackets around it."""
    while isinstance(query, exp.Subquery | exp.Paren) and not query.args.get("alias"):
        query = query.this
    return query


def as_subquery(query: exp.Expr) -> exp.Subquery:
    """Return a copy of a query in brackets."""
    return exp.Subquery(this=unwrapped(query).copy())


def negated(node: exp.Expr) -> tuple[exp.Expr, bool]:
    """Return the outermost NOT above a node, brackets between them passed, and if it negates."""
    is_negated = False
    while True:
        above = node.parent
        while isinstance(above, exp.Paren):
            above = above.parent
        if not isinstance(above, exp.Not):
            return node, is_negated
        node, is_negated = above, not is_negated


def place_of(node: exp.Expr) -> tuple[Place, bool]:
    """Return where a condition stands, and whether it is a bare term of an AND there."""
    bare = True
    below, above = node, node.parent
    while above is not None:
        match above:
            case exp.Where():
                is_filter = isinstance(above.parent, exp.Filter)
                return (Place.VALUE if is_filter else Place.WHERE), bare
            case exp.Having():
                return Place.HAVING, bare
            case exp.Join():
                is_on = below is above.args.get("on")
                outer = Place.OUTER_ON if above.side else Place.INNER_ON
                return (outer if is_on else Place.VALUE), bare
            case exp.Order():
                return Place.ORDER, False
            case exp.Query() | exp.Filter() | exp.Window() | exp.Qualify():
                return Place.VALUE, False
            case exp.And() | exp.Paren():
                pass
            case _ if is_aggregate(above):
                return Place.VALUE, False
            case _:
                bare = False
        below, above = above, above.parent
    return Place.VALUE, False


def null_is_false(node: exp.Expr) -> bool:
    """Return whether NULL means the same as FALSE for a condition: a filter reads it through AND.

    Through OR too, unless the condition is negated.
    """
    is_negated = isinstance(node.parent, exp.Not)
    above = node.parent.parent if isinstance(node.parent, exp.Not) else node.parent
    has_or = False
    while isinstance(above, exp.And | exp.Or | exp.Paren):
        has_or = has_or or isinstance(above, exp.Or)
        above = above.parent
    return isinstance(above, exp.Where) and not (is_negated and has_or)


def innermost_first(nodes: Iterator[exp.Expr]) -> list[exp.Expr]:
    """Return nodes so that each comes before what it stands in."""
    return sorted(nodes, key=lambda node: node.depth, reverse=True)


def select_of(node: exp.Expr) -> exp.Select | None:
    """Return the SELECT that a node belongs to."""
    return node.find_ancestor(exp.Select)


def sources_of(select: exp.Select) -> list[exp.Expr]:
    """Return the tables, subqueries and functions that a SELECT reads, in order."""
    from_ = select.args.get("from_")
    joins = select.args.get("joins") or []
    return [*([from_.this] if from_ is not None else []), *(join.this for join in joins)]
