"""Random typed expressions that mean the same in every engine.

What differs by definition is not generated: see docs/reference/sql-differences.md. Whole numbers
are computed with only while they stay far from the limits of their types, quotients have divisors
that are not zero, and sums of floats are of a few binary digits, so that their order cannot show.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fuzz.computations import Computations
from fuzz.scope import Scope, is_calm, make, widest
from fuzz.tables import DOMAINS, KINDS, literal
from fuzz.tree import Expr

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Sequence

PATTERNS = ("a%", "%a", "%", "_", "__", "", "A_", "%b%", "a", "é%", "%日%")
COMPARISONS = ("=", "=", "<>", "<", "<=", ">", ">=")


class Expressions(Computations):
    """Gives random expressions. Subqueries come from ``Statements``, which inherits this."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.makers: dict[str, list[Callable[[str, Scope, int], Expr]]] = {
            "bool": [
                *[self.comparison] * 6,
                *[self.connective] * 4,
                self.negation,
                self.null_test,
                self.null_test,
                self.truth_test,
                self.in_list,
                self.between,
                self.like,
                self.distinct_from,
                *[self.predicate_with_subquery] * 3,
            ],
            **self.computations(),
        }

    def pick(self, *weighted: tuple[float, Any]) -> Any:
        weights, values = zip(*weighted, strict=True)
        return self.chance.choices(values, weights)[0]

    def expr(self, kind: str, scope: Scope, depth: int = 2) -> Expr:
        if depth <= 0 or self.chance.random() < (0.12 if kind == "bool" else 0.45):
            return self.leaf(kind, scope)
        if self.chance.random() < 0.3:
            return self.conditional(kind, scope, depth)
        if scope.has_subqueries and self.chance.random() < 0.08:
            return self.scalar_subquery(kind, scope)
        return self.chance.choice(self.makers[kind])(kind, scope, depth)

    def leaf(self, kind: str, scope: Scope) -> Expr:
        columns = scope.of(kind)
        if columns and self.chance.random() < 0.85:
            return self.chance.choice(columns)
        if kind == "bool" and not columns and scope.columns and self.chance.random() < 0.9:
            return self.comparison(kind, scope, 0)
        return self.literal(kind)

    def literal(self, kind: str, *, null: float = 0.08) -> Expr:
        domain = self.chance.choice([d for d in DOMAINS.values() if d.kind == kind and d.values])
        # The smallest of all cannot be written without an operator.
        values = [v for v in domain.values if v not in (-(2**31), -(2**63))]
        value = None if self.chance.random() < null else self.chance.choice(values)
        return Expr(kind, literal(kind, value), (), "literal", domain.bound)

    def calm(self, kind: str, scope: Scope, depth: int) -> Expr:
        """Return an expression whose values are harmless to compute with."""
        for _ in range(4):
            found = self.expr(kind, scope, depth)
            if is_calm(found):
                return found
        calm = [column for column in scope.of(kind) if is_calm(column)]
        if calm:
            return self.chance.choice(calm)
        while True:
            found = self.literal(kind)
            if is_calm(found):
                return found

    def kind(self, scope: Scope, *, among: Sequence[str] = (*KINDS, "int", "int", "text")) -> str:
        """Return a kind, most often one that has columns: constants tell little."""
        known = [kind for kind in among if scope.of(kind)]
        return self.chance.choice(known if known and self.chance.random() < 0.9 else among)

    # -- every kind --------------------------------------------------------------------------------

    def conditional(self, kind: str, scope: Scope, depth: int) -> Expr:
        make_one = self.chance.choice([self.case, self.case, self.coalesce, self.nullif])
        if kind != "bool" and self.chance.random() < 0.2:
            make_one = self.greatest
        return make_one(kind, scope, depth - 1)

    def case(self, kind: str, scope: Scope, depth: int) -> Expr:
        yes, no = self.expr(kind, scope, depth), self.expr(kind, scope, depth)
        when = self.expr("bool", scope, depth)
        form, parts = "CASE WHEN {0} THEN {1} ELSE {2} END", [when, yes, no]
        if self.chance.random() < 0.3:
            form = "CASE WHEN {0} THEN {1} WHEN {3} THEN {2} END"
            parts.append(self.expr("bool", scope, depth))
        elif self.chance.random() < 0.3:
            other = self.kind(scope)
            form = "CASE {0} WHEN {3} THEN {1} ELSE {2} END"
            parts[0] = self.expr(other, scope, depth)
            parts.append(self.leaf(other, scope))
        return make(kind, form, *parts, tag="case", bound=widest(yes, no))

    def coalesce(self, kind: str, scope: Scope, depth: int) -> Expr:
        parts = [self.expr(kind, scope, depth) for _ in range(2)]
        return make(kind, "coalesce({0}, {1})", *parts, tag="coalesce", bound=widest(*parts))

    def nullif(self, kind: str, scope: Scope, depth: int) -> Expr:
        left, right = self.comparable_pair(kind, scope, depth)
        return make(kind, "nullif({0}, {1})", left, right, tag="nullif", bound=left.bound)

    def greatest(self, kind: str, scope: Scope, depth: int) -> Expr:
        parts = self.comparable_pair(kind, scope, depth)
        form = self.chance.choice(["greatest({0}, {1})", "least({0}, {1})"])
        return make(kind, form, *parts, tag="greatest", bound=widest(*parts))

    def comparable_pair(self, kind: str, scope: Scope, depth: int) -> tuple[Expr, Expr]:
        return self.expr(kind, scope, depth), self.expr(kind, scope, depth)

    # -- booleans ----------------------------------------------------------------------------------

    def comparison(self, _kind: str, scope: Scope, depth: int) -> Expr:
        kind = self.kind(scope)
        if depth <= 0 and kind == "bool":
            kind = "int"
        left, right = self.comparable_pair(kind, scope, depth - 1)
        mixed = self.chance.random()
        if kind in {"float", "dec"} and mixed < 0.25:
            left, right = self.calm(kind, scope, depth - 1), self.calm("int", scope, depth - 1)
        elif kind == "date" and mixed < 0.25:
            left, right = self.calm(kind, scope, depth - 1), self.calm("ts", scope, depth - 1)
        return make("bool", f"({{0}} {self.chance.choice(COMPARISONS)} {{1}})", left, right)

    def connective(self, _kind: str, scope: Scope, depth: int) -> Expr:
        word = self.chance.choice(["AND", "OR", "OR"])
        parts = [self.expr("bool", scope, depth - 1) for _ in range(self.pick((3, 2), (1, 3)))]
        form = f"({f' {word} '.join(f'{{{n}}}' for n in range(len(parts)))})"
        return make("bool", form, *parts, tag=word.lower())

    def negation(self, _kind: str, scope: Scope, depth: int) -> Expr:
        return make("bool", "(NOT {0})", self.expr("bool", scope, depth - 1), tag="not")

    def null_test(self, _kind: str, scope: Scope, depth: int) -> Expr:
        word = self.chance.choice(["IS NULL", "IS NOT NULL"])
        inner = self.expr(self.kind(scope), scope, depth - 1)
        return make("bool", f"({{0}} {word})", inner, tag="is_null")

    def truth_test(self, _kind: str, scope: Scope, depth: int) -> Expr:
        word = self.chance.choice(["IS TRUE", "IS NOT TRUE", "IS FALSE", "IS NOT FALSE"])
        return make("bool", f"({{0}} {word})", self.expr("bool", scope, depth - 1), tag="is_true")

    def in_list(self, _kind: str, scope: Scope, depth: int) -> Expr:
        kind = self.kind(scope, among=("int", "int", "text", "float", "dec", "date"))
        operand = self.expr(kind, scope, depth - 1)
        count = self.pick((2, 1), (3, 2), (3, 3), (1, 5))
        values = [self.literal(kind, null=0.1) for _ in range(count)]
        form = ", ".join(f"{{{n + 1}}}" for n in range(count))
        word = self.chance.choice(["IN", "NOT IN"])
        return make("bool", f"({{0}} {word} ({form}))", operand, *values, tag="in_list")

    def between(self, _kind: str, scope: Scope, depth: int) -> Expr:
        kind = self.kind(scope, among=("int", "text", "float", "dec", "date", "ts"))
        low, high = self.comparable_pair(kind, scope, depth - 1)
        word = self.chance.choice(["BETWEEN", "NOT BETWEEN"])
        operand = self.expr(kind, scope, depth - 1)
        return make("bool", f"({{0}} {word} {{1}} AND {{2}})", operand, low, high, tag="between")

    def like(self, _kind: str, scope: Scope, depth: int) -> Expr:
        pattern = Expr("text", literal("text", self.chance.choice(PATTERNS)), tag="literal")
        word = self.chance.choice(["LIKE", "NOT LIKE"])
        operand = self.expr("text", scope, depth - 1)
        return make("bool", f"({{0}} {word} {{1}})", operand, pattern, tag="like")

    def distinct_from(self, _kind: str, scope: Scope, depth: int) -> Expr:
        word = self.chance.choice(["IS DISTINCT FROM", "IS NOT DISTINCT FROM"])
        parts = self.comparable_pair(self.kind(scope), scope, depth - 1)
        return make("bool", f"({{0}} {word} {{1}})", *parts, tag="is_distinct")

    def predicate_with_subquery(self, _kind: str, scope: Scope, depth: int) -> Expr:
        if not scope.has_subqueries:
            return self.comparison("bool", scope, depth)
        return self.subquery_predicate(scope)
