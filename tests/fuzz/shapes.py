"""The shapes of statements that are left out, and why.

Each entry is to go as soon as what it names is cured; nothing else needs to change then.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fuzz.tree import (
    Derived,
    Expr,
    Join,
    Query,
    Select,
    SetOperation,
    Table,
    Values,
    With,
    first_select,
    nodes,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

IN_SUBQUERY = {"in_subquery", "not_in_subquery"}
PREDICATES = {*IN_SUBQUERY, "exists", "quantified"}


@dataclass(frozen=True, slots=True)
class Shape:
    """``documented`` is part of its row in docs/reference/sql-differences.md."""

    name: str
    reason: str
    is_in: Callable[[Query], bool]
    documented: str = ""


@dataclass(frozen=True, slots=True)
class Placed:
    """An expression, the clause that it stands in, and what stands around it there."""

    expr: Expr
    clause: str
    around: tuple[Expr, ...]

    @property
    def is_bare_term(self) -> bool:
        """Whether it is a term of WHERE, by itself or under AND."""
        return self.clause == "where" and all(each.tag == "and" for each in self.around)


def placed(node: Any, clause: str = "", around: tuple[Expr, ...] = ()) -> Iterator[Placed]:
    """Yield every expression with its place."""
    if isinstance(node, Expr):
        yield Placed(node, clause, around)
        for part in node.parts:
            is_query = not isinstance(part, Expr)
            yield from placed(part) if is_query else placed(part, clause, (*around, node))
    elif isinstance(node, tuple):
        for each in node:
            yield from placed(each, clause, around)
    elif hasattr(node, "__dataclass_fields__"):
        for name in node.__dataclass_fields__:
            yield from placed(getattr(node, name), name)


def aliases(node: Any) -> set[str]:
    return {each.alias for each in nodes(node, Table | Derived | Values)}


def columns(node: Any) -> list[tuple[str, str]]:
    """Return alias and name of every qualified column below."""
    found = (each.form.partition(".") for each in nodes(node, Expr) if each.tag == "column")
    return [(alias, name) for alias, dot, name in found if dot]


def is_correlated(expr: Expr) -> bool:
    """Whether a subquery uses a column of the statement around it."""
    below = [part for part in expr.parts if not isinstance(part, Expr)]
    return any({alias for alias, _ in columns(query)} - aliases(query) for query in below)


# -- known wrong -----------------------------------------------------------------------------------


def join_repeats_a_name(query: Query) -> bool:
    """Whether sides of joins have a name in common, and a filter stays above these joins.

    It does above outer joins, and where it has a subquery.
    """
    used = columns(query)

    def names(side: Any) -> set[str]:
        within = aliases(side)
        return {name for alias, name in used if alias in within}

    return any(
        (
            any(map(is_outer, nodes(select.source, Join)))
            or any(nodes(select.where, Select | SetOperation))
        )
        and any(names(j.left) & names(j.right) for j in nodes(select.source, Join))
        for select in nodes(query, Select)
    )


def is_outer(join: Join) -> bool:
    return join.kind.split()[0] in {"LEFT", "RIGHT", "FULL"}


def is_computed_once(expr: Expr) -> bool:
    """Whether it has the same value for every row."""
    return not has(expr, "column") and not has(expr, "aggregate")


def has(expr: Expr, word: str) -> bool:
    """Whether there is a node of such a tag, outside of subqueries."""
    inside = [part for part in expr.parts if isinstance(part, Expr)]
    if expr.tag == "window":
        return any(has(part, word) for each in inside for part in each.parts) if inside else False
    return word in expr.tag or any(has(part, word) for part in inside)


def nullif_of_floats(query: Query) -> bool:
    return any(each.tag == "nullif" and each.kind == "float" for each in nodes(query, Expr))


def case_of_floats(query: Query) -> bool:
    """Whether CASE compares a float with another."""
    return any(
        each.form.startswith("CASE {0} WHEN") and each.parts[0].kind == "float"
        for each in nodes(query, Expr)
        if each.tag == "case"
    )


def distinct_floats(query: Query) -> bool:
    """Whether an aggregate takes each float once."""
    return any(
        "(DISTINCT {0}" in each.form and each.parts[0].kind == "float"
        for each in nodes(query, Expr)
    )


def sorted_floats(query: Query) -> bool:
    """Whether the order or the partitions of rows may tell 0.0 from -0.0."""
    by_window = any(
        part.kind == "float"
        for each in nodes(query, Expr)
        if each.tag == "window"
        for part in each.parts[1:]
    )
    return by_window or any(
        first_select(each).items[order.position - 1].expr.kind == "float"
        for each in nodes(query, Select | SetOperation)
        for order in each.order
    )


def extreme_of_wild_floats(query: Query) -> bool:
    """Whether it may ask for the smallest or largest of NaN and the infinities in groups."""
    return any(
        each.form in {"min({0})", "max({0})"} and each.kind == "float" and each.bound is None
        for each in nodes(query, Expr)
    )


def order_by_a_padded_constant(query: Query) -> bool:
    """Whether a join fills up a side with NULLs that has a constant, and something is sorted."""
    is_sorted = any(each.order for each in nodes(query, Select | SetOperation)) or any(
        each.tag == "window" for each in nodes(query, Expr)
    )
    named = {
        name: each
        for clause in nodes(query, With)
        for name, each in zip(clause.names, clause.queries, strict=True)
    }
    return is_sorted and any(has_constant(side, named) for side in padded_sides(query))


def padded_sides(query: Query) -> Iterator[Any]:
    """Yield the sides of joins whose columns are NULL where the other side has no partner."""
    for join in nodes(query, Join):
        word = join.kind.split()[0]
        yield from [(join.right, join.condition)] if word in {"LEFT", "FULL"} else []
        yield from [(join.left, join.condition)] if word in {"RIGHT", "FULL"} else []


def has_constant(side: Any, named: Mapping[str, Query]) -> bool:
    """Whether a column has one value: it is written so, or a filter wants it so."""
    below = [each.query for each in nodes(side, Derived)]
    below += [named[each.name] for each in nodes(side, Table) if each.name in named]
    if any(is_fixing(each) for root in (side, *below) for each in nodes(root, Expr)):
        return True
    return any(
        is_computed_once(item.expr)
        for each in below
        for select in nodes(each, Select)
        for item in select.items
    )


def is_fixing(expr: Expr) -> bool:
    """Whether it is an equality with a constant."""
    is_equality = expr.form in {"({0} = {1})", "({0} IS NOT DISTINCT FROM {1})", "({0} IN ({1}))"}
    return is_equality and any(
        isinstance(part, Expr) and is_computed_once(part) for part in expr.parts
    )


def filter_above_a_whole_aggregate(query: Query) -> bool:
    """Whether a term of a filter may be pushed below an aggregate that always gives one row."""
    inner = [each.query for each in nodes(query, Derived)]
    inner += [each for named in nodes(query, With) for each in named.queries]
    inner += [side for each in nodes(query, SetOperation) for side in (each.left, each.right)]
    below = [select for each in inner for select in selects_of(each) if is_whole(select)]
    if any(is_computed_once(item.expr) for select in below for item in select.items):
        return True
    terms = [term for each in nodes(query, Select) for term in terms_of(each.where)]
    terms += [term for each in nodes(query, Join) for term in terms_of(each.condition)]
    # What compares an aggregate with itself or with NULL may become a constant, too.
    has_having = any(each.having is not None and is_whole(each) for each in nodes(query, Select))
    return has_having or bool(below and any(map(may_lose_its_columns, terms)))


def may_lose_its_columns(term: Expr) -> bool:
    """Whether it has no column, or compares something with itself and so may become a constant."""
    return is_computed_once(term) or any(
        len(set(each.parts)) < len(each.parts) for each in nodes(term, Expr)
    )


def selects_of(query: Query) -> list[Select]:
    """Return the SELECTs whose rows are those of the query."""
    if isinstance(query, With):
        return selects_of(query.body)
    if isinstance(query, SetOperation):
        return [*selects_of(query.left), *selects_of(query.right)]
    return [query]


def is_whole(select: Select) -> bool:
    """Whether it may aggregate all rows to one; a SELECT with HAVING always aggregates."""
    if select.group:
        return bool(select.grouping)
    is_aggregate = any(has(item.expr, "aggregate") for item in select.items)
    return is_aggregate or select.having is not None


def terms_of(expr: Expr | None) -> list[Expr]:
    if expr is None:
        return []
    return [t for part in expr.parts for t in terms_of(part)] if expr.tag == "and" else [expr]


def constant_not_in(query: Query) -> bool:
    return any(
        each.tag == "not_in_subquery" and may_be_constant(each.parts[0])
        for each in nodes(query, Expr)
    )


def may_be_constant(expr: Expr) -> bool:
    """Whether it has no column, or a NULL or a condition that may make it a constant."""
    return not has(expr, "column") or any(
        each.form.startswith("CAST(NULL") or each.tag in {"case", "coalesce", "nullif"}
        for each in nodes(expr, Expr)
    )


KNOWN_WRONG = (
    Shape(
        "filter above a whole aggregate",
        "a term that becomes a constant is pushed below it, and there is a row even of nothing",
        filter_above_a_whole_aggregate,
        "HAVING CASE WHEN NULL",
    ),
    Shape(
        "join of repeated names",
        "a filter is pushed to the side that has a column of the same name",
        join_repeats_a_name,
        "WHERE a.b <> c.b OR (SELECT false)",
    ),
    Shape(
        "extreme of wild floats",
        "in groups, infinities are cut to the largest number, and NaN is left out",
        extreme_of_wild_floats,
        "GROUP BY g",
    ),
    Shape(
        "order by a constant that a join pads",
        "DataFusion takes the column for a constant still, and does not sort by it",
        order_by_a_padded_constant,
        "ORDER BY c NULLS FIRST LIMIT 1",
    ),
    Shape(
        "nullif of floats",
        "it tells 0.0 from -0.0",
        nullif_of_floats,
        "nullif(f, 0)",
    ),
    Shape(
        "CASE of floats",
        "it tells 0.0 from -0.0",
        case_of_floats,
        "CASE f WHEN 0.0",
    ),
    Shape(
        "distinct floats in an aggregate",
        "they tell 0.0 from -0.0",
        distinct_floats,
        "count(DISTINCT f) + count(DISTINCT g)",
    ),
    Shape(
        "order of floats",
        "-0.0 is sorted before 0.0 instead of with it, also in windows",
        sorted_floats,
        "OVER (ORDER BY f)",
    ),
)

# -- refused ---------------------------------------------------------------------------------------


def in_subquery_is_a_value(query: Query) -> bool:
    return any(each.expr.tag in IN_SUBQUERY and not each.is_bare_term for each in placed((query,)))


def subquery_predicate_is_no_filter(query: Query) -> bool:
    return any(
        each.expr.tag in PREDICATES and each.clause not in {"where", "having"}
        for each in placed((query,))
    )


def correlated_subquery_in_a_join(query: Query) -> bool:
    return any(each.clause == "condition" and is_correlated(each.expr) for each in placed((query,)))


def correlated_not_in(query: Query) -> bool:
    return any(each.tag == "not_in_subquery" and is_correlated(each) for each in nodes(query, Expr))


def correlated_subquery_in_an_aggregate(query: Query) -> bool:
    return any(
        is_correlated(each.expr) and any("aggregate" in outer.tag for outer in each.around)
        for each in placed((query,))
    )


def merged_column_in_a_filter(query: Query) -> bool:
    return any(
        any(each.tag == "column" and "." not in each.form for each in nodes(select.where, Expr))
        for select in nodes(query, Select)
    )


def difference_of_days_in_a_filter(query: Query) -> bool:
    return any(
        each.expr.tag == "days" and each.clause in {"where", "condition", "having"}
        for each in placed((query,))
    )


def flags_in_a_sliding_frame(query: Query) -> bool:
    return any(
        each.tag == "window" and "ROWS" in each.form and each.kind == "bool"
        for each in nodes(query, Expr)
    )


def distinct_on_a_constant(query: Query) -> bool:
    return any(
        not has(item.expr, "column") or [i.expr for i in select.items].count(item.expr) > 1
        for select in nodes(query, Select)
        if select.distinct_on
        for item in select.items
    )


def correlated_distinct_on(query: Query) -> bool:
    return any(
        any(map(is_correlated, nodes(select.items, Expr)))
        for select in nodes(query, Select)
        if select.distinct_on
    )


REFUSED = (
    Shape(
        "constant NOT IN (subquery)",
        "some become subqueries that DataFusion does not plan",
        constant_not_in,
    ),
    Shape(
        "IN (subquery) as a value",
        "some stand in functions that are not written anew",
        in_subquery_is_a_value,
    ),
    Shape(
        "IN, EXISTS or ANY beside a filter",
        "DataFusion plans them in WHERE and HAVING only",
        subquery_predicate_is_no_filter,
    ),
    Shape(
        "correlated subquery in ON",
        "DataFusion plans them in projections and filters only",
        correlated_subquery_in_a_join,
    ),
    Shape("correlated NOT IN", "its anti join takes one column", correlated_not_in),
    Shape(
        "correlated subquery in an aggregate",
        "DataFusion does not plan it",
        correlated_subquery_in_an_aggregate,
    ),
    Shape(
        "merged column of USING in WHERE",
        "DataFusion calls it ambiguous",
        merged_column_in_a_filter,
    ),
    Shape(
        "days between dates in a filter",
        "DataFusion fails to compare them with what a file says of its rows",
        difference_of_days_in_a_filter,
    ),
    Shape(
        "bool_and, bool_or in a sliding frame",
        "DataFusion cannot take rows out of them again",
        flags_in_a_sliding_frame,
    ),
    Shape(
        "DISTINCT ON with a constant",
        "DataFusion panics, as it drops constants from the order only",
        distinct_on_a_constant,
    ),
    Shape(
        "correlated subquery under DISTINCT ON",
        "DataFusion does not plan it",
        correlated_distinct_on,
    ),
)

#: What DataFusion fails with, instead of answering, for no shape that one could tell; and why.
KNOWN_FAILURES = {
    "Physical input schema should be the same": "its two plans disagree about which values may be"
    " NULL, in what a UNION or a grouping reads",
}


def excluded(queries: Sequence[Query]) -> str:
    """Return the name of the first shape that a statement has, or nothing."""
    for shape in (*KNOWN_WRONG, *REFUSED):
        if any(map(shape.is_in, queries)):
            return shape.name
    return ""
