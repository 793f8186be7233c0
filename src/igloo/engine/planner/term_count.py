"""Refuses chains of operators that are longer than DataFusion's recursion survives.

``a + a + …``, ``a = 1 OR a = 2 OR …`` and ``… UNION …`` become trees as high as they are long, and
DataFusion walks, prints and frees them by recursion: some thousands overflow the stack and end the
process. Lists (of values, columns, arguments) are flat and may be of any length.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from igloo.engine.planner.tokens import TokenType, place_of
from igloo.errors import LimitExceeded

if TYPE_CHECKING:
    from igloo.engine.planner.tokens import Tokens

#: A join or a subquery is several nodes of a plan, and planning takes longer with each.
PLAN_TERMS = 8

_OPEN = {TokenType.L_PAREN, TokenType.L_BRACKET}
_CLOSE = {TokenType.R_PAREN, TokenType.R_BRACKET}
_CONNECTIVES = {"AND", "OR", "NOT"}
_OPERATORS = {"+", "-", "*", "/", "%", "||", "::", "=", "<>", "!=", "<", ">", "<=", ">=", "^", "&"}
_OPERATORS |= {"|", "#", "~", "~*", "!~", "!~*", "<<", ">>", "->", "->>", "@>", "<@"}
_OPERATORS |= {"LIKE", "ILIKE", "SIMILAR", "IS", "IN", "BETWEEN", "COLLATE", "ZONE", "OPERATOR"}
_CLAUSES = {"SELECT", "FROM", "WHERE", "GROUP", "HAVING", "ORDER", "LIMIT", "OFFSET", "QUALIFY"}
_CLAUSES |= {"WINDOW", "VALUES", "SET", "WITH"}
#: These end an expression and leave the clause that it stands in.
_BREAKS = {"ON", "USING", "WHEN", "THEN", "ELSE", "FILTER", "OVER"}
_NOT_A_CLAUSE = {"TIME", "LOCAL", "ORDINALITY"}
_SET_OPERATORS = {"UNION", "INTERSECT", "EXCEPT", "MINUS"}


@dataclass(slots=True)
class _Level:
    """How high the tree of one pair of brackets grows; each count only of what is nested.

    Attributes:
        is_case: opened by CASE instead of a bracket.
        is_query: a SELECT stands in it.
        is_list_of_tables: a comma here joins, or separates the parts of WITH.
        set_operators: UNION and its like; their sides stand beside one another.
        branch: joins and subqueries of the SELECT that is being read; ``branch_max`` is the most.
        connected: AND, OR and NOT of the expression that is being read.
        compared: other operators between two of those; ``compared_max`` is the most so far.
        highest: the highest expression that has ended.
        between: how many BETWEEN still wait for their AND.
    """

    is_case: bool = False
    is_query: bool = False
    is_list_of_tables: bool = False
    set_operators: int = 0
    branch: int = 0
    branch_max: int = 0
    connected: int = 0
    compared: int = 0
    compared_max: int = 0
    highest: int = 0
    between: int = 0

    @property
    def height(self) -> int:
        plan = self.set_operators + max(self.branch, self.branch_max)
        return plan + max(self._expression, self.highest)

    @property
    def _expression(self) -> int:
        return self.connected + max(self.compared, self.compared_max)

    def connect(self) -> None:
        self.compared_max = max(self.compared, self.compared_max)
        self.compared = 0
        self.connected += 1

    def end_expression(self) -> None:
        self.highest = max(self.highest, self._expression)
        self.connected = self.compared = self.compared_max = self.between = 0

    def end_branch(self) -> None:
        self.end_expression()
        self.branch_max = max(self.branch, self.branch_max)
        self.branch = 0
        self.set_operators += 1
        self.is_list_of_tables = False

    def start_clause(self, word: str) -> None:
        self.end_expression()
        self.is_query = self.is_query or word == "SELECT"
        self.is_list_of_tables = word in {"FROM", "WITH"}

    def take(self, inner: _Level) -> None:
        """Take in a bracket that has closed."""
        if inner.is_query:
            # A filter inside may be merged with one outside, so the two count together.
            self.branch += inner.height + (0 if self.is_list_of_tables else PLAN_TERMS)
        else:
            self.compared = max(self.compared, inner.height + 1)


def check_terms(tokens: Tokens, *, terms_max: int) -> None:
    """Check that no chain of operators is longer than ``terms_max``.

    A join, and a subquery inside an expression, count as ``PLAN_TERMS``.

    Raises:
        LimitExceeded: one is.
    """
    levels = [_Level()]
    before = ""
    for index, token in enumerate(tokens.tokens):
        word = tokens.word(index).partition(" ")[0]
        if token.token_type in _OPEN:
            levels.append(_Level())
        elif token.token_type in _CLOSE:
            _close_bracket(levels)
        elif before != ".":
            _read_word(levels, word, before, tokens.word(index + 1))
        before = word
        if levels[-1].height > terms_max:
            raise _too_long(tokens, index, terms_max)
    while len(levels) > 1:
        _close_bracket(levels)
    if levels[0].height > terms_max:
        raise _too_long(tokens, len(tokens.tokens) - 1, terms_max)


def _too_long(tokens: Tokens, index: int, terms_max: int) -> LimitExceeded:
    line, column = place_of(tokens.text, tokens.tokens[index].start)
    return LimitExceeded(
        f"The SQL chains more than {terms_max:,} operators at line {line}, column {column}.",
        hint="Use IN or a joined table instead of many ORs, "
        "or raise igloo.limits.expression_terms.",
        limit="igloo.limits.expression_terms",
    )


def _close_bracket(levels: list[_Level]) -> None:
    """Close the last bracket and what CASE left open in it; the parser will complain of that."""
    while len(levels) > 1 and _close(levels).is_case:
        continue


def _close(levels: list[_Level]) -> _Level:
    closed = levels.pop()
    levels[-1].take(closed)
    return closed


def _read_word(levels: list[_Level], word: str, before: str, following: str) -> None:
    level = levels[-1]
    if word == "CASE":
        levels.append(_Level(is_case=True))
    elif word == "END" and level.is_case:
        _close(levels)
    elif word in _CONNECTIVES:
        _read_connective(level, word, following)
    elif word in _OPERATORS or (word == "FROM" and before == "DISTINCT"):
        level.compared += 1
        level.between += word == "BETWEEN"
    elif not (word == "WITH" and following in _NOT_A_CLAUSE):
        _read_break(level, word)


def _read_connective(level: _Level, word: str, following: str) -> None:
    if word == "AND" and level.between:
        level.between -= 1
    elif word != "NOT" or following.partition(" ")[0] not in _OPERATORS:
        level.connect()


def _read_break(level: _Level, word: str) -> None:
    if word in _SET_OPERATORS:
        level.end_branch()
    elif word == "JOIN" or (word == "," and level.is_list_of_tables):
        level.end_expression()
        level.branch += PLAN_TERMS if word == "JOIN" or level.is_query else 0
    elif word == "," or word in _BREAKS:
        level.end_expression()
    elif word in _CLAUSES:
        level.start_clause(word)
