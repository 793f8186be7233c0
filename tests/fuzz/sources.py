"""Random FROM clauses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fuzz.expressions import Expressions
from fuzz.scope import Scope, conjunction, make
from fuzz.tables import DOMAINS, KINDS
from fuzz.tree import Derived, Expr, Join, Select, Table, Values, first_select

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Sequence

    from fuzz.tables import TableData
    from fuzz.tree import Query


@dataclass(frozen=True, slots=True)
class Relation:
    """A part of a FROM clause: its columns, and those by which its rows have one order only.

    ``is_unique`` says that no two rows have the same key; otherwise such rows are the same in
    every column.
    """

    node: Any
    columns: tuple[Expr, ...]
    key: tuple[Expr, ...]
    is_unique: bool = False


def column(kind: str, name: str, bound: int | None) -> Expr:
    return Expr(kind, name, (), "column", bound)


class Sources(Expressions):
    """Gives FROM clauses of tables, subqueries, VALUES and common table expressions, joined."""

    query: Callable[..., Query]

    def __init__(self, chance: random.Random, tables: Sequence[TableData]) -> None:
        super().__init__(chance)
        self.tables = tables
        self.named: list[tuple[str, Query]] = []
        self.aliases = 0
        self.has_plain_names = chance.random() < 0.3

    def alias(self) -> str:
        self.aliases += 1
        return f"r{self.aliases}"

    def name(self, position: int) -> str:
        """Return a name for an output column; short ones repeat from subquery to subquery."""
        if self.has_plain_names:
            return f"c{position}"
        self.aliases += 1
        return f"c{self.aliases}"

    def relation(self, depth: int) -> Relation:
        if self.named and self.chance.random() < 0.5:
            name, query = self.chance.choice(self.named)
            alias = self.alias()
            return self.outputs(Table(name, alias), alias, query)
        if depth > 0 and self.chance.random() < 0.22:
            return self.derived(depth)
        if self.chance.random() < 0.05:
            return self.values()
        return self.table()

    def table(self) -> Relation:
        table = self.chance.choice(self.tables)
        alias = self.alias()
        domains = [(name, DOMAINS[letter]) for name, letter in table.columns]
        columns = tuple(column(d.kind, f"{alias}.{name}", d.bound) for name, d in domains)
        return Relation(Table(table.name, alias), columns, columns[:1], is_unique=True)

    def derived(self, depth: int) -> Relation:
        kinds = self.kinds(self.chance.randint(1, 3))
        query = self.query(kinds, depth - 1)
        alias = self.alias()
        return self.outputs(Derived(query, alias), alias, query)

    def outputs(self, node: Any, alias: str, query: Query) -> Relation:
        items = first_select(query).items
        columns = tuple(
            column(item.expr.kind, f"{alias}.{item.name}", self.bound_of(query, position))
            for position, item in enumerate(items)
        )
        return Relation(node, columns, columns)

    def bound_of(self, query: Query, position: int) -> int | None:
        """Return what is known of an output column in every branch of set operations."""
        if isinstance(query, Select):
            return query.items[position].expr.bound
        branches = [query.body] if hasattr(query, "body") else [query.left, query.right]
        bounds = [self.bound_of(branch, position) for branch in branches]
        return None if None in bounds else max(bounds)

    def values(self) -> Relation:
        kinds = self.kinds(self.chance.randint(1, 2))
        rows = tuple(
            tuple(self.literal(kind, null=0.25) for kind in kinds)
            for _ in range(self.chance.randint(1, 4))
        )
        alias = self.alias()
        names = tuple(self.name(n) for n in range(len(kinds)))
        columns = []
        for n, (kind, name) in enumerate(zip(kinds, names, strict=True)):
            bounds = [row[n].bound for row in rows]
            columns.append(column(kind, f"{alias}.{name}", None if None in bounds else max(bounds)))
        return Relation(Values(rows, alias, names), tuple(columns), tuple(columns))

    def kinds(self, count: int) -> list[str]:
        """Return some kinds, most often such as the tables have."""
        known = [DOMAINS[letter].kind for table in self.tables for _, letter in table.columns]
        return self.chance.choices([*KINDS, *known], k=count)

    # -- joins -------------------------------------------------------------------------------------

    def source(self, depth: int) -> Relation:
        count = self.pick((5, 1), (5, 2), (2, 3)) if depth > 0 else self.pick((7, 1), (3, 2))
        found = self.relation(depth)
        for number in range(1, count):
            only_two = count == 2 and number == 1
            found = self.join(found, self.relation(depth - 1), only_two=only_two)
        return found

    def join(self, left: Relation, right: Relation, *, only_two: bool) -> Relation:
        kind = self.pick((7, ""), (6, "LEFT "), (4, "RIGHT "), (5, "FULL "), (1, "CROSS "))
        columns, key = left.columns + right.columns, left.key + right.key
        is_unique = left.is_unique and right.is_unique
        if kind == "CROSS ":
            node = Join("CROSS JOIN", left.node, right.node)
            return Relation(node, columns, key, is_unique)
        if only_two and self.chance.random() < 0.3:
            using = self.using(kind, left, right)
            if using is not None:
                return using
        pairs = [(a, b) for a in left.columns for b in right.columns if a.kind == b.kind]
        if not pairs and kind == "FULL ":
            # PostgreSQL makes FULL joins of an equality only.
            kind = "LEFT "
        condition = self.condition(kind, Scope(columns), pairs)
        node = Join(f"{kind}JOIN", left.node, right.node, condition)
        return Relation(node, columns, key, is_unique)

    def using(self, kind: str, left: Relation, right: Relation) -> Relation | None:
        """Return a join by names that both have; its merged column has no qualifier."""
        others = {bare(each): each for each in right.columns}
        shared = [each for each in left.columns if bare(each) in others]
        shared = [each for each in shared if others[bare(each)].kind == each.kind]
        if not shared:
            return None
        by = self.chance.choice(shared)
        bounds = (by.bound, others[bare(by)].bound)
        merged = column(by.kind, bare(by), None if None in bounds else max(bounds))
        node = Join(f"{kind}JOIN", left.node, right.node, None, (bare(by),))
        columns = (merged, *left.columns, *right.columns)
        is_unique = left.is_unique and right.is_unique
        return Relation(node, columns, left.key + right.key, is_unique)

    def condition(self, kind: str, scope: Scope, pairs: Sequence[tuple[Expr, Expr]]) -> Expr:
        calm = [pair for pair in pairs if pair[0].kind == "int" and pair[0].bound]
        if not pairs or (kind != "FULL " and self.chance.random() < 0.15):
            return self.expr("bool", scope, 2)
        chosen = self.chance.choice(calm if calm and self.chance.random() < 0.7 else pairs)
        equal = make("bool", "({0} = {1})", *chosen, tag="equi_join")
        if self.chance.random() < 0.7:
            return equal
        extra = scope.without_subqueries() if kind == "FULL " else scope
        return conjunction(equal, self.expr("bool", extra, 1))


def bare(named: Expr) -> str:
    return named.form.rpartition(".")[2]


def qualified(columns: Sequence[Expr]) -> tuple[Expr, ...]:
    """Return the columns that no subquery can take for its own."""
    return tuple(each for each in columns if "." in each.form)
