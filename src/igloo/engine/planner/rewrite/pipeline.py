"""The rules in the order in which they are applied, and when a statement needs any of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from igloo.engine.planner.rewrite import (
    any_text,
    distinct_from,
    exists_value,
    fine_literal,
    in_subquery,
    join_condition,
    joined_columns,
    lifted_subquery,
    lone_aggregate,
    null_in_list,
    quantified,
    repeated_list,
    repeated_names,
    set_operation_all,
    similar_to,
    zero_in_list,
)
from igloo.engine.planner.rewrite.syntax import CannotRewrite, parse, write
from igloo.engine.planner.tokens import tokenize

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pyarrow as pa
    from sqlglot import exp

    from igloo.engine.planner.rewrite.facts import Facts
    from igloo.engine.planner.rewrite.rule import Rule

#: Characters of the longest text that rules may make: each ``NOT IN`` around another triples it.
WRITTEN_MAX = 2**20

#: Each may rely on what those before it have left.
RULES: tuple[Rule, ...] = (
    distinct_from.RULE,
    lone_aggregate.RULE,
    any_text.RULE,
    similar_to.RULE,
    quantified.RULE,
    null_in_list.RULE,
    zero_in_list.RULE,
    repeated_list.RULE,
    fine_literal.RULE,
    set_operation_all.RULE,
    join_condition.RULE,
    in_subquery.RULE,
    exists_value.RULE,
    repeated_names.RULE,
    lifted_subquery.RULE,
    joined_columns.RULE,
)


@dataclass(frozen=True, slots=True)
class Rewritten:
    """A statement as DataFusion gets it.

    Attributes:
        text: the statement; the very text that was given when no rule applied.
        rules: names of the rules that changed something, in order.
    """

    text: str
    rules: tuple[str, ...] = ()


def suspects(text: str, values: Iterable[pa.Scalar[Any]] = (), *, is_view: bool = False) -> bool:
    """Return whether some rule may apply to a text, without parsing it."""
    rules = [rule for rule in RULES if not rule.is_cure]
    if any(rule.is_suspect_value(value) for value in values for rule in rules):
        return True
    named = [rule for rule in rules if rule.words.search(text)]
    if not named or is_view:
        return bool(named)
    tokens = tokenize(text, bytes_max=len(text) * 4)
    return any(rule.is_suspect(tokens) for rule in named)


def rewrite(text: str, facts: Facts) -> Rewritten:
    """Return a query with every rule applied; cures only if DataFusion refused it.

    Raises:
        CannotRewrite: the text cannot be read, or a rule cannot say what it means.
    """
    tree: exp.Expr = parse(tokenize(text, bytes_max=len(text) * 4))
    applied: list[str] = []
    for rule in RULES:
        if rule.is_cure and not facts.may_cure:
            continue
        before = hash(tree)
        tree = rule.apply(tree, facts)
        if hash(tree) != before:
            applied.append(rule.name)
    if not applied:
        return Rewritten(text)
    written = write(tree)
    if len(written) > WRITTEN_MAX:
        raise CannotRewrite("it would become too long, as subqueries nest in subqueries")
    return Rewritten(written, tuple(applied))
