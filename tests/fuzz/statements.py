"""Random statements over random tables."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from fuzz.aggregates import Aggregates
from fuzz.scope import Scope, conjunction, make
from fuzz.sources import Relation, qualified
from fuzz.tree import Item, Order, Select, SetOperation, With, output_names

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fuzz.tree import Expr, Query

NONE = Relation(None, (), ())


class Statements(Aggregates):
    """Gives whole statements; the same chance and tables give the same ones."""

    def statement(self) -> Query:
        names, queries = [], []
        if self.chance.random() < 0.15:
            for number in range(self.pick((3, 1), (1, 2))):
                query = self.query(self.kinds(self.chance.randint(1, 3)), 1)
                names.append(f"w{number}")
                queries.append(query)
                self.named.append((names[-1], query))
        body = self.query(self.kinds(self.pick((2, 1), (3, 2), (2, 3), (1, 4))), 2)
        if self.chance.random() < 0.35:
            body = self.ordered(body)
        return With(tuple(names), tuple(queries), body) if names else body

    def query(self, kinds: Sequence[str], depth: int) -> Query:
        if depth > 0 and self.chance.random() < 0.13:
            word = self.pick((3, "UNION ALL"), (2, "UNION"), (2, "INTERSECT"), (2, "EXCEPT"))
            if self.chance.random() < 0.1:
                word = self.chance.choice(["INTERSECT ALL", "EXCEPT ALL"])
            query = SetOperation(word, self.query(kinds, depth - 1), self.query(kinds, depth - 1))
        else:
            query = self.select(kinds, depth)
        if depth < 2 and self.chance.random() < 0.15:
            return self.ordered(query)
        return query

    def ordered(self, query: Query) -> Query:
        """Return the query in an order that is total, and perhaps cut by it."""
        if query.order or isinstance(query, With):
            return query
        positions = list(range(1, len(output_names(query)) + 1))
        self.chance.shuffle(positions)
        nulls = [None, None, "FIRST", "LAST"]
        order = tuple(
            Order(position, self.chance.random() < 0.4, self.chance.choice(nulls))
            for position in positions
        )
        limit = self.pick((6, None), (3, 1), (6, 3), (6, 6), (0.5, 0))
        query = replace(query, order=order, limit=limit)
        if limit and isinstance(query, Select) and self.chance.random() < 0.3:
            return replace(query, offset=self.chance.choice([0, 1, 2]))
        return query

    def select(self, kinds: Sequence[str], depth: int) -> Select:
        source = self.source(depth)
        make_one = self.pick(
            (6, self.plain),
            (2, self.grouped),
            (1, self.distinct),
            (0.5, self.distinct_on),
            (1.5, self.windowed),
            (0.4, self.counted_limit),
        )
        return make_one(kinds, source, depth)

    def where(self, source: Relation, depth: int) -> Expr | None:
        if self.chance.random() < 0.5:
            return None
        scope = Scope(source.columns, has_subqueries=depth > 0)
        where = self.expr("bool", scope, self.pick((3, 1), (3, 2), (1, 3)))
        if depth > 0 and self.chance.random() < 0.15:
            # As a term of its own it is planned as a semi or anti join.
            return conjunction(where, self.in_subquery(scope))
        return where

    def plain(self, kinds: Sequence[str], source: Relation, depth: int) -> Select:
        scope = Scope(source.columns, has_subqueries=depth > 0)
        exprs = [self.expr(kind, scope, self.pick((3, 0), (2, 1), (2, 2))) for kind in kinds]
        return Select(self.items(exprs), source.node, self.where(source, depth))

    def items(self, exprs: Sequence[Expr]) -> tuple[Item, ...]:
        return tuple(Item(expr, self.name(n)) for n, expr in enumerate(exprs))

    def distinct(self, kinds: Sequence[str], source: Relation, depth: int) -> Select:
        return replace(self.plain(kinds, source, depth), distinct=True)

    def distinct_on(self, kinds: Sequence[str], source: Relation, depth: int) -> Select:
        """Keep one row of each value of the first column, under a total order."""
        plain = self.plain(kinds, source, depth)
        if plain.items[0].expr.tag == "literal":
            return replace(plain, distinct=True)
        order = tuple(
            Order(position, self.chance.random() < 0.4) for position in range(1, len(kinds) + 1)
        )
        return replace(plain, distinct_on=1, order=order)

    def counted_limit(self, kinds: Sequence[str], source: Relation, depth: int) -> Select:
        """Cut rows that are all the same, in no order: only their number shows."""
        exprs = [self.literal(kind, null=0.0) for kind in kinds]
        where = self.where(source, 0)
        limit = self.chance.choice([1, 2, 3, 5])
        return Select(self.items(exprs), source.node, where, limit=limit)

    # -- subqueries --------------------------------------------------------------------------------

    def inner(self, outer: Sequence[Expr], *, equal: bool) -> tuple[Relation, Expr | None]:
        """Return a FROM clause and a filter, which may compare with the statement around it."""
        source = self.table() if self.chance.random() < 0.8 else self.source(1)
        own = None
        if self.chance.random() < 0.6:
            own = self.expr("bool", Scope(source.columns, has_subqueries=False), 1)
        if not outer:
            return source, own
        if equal or self.chance.random() < 0.6:
            pairs = [(a, b) for a in qualified(source.columns) for b in outer if a.kind == b.kind]
            calm = [pair for pair in pairs if pair[0].bound and pair[1].bound]
            if not pairs:
                return source, own
            a, b = self.chance.choice(calm or pairs)
            return source, conjunction(make("bool", "({0} = {1})", a, b), own)
        both = Scope((*qualified(source.columns), *outer), has_subqueries=False)
        return source, conjunction(self.expr("bool", both, 1), own)

    def outer(self, scope: Scope, share: float) -> tuple[Expr, ...]:
        found = [each for each in qualified(scope.columns) if each.tag == "column"]
        return tuple(found) if self.chance.random() < share else ()

    def scalar_subquery(self, kind: str, scope: Scope) -> Expr:
        """Return a subquery of exactly one row: an aggregate."""
        source, where = self.inner(self.outer(scope, 0.4), equal=True)
        inner = Scope(source.columns, has_subqueries=False)
        found = self.aggregate(kind, inner)
        query = Select(self.items([found]), source.node, where)
        return make(kind, "({0})", query, tag="scalar_subquery", bound=found.bound)

    def subquery_predicate(self, scope: Scope) -> Expr:
        make_one = self.pick(
            (4, self.in_subquery), (3, self.exists), (1, self.quantified), (2, self.compared)
        )
        return make_one(scope)

    def compared(self, scope: Scope) -> Expr:
        kind = self.kind(scope, among=("int", "int", "float", "text", "date"))
        left = self.expr(kind, scope.without_subqueries(), 1)
        word = self.chance.choice(["=", "<", ">="])
        right = self.scalar_subquery(kind, scope)
        return make("bool", f"({{0}} {word} {{1}})", left, right, tag="compared_subquery")

    def exists(self, scope: Scope) -> Expr:
        source, where = self.inner(self.outer(scope, 0.8), equal=False)
        one = self.literal("int", null=0.0)
        query = Select(self.items([one]), source.node, where)
        word = self.chance.choice(["EXISTS", "NOT EXISTS"])
        return make("bool", f"({word} ({{0}}))", query, tag="exists")

    def in_subquery(self, scope: Scope) -> Expr:
        kind = self.kind(scope, among=("int", "int", "int", "text", "dec", "date", "float"))
        operand = self.expr(kind, scope.without_subqueries(), 1)
        word = self.chance.choice(["IN", "NOT IN"])
        if self.chance.random() < 0.15:
            query = self.query([kind], 1)
        else:
            query = self.column_query(kind, self.outer(scope, 0.15))
        tag = "not_in_subquery" if word == "NOT IN" else "in_subquery"
        return make("bool", f"({{0}} {word} ({{1}}))", operand, query, tag=tag)

    def quantified(self, scope: Scope) -> Expr:
        kind = self.kind(scope, among=("int", "int", "text", "date"))
        operand = self.expr(kind, scope.without_subqueries(), 1)
        word = self.chance.choice(["= ANY", "<> ALL", "> ALL", "<= ANY"])
        query = self.column_query(kind, ())
        return make("bool", f"({{0}} {word} ({{1}}))", operand, query, tag="quantified")

    def column_query(self, kind: str, outer: Sequence[Expr]) -> Select:
        source, where = self.inner(outer, equal=False)
        value = self.expr(kind, Scope(source.columns, has_subqueries=False), 1)
        return Select(self.items([value]), source.node, where)
