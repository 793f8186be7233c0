"""Reads a statement into a tree and writes it back, word for word but for what was changed.

DataFusion's SQL is nobody else's, so sqlglot's own way of writing may change a type or drop a
word. Each part of the tree therefore remembers where it stood in the text, and is written as that
text for as long as nothing in it has changed. What has changed is written anew if it is of a kind
that is known to come out right, and refused otherwise.
"""

from __future__ import annotations

import contextlib
import sys
import threading
from typing import TYPE_CHECKING, Any, ClassVar

from sqlglot import exp
from sqlglot.dialects.postgres import Postgres
from sqlglot.errors import SqlglotError
from sqlglot.generator import Generator
from sqlglot.parsers.postgres import PostgresParser

from igloo.errors import NotSupported

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from igloo.engine.planner.tokens import Tokens

#: Frames of Python that the deepest statement may need; it takes some twenty for each bracket.
_FRAMES_MAX = 20_000

_SOURCE = "source"


class CannotRewrite(Exception):
    """What stands in the statement is of no kind that can be written anew."""


def parse(tokens: Tokens) -> exp.Expr:
    """Return the tree of a query.

    Raises:
        CannotRewrite: the text is no query that can be read.
    """
    try:
        with _deep_recursion():
            trees = _DIALECT.parser().parse(list(tokens.tokens), tokens.text)
    except (SqlglotError, RecursionError) as error:
        raise CannotRewrite("it cannot be read") from error
    tree = trees[0] if len(trees) == 1 else None
    if not isinstance(tree, exp.Query | exp.Values):
        raise CannotRewrite("it is no query")
    for operation in tree.find_all(exp.SetOperation):
        # The parser gives what stands behind the last SELECT to the whole, after it was noted.
        for side in (operation.this, operation.expression):
            if not isinstance(side, exp.Subquery):
                side.meta.pop(_SOURCE, None)
    hash(tree)
    for node in tree.walk():
        if _SOURCE in node.meta:
            node.meta[_SOURCE] = (*node.meta[_SOURCE], hash(node))
    return tree


def write(tree: exp.Expr) -> str:
    """Return the text of a tree.

    Raises:
        CannotRewrite: a part that has changed is of a kind that may come out wrong.
    """
    hash(tree)
    try:
        with _deep_recursion():
            return str(_DIALECT.generator(comments=False, normalize_functions=False).sql(tree))
    except (RecursionError, ValueError) as error:
        raise CannotRewrite("it is nested too deeply") from error


def refused(why: str) -> NotSupported:
    """Return the error for a statement that cannot be answered right."""
    return NotSupported(
        f"This SQL would be answered wrongly as it is written, and cannot be rewritten: {why}.",
        hint="Split it into views, or give columns of joined tables different names with AS.",
    )


def _remembering(method: Callable[..., Any]) -> Callable[..., Any]:
    """Return a method of the parser that notes where in the text its node stands."""

    def parse_and_note(self: Any, this: Any = None, *arguments: Any, **options: Any) -> Any:
        start = self._index
        if isinstance(this, exp.Expr):
            if _SOURCE not in this.meta:
                return method(self, this, *arguments, **options)
            first = this.meta[_SOURCE][1]
            node = method(self, this, *arguments, **options)
        else:
            first = self._tokens[start].start if start < len(self._tokens) else 0
            node = (
                method(self, *arguments, **options)
                if this is None
                else method(self, this, *arguments, **options)
            )
        if isinstance(node, exp.Expr) and self._index > start:
            last = self._tokens[self._index - 1].end
            node.meta[_SOURCE] = (self.sql[first : last + 1], first)
        return node

    return parse_and_note


class _Parser(PostgresParser):
    #: Functions keep their names: none is taken for another one, or for an operator.
    FUNCTIONS: ClassVar[dict[str, Any]] = {}


#: What these read is remembered. What a later step takes away from it again is not among them.
_REMEMBERED = (
    *("_parse_equality", "_parse_range", "_parse_bitwise", "_parse_unary", "_parse_expression"),
    *("_parse_types", "_parse_ordered", "_parse_table", "_parse_select", "_parse_window"),
    "_parse_id_var",
)
for _name in _REMEMBERED:
    setattr(_Parser, _name, _remembering(getattr(PostgresParser, _name)))


class _Generator(Generator):
    """Writes kept text as it is, and of the rest only kinds that come out right."""

    def sql(self, expression: Any, key: str | None = None, comment: bool = True) -> str:  # noqa: FBT001, FBT002 - sqlglot's
        node = expression.args.get(key) if key and isinstance(expression, exp.Expr) else expression
        if not isinstance(node, exp.Expr):
            return str(super().sql(expression, key, comment))
        source = node.meta.get(_SOURCE)
        if source is not None and len(source) == 3 and source[2] == hash(node):
            return str(source[0])
        if type(node) not in _WRITTEN:
            raise CannotRewrite(f"it has {type(node).__name__} around what has to change")
        return str(super().sql(node, None, comment))

    def regexplike_sql(self, expression: exp.RegexpLike) -> str:
        return self.binary(expression, "~")

    def regexpilike_sql(self, expression: exp.RegexpILike) -> str:
        return self.binary(expression, "~*")

    def not_sql(self, expression: exp.Not) -> str:
        return f"(NOT {self.sql(expression, 'this')})"


class _Dialect(Postgres):
    Parser = _Parser
    Generator = _Generator  # type: ignore[assignment] # PostgreSQL's own would change words


_DIALECT = _Dialect()

_WRITTEN = {
    *(exp.Select, exp.Subquery, exp.CTE, exp.With, exp.Union, exp.Intersect, exp.Except),
    *(exp.From, exp.Join, exp.Table, exp.TableAlias, exp.Lateral, exp.Where, exp.Group),
    *(exp.Having, exp.Qualify, exp.Order, exp.Ordered, exp.Limit, exp.Offset, exp.Distinct),
    *(exp.Alias, exp.Column, exp.Identifier, exp.Star, exp.Literal, exp.Null, exp.Boolean),
    *(exp.And, exp.Or, exp.Not, exp.Paren, exp.Tuple, exp.In, exp.Exists, exp.Any, exp.All),
    *(exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE, exp.Is, exp.Between),
    *(exp.NullSafeEQ, exp.NullSafeNEQ, exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Mod, exp.Neg),
    *(exp.DPipe, exp.Case, exp.If, exp.Cast, exp.TryCast, exp.DataType, exp.Anonymous),
    *(exp.Filter, exp.Window, exp.Like, exp.ILike, exp.Values, exp.Interval, exp.RegexpLike),
    exp.RegexpILike,
    *(exp.DataTypeParam, exp.Var, exp.Parameter, exp.Placeholder, exp.Rollup, exp.Cube),
    *(exp.GroupingSets, exp.WithinGroup, exp.WindowSpec, exp.Coalesce, exp.RowNumber, exp.Count),
}

_lock = threading.Lock()
_deep = [0, 0]


@contextlib.contextmanager
def _deep_recursion() -> Iterator[None]:
    """Let Python recurse as deep as a statement may nest; its frames are not on the C stack."""
    with _lock:
        if _deep[0] == 0:
            _deep[1] = sys.getrecursionlimit()
            sys.setrecursionlimit(max(_FRAMES_MAX, _deep[1]))
        _deep[0] += 1
    try:
        yield
    finally:
        with _lock:
            _deep[0] -= 1
            if _deep[0] == 0:
                sys.setrecursionlimit(_deep[1])
