"""Text from elsewhere, made safe for a terminal: no control sequence of it is ever obeyed."""

from __future__ import annotations

import unicodedata

_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
#: These two join and separate letters of scripts and emoji; all other format characters can
#: reorder or hide text.
_HARMLESS = frozenset("\u200c\u200d")
_ESCAPED_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def printable(text: str, *, keep: str = "") -> str:
    r"""Return ``text`` with control and format characters as escapes: ``\n``, ``\x1b``.

    Args:
        text: anything.
        keep: control characters to leave as they are.
    """
    if text.isprintable():
        return text
    return "".join(c if c in keep else _escaped(c) for c in text)


def _escaped(character: str) -> str:
    if character.isprintable() or character in _HARMLESS:
        return character
    if unicodedata.category(character) not in _ESCAPED_CATEGORIES:
        return character
    if character in _SHORT:
        return _SHORT[character]
    return character.encode("unicode_escape", "surrogatepass").decode("ascii")
