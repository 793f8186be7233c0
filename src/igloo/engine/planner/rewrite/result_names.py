"""What the columns of a SELECT's result are called, and how they get names that differ."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from igloo.engine.planner.rewrite.places import folded, named, unnamed

if TYPE_CHECKING:
    from igloo.engine.planner.rewrite.facts import Facts


def names_of_result(select: exp.Select, facts: Facts) -> list[str]:
    """Return the names of the columns, which are written out and no stars."""
    return [_own_name(item) or _made_name(item, select, facts) for item in select.expressions]


def names_at_once(select: exp.Select, facts: Facts) -> list[str]:
    """Return the same by asking for all names together; empty where that cannot be."""
    own = [_own_name(item) for item in select.expressions]
    if all(own):
        return own
    schema = facts.schema_of(select, select)
    return [] if schema is None else list(schema.names)


def _own_name(projection: exp.Expr) -> str:
    if isinstance(projection, exp.Column):
        return folded(projection.this)
    alias = projection.args.get("alias")
    return folded(alias.this if isinstance(alias, exp.TableAlias) else alias)


def _made_name(projection: exp.Expr, select: exp.Select, facts: Facts) -> str:
    """Return what DataFusion calls a column without a name."""
    alone = select.copy()
    alone.set("expressions", [projection.copy()])
    for key in ("group", "having", "order", "distinct", "qualify", "limit", "offset", "with_"):
        alone.set(key, None)
    schema = facts.schema_of(alone, select)
    return facts.new_name(select) if schema is None else str(schema.names[0])


def give_names(select: exp.Select, names: list[str], facts: Facts) -> None:
    """Give each column of the result its name; of equal names only the first keeps it."""
    seen: set[str] = set()
    given: list[exp.Expr] = []
    for projection, name in zip(select.expressions, names, strict=True):
        unique = name if name not in seen else facts.new_name(select)
        seen.add(unique)
        given.append(named(unnamed(projection), unique))
        if unique != name:
            facts.renamed[unique] = name
    select.set("expressions", given)
