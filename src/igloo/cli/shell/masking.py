"""Takes secrets out of statements that are kept in a file."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

from igloo.config.redaction import is_secret_name, redact_uri
from igloo.config.secrets import MASK
from igloo.errors import IglooError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlglot.tokenizer_core import Token

#: Statements with these words take options, and an option may be a secret.
_TAKE_OPTIONS = frozenset({"CATALOG", "OPTIONS"})
#: Options whose values are worth keeping and hold no secret; every other value is masked, that of a
#: misspelt "pasword" too.
_HARMLESS = frozenset(
    {"database", "format", "host", "location", "path", "port", "schemas", "type", "warehouse"}
)
_QUOTES = frozenset("'$\"")
_ONLY_REFERENCES = re.compile(r"'(?:\$\{[a-z]+:[^}']*\})+'\Z")


def masked(text: str) -> str | None:
    """Return ``text`` with every secret in it as dots; None if that cannot be told apart."""
    if text.lstrip().startswith("\\"):
        return redact_uri(text)
    from igloo.engine.planner.tokens import tokenize

    try:
        tokens = tokenize(text, bytes_max=sys.maxsize).tokens
    except IglooError:
        return None
    has_options = any(
        token.text.upper() in _TAKE_OPTIONS or is_secret_name(token.text) for token in tokens
    )
    spans = _secret_spans(text, tokens) if has_options else _addresses(text, tokens)
    kept, position = [], 0
    for start, end in spans:
        kept += [text[position:start], f"'{MASK}'"]
        position = end
    return redact_uri("".join(kept) + text[position:])


def _secret_spans(text: str, tokens: tuple[Token, ...]) -> Iterator[tuple[int, int]]:
    """Yield where values of options stand that may be secret."""
    index = 0
    while index < len(tokens):
        name = _name_before(text, tokens, index)
        last = _value_end(text, tokens, index) if name is not None else index
        start, end = tokens[index].start, tokens[last].end + 1
        if name is not None and _may_be_secret(name, text[start:end]):
            yield start, end
        index = last + 1


def _addresses(text: str, tokens: tuple[Token, ...]) -> Iterator[tuple[int, int]]:
    """Yield where texts stand that may be an address, or a statement, with a password in it."""
    for token in tokens:
        is_address = "://" in token.text and "@" in token.text
        may_hold = is_address or "password" in token.text.lower()
        if may_hold and _source(text, token)[-1:] in _QUOTES:
            yield token.start, token.end + 1


def _name_before(text: str, tokens: tuple[Token, ...], index: int) -> str | None:
    """Return the name whose value starts at ``index``; None where no value starts."""
    if index and _source(text, tokens[index - 1]) == "=":
        return tokens[index - 2].text.lower() if index > 1 else ""
    if _source(text, tokens[index])[-1:] not in _QUOTES:
        return None
    return tokens[index - 1].text.lower() if index else ""


def _value_end(text: str, tokens: tuple[Token, ...], index: int) -> int:
    """Return the index of the last token of a value, which a comma or bracket ends."""
    while index + 1 < len(tokens) and _source(text, tokens[index + 1]) not in {",", ")", ";"}:
        # A text without a comma behind it: the next option, or the next clause.
        if _source(text, tokens[index])[-1:] in _QUOTES:
            break
        index += 1
    return index


def _may_be_secret(name: str, source: str) -> bool:
    if _ONLY_REFERENCES.match(source):
        return False
    if source.isdigit():
        return is_secret_name(name)
    return name not in _HARMLESS or "@" in source or "?" in source


def _source(text: str, token: Token) -> str:
    return text[token.start : token.end + 1]
