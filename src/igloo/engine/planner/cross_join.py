"""Finds joins without a key, which DataFusion can neither stop nor split: warns, or refuses.

The sizes are estimates from the sources' own counts; they decide about a warning or a refusal and
never about an answer.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pyarrow as pa
from datafusion.expr import Aggregate, Filter, Join, Limit, Sort, SubqueryAlias, TableScan, Union

from igloo.connectors.contract import HasStatistics
from igloo.errors import IglooError, LimitExceeded

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from datafusion import DataFrame
    from datafusion.plan import ExecutionPlan, LogicalPlan

    from igloo.engine.catalog.resolve import FoundTable

#: What a filter is guessed to keep where nothing is known of it.
FILTER_KEEPS = 0.1
#: How many groups a row is guessed to make.
GROUPS_A_ROW = 0.1
_NEVER_YIELD = ("NestedLoopJoinExec", "CrossJoinExec")


def check_cross_joins(
    frame: DataFrame,
    physical: ExecutionPlan,
    tables: Mapping[tuple[str, ...], FoundTable],
    rows_max: int,
) -> tuple[str, ...]:
    """Return a warning for each join without a key.

    Args:
        frame: the query.
        physical: its plan; a query whose plan has no such join costs nothing more.
        tables: the tables, by the name that the query uses.
        rows_max: pairs of rows that such a join may look at.

    Raises:
        LimitExceeded: a join would look at more pairs than ``rows_max``.
    """
    if not any(name in physical.display_indent() for name in _NEVER_YIELD):
        return ()
    sizes = {reference[-1]: _row_count(found) for reference, found in tables.items()}
    warnings: list[str] = []
    for pairs in _pairs(frame.optimized_logical_plan(), sizes):
        if pairs is not None and pairs > rows_max:
            raise LimitExceeded(
                f"The query joins without an equality and would look at about {pairs:,.0f} pairs of "
                f"rows; igloo.limits.cross_join_rows allows {rows_max:,}.",
                hint="Add a join condition with =, filter first, or raise the setting.",
                limit="igloo.limits.cross_join_rows",
            )
        seen = "an unknown number of" if pairs is None else f"about {pairs:,.0f}"
        warnings.append(
            f"A join without an equality looks at {seen} pairs of rows and cannot be stopped midway."
        )
    return tuple(dict.fromkeys(warnings))


def _row_count(found: FoundTable) -> float | None:
    if found.table.row_count is not None:
        return float(found.table.row_count)
    if not isinstance(found.connector, HasStatistics):
        return None
    try:
        return found.connector.statistics(found.table).row_count
    except IglooError:
        # Statistics are a courtesy of the source; the query itself will tell if it is down.
        return None


def _pairs(plan: LogicalPlan, sizes: Mapping[str, float | None]) -> list[float | None]:
    """Return how many pairs each join without a key looks at; None for "no idea"."""
    pairs: list[float | None] = []
    estimates: list[float | None] = []
    # From the leaves up and without recursion: plans grow higher than Python's stack.
    for each, inputs in _leaves_first(plan):
        below = estimates[len(estimates) - inputs :]
        del estimates[len(estimates) - inputs :]
        node = each.to_variant()
        if isinstance(node, Join) and not node.on() and 1.0 not in below:
            left, right = below
            pairs.append(None if left is None or right is None else left * right)
        estimates.append(_estimate(node, below, sizes))
    return pairs


def _leaves_first(plan: LogicalPlan) -> Iterator[tuple[LogicalPlan, int]]:
    """Yield each node after its inputs, with their number."""
    waiting: list[tuple[LogicalPlan, int | None]] = [(plan, None)]
    while waiting:
        each, inputs = waiting.pop()
        if inputs is not None:
            yield each, inputs
            continue
        children = each.inputs()
        waiting.append((each, len(children)))
        waiting += [(child, None) for child in reversed(children)]


def _estimate(
    node: object, below: list[float | None], sizes: Mapping[str, float | None]
) -> float | None:
    """Return about how many rows a node gives, whose inputs give ``below``; None for "no idea"."""
    if isinstance(node, TableScan):
        size = sizes.get(node.table_name())
        return _filtered(size) if node.filters() else size
    if isinstance(node, SubqueryAlias) and sizes.get(node.alias()) is not None:
        return sizes[node.alias()]
    if isinstance(node, Aggregate) and not node.group_by_exprs():
        return 1.0
    known = [rows for rows in below if rows is not None]
    if len(known) < len(below) or not below:
        return None
    if isinstance(node, Filter):
        return _filtered(known[0])
    if isinstance(node, Aggregate):
        return max(1.0, known[0] * GROUPS_A_ROW)
    if isinstance(node, Limit | Sort):
        return min(known[0], _fetched(node))
    if isinstance(node, Union):
        return sum(known)
    if isinstance(node, Join) and not node.on():
        return known[0] * known[1]
    return max(known)


def _fetched(node: Limit | Sort) -> float:
    """Return how many rows a LIMIT lets through, which may stand in the sort below it."""
    if isinstance(node, Sort):
        fetch = node.get_fetch_val()
        return math.inf if fetch is None else float(fetch)
    expression = node.fetch()
    value = None if expression is None else expression.python_value()
    return float(value.as_py()) if isinstance(value, pa.Scalar) and value.is_valid else math.inf


def _filtered(rows: float | None) -> float | None:
    return None if rows is None else max(1.0, rows * FILTER_KEEPS)
