"""``x [NOT] IN (SELECT …)`` keeps its third value, which DataFusion knows for bare terms only.

A bare term of WHERE is planned as a semi join, or as an anti join that minds NULL, and stays. A
subquery of rows around it, in a filter, becomes ``= ANY`` or ``<> ALL``. Everything else becomes
counts: of equal rows, of all rows, and of NULLs.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypeGuard

from sqlglot import exp

from igloo.engine.planner.rewrite.places import (
    Place,
    as_subquery,
    folded,
    innermost_first,
    is_aggregate,
    is_volatile,
    named,
    negated,
    place_of,
    quoted,
    sources_of,
    unnamed,
    unwrapped,
)
from igloo.engine.planner.rewrite.relations import alias_of
from igloo.engine.planner.rewrite.rule import Rule
from igloo.engine.planner.rewrite.suspects import has_awkward_subquery
from igloo.engine.planner.rewrite.syntax import CannotRewrite

if TYPE_CHECKING:
    from igloo.engine.planner.rewrite.facts import Facts


#: Each level of counts around another one triples the text.
NESTING_MAX = 6


def _apply(tree: exp.Expr, facts: Facts) -> exp.Expr:
    for node in innermost_first(tree.find_all(exp.In)):
        if isinstance(node, exp.In) and node.args.get("query") is not None:
            _rewrite(node, facts)
    return tree


def _rewrite(node: exp.In, facts: Facts) -> None:
    target, is_negated = negated(node)
    operand, query = node.this, unwrapped(node.args["query"])
    place, is_bare = place_of(target)
    is_filter = place in {Place.WHERE, Place.HAVING}
    is_correlated = facts.schema_of(query, node) is None
    # The anti join minds NULL on a column of its left side only.
    is_joinable = isinstance(operand.unnest(), exp.Column) and not is_correlated
    if place is Place.WHERE and is_bare and (is_joinable or not is_negated):
        if target is not node and target is not node.parent:
            target.replace(_plain(operand, query, is_negated=is_negated))
        return
    if place in {Place.ORDER, Place.OUTER_ON}:
        return  # DataFusion refuses these.
    operand = _qualified(operand, facts)
    if _nesting(node) > NESTING_MAX:
        raise CannotRewrite(f"it nests more than {NESTING_MAX} IN (SELECT …) that need counts")
    if isinstance(operand, exp.Tuple):
        raise CannotRewrite("IN compares several columns where NULL and FALSE differ")
    if is_volatile(operand):
        raise CannotRewrite("IN compares a value that changes at each look")
    is_fixed = not is_volatile(query) and query.find(exp.Limit, exp.Offset, exp.Fetch) is None
    if place is Place.INNER_ON or (is_filter and (is_correlated or not is_fixed)):
        target.replace(_quantified(operand, query, is_negated=is_negated))
    elif is_fixed:
        counted = exp.paren(_counts(operand, query, facts, node))
        target.replace(exp.paren(exp.Not(this=counted)) if is_negated else counted)
    else:
        raise CannotRewrite("IN (SELECT …) with LIMIT stands where NULL and FALSE differ")


def _nesting(node: exp.Expr) -> int:
    """Return in how many IN (SELECT …) a node stands, itself included."""
    depth = 0
    above: exp.Expr | None = node
    while above is not None:
        depth += isinstance(above, exp.In)
        above = above.parent
    return depth


def _qualified(operand: exp.Expr, facts: Facts) -> exp.Expr:
    """Return the operand with its tables, so that the subquery cannot take it for its own column."""
    select = operand.find_ancestor(exp.Select)
    if select is None or all(column.table for column in operand.find_all(exp.Column)):
        return operand
    sources = [(alias_of(s), facts.columns_of_source(s, select)) for s in sources_of(select)]
    holder = exp.paren(operand.copy())
    for column in list(holder.find_all(exp.Column)):
        name = folded(column.this)
        found = [alias for alias, schema in sources if schema is not None and name in schema.names]
        is_known = len(found) == 1 and all(schema is not None for _, schema in sources)
        if is_known and found[0] and not column.table:
            column.replace(exp.Column(this=quoted(name), table=quoted(found[0])))
    qualified: exp.Expr = holder.this
    return qualified


def _plain(operand: exp.Expr, query: exp.Expr, *, is_negated: bool) -> exp.Expr:
    found = exp.In(this=operand.copy(), query=as_subquery(query))
    return exp.Not(this=found) if is_negated else found


def _quantified(operand: exp.Expr, query: exp.Expr, *, is_negated: bool) -> exp.Expr:
    if is_negated:
        return exp.paren(exp.NEQ(this=operand.copy(), expression=exp.All(this=query.copy())))
    return exp.paren(exp.EQ(this=operand.copy(), expression=exp.Any(this=query.copy())))


def _counts(operand: exp.Expr, query: exp.Expr, facts: Facts, node: exp.Expr) -> exp.Case:
    is_null = exp.Is(this=exp.paren(operand.copy()), expression=exp.Null())
    some = exp.And(this=is_null, expression=_has_rows(query, facts, node))
    value, holder = _holder(query, operand, facts, node)
    equal = exp.EQ(this=exp.paren(value.copy()), expression=exp.paren(operand.copy()))
    unknown = exp.Is(this=exp.paren(value.copy()), expression=exp.Null())
    return exp.Case(
        ifs=[
            exp.If(this=_more_than_none(holder.copy().where(equal)), true=exp.true()),
            exp.If(this=some, true=exp.Null()),
            exp.If(this=_more_than_none(holder.copy().where(unknown)), true=exp.Null()),
        ],
        default=exp.false(),
    )


def _more_than_none(select: exp.Select) -> exp.GT:
    return exp.GT(this=exp.Subquery(this=select), expression=exp.Literal.number(0))


def _has_rows(query: exp.Expr, facts: Facts, node: exp.Expr) -> exp.GT:
    return _more_than_none(count_of(query, facts, node))


def count_of(query: exp.Expr, facts: Facts, node: exp.Expr) -> exp.Select:
    """Return the query that counts the rows of another one."""
    if _takes_conditions(query):
        return _counting(query)
    subquery = exp.Subquery(
        this=query.copy(), alias=exp.TableAlias(this=quoted(facts.new_name(node)))
    )
    return exp.select(_count_all()).from_(subquery)


def _count_all() -> exp.Anonymous:
    return exp.Anonymous(this="count", expressions=[exp.Star()])


def _counting(query: exp.Select) -> exp.Select:
    counting = query.copy()
    for key in ("distinct", "order"):
        counting.set(key, None)
    counting.set("expressions", [_count_all()])
    return counting


def _holder(
    query: exp.Expr, operand: exp.Expr, facts: Facts, node: exp.Expr
) -> tuple[exp.Expr, exp.Select]:
    """Return a subquery's value, and a query that counts its rows and takes conditions on it."""
    if _takes_conditions(query) and _is_free(operand, query, facts):
        value = unnamed(query.expressions[0])
        # DataFusion joins on what stands behind a name, but not on j + 1 = x.i.
        if isinstance(value, exp.Column) or value.find(exp.Column) is None:
            return value, _counting(query)
    name, column = facts.new_name(node), facts.new_name(node)
    inner = query.copy()
    # The name has to stand inside: DataFusion loses that of a list behind the alias.
    first: exp.Expr = inner
    while isinstance(first, exp.SetOperation | exp.Subquery):
        first = first.this
    table = exp.TableAlias(this=quoted(name))
    if isinstance(first, exp.Select) and len(first.expressions) == 1 and not first.is_star:
        shown = first.expressions[0]
        shown.replace(named(unnamed(shown), column))
    else:
        table.set("columns", [quoted(column)])
    holder = exp.select(_count_all()).from_(exp.Subquery(this=inner, alias=table))
    return exp.Column(this=quoted(column), table=quoted(name)), holder


def _takes_conditions(query: exp.Expr) -> TypeGuard[exp.Select]:
    """Return whether conditions may be added to a query's own WHERE."""
    if not isinstance(query, exp.Select) or query.args.get("from_") is None or query.is_star:
        return False
    keys = ("group", "having", "limit", "offset", "with_", "windows", "qualify", "fetch")
    if any(query.args.get(key) for key in keys) or len(query.expressions) != 1:
        return False
    distinct = query.args.get("distinct")
    if distinct is not None and distinct.args.get("on") is not None:
        return False
    shown = query.expressions[0]
    rows = {"unnest", "generate_series", "range", "explode"}
    calls = [node.name.lower() for node in shown.find_all(exp.Anonymous)]
    own = [node for node in shown.walk() if is_aggregate(node) or isinstance(node, exp.Window)]
    return not own and not rows.intersection(calls) and shown.find(exp.Unnest) is None


def _is_free(operand: exp.Expr, query: exp.Select, facts: Facts) -> bool:
    """Return whether the operand means the same inside of the query."""
    if operand.find(exp.Query) is not None:
        return False
    tables: set[str] = set()
    columns: set[str] = set()
    for source in sources_of(query):
        schema = facts.columns_of_source(source, query)
        if schema is None:
            return False
        columns.update(schema.names)
        tables.add(folded(source.args["alias"].this if source.alias else source.this))
    for column in operand.find_all(exp.Column):
        table = column.args.get("table")
        if table is not None and folded(table) in tables:
            return False
        if table is None and folded(column.this) in columns:
            return False
    return True


RULE = Rule(
    name="in_subquery",
    words=re.compile(r"\b(IN|ANY|SOME|ALL)\s*\(\s*[(SWVTF]", re.IGNORECASE),
    apply=_apply,
    is_suspect=has_awkward_subquery,
)
