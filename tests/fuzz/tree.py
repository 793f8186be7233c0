"""A statement as a tree of frozen nodes, which can be walked, changed and spelt.

An expression is a template and its parts: that is all that generating, spelling and shrinking need.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

#: How to reach a node: names of fields and positions in tuples, from the root.
Path = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Expr:
    """A typed expression.

    ``form`` spells it, with ``{0}`` for the first part. ``bound`` is how large its numbers can
    get, if that is known to be harmless: only such numbers are computed with, because engines
    differ in what they do at the limits of a type. For texts and times it tells the same: 0 for
    plain ASCII and for years near to our own, None for anything.
    """

    kind: str
    form: str
    parts: tuple[Any, ...] = ()
    tag: str = ""
    bound: int | None = None


@dataclass(frozen=True, slots=True)
class Item:
    expr: Expr
    name: str


@dataclass(frozen=True, slots=True)
class Order:
    """One term of ORDER BY: an output column, counted from 1."""

    position: int
    descending: bool = False
    nulls: str | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """A base table or a common table expression."""

    name: str
    alias: str


@dataclass(frozen=True, slots=True)
class Derived:
    query: Any
    alias: str
    lateral: bool = False


@dataclass(frozen=True, slots=True)
class Values:
    rows: tuple[tuple[Expr, ...], ...]
    alias: str
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Join:
    """``kind`` is the SQL before the word JOIN; ``condition`` is None for CROSS and NATURAL."""

    kind: str
    left: Any
    right: Any
    condition: Expr | None = None
    using: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Select:
    items: tuple[Item, ...]
    source: Any
    where: Expr | None = None
    group: tuple[Expr, ...] = ()
    #: ROLLUP, CUBE or GROUPING SETS; the sets hold positions in ``group``.
    grouping: str = ""
    sets: tuple[tuple[int, ...], ...] = ()
    having: Expr | None = None
    distinct: bool = False
    #: DISTINCT ON the first so many output columns.
    distinct_on: int = 0
    order: tuple[Order, ...] = ()
    limit: int | None = None
    offset: int | None = None


@dataclass(frozen=True, slots=True)
class SetOperation:
    operator: str
    left: Any
    right: Any
    order: tuple[Order, ...] = ()
    limit: int | None = None


@dataclass(frozen=True, slots=True)
class With:
    names: tuple[str, ...]
    queries: tuple[Any, ...]
    body: Any


Query = Select | SetOperation | With


def walk(node: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Yield every node and every tuple below and including ``node``, outermost first."""
    yield path, node
    if dataclasses.is_dataclass(node):
        for field in dataclasses.fields(node):
            value = getattr(node, field.name)
            if isinstance(value, tuple) or dataclasses.is_dataclass(value):
                yield from walk(value, (*path, field.name))
    elif isinstance(node, tuple):
        for position, value in enumerate(node):
            if isinstance(value, tuple) or dataclasses.is_dataclass(value):
                yield from walk(value, (*path, position))


def nodes(node: Any, type_: type) -> Iterator[Any]:
    """Yield the nodes of one type."""
    return (each for _, each in walk(node) if isinstance(each, type_))


def replaced(node: Any, path: Path, new: Any) -> Any:
    """Return the tree with another node at ``path``."""
    if not path:
        return new
    step, *rest = path
    if isinstance(node, tuple):
        return (*node[:step], replaced(node[step], tuple(rest), new), *node[step + 1 :])
    return dataclasses.replace(node, **{step: replaced(getattr(node, step), tuple(rest), new)})


def size(node: Any) -> int:
    """Return how many nodes a tree has."""
    return sum(1 for _, each in walk(node) if dataclasses.is_dataclass(each))


def output_names(query: Query) -> list[str]:
    return [item.name for item in first_select(query).items]


def first_select(query: Query) -> Select:
    """Return the SELECT that names the columns."""
    while not isinstance(query, Select):
        query = query.body if isinstance(query, With) else query.left
    return query


def output_kinds(query: Query) -> list[str]:
    return [item.expr.kind for item in first_select(query).items]


def is_settled(query: Any) -> bool:
    """Whether every LIMIT and DISTINCT ON below has one answer only."""
    for each in nodes(query, Select | SetOperation):
        keeps_some = each.limit is not None or getattr(each, "distinct_on", 0)
        items = first_select(each).items
        if keeps_some and not (is_ordered(each) or all(i.expr.tag == "literal" for i in items)):
            return False
    return True


def is_ordered(query: Query) -> bool:
    """Whether the answer comes in one order only."""
    query = query.body if isinstance(query, With) else query
    positions = {order.position for order in query.order}
    return positions == set(range(1, len(output_names(query)) + 1))
