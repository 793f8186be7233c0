"""What was typed: whether it is whole, and which statements it holds."""

from __future__ import annotations

import re
import sys

from igloo.errors import SqlSyntaxError

#: What people type to leave or to get help, having learned it elsewhere.
LEAVING = frozenset({"exit", "quit"})
ASKING = frozenset({"help", "?"})
#: A line that leaves even inside of an unfinished statement.
_LEAVING_LINE = re.compile(r"(?:\A|\n)\s*\\q\s*;?\s*\Z")


def shortcut_of(text: str) -> str | None:
    r"""Return the shortcut that ``text`` is, with its ``\``; None for SQL."""
    stripped = text.strip()
    plain = stripped.rstrip("; \n").lower()
    if plain in LEAVING or _LEAVING_LINE.search(text):
        return "\\q"
    if plain in ASKING:
        return "\\?"
    return stripped if stripped.startswith("\\") else None


def is_whole(text: str) -> bool:
    """Return whether Enter runs the text: a shortcut, nothing, or SQL that ends with ``;``."""
    from igloo.engine.planner.tokens import TokenType, tokenize

    if not text.strip() or shortcut_of(text) is not None:
        return True
    try:
        tokens = tokenize(text, bytes_max=sys.maxsize).tokens
    except SqlSyntaxError as error:
        # A NUL byte stays wrong whatever follows; a quote or comment may still end.
        return "line" in error.context
    return not tokens or tokens[-1].token_type == TokenType.SEMICOLON


def statements_of(text: str) -> tuple[str, ...]:
    """Return the statements that the text holds.

    Raises:
        SqlSyntaxError: a string or comment does not end.
    """
    from igloo.engine.planner.tokens import split_script, tokenize

    return split_script(tokenize(text, bytes_max=sys.maxsize))
