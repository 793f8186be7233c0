"""The shapes of statements that are left out, and why.

Each entry is to go as soon as what it names is cured; nothing else needs to change then.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fuzz.tree import Derived, Expr, Join, Query, Select, SetOperation, Table, Values, nodes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

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


def in_subquery_is_a_value(query: Query) -> bool:
    return any(
        each.expr.tag in IN_SUBQUERY and not each.is_bare_term for each in placed((query,))
    )


def outer_join_repeats_a_name(query: Query) -> bool:
    used = columns(query)

    def names(side: Any) -> set[str]:
        within = aliases(side)
        return {name for alias, name in used if alias in within}

    return any(
        join.kind.split()[0] in {"LEFT", "RIGHT", "FULL"} and names(join.left) & names(join.right)
        for join in nodes(query, Join)
    )


def two_lists_of_one_kind(query: Query) -> bool:
    lists = Counter(each.parts[0].kind for each in nodes(query, Expr) if each.tag == "in_list")
    return max(lists.values(), default=0) > 1


def set_operation_counts_rows(query: Query) -> bool:
    return any(
        each.operator in {"INTERSECT ALL", "EXCEPT ALL"} for each in nodes(query, SetOperation)
    )


def using_keeps_the_right_side(query: Query) -> bool:
    return any(
        join.using and join.kind.split()[0] in {"RIGHT", "FULL"} for join in nodes(query, Join)
    )


def long_list_of_floats(query: Query) -> bool:
    return any(
        each.tag == "in_list" and each.parts[0].kind == "float" and len(each.parts) > 4
        for each in nodes(query, Expr)
    )


KNOWN_WRONG = (
    Shape(
        "IN (subquery) as a value",
        "the mark join of DataFusion knows true and false only",
        in_subquery_is_a_value,
        "WHERE i NOT IN (SELECT j FROM (VALUES (2), (NULL)) AS y (j)) OR i < 0",
    ),
    Shape(
        "outer join of repeated names",
        "a filter is pushed to the side that has a column of the same name",
        outer_join_repeats_a_name,
        "WHERE b.k = 1 AND a.s IS NULL",
    ),
    Shape(
        "two IN lists",
        "lists over one operand are merged without their NULLs",
        two_lists_of_one_kind,
        "WHERE v NOT IN (1, 3) OR v NOT IN (1, NULL)",
    ),
    Shape(
        "INTERSECT ALL, EXCEPT ALL",
        "they do not count how often a row is there",
        set_operation_counts_rows,
        "EXCEPT ALL SELECT 1",
    ),
    Shape(
        "RIGHT or FULL JOIN USING",
        "the merged column is the left one",
        using_keeps_the_right_side,
        "RIGHT JOIN (VALUES (2)) AS c (k) USING (k)",
    ),
    Shape(
        "long IN list of floats",
        "its hash table tells 0.0 from -0.0",
        long_list_of_floats,
        "WHERE f IN (0.0, 2, 3, 4, 5)",
    ),
)

# -- refused ---------------------------------------------------------------------------------------


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


def correlated_distinct_on(query: Query) -> bool:
    return any(
        any(map(is_correlated, nodes(select.items, Expr)))
        for select in nodes(query, Select)
        if select.distinct_on
    )


REFUSED = (
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
        "correlated subquery under DISTINCT ON",
        "DataFusion does not plan it",
        correlated_distinct_on,
    ),
)


def excluded(queries: Sequence[Query]) -> str:
    """Return the name of the first shape that a statement has, or nothing."""
    for shape in (*KNOWN_WRONG, *REFUSED):
        if any(map(shape.is_in, queries)):
            return shape.name
    return ""
