"""Makes a failing trial small: drops clauses, operands, tables and rows while it still fails."""

from __future__ import annotations

import dataclasses
import itertools
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from fuzz.engines import Layout
from fuzz.tables import TableData, literal
from fuzz.tree import (
    Derived,
    Expr,
    Join,
    Select,
    SetOperation,
    Table,
    Values,
    With,
    is_settled,
    nodes,
    replaced,
    size,
    walk,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fuzz.checks import Trial
    from fuzz.tree import Path

#: A trial that does not get smaller in so many tries stays as it is.
TRIES_MAX = 4000
#: Clauses that a SELECT can do without, and what it then has.
CLAUSES = (
    ("where", None),
    ("having", None),
    ("limit", None),
    ("offset", None),
    ("order", ()),
    ("distinct", False),
    ("distinct_on", 0),
    ("grouping", ""),
    ("group", ()),
)
#: Tuples whose elements may go one by one, and how many must stay.
SEQUENCES = {"items": 1, "group": 0, "sets": 1, "order": 0, "rows": 1}
PLAIN_VALUES: dict[str, Any] = {"int": 1, "float": 1.0, "text": "a", "bool": True}


def shrink(trial: Trial, fails: Callable[[Trial], bool]) -> Trial:
    """Return the smallest trial found that still fails."""
    tries = 0
    is_smaller = True
    while is_smaller and tries < TRIES_MAX:
        is_smaller = False
        for candidate in candidates(trial):
            tries += 1
            if weight(candidate) < weight(trial) and fails(candidate):
                trial, is_smaller = candidate, True
                break
            if tries >= TRIES_MAX:
                break
    return trial


def weight(trial: Trial) -> tuple[int, int, int, int]:
    """Return how much there is to read: the statement counts before the rows."""
    cells = [value for table in trial.tables for row in table.rows for value in row]
    odd = sum(value is not None for value in cells)
    spread = sum(source != "memory" for source in trial.layout.sources.values())
    columns = sum(len(table.columns) for table in trial.tables)
    literals = sum(each.tag != "literal" for each in nodes(trial.check, Expr))
    clauses = sum(len(select.order) for select in nodes(trial.check, Select | SetOperation))
    read = size(trial.check) * 2 + literals + clauses
    return (read, columns + len(cells), spread + (trial.layout.mode != "full"), odd)


def candidates(trial: Trial) -> Iterator[Trial]:
    """Yield trials that are smaller by one thing, those that save most first."""
    yield from fewer_tables(trial)
    for path, node in walk(trial.check):
        if is_order_of_window(trial.check, path):
            continue
        for new in smaller(node):
            candidate = replace(trial, check=replaced(trial.check, path, new))
            if is_settled(candidate.check):
                yield candidate
    yield from fewer_rows(trial)
    yield from nearer(trial)


def is_order_of_window(root: Any, path: Path) -> bool:
    """Whether a node is what a window is partitioned or ordered by, and so decides its answer."""
    node = root
    for step, position in itertools.pairwise((*path, None)):
        if isinstance(node, Expr) and node.tag == "window" and step == "parts" and position != 0:
            return True
        node = node[step] if isinstance(node, tuple) else getattr(node, step)
    return False


# -- statements ------------------------------------------------------------------------------------


def smaller(node: Any) -> Iterator[Any]:
    """Yield nodes that may stand for this one."""
    if isinstance(node, Expr):
        yield from smaller_expr(node)
    elif isinstance(node, Join):
        yield from (node.left, node.right)
    elif isinstance(node, SetOperation):
        yield from (node.left, node.right)
        yield from without_tail(node)
    elif isinstance(node, With):
        yield node.body
        yield from (inlined(node, n) for n in range(len(node.names)))
    elif isinstance(node, Select):
        yield from smaller_select(node)
    if dataclasses.is_dataclass(node):
        yield from shorter(node)


def smaller_expr(node: Expr) -> Iterator[Expr]:
    below = [each for each in nodes(node, Expr) if each is not node and each.kind == node.kind]
    direct = [part for part in node.parts if isinstance(part, Expr) and part.kind == node.kind]
    yield from direct
    if node.tag not in {"literal", "column"}:
        yield from below
    if node.tag != "literal":
        for value in (PLAIN_VALUES.get(node.kind), None):
            if value is not None or node.kind not in PLAIN_VALUES:
                yield Expr(node.kind, literal(node.kind, value), (), "literal", node.bound)
    if len(node.parts) > 2 and node.tag in {"in_list", "and", "or"}:
        yield from (without_part(node, n) for n in range(len(node.parts)))


def without_part(node: Expr, position: int) -> Expr:
    """Return a list or a chain of AND and OR without one of its parts."""
    parts = (*node.parts[:position], *node.parts[position + 1 :])
    if node.tag == "in_list" and position == 0:
        return node
    first = 1 if node.tag == "in_list" else 0
    between = ", " if node.tag == "in_list" else f" {node.tag.upper()} "
    listed = between.join(f"{{{n}}}" for n in range(first, len(parts)))
    if node.tag != "in_list":
        return replace(node, form=f"({listed})", parts=parts)
    word = "NOT IN" if " NOT IN " in node.form else "IN"
    return replace(node, form=f"({{0}} {word} ({listed}))", parts=parts)


def smaller_select(node: Select) -> Iterator[Any]:
    yield from without_tail(node)
    if isinstance(node.source, Derived):
        yield node.source.query
    for each in nodes(node.source, Derived):
        yield each.query


def without_tail(node: Any) -> Iterator[Any]:
    known = {field.name for field in dataclasses.fields(node)}
    for name, nothing in CLAUSES:
        if name in known and getattr(node, name) != nothing:
            yield replace(node, **{name: nothing})
    if known >= {"order", "limit"} and node.order:
        yield replace(node, order=(), limit=None)


def shorter(node: Any) -> Iterator[Any]:
    """Yield the node without one element of one of its lists."""
    for name, least in SEQUENCES.items():
        elements = getattr(node, name, ())
        if isinstance(node, Values | Select | SetOperation) and len(elements) > least:
            for n in range(len(elements)):
                yield replace(node, **{name: (*elements[:n], *elements[n + 1 :])})


def inlined(node: With, position: int) -> Any:
    """Return the statement with one of its named queries where its name stands."""
    name, query = node.names[position], node.queries[position]
    body = node.body
    for path, each in list(walk(body)):
        if isinstance(each, Table) and each.name == name:
            body = replaced(body, path, Derived(query, each.alias))
    names = (*node.names[:position], *node.names[position + 1 :])
    queries = (*node.queries[:position], *node.queries[position + 1 :])
    return replace(node, names=names, queries=queries, body=body) if names else body


# -- tables ----------------------------------------------------------------------------------------


def fewer_tables(trial: Trial) -> Iterator[Trial]:
    used = {table.name for table in nodes(trial.check, Table)}
    kept = tuple(table for table in trial.tables if table.name in used)
    if len(kept) < len(trial.tables):
        yield with_tables(trial, kept)


def fewer_rows(trial: Trial) -> Iterator[Trial]:
    for n, table in enumerate(trial.tables):
        for smaller_table in fewer(table):
            tables = (*trial.tables[:n], smaller_table, *trial.tables[n + 1 :])
            yield with_tables(trial, tables)


def fewer(table: TableData) -> Iterator[TableData]:
    half = len(table.rows) // 2
    if half:
        yield replace(table, rows=table.rows[:half])
        yield replace(table, rows=table.rows[half:])
    for n in range(len(table.rows)):
        yield replace(table, rows=(*table.rows[:n], *table.rows[n + 1 :]))
    for n in range(1, len(table.columns)):
        yield without_column(table, n)
    for n, row in enumerate(table.rows):
        for m in range(1, len(row)):
            if row[m] is not None:
                plain = (*row[:m], None, *row[m + 1 :])
                yield replace(table, rows=(*table.rows[:n], plain, *table.rows[n + 1 :]))


def without_column(table: TableData, position: int) -> TableData:
    return replace(
        table,
        columns=(*table.columns[:position], *table.columns[position + 1 :]),
        rows=tuple((*row[:position], *row[position + 1 :]) for row in table.rows),
    )


def with_tables(trial: Trial, tables: tuple[TableData, ...]) -> Trial:
    sources = {table.name: trial.layout.sources.get(table.name, "memory") for table in tables}
    return replace(trial, tables=tables, layout=Layout(sources, trial.layout.mode))


def nearer(trial: Trial) -> Iterator[Trial]:
    """Yield the trial with all tables in memory, then with one of them, and without a mode."""
    sources = trial.layout.sources
    everywhere = dict.fromkeys(sources, "memory")
    yield replace(trial, layout=Layout(everywhere, trial.layout.mode))
    for name in sources:
        yield replace(trial, layout=Layout({**sources, name: "memory"}, trial.layout.mode))
    yield replace(trial, layout=Layout(sources))
