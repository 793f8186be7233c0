"""What each scan of an optimized plan will need: columns, filter, limit.

Only to ask sources for less; never to decide an answer. A filter that is not understood is left
out, and DataFusion applies every filter itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from datafusion.expr import (
    BinaryExpr,
    Filter,
    InList,
    IsNotNull,
    IsNull,
    Like,
    Literal,
    Not,
    TableScan,
)
from datafusion.expr import Column as DataFusionColumn

from igloo.connectors import predicates as pr
from igloo.connectors.contract import Pushdown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from datafusion.expr import Expr
    from datafusion.plan import LogicalPlan

#: A table reference as it stands in the plan: the parts that were written.
Reference = tuple[str, ...]

_OPERATORS = {operator.value: operator for operator in pr.ComparisonOperator} | {
    "!=": pr.ComparisonOperator.NOT_EQUAL
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanNeed:
    """What the scans of one table need together.

    Attributes:
        pushdown: all of it.
        unhanded: the part of the filter that DataFusion does not hand to a Dataset.
    """

    pushdown: Pushdown
    unhanded: pr.Predicate | None = None


def read_needs(plan: LogicalPlan) -> dict[Reference, ScanNeed]:
    """Return what the scans of each table need.

    A table that is scanned twice needs the columns of both, the OR of both filters and no limit.
    Empty where a scan hides inside an expression, as in a subquery that was not unnested: what that
    scan needs cannot be seen, so nothing may be left out.
    """
    needs: dict[Reference, list[ScanNeed]] = {}
    scans = list(_scans(plan))
    if len(scans) != plan.display_indent().count("TableScan:"):
        return {}
    for reference, need in scans:
        needs.setdefault(reference, []).append(need)
    return {reference: _join(each) for reference, each in needs.items()}


def scans_filtered_by_constants(plan: LogicalPlan) -> frozenset[Reference] | None:
    """Return the scans whose filter holds a constant where a condition stands, as in ``NULL AND x``.

    DataFusion does not fold NULL away there, and its bridge to Datasets fails on it. None stands
    for "perhaps any", where scans hide inside of expressions.
    """
    scans = [node for each in _nodes(plan) if isinstance(node := each.to_variant(), TableScan)]
    shown = plan.display_indent()
    if len(scans) != shown.count("TableScan:") and "Boolean(NULL)" in shown:
        return None
    found = (scan for scan in scans if any(map(_holds_constant, scan.filters())))
    return frozenset(map(_reference, found))


def _nodes(plan: LogicalPlan) -> Iterator[LogicalPlan]:
    waiting = [plan]
    while waiting:
        plan = waiting.pop()
        yield plan
        waiting += plan.inputs()


def _holds_constant(condition: Expr) -> bool:
    waiting = [condition]
    while waiting:
        node = _variant(waiting.pop())
        if isinstance(node, Literal):
            return True
        if isinstance(node, BinaryExpr) and node.op() in {"AND", "OR"}:
            waiting += [node.left(), node.right()]
        elif isinstance(node, Not):
            waiting.append(node.expr())
    return False


def _join(needs: list[ScanNeed]) -> ScanNeed:
    if len(needs) == 1:
        return needs[0]
    unhanded = needs[0].unhanded if len({need.unhanded for need in needs}) == 1 else None
    return ScanNeed(pushdown=_join_pushdowns([n.pushdown for n in needs]), unhanded=unhanded)


def _join_pushdowns(pushdowns: list[Pushdown]) -> Pushdown:
    columns = tuple(dict.fromkeys(name for p in pushdowns for name in p.columns))
    filters = [p.filter for p in pushdowns if p.filter is not None]
    if len(filters) < len(pushdowns):
        return Pushdown(columns=columns)
    unique = tuple(dict.fromkeys(filters))
    return Pushdown(columns=columns, filter=unique[0] if len(unique) == 1 else pr.Or(unique))


def _scans(plan: LogicalPlan) -> Iterator[tuple[Reference, ScanNeed]]:
    """Yield each scan with what it needs, filters that stand directly over it included."""
    # No recursion, here and below: plans and filters grow higher than Python's stack.
    waiting: list[tuple[LogicalPlan, tuple[Expr, ...]]] = [(plan, ())]
    while waiting:
        plan, above = waiting.pop()
        node = plan.to_variant()
        if isinstance(node, TableScan):
            yield _reference(node), _need(node, above)
            continue
        below = (*above, node.predicate()) if isinstance(node, Filter) else ()
        waiting += [(child, below) for child in reversed(plan.inputs())]


def _reference(scan: TableScan) -> Reference:
    catalog, schema, table = scan.fqn()
    return tuple(part for part in (catalog, schema, table) if part is not None)


def _need(scan: TableScan, above: tuple[Expr, ...]) -> ScanNeed:
    handed = _read_all(scan.filters())
    unhanded = _read_all(above)
    columns = tuple(name for _, name in scan.projection())
    limit = None if above else scan.fetch()
    both = pr.conjoin(f for f in (handed, unhanded) if f is not None)
    return ScanNeed(pushdown=Pushdown(columns=columns, filter=both, limit=limit), unhanded=unhanded)


def _read_all(expressions: Iterable[Expr]) -> pr.Predicate | None:
    predicates = (read_predicate(expression) for expression in expressions)
    return pr.conjoin(predicate for predicate in predicates if predicate is not None)


def read_predicate(expression: Expr) -> pr.Predicate | None:
    """Return a predicate that is TRUE wherever the expression is; None for "any row".

    At the top and under AND, what is not understood is left out; anywhere deeper the whole term is.
    """
    terms = map(_exact, _chain(expression, "AND"))
    return pr.conjoin(term for term in terms if term is not None)


def _chain(expression: Expr, operator: str) -> list[Expr]:
    """Return the operands of ``a AND b AND …`` in order; the expression itself if it is none."""
    operands: list[Expr] = []
    waiting = [expression]
    while waiting:
        expression = waiting.pop()
        node = _variant(expression)
        if isinstance(node, BinaryExpr) and node.op() == operator:
            waiting += [node.right(), node.left()]
        else:
            operands.append(expression)
    return operands


def _exact(expression: Expr) -> pr.Predicate | None:
    """Return a predicate with the same three-valued result, or None."""
    node = _variant(expression)
    match node:
        case BinaryExpr() if node.op() in {"AND", "OR"}:
            return _connected(expression, node.op())
        case BinaryExpr():
            return _comparison(node)
        case Not():
            operand = _exact(node.expr())
            return None if operand is None else pr.Not(operand)
        case IsNull():
            column = _column(node.expr())
            return None if column is None else pr.IsNull(column)
        case IsNotNull():
            column = _column(node.expr())
            return None if column is None else pr.Not(pr.IsNull(column))
        case InList():
            return _in_list(node)
        case Like():
            return _like(node, expression.canonical_name())
        case DataFusionColumn():
            true = pr.Literal(pa.scalar(True))
            return pr.Comparison(pr.Column(node.name()), pr.ComparisonOperator.EQUAL, true)
    return None


def _connected(expression: Expr, operator: str) -> pr.Predicate | None:
    operands = tuple(map(_exact, _chain(expression, operator)))
    known = tuple(operand for operand in operands if operand is not None)
    if len(known) < len(operands):
        return None
    return pr.And(known) if operator == "AND" else pr.Or(known)


def _comparison(node: BinaryExpr) -> pr.Predicate | None:
    comparison = _OPERATORS.get(node.op())
    left_term, right_term = _term(node.left()), _term(node.right())
    if comparison is None or left_term is None or right_term is None:
        return None
    return pr.Comparison(left_term, comparison, right_term)


def _in_list(node: InList) -> pr.Predicate | None:
    column = _column(node.expr())
    values = [_literal(item) for item in node.list()]
    if column is None or any(value is None or not value.is_valid for value in values):
        return None
    in_list = pr.InList(column, tuple(values))
    return pr.Not(in_list) if node.negated() else in_list


def _like(node: Like, shown: str) -> pr.Predicate | None:
    column, pattern = _column(node.expr()), _literal(node.pattern())
    if column is None or pattern is None or not pattern.is_valid or node.escape_char():
        return None
    word = "NOT LIKE" if node.negated() else "LIKE"
    if not shown.startswith(f"{node.expr().canonical_name()} {word} "):
        # The bindings show ILIKE as LIKE; only its text tells them apart.
        return None
    like = pr.Like(column, str(pattern.as_py()))
    return pr.Not(like) if node.negated() else like


def _term(expression: Expr) -> pr.Term | None:
    column = _column(expression)
    if column is not None:
        return column
    value = _literal(expression)
    return pr.Literal(value) if value is not None and value.is_valid else None


def _column(expression: Expr) -> pr.Column | None:
    node = _variant(expression)
    return pr.Column(node.name()) if isinstance(node, DataFusionColumn) else None


def _variant(expression: Expr) -> Any:
    """Return the expression as its own kind; None for a kind that the bindings cannot show."""
    try:
        return expression.to_variant()
    except ValueError:  # "Converting Expr::ScalarFunction to a Python object is not implemented"
        return None


def _literal(expression: Expr) -> Any:
    if not isinstance(_variant(expression), Literal):
        return None
    value = expression.python_value()
    return value if isinstance(value, pa.Scalar) else None
