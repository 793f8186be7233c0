"""What an expression may use, and how one is put together."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from fuzz.tree import Expr

#: Whole numbers up to here cannot overflow in what is done with them.
CALM_MAX = 10**8


@dataclass(frozen=True, slots=True)
class Scope:
    """The columns that may be used; ``outer`` ones belong to the statement around a subquery."""

    columns: tuple[Expr, ...] = ()
    outer: tuple[Expr, ...] = ()
    has_subqueries: bool = True

    def of(self, kind: str) -> list[Expr]:
        return [column for column in self.columns if column.kind == kind]

    def without_subqueries(self) -> Scope:
        return replace(self, has_subqueries=False)


def make(kind: str, form: str, *parts: Any, tag: str = "", bound: int | None = None) -> Expr:
    return Expr(kind, form, parts, tag, bound)


def widest(*parts: Expr) -> int | None:
    """Return the bound of a value that is one of these."""
    bounds = [part.bound for part in parts]
    return None if None in bounds else max(bounds)


def is_calm(expr: Expr) -> bool:
    return expr.bound is not None and expr.bound <= CALM_MAX


def conjunction(*terms: Expr | None) -> Expr | None:
    known = [term for term in terms if term is not None]
    if len(known) < 2:
        return known[0] if known else None
    form = f"({' AND '.join(f'{{{n}}}' for n in range(len(known)))})"
    return make("bool", form, *known, tag="and")
