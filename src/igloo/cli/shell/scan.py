"""Splits SQL that is still being typed; the engine's own tokenizer wants whole statements.

It only serves what helps while typing: colours, completion, the sign of an open quote. What a
statement means is never decided here.
"""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


class Kind(StrEnum):
    """What a piece of text is."""

    COMMENT = "comment"
    TEXT = "text"
    QUOTED_NAME = "quoted name"
    WORD = "word"
    NUMBER = "number"
    SIGN = "sign"
    SPACE = "space"


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of the text; ``is_open`` if it is quoted or a comment and does not end."""

    kind: Kind
    text: str
    is_open: bool = False


_PIECE = re.compile(
    r"""
      (?P<space>\s+)
    | (?P<line_comment>--[^\n]*)
    | (?P<comment>/\*.*?(?P<comment_end>\*/|\Z))
    | (?P<text>'(?:[^']|'')*(?P<text_end>'|\Z))
    | (?P<name>"(?:[^"]|"")*(?P<name_end>"|\Z))
    | (?P<number>\d[\w.]*)
    | (?P<word>[^\W\d][\w$]*)
    | (?P<sign>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_KINDS = {
    "space": Kind.SPACE,
    "line_comment": Kind.COMMENT,
    "comment": Kind.COMMENT,
    "text": Kind.TEXT,
    "name": Kind.QUOTED_NAME,
    "number": Kind.NUMBER,
    "word": Kind.WORD,
    "sign": Kind.SIGN,
}


def scan(text: str) -> Iterator[Piece]:
    """Yield the pieces of ``text``, which together are the text."""
    for match in _PIECE.finditer(text):
        group = next(name for name in _KINDS if match[name] is not None)
        end = match[f"{group}_end"] if group in {"comment", "text", "name"} else "closed"
        yield Piece(_KINDS[group], match[0], is_open=not end)


def open_sign(text: str) -> str:
    """Return what the end of ``text`` stands inside of: a quote, ``*`` for a comment, or nothing."""
    last = next(iter(deque(scan(text), maxlen=1)), None)
    if last is None or not last.is_open:
        return ""
    return "*" if last.kind is Kind.COMMENT else last.text[0]
