"""Random computations: numbers, text, dates and times."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fuzz.scope import CALM_MAX, Scope, make, widest
from fuzz.tables import literal
from fuzz.tree import Expr

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

#: The factors have two binary digits after the point, so that sums of products stay exact.
FLOAT_PRODUCT_MAX = 10**4


class Computations:
    """Gives computed expressions of each kind; ``Expressions`` inherits this and has the rest."""

    chance: random.Random
    expr: Callable[..., Expr]
    calm: Callable[..., Expr]

    def computations(self) -> dict[str, list[Callable[[str, Scope, int], Expr]]]:
        numbers = [self.sum_of_two, self.sum_of_two, self.product, self.absolute]
        return {
            "int": [*numbers, self.quotient, self.text_measure, self.time_part, self.days_between],
            "float": [*numbers, self.half, self.from_int],
            "dec": [*numbers, self.from_int],
            "text": [self.concatenation, self.part_of_text, self.letters, self.as_text],
            "date": [self.later_day, self.day_of],
            "ts": [self.truncated, self.later, self.midnight],
        }

    # -- numbers -----------------------------------------------------------------------------------

    def sum_of_two(self, kind: str, scope: Scope, depth: int) -> Expr:
        left, right = (self.calm(kind, scope, depth - 1) for _ in range(2))
        form = self.chance.choice(["({0} + {1})", "({0} - {1})"])
        return make(kind, form, left, right, tag="arithmetic", bound=left.bound + right.bound)

    def product(self, kind: str, scope: Scope, depth: int) -> Expr:
        left = self.calm(kind, scope, depth - 1)
        # Scales of decimals add up, so one side is whole.
        right = self.calm("int" if kind == "dec" else kind, scope, depth - 1)
        if left.bound * right.bound > (FLOAT_PRODUCT_MAX if kind == "float" else CALM_MAX):
            return left
        bound = left.bound * right.bound
        return make(kind, "({0} * {1})", left, right, tag="arithmetic", bound=bound)

    def quotient(self, kind: str, scope: Scope, depth: int) -> Expr:
        left = self.calm(kind, scope, depth - 1)
        right = Expr("int", literal("int", self.chance.choice([-3, 2, 3, 5])), tag="literal")
        form = self.chance.choice(["({0} / {1})", "({0} % {1})"])
        return make(kind, form, left, right, tag="arithmetic", bound=left.bound)

    def half(self, kind: str, scope: Scope, depth: int) -> Expr:
        left = self.calm(kind, scope, depth - 1)
        right = Expr(kind, literal(kind, self.chance.choice([2.0, -3.0, 0.7])), tag="literal")
        return make(kind, "({0} / {1})", left, right, tag="arithmetic")

    def absolute(self, kind: str, scope: Scope, depth: int) -> Expr:
        inner = self.calm(kind, scope, depth - 1)
        form = self.chance.choice(["abs({0})", "(- {0})"])
        return make(kind, form, inner, tag="function", bound=inner.bound)

    def from_int(self, kind: str, scope: Scope, depth: int) -> Expr:
        inner = self.calm("int", scope, depth - 1)
        if kind == "float":
            return make(kind, "CAST({0} AS double precision)", inner, tag="cast", bound=inner.bound)
        return make(kind, "CAST({0} AS numeric(12, 2))", inner, tag="cast", bound=inner.bound)

    # -- text --------------------------------------------------------------------------------------

    def concatenation(self, kind: str, scope: Scope, depth: int) -> Expr:
        parts = [self.expr(kind, scope, depth - 1) for _ in range(2)]
        return make(kind, "({0} || {1})", *parts, tag="function", bound=widest(*parts))

    def part_of_text(self, kind: str, scope: Scope, depth: int) -> Expr:
        inner = self.expr(kind, scope, depth - 1)
        form = self.chance.choice(["substr({0}, 1, 1)", "substr({0}, 2, 3)", "left({0}, 1)"])
        return make(kind, form, inner, tag="function", bound=inner.bound)

    def letters(self, kind: str, scope: Scope, depth: int) -> Expr:
        inner = self.expr(kind, scope, depth - 1)
        forms = ["trim({0})", "replace({0}, 'a', 'xy')"]
        if inner.bound is not None:
            # What is a capital letter beyond ASCII depends on PostgreSQL's collation.
            forms += ["upper({0})", "lower({0})"]
        return make(kind, self.chance.choice(forms), inner, tag="function", bound=inner.bound)

    def as_text(self, kind: str, scope: Scope, depth: int) -> Expr:
        inner = self.expr(self.chance.choice(["int", "bool", "date"]), scope, depth - 1)
        return make(kind, "CAST({0} AS text)", inner, tag="cast", bound=0)

    def text_measure(self, kind: str, scope: Scope, depth: int) -> Expr:
        form = self.chance.choice(["length({0})", "strpos({0}, 'b')"])
        return make(kind, form, self.expr("text", scope, depth - 1), tag="function", bound=1000)

    # -- dates and times ---------------------------------------------------------------------------

    def time_part(self, kind: str, scope: Scope, depth: int) -> Expr:
        unit = self.chance.choice(["year", "month", "day"])
        inner = self.expr(self.chance.choice(["date", "ts"]), scope, depth - 1)
        return make(
            kind, f"CAST(extract({unit} FROM {{0}}) AS bigint)", inner, tag="function", bound=10**4
        )

    def days_between(self, kind: str, scope: Scope, depth: int) -> Expr:
        parts = [self.calm("date", scope, depth - 1) for _ in range(2)]
        return make(kind, "({0} - {1})", *parts, tag="days", bound=10**6)

    def later_day(self, kind: str, scope: Scope, depth: int) -> Expr:
        inner = self.calm(kind, scope, depth - 1)
        form = self.chance.choice(["({0} + 1)", "({0} - 30)"])
        return make(kind, form, inner, tag="arithmetic", bound=inner.bound)

    def day_of(self, kind: str, scope: Scope, depth: int) -> Expr:
        inner = self.expr("ts", scope, depth - 1)
        return make(kind, "CAST({0} AS date)", inner, tag="cast", bound=inner.bound)

    def truncated(self, kind: str, scope: Scope, depth: int) -> Expr:
        unit = self.chance.choice(["year", "month", "day", "hour"])
        inner = self.expr(kind, scope, depth - 1)
        return make(kind, f"date_trunc('{unit}', {{0}})", inner, tag="function", bound=inner.bound)

    def later(self, kind: str, scope: Scope, depth: int) -> Expr:
        inner = self.calm(kind, scope, depth - 1)
        span = self.chance.choice(["1 day", "36 hours", "1 month"])
        form = f"({{0}} + INTERVAL '{span}')"
        return make(kind, form, inner, tag="arithmetic", bound=inner.bound)

    def midnight(self, kind: str, scope: Scope, depth: int) -> Expr:
        inner = self.calm("date", scope, depth - 1)
        return make(kind, "CAST({0} AS timestamp)", inner, tag="cast", bound=inner.bound)
