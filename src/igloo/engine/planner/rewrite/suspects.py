"""Asks the tokens whether a statement may need a rule, so that most are never parsed."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from igloo.engine.planner.rewrite.places import AGGREGATES
from igloo.engine.planner.tokens import TokenType

if TYPE_CHECKING:
    from collections.abc import Iterator

    from igloo.engine.planner.tokens import Tokens

_CLAUSES = frozenset(
    [
        "SELECT",
        "FROM",
        "WHERE",
        "GROUP",
        "HAVING",
        "ORDER",
        "LIMIT",
        "OFFSET",
        "QUALIFY",
        "WINDOW",
        "ON",
        "USING",
        "JOIN",
        "UNION",
        "INTERSECT",
        "EXCEPT",
        "VALUES",
        "WITH",
        "LEFT",
        "RIGHT",
        "FULL",
        "INNER",
        "CROSS",
        "NATURAL",
    ]
)
_QUERIES = frozenset({"SELECT", "WITH", "VALUES", "TABLE", "FROM", "("})
_PLAIN = frozenset({",", "-", "+", "TRUE", "FALSE", "(", ")"})
#: Words after which a condition is no longer a bare term of an AND.
_CONNECTIVES = frozenset({"OR", "CASE", "IS", "BETWEEN"})


@dataclass(slots=True)
class _Clause:
    """The clause that is being read inside of one pair of brackets."""

    word: str = ""
    has_subquery: bool = False
    has_connective: bool = False


def has_awkward_subquery(tokens: Tokens) -> bool:
    """Return whether ``IN (SELECT …)`` may stand elsewhere than as a bare term of WHERE."""
    return any(_awkward(tokens))


def _awkward(tokens: Tokens) -> Iterator[bool]:
    levels = [_Clause()]
    for index in range(len(tokens.tokens)):
        word = tokens.word(index)
        clause = levels[-1]
        if word == "(":
            levels.append(_Clause())
        elif word == ")":
            yield _is_mixed(clause)
            if len(levels) > 1:
                levels.pop()
        elif word in _CLAUSES:
            yield _is_mixed(clause)
            # FILTER (WHERE …) wants a value: it is no clause of a query.
            is_filter = word == "WHERE" and tokens.word(index - 1) == "("
            levels[-1] = _Clause("FILTER" if is_filter else word)
        elif word in _CONNECTIVES and not _is_null_test(tokens, index):
            clause.has_connective = True
        elif word in {"IN", "ANY", "SOME", "ALL"} and _opens_query(tokens, index):
            clause.has_subquery = True
            # A correlated NOT IN is wrong even as a bare term, and tokens cannot tell which is.
            is_negated = tokens.word(index - 1) == "NOT"
            yield word != "IN" or is_negated or not _is_bare(tokens, index, clause)
    yield any(map(_is_mixed, levels))


def _is_mixed(clause: _Clause) -> bool:
    return clause.has_subquery and clause.has_connective


def _is_null_test(tokens: Tokens, index: int) -> bool:
    """Return whether IS stands behind a column, as in ``a.x IS NOT NULL``."""
    is_column = tokens.word(index - 1) != ")" and tokens.word(index - 2) in {".", "AND", "WHERE"}
    return tokens.word(index) == "IS" and is_column


def _opens_query(tokens: Tokens, index: int) -> bool:
    after_union = tokens.word(index - 1) in {"UNION", "EXCEPT", "INTERSECT"}
    opens = tokens.word(index + 1) == "(" and tokens.word(index + 2) in _QUERIES
    return opens and not after_union


def _is_bare(tokens: Tokens, index: int, clause: _Clause) -> bool:
    """Return whether IN is a term of WHERE: ``WHERE x IN``, ``AND t.x IN``."""
    before = index - 1
    while before > 1 and tokens.word(before - 1) == ".":
        before -= 2
    return clause.word == "WHERE" and tokens.word(before - 1) in {"WHERE", "AND"}


def has_exists_as_value(tokens: Tokens) -> bool:
    """Return whether EXISTS may stand elsewhere than in a filter."""
    levels = [""]
    for index in range(len(tokens.tokens)):
        word = tokens.word(index)
        if word == "(":
            levels.append(levels[-1] if tokens.word(index + 1) not in _QUERIES else "")
        elif word == ")" and len(levels) > 1:
            levels.pop()
        elif word in _CLAUSES:
            levels[-1] = word
        elif word == "EXISTS" and levels[-1] not in {"WHERE", "HAVING", "ON"}:
            return True
        elif word == "CASE":
            levels[-1] = word
    return False


#: Words before a subquery that is read like a table.
_BEFORE_A_SOURCE = frozenset({"FROM", "JOIN", ",", "AS", "LATERAL"})


@dataclass(slots=True)
class _Columns:
    """The columns of the SELECT that is being read, as far as they call aggregates."""

    is_inner: bool = False
    is_source: bool = False
    brackets: int = 0
    is_listing: bool = False
    has_aggregate: bool = False
    has_other: bool = False
    has_group: bool = False
    has_having: bool = False
    has_sets: bool = False
    is_aggregate: bool = False

    def end_column(self) -> None:
        """Note whether the column that ends here called an aggregate."""
        self.has_aggregate = self.has_aggregate or self.is_aggregate
        self.has_other = self.has_other or not self.is_aggregate
        self.is_aggregate = False

    def note(self, word: str) -> None:
        """Note the clauses after the columns."""
        self.has_sets = self.has_sets or word.startswith(("GROUPING", "ROLLUP", "CUBE"))
        self.has_group = self.has_group or word.startswith("GROUP")
        self.has_having = self.has_having or word == "HAVING"

    @property
    def is_suspect(self) -> bool:
        """Whether there is one row of all rows, on which a filter may not need an aggregate."""
        if self.has_sets:
            return self.is_inner
        is_filtered = self.is_source or (self.is_inner and self.has_other)
        return not self.has_group and (self.has_having or (self.has_aggregate and is_filtered))


def has_lone_constant(tokens: Tokens) -> bool:
    """Return whether a SELECT without GROUP BY may have aggregates beside other columns."""
    levels = [_Columns()]
    for index in range(len(tokens.tokens)):
        word, level = tokens.word(index), levels[-1]
        if word == "(" and tokens.word(index + 1) in _QUERIES - {"("}:
            is_source = tokens.word(index - 1) in _BEFORE_A_SOURCE
            levels.append(_Columns(is_inner=True, is_source=is_source))
        elif word == "(":
            level.brackets += 1
        elif word == ")" and level.brackets:
            level.brackets -= 1
        elif word == ")" and len(levels) > 1:
            if levels.pop().is_suspect:
                return True
        elif word == "SELECT":
            # A further branch of UNION is a SELECT of its own.
            if level.is_suspect:
                return True
            levels[-1] = _Columns(level.is_inner, level.is_source, is_listing=True)
            continue
        elif level.is_listing:
            _read_column(level, word, is_called=tokens.word(index + 1) == "(")
        level.note(word)
    return any(level.is_suspect for level in levels)


def _read_column(level: _Columns, word: str, *, is_called: bool) -> None:
    is_end = word in _CLAUSES and not level.brackets
    if is_end or (word == "," and not level.brackets):
        level.end_column()
    elif is_called and word.lower() in AGGREGATES:
        level.is_aggregate = True
    level.is_listing = not is_end


@dataclass(frozen=True, slots=True)
class _List:
    """One IN-list: what stands before IN, and the words inside the brackets."""

    operand: str
    start: int
    end: int


def _lists(tokens: Tokens) -> Iterator[_List]:
    for index in range(len(tokens.tokens)):
        if tokens.word(index) != "IN" or tokens.word(index + 1) != "(":
            continue
        if tokens.word(index + 2) in _QUERIES - {"("}:
            continue
        before = index - 2 if tokens.word(index - 1) == "NOT" else index - 1
        operand = tokens.tokens[before].text.lower() if before >= 0 else ""
        yield _List(operand, index + 2, _closing(tokens, index + 1))


def _closing(tokens: Tokens, opening: int) -> int:
    depth = 0
    for index in range(opening, len(tokens.tokens)):
        depth += (tokens.word(index) == "(") - (tokens.word(index) == ")")
        if depth == 0:
            return index
    return len(tokens.tokens)


def has_unplain_list(tokens: Tokens) -> bool:
    """Return whether an IN-list may hold more than constants, or NULL."""
    constants = {TokenType.NUMBER, TokenType.STRING}
    return any(
        tokens.tokens[index].token_type not in constants and tokens.word(index) not in _PLAIN
        for found in _lists(tokens)
        for index in range(found.start, found.end)
    )


def has_repeated_list(tokens: Tokens) -> bool:
    """Return whether two IN-lists may be of one operand."""
    operands = Counter(found.operand for found in _lists(tokens))
    return any(count > 1 for count in operands.values())


def has_long_list_with_zero(tokens: Tokens) -> bool:
    """Return whether a list of four or more may hold a zero."""
    for found in _lists(tokens):
        words = [tokens.tokens[index].text for index in range(found.start, found.end)]
        if words.count(",") >= 3 and any(map(_may_be_zero, words)):
            return True
    return False


def _may_be_zero(word: str) -> bool:
    return word == "$" or ("0" in word and not word.strip("0.eE+-"))
