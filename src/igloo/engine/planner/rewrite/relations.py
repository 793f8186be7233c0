"""What a SELECT reads: its tables, their columns, and which columns USING and NATURAL merge."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlglot import exp

from igloo.engine.planner.rewrite.places import folded, quoted
from igloo.engine.planner.rewrite.syntax import CannotRewrite

if TYPE_CHECKING:
    from igloo.engine.planner.rewrite.facts import Facts


@dataclass(slots=True)
class Source:
    """One table, subquery or function that a SELECT reads.

    Attributes:
        node: where it stands in the tree.
        alias: what its columns are qualified with.
        names: its columns, by the name that the statement uses; the value is its name now.
        is_dependent: whether it refers to those beside it, as LATERAL does.
    """

    node: exp.Expr
    alias: str
    names: dict[str, str]
    is_dependent: bool = False

    def column(self, name: str) -> exp.Column:
        """Return a reference to one of its columns."""
        return exp.Column(this=quoted(self.names[name]), table=quoted(self.alias))


@dataclass(slots=True)
class Shown:
    """A column of a relation, as ``SELECT *`` shows it."""

    name: str
    parts: list[tuple[Source, str]]

    def expression(self) -> exp.Expr:
        """Return its value: of merged columns, the first that is not NULL."""
        columns = [source.column(name) for source, name in self.parts]
        if len(columns) == 1:
            return columns[0]
        return exp.Anonymous(this="coalesce", expressions=columns)


@dataclass(slots=True)
class Relation:
    """What a FROM gives.

    Attributes:
        sources: in order.
        shown: the columns that ``SELECT *`` shows, in order.
        joins: the joins, each with the columns that USING or NATURAL compares.
        has_outer: whether one of the joins keeps rows without a partner.
        is_merging: whether one merges columns as DataFusion would not.
    """

    sources: list[Source] = field(default_factory=list)
    shown: list[Shown] = field(default_factory=list)
    joins: list[tuple[exp.Join, list[tuple[Shown, Shown]]]] = field(default_factory=list)
    has_outer: bool = False

    @property
    def has_repeated_names(self) -> bool:
        """Whether two sources have a column of one name."""
        names = [name for source in self.sources for name in source.names]
        return len(set(names)) < len(names)

    @property
    def has_merged(self) -> bool:
        """Whether columns are merged at all."""
        return any(pairs for _, pairs in self.joins)

    @property
    def is_reordered(self) -> bool:
        """Whether ``SELECT *`` shows merged columns first, which DataFusion does not."""
        gone = {
            (id(source), name)
            for _, pairs in self.joins
            for _, right in pairs
            for source, name in right.parts
        }
        in_place = [n for s in self.sources for n in s.names if (id(s), n) not in gone]
        return self.has_merged and in_place != [shown.name for shown in self.shown]

    @property
    def is_merging(self) -> bool:
        """Whether columns are merged in a way that DataFusion gets wrong, or refuses."""
        merging = [join for join, pairs in self.joins if pairs]
        return len(merging) > 1 or any(join.side in {"RIGHT", "FULL"} for join in merging)

    def source(self, alias: str) -> Source | None:
        """Return the source of a name."""
        return next((source for source in self.sources if source.alias == alias), None)

    def named(self, name: str) -> list[Shown]:
        """Return the columns that an unqualified name may mean."""
        return [shown for shown in self.shown if shown.name == name]


def read_relation(select: exp.Select, facts: Facts) -> Relation:
    """Return what a SELECT reads.

    Raises:
        CannotRewrite: the columns of a source are not known.
    """
    from_ = select.args.get("from_")
    if from_ is None:
        return Relation()
    relation = _read(from_.this, select, facts)
    _join_all(relation, select.args.get("joins") or [], select, facts)
    for lateral in select.args.get("laterals") or []:
        _add(relation, _leaf(lateral, select, facts))
    aliases = [source.alias for source in relation.sources]
    if len(set(aliases)) < len(aliases):
        raise CannotRewrite("two of its tables have one name")
    return relation


def _read(node: exp.Expr, select: exp.Select, facts: Facts) -> Relation:
    if isinstance(node, exp.Subquery | exp.Paren) and not node.alias and not _is_query(node):
        relation = _read(node.this, select, facts)
        _join_all(relation, node.args.get("joins") or [], select, facts)
        return relation
    relation = Relation()
    _add(relation, _leaf(node, select, facts))
    _join_all(relation, node.args.get("joins") or [], select, facts)
    return relation


def _is_query(node: exp.Expr) -> bool:
    inner = node.this
    while isinstance(inner, exp.Subquery | exp.Paren) and not inner.alias:
        inner = inner.this
    return isinstance(inner, exp.Query) and not isinstance(inner, exp.Subquery)


def _add(relation: Relation, source: Source) -> None:
    relation.sources.append(source)
    relation.shown += [Shown(name, [(source, name)]) for name in source.names]


def _leaf(node: exp.Expr, select: exp.Select, facts: Facts) -> Source:
    alias = alias_of(node)
    schema = facts.columns_of_source(node, select)
    is_dependent = schema is None
    if schema is None:
        schema = facts.columns_beside(alias, select)
    if schema is None or len(set(schema.names)) < len(schema.names):
        raise CannotRewrite(f'the columns of "{alias}" are not known')
    return Source(node, alias, {name: name for name in schema.names}, is_dependent)


def alias_of(node: exp.Expr) -> str:
    """Return the name that the columns of a source are qualified with."""
    alias = node.args.get("alias")
    if isinstance(alias, exp.TableAlias) and alias.this is not None:
        return folded(alias.this)
    return folded(node.this) if isinstance(node, exp.Table) else ""


def _join_all(relation: Relation, joins: list[exp.Join], select: exp.Select, facts: Facts) -> None:
    for join in joins:
        _join(relation, join, _read(join.this, select, facts))


def _join(relation: Relation, join: exp.Join, right: Relation) -> None:
    pairs = _pairs(relation, join, right)
    merged = [_merged(join, left, other) for left, other in pairs]
    taken = {id(shown) for pair in pairs for shown in pair}
    rest = [shown for shown in relation.shown + right.shown if id(shown) not in taken]
    if join.kind in {"SEMI", "ANTI"}:
        kept = right.shown if join.side == "RIGHT" else relation.shown
        rest, merged = kept, []
    relation.shown = merged + rest
    relation.sources += right.sources
    relation.joins += [*right.joins, (join, pairs)]
    is_outer = join.side in {"LEFT", "RIGHT", "FULL"} and join.kind not in {"SEMI", "ANTI"}
    relation.has_outer = relation.has_outer or right.has_outer or is_outer


def _pairs(relation: Relation, join: exp.Join, right: Relation) -> list[tuple[Shown, Shown]]:
    using = join.args.get("using")
    if using:
        names = [folded(item.this if isinstance(item, exp.Column) else item) for item in using]
    elif join.method == "NATURAL":
        others = {shown.name for shown in right.shown}
        names = list(dict.fromkeys(s.name for s in relation.shown if s.name in others))
    else:
        return []
    pairs: list[tuple[Shown, Shown]] = []
    for name in names:
        left, other = relation.named(name), right.named(name)
        if len(left) != 1 or len(other) != 1:
            raise CannotRewrite(f'"{name}" is not one column on each side of a join')
        pairs.append((left[0], other[0]))
    return pairs


def _merged(join: exp.Join, left: Shown, right: Shown) -> Shown:
    match join.side:
        case "FULL":
            return Shown(left.name, left.parts + right.parts)
        case "RIGHT":
            return Shown(left.name, right.parts)
    return left if len(left.parts) == 1 else Shown(left.name, left.parts)
