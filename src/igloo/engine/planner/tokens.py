"""The one tokenizer: where a statement ends, which words it starts with, where ``?`` stands."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from sqlglot.dialects.postgres import Postgres
from sqlglot.errors import TokenError
from sqlglot.tokenizer_core import TokenType as TokenType  # noqa: PLC0414 - handed on

from igloo.errors import LimitExceeded, SqlSyntaxError

if TYPE_CHECKING:
    from sqlglot.tokenizer_core import Token


#: A parameter such as ``$1`` or ``$name``, and not the start of a dollar-quoted text.
_PARAMETER = re.compile(r"(?<![\w$])\$(?=\w+(?![\w$]))")
#: sqlglot reads ``$1,$`` as the start of a dollar-quoted text, so this stands in for the dollar.
_DOLLAR = "\ue024"


class _Tokenizer(Postgres.Tokenizer):
    """PostgreSQL's tokens, but no word swallows the rest of its statement."""

    COMMANDS: ClassVar[set[TokenType]] = set()
    #: ``?||`` is a placeholder and text behind it; there is no JSON whose ``?|`` it could be.
    KEYWORDS: ClassVar[dict[str, TokenType]] = {
        word: kind for word, kind in Postgres.Tokenizer.KEYWORDS.items() if not word.startswith("?")
    }
    SINGLE_TOKENS: ClassVar[dict[str, TokenType]] = {
        **Postgres.Tokenizer.SINGLE_TOKENS,
        _DOLLAR: TokenType.PARAMETER,
    }


@dataclass(frozen=True, slots=True)
class Tokens:
    """A text and its tokens.

    Attributes:
        text: the text as given.
        tokens: in order; ``start`` and ``end`` (inclusive) are positions in ``text``.
    """

    text: str
    tokens: tuple[Token, ...]

    def word(self, index: int) -> str:
        """Return the token at ``index`` in upper case, empty for a quoted one or past the end."""
        if index >= len(self.tokens):
            return ""
        token = self.tokens[index]
        quoted = token.token_type in {TokenType.STRING, TokenType.IDENTIFIER}
        return "" if quoted else token.text.upper()

    def starts_with(self, *words: str) -> bool:
        """Return whether the statement starts with these words."""
        return all(self.word(i) == word for i, word in enumerate(words))

    def text_from(self, index: int) -> str:
        """Return the text from the token at ``index`` to the end."""
        return self.text[self.tokens[index].start :] if index < len(self.tokens) else ""


def tokenize(text: str, *, bytes_max: int) -> Tokens:
    """Split ``text`` into tokens.

    Raises:
        LimitExceeded: the text is longer than ``bytes_max`` bytes of UTF-8.
        SqlSyntaxError: it holds a NUL byte, or a string or comment does not end.
    """
    size = len(text) if text.isascii() else len(text.encode(errors="surrogatepass"))
    if size > bytes_max:
        raise LimitExceeded(
            f"The statement has {size:,} bytes; igloo.limits.statement_bytes allows {bytes_max:,}.",
            hint="Raise the setting, or pass long lists as a registered table.",
            limit="igloo.limits.statement_bytes",
        )
    if "\x00" in text:
        line, column = place_of(text, text.index("\x00"))
        raise SqlSyntaxError(
            f"The SQL holds a NUL byte at line {line}, column {column}.",
            hint="Remove it; SQL text cannot carry it.",
            line=line,
            column=column,
        )
    try:
        tokens = tuple(_Tokenizer().tokenize(_PARAMETER.sub(_DOLLAR, text)))
    except TokenError as error:
        raise SqlSyntaxError(
            "The SQL cannot be read: a quoted string, identifier or comment does not end.",
            hint="Close the quote or the comment.",
        ) from error
    for token in tokens:
        if _DOLLAR in token.text:
            token.text = token.text.replace(_DOLLAR, "$")
    return Tokens(text, tokens)


def split_script(tokens: Tokens) -> tuple[str, ...]:
    """Return the statements of a script, which end with ``;``; empty ones are left out."""
    statements: list[str] = []
    start = 0
    filled = False
    for token in tokens.tokens:
        if token.token_type == TokenType.SEMICOLON:
            if filled:
                statements.append(tokens.text[start : token.start].strip())
            start, filled = token.end + 1, False
        else:
            filled = True
    if filled:
        statements.append(tokens.text[start:].strip())
    return tuple(statements)


def place_of(text: str, position: int) -> tuple[int, int]:
    """Return line and column of a position in a text, both counted from 1."""
    before = text[:position]
    return before.count("\n") + 1, position - before.rfind("\n")


def check_depth(tokens: Tokens, *, depth_max: int) -> None:
    """Check that brackets are not nested deeper than a parser's stack allows.

    Raises:
        LimitExceeded: they are.
    """
    depth = 0
    for token in tokens.tokens:
        if token.token_type in {TokenType.L_PAREN, TokenType.L_BRACKET}:
            depth += 1
        elif token.token_type in {TokenType.R_PAREN, TokenType.R_BRACKET}:
            depth -= 1
        if depth > depth_max:
            line, column = place_of(tokens.text, token.start)
            raise LimitExceeded(
                f"The SQL is nested more than {depth_max} brackets deep at line {line}, "
                f"column {column}.",
                hint="Write it flatter, move parts into WITH, or raise igloo.limits.nesting_depth.",
                limit="igloo.limits.nesting_depth",
            )
