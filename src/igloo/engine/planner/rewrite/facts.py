"""What a rule may know about a statement besides its text: types, columns, parameters."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlglot import exp

from igloo.engine.planner.rewrite.syntax import write

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    import pyarrow as pa


@dataclass(slots=True, kw_only=True)
class Facts:
    """What is known about a statement; DataFusion itself is asked for columns and types.

    Attributes:
        plan_schema: plans a query and returns its columns, None where it cannot be planned.
        values: the parameters.
        is_view: whether the text is a view's, whose columns others will use.
        may_cure: whether DataFusion refused the statement as it was written.
        was_asked: whether a rule asked for columns or a type, so that what it did depends on them.
        has_other_names: whether columns of a result come in another order than DataFusion's.
        renamed: columns of results that got another name inside, with the name that they had.
    """

    plan_schema: Callable[[str], pa.Schema | None]
    values: Mapping[str, pa.Scalar[Any]] = field(default_factory=dict)
    is_view: bool = False
    may_cure: bool = False
    renamed: dict[str, str] = field(default_factory=dict)
    was_asked: bool = False
    has_other_names: bool = False
    _schemas: dict[str, pa.Schema | None] = field(default_factory=dict)
    _names_given: int = 0

    def schema_of(self, query: exp.Expr, place: exp.Expr) -> pa.Schema | None:
        """Return the columns of a query that stands at ``place``; None where that is not known.

        A query that refers to what is around it is not known.
        """
        self.was_asked = True
        text = with_common_tables(query, place)
        if text is None:
            return None
        if text not in self._schemas:
            self._schemas[text] = self.plan_schema(text)
        return self._schemas[text]

    def columns_of_source(self, source: exp.Expr, place: exp.Expr) -> pa.Schema | None:
        """Return the columns of one table, subquery or function of a FROM."""
        alone = source.copy()
        for key in ("joins", "laterals"):
            alone.set(key, None)
        return self.schema_of(exp.select("*").from_(alone), place)

    def columns_beside(self, alias: str, select: exp.Select) -> pa.Schema | None:
        """Return the columns of a source that refers to those beside it, as LATERAL does."""
        star = exp.Column(this=exp.Star(), table=exp.to_identifier(alias, quoted=True))
        asked = exp.Select(expressions=[star])
        self._read_as(asked, select)
        return self.schema_of(asked, select) if alias else None

    def type_of(self, expression: exp.Expr, place: exp.Expr) -> pa.DataType | None:
        """Return the type of an expression that stands at ``place``; None where it is not known."""
        select = place.find_ancestor(exp.Select)
        while select is not None:
            type_ = self._type_in(expression, select)
            if type_ is not None:
                return type_
            # It may be of a query around this one.
            select = select.find_ancestor(exp.Select)
        return None

    def _type_in(self, expression: exp.Expr, select: exp.Select) -> pa.DataType | None:
        asked = exp.Select(expressions=[exp.alias_(expression.copy(), "v")])
        self._read_as(asked, select)
        schema = self.schema_of(asked, select)
        return None if schema is None else schema.field(0).type

    @staticmethod
    def _read_as(asked: exp.Select, select: exp.Select) -> None:
        for key in ("from_", "joins", "laterals"):
            value = select.args.get(key)
            if value is not None:
                copied = [v.copy() for v in value] if isinstance(value, list) else value.copy()
                asked.set(key, copied)

    def value_of(self, placeholder: exp.Expr) -> pa.Scalar[Any] | None:
        """Return the value of a parameter; None for what is no parameter, or has no value."""
        if not isinstance(placeholder, exp.Parameter | exp.Placeholder):
            return None
        return self.values.get(str(placeholder.name))

    def original_names(self, names: Iterable[str]) -> tuple[str, ...]:
        """Return the names that columns of the result had before they were given others."""
        return tuple(self.renamed.get(name, name) for name in names)

    def new_name(self, tree: exp.Expr) -> str:
        """Return a name that the statement does not use."""
        used = {identifier.name.lower() for identifier in tree.root().find_all(exp.Identifier)}
        while True:
            self._names_given += 1
            name = f"__igloo_{self._names_given}"
            if name not in used:
                return name


def with_common_tables(query: exp.Expr, place: exp.Expr) -> str | None:
    """Return a query as a text that stands alone, with what WITH names at ``place``.

    None where a common table may refer to itself, or hides another one of its name.
    """
    own = query.args.get("with_")
    if _is_recursive(place):
        return None
    visible = _visible(place.parent if query is place else place)
    visible += own.expressions if own is not None else []
    names = [common.alias.lower() for common in visible]
    if len(set(names)) < len(names):
        return None
    if own is not None:
        query = query.copy()
        query.set("with_", None)
    visible = _needed(query, visible)
    if not visible:
        return write(query)
    above = [common.parent for common in visible]
    is_recursive = any(_is_recursive(common) for common in above)
    tables = ", ".join(write(common) for common in visible)
    return f"WITH {'RECURSIVE ' if is_recursive else ''}{tables} {write(query)}"


def _needed(query: exp.Expr, visible: list[exp.CTE]) -> list[exp.CTE]:
    """Return the common tables that a query names, itself or through another one."""
    names = _tables_in(query)
    needed: list[exp.CTE] = []
    for common in reversed(visible):
        if common.alias.lower() in names:
            needed.insert(0, common)
            names |= _tables_in(common)
    return needed


def _tables_in(tree: exp.Expr) -> set[str]:
    return {table.name.lower() for table in tree.find_all(exp.Table)}


def _is_recursive(place: exp.Expr | None) -> bool:
    """Return whether a place is inside of ``WITH RECURSIVE``, where names may mean themselves."""
    while place is not None and not isinstance(place, exp.With):
        place = place.parent
    return place is not None and bool(place.args.get("recursive"))


def _visible(place: exp.Expr | None) -> list[exp.CTE]:
    """Return the common tables that are in reach, outer ones first."""
    visible: list[exp.CTE] = []
    inside: exp.Expr | None = None
    while place is not None:
        if isinstance(place, exp.With):
            before = [common for common in place.expressions if common is not inside]
            visible[:0] = before[: inside.index if inside is not None else 0]
        with_ = place.args.get("with_")
        if with_ is not None and with_ is not inside:
            visible[:0] = with_.expressions
        inside, place = place, place.parent
    return visible
