"""Random aggregates, groupings and window functions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fuzz.scope import CALM_MAX, Scope, make
from fuzz.sources import Sources
from fuzz.spelling import PLAIN
from fuzz.tables import KINDS
from fuzz.tree import Expr, Select, nodes

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from fuzz.sources import Relation
    from fuzz.tree import Item

ROWS_MAX = 10**4


class Aggregates(Sources):
    """Gives SELECTs that group or look around; ``Statements`` inherits this and has the rest."""

    items: Callable[..., tuple[Item, ...]]
    where: Callable[..., Expr | None]

    # -- aggregates --------------------------------------------------------------------------------

    def aggregate(self, kind: str, scope: Scope) -> Expr:
        scope = scope if self.chance.random() < 0.1 else scope.without_subqueries()
        found = self.bare_aggregate(kind, scope)
        if self.chance.random() < 0.2:
            only = self.expr("bool", scope, 1)
            return make(
                kind, "{0} FILTER (WHERE {1})", found, only, tag="aggregate", bound=found.bound
            )
        return found

    def bare_aggregate(self, kind: str, scope: Scope) -> Expr:
        if kind == "bool":
            form = self.chance.choice(["bool_and({0})", "bool_or({0})"])
            return make(kind, form, self.expr(kind, scope, 1), tag="aggregate")
        if kind == "int" and self.chance.random() < 0.5:
            return self.count(scope)
        if kind in {"int", "float", "dec"} and self.chance.random() < 0.5:
            return self.total(kind, scope)
        inner = self.expr(kind, scope, 1)
        if kind == "text" and inner.tag != "literal" and self.chance.random() < 0.3:
            return self.list_of_texts(inner)
        form = self.chance.choice(["min({0})", "max({0})"])
        return make(kind, form, inner, tag="aggregate", bound=inner.bound)

    def count(self, scope: Scope) -> Expr:
        if self.chance.random() < 0.4:
            return Expr("int", "count(*)", (), "aggregate", ROWS_MAX)
        form = self.chance.choice(["count({0})", "count(DISTINCT {0})"])
        inner = self.expr(self.kind(scope), scope, 1)
        tag = "distinct_aggregate" if "DISTINCT" in form else "aggregate"
        return make("int", form, inner, tag=tag, bound=ROWS_MAX)

    def total(self, kind: str, scope: Scope) -> Expr:
        if kind == "float" and self.chance.random() < 0.6:
            inner = self.calm(self.chance.choice(["int", "float"]), scope, 1)
            return make(kind, "avg({0})", inner, tag="aggregate")
        inner = self.calm(kind, scope, 1)
        form = self.chance.choice(["sum({0})", "sum({0})", "sum(DISTINCT {0})"])
        bound = inner.bound * ROWS_MAX
        tag = "distinct_aggregate" if "DISTINCT" in form else "aggregate"
        return make(kind, form, inner, tag=tag, bound=bound if bound <= CALM_MAX else None)

    def list_of_texts(self, inner: Expr) -> Expr:
        form = self.chance.choice(
            ["string_agg({0}, ',' ORDER BY {0})", "string_agg(DISTINCT {0}, ',' ORDER BY {0})"]
        )
        return make("text", form, inner, tag="string_aggregate", bound=inner.bound)

    # -- groups ------------------------------------------------------------------------------------

    def grouped(self, kinds: Sequence[str], source: Relation, depth: int) -> Select:
        scope = Scope(source.columns, has_subqueries=depth > 0)
        grouping = self.pick((6, ""), (1, "ROLLUP"), (1, "CUBE"), (2, "GROUPING SETS"))
        count = self.chance.choice([1, 1, 2, 3]) if grouping else self.chance.choice([0, 1, 1, 2])
        keys = self.keys(kinds, source, count, is_plain=bool(grouping))
        aggregates = [self.aggregate(kind, scope) for kind in kinds]
        known = Scope((*keys, *aggregates), has_subqueries=False)
        exprs = [self.after_grouping(kind, known, keys) for kind in kinds]
        if grouping and keys and self.chance.random() < 0.4:
            exprs = [self.grouping_of(e, keys) if e.kind == "int" else e for e in exprs]
        having = None
        is_grouped = keys or any(e.tag != "literal" and e in aggregates for e in exprs)
        if is_grouped and self.chance.random() < 0.25:
            having = self.expr("bool", Scope(known.columns, has_subqueries=depth > 0), 1)
        return Select(
            self.items(exprs),
            source.node,
            self.where(source, depth),
            tuple(keys),
            grouping if keys else "",
            self.sets(len(keys)) if grouping == "GROUPING SETS" else (),
            having,
        )

    def keys(
        self, kinds: Sequence[str], source: Relation, count: int, *, is_plain: bool
    ) -> list[Expr]:
        found: list[Expr] = []
        scope = Scope(source.columns, has_subqueries=False)
        for _ in range(count):
            kind = self.chance.choice([*kinds, *KINDS])
            key = self.expr(kind, scope, 0 if is_plain or self.chance.random() < 0.7 else 1)
            # PostgreSQL takes a literal for the position of a column.
            has_column = any(each.tag == "column" for each in nodes(key, Expr))
            if has_column and key not in found:
                found.append(key)
        return found

    def after_grouping(self, kind: str, known: Scope, keys: Sequence[Expr]) -> Expr:
        same = [key for key in keys if key.kind == kind]
        if same and self.chance.random() < 0.4:
            return self.chance.choice(same)
        return self.expr(kind, known, self.pick((3, 0), (1, 1)))

    def grouping_of(self, expr: Expr, keys: Sequence[Expr]) -> Expr:
        told = make("int", "grouping({0})", self.chance.choice(keys), tag="grouping", bound=1)
        return told if self.chance.random() < 0.7 else expr

    def sets(self, count: int) -> tuple[tuple[int, ...], ...]:
        """Return some sets of keys; each key is in one at least, or it could not be selected."""
        positions = range(count)
        sets = [
            tuple(n for n in positions if self.chance.random() < 0.5)
            for _ in range(self.chance.randint(1, 2))
        ]
        missing = tuple(n for n in positions if not any(n in each for each in sets))
        return (*sets, missing) if missing or self.chance.random() < 0.5 else tuple(sets)

    # -- windows -----------------------------------------------------------------------------------

    def windowed(self, kinds: Sequence[str], source: Relation, depth: int) -> Select:
        scope = Scope(source.columns, has_subqueries=False)
        exprs = []
        for kind in kinds:
            # Rows that are the same may be numbered in any order, but not twice in two orders.
            is_alone = not any(expr.tag == "window" for expr in exprs)
            if self.chance.random() < 0.7 and (source.is_unique or is_alone):
                exprs.append(self.window(kind, scope, source.key))
            else:
                exprs.append(self.expr(kind, scope, 1))
        return Select(self.items(exprs), source.node, self.where(source, depth))

    def window(self, kind: str, scope: Scope, key: Sequence[Expr]) -> Expr:
        function, needs_total = self.window_function(kind, scope)
        parts: list[Expr] = [function]
        words = []
        if self.chance.random() < 0.5:
            parts.append(self.expr(self.kind(scope), scope, 0))
            words.append(f"PARTITION BY {{{len(parts) - 1}}}")
        by = [self.expr(self.kind(scope), scope, 0) for _ in range(self.pick((2, 0), (3, 1)))]
        has_frame = "rank" not in function.form and self.chance.random() < 0.4
        if needs_total or has_frame:
            by += key
        terms = []
        for each in by:
            parts.append(each)
            order = self.chance.choice(["", " DESC", " DESC NULLS LAST", " NULLS FIRST"])
            terms.append(f"{{{len(parts) - 1}}}{order}")
        if terms:
            words.append(f"ORDER BY {', '.join(terms)}")
        if has_frame and function.tag == "aggregate":
            words.append(self.frame())
        form = f"{{0}} OVER ({' '.join(words)})"
        if function.tag == "rank":
            # They are unsigned in Igloo, which shows as soon as something is computed with them.
            form = f"CAST({form} AS bigint)"
        return make(kind, form, *parts, tag="window", bound=function.bound)

    def frame(self) -> str:
        low = self.chance.choice(["UNBOUNDED PRECEDING", "2 PRECEDING", "1 PRECEDING"])
        high = self.chance.choice(["CURRENT ROW", "1 FOLLOWING", "UNBOUNDED FOLLOWING"])
        return f"ROWS BETWEEN {low} AND {high}"

    def window_function(self, kind: str, scope: Scope) -> tuple[Expr, bool]:
        """Return a function, and whether it needs an order without ties."""
        pick = self.chance.random()
        if kind == "int" and pick < 0.5:
            name = self.chance.choice(["row_number()", "rank()", "dense_rank()", "ntile(3)"])
            function = Expr(kind, name, (), "rank", ROWS_MAX)
            return function, name in {"row_number()", "ntile(3)"}
        if pick < 0.7:
            inner = self.expr(kind, scope, 1)
            if kind == "text" and inner.tag == "literal":
                # PostgreSQL does not know which type a bare text has here.
                inner = make(kind, "CAST({0} AS text)", inner, bound=inner.bound)
            form = self.chance.choice(
                [
                    "lag({0})",
                    "lead({0}, 2)",
                    "first_value({0})",
                    "last_value({0})",
                    "nth_value({0}, 2)",
                ]
            )
            return make(kind, form, inner, tag="neighbour", bound=inner.bound), True
        while True:
            found = self.aggregate(kind, scope)
            text = PLAIN.expr(found)
            if found.tag == "aggregate" and "DISTINCT" not in text and "string_agg" not in text:
                return found, False
