"""Trees as SQL text, for each engine.

The text is the same everywhere, but for the names of tables and for ``FORMS``: what is written in
another way to mean the same, because docs/reference/sql-differences.md says that it differs.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from fuzz.tree import (
    Derived,
    Expr,
    Item,
    Join,
    Order,
    Query,
    Select,
    SetOperation,
    Table,
    Values,
    With,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

#: By kind and form.
FORMS: dict[str, dict[tuple[str, str], str]] = {
    "igloo": {},
    "postgres": {
        # Averages of integers are float8 in Igloo, and numeric in PostgreSQL.
        ("float", "avg({0})"): "avg(CAST({0} AS double precision))",
        # Sums of bigint are bigint in Igloo, and numeric in PostgreSQL, where they divide as such.
        ("int", "({0} / {1})"): "(CAST({0} AS bigint) / {1})",
    },
    "duckdb": {},
}


@dataclass(frozen=True, slots=True)
class Speller:
    """Spells trees; ``tables`` has the full names of base tables."""

    forms: Mapping[tuple[str, str], str] = field(default_factory=dict)
    tables: Mapping[str, str] = field(default_factory=dict)

    def query(self, query: Query) -> str:
        if isinstance(query, With):
            named = zip(query.names, query.queries, strict=True)
            parts = ", ".join(f"{name} AS ({self.query(each)})" for name, each in named)
            return f"WITH {parts} {self.query(query.body)}"
        if isinstance(query, SetOperation):
            both = f"({self.query(query.left)}) {query.operator} ({self.query(query.right)})"
            return both + self._tail(query)
        return self._select(query) + self._tail(query)

    def expr(self, node: Any) -> str:
        if not isinstance(node, Expr):
            return self.query(node)
        form = self.forms.get((node.kind, node.form), node.form)
        return form.format(*map(self.expr, node.parts)) if node.parts else form

    def source(self, node: Any) -> str:
        if isinstance(node, Table):
            return f"{self.tables.get(node.name, node.name)} AS {node.alias}"
        if isinstance(node, Derived):
            lateral = "LATERAL " if node.lateral else ""
            return f"{lateral}({self.query(node.query)}) AS {node.alias}"
        if isinstance(node, Values):
            rows = ", ".join(f"({', '.join(map(self.expr, row))})" for row in node.rows)
            return f"(VALUES {rows}) AS {node.alias} ({', '.join(node.columns)})"
        return self._join(node)

    def _join(self, join: Join) -> str:
        right = self.source(join.right)
        if isinstance(join.right, Join):
            right = f"({right})"
        text = f"{self.source(join.left)} {join.kind} {right}"
        if join.using:
            return f"{text} USING ({', '.join(join.using)})"
        return text if join.condition is None else f"{text} ON {self.expr(join.condition)}"

    def _select(self, select: Select) -> str:
        words = "SELECT DISTINCT" if select.distinct else "SELECT"
        if select.distinct_on:
            keys = ", ".join(self.expr(item.expr) for item in select.items[: select.distinct_on])
            words = f"SELECT DISTINCT ON ({keys})"
        text = f"{words} {', '.join(map(self._item, select.items))}"
        if select.source is not None:
            text += f" FROM {self.source(select.source)}"
        if select.where is not None:
            text += f" WHERE {self.expr(select.where)}"
        if select.group:
            text += f" GROUP BY {self._group(select)}"
        if select.having is not None:
            text += f" HAVING {self.expr(select.having)}"
        return text

    def _item(self, item: Item) -> str:
        return f"{self.expr(item.expr)} AS {item.name}"

    def _group(self, select: Select) -> str:
        keys = [self.expr(key) for key in select.group]
        if not select.grouping:
            return ", ".join(keys)
        if select.grouping != "GROUPING SETS":
            return f"{select.grouping} ({', '.join(keys)})"
        sets = [", ".join(keys[n] for n in each if n < len(keys)) for each in select.sets]
        return f"GROUPING SETS ({', '.join(f'({each})' for each in sets)})"

    def _tail(self, query: Select | SetOperation) -> str:
        text = f" ORDER BY {', '.join(map(_order, query.order))}" if query.order else ""
        if query.limit is not None:
            text += f" LIMIT {query.limit}"
        if isinstance(query, Select) and query.offset is not None:
            text += f" OFFSET {query.offset}"
        return text


def _order(order: Order) -> str:
    direction = " DESC" if order.descending else ""
    return f"{order.position}{direction}" + (f" NULLS {order.nulls}" if order.nulls else "")


PLAIN = Speller()
