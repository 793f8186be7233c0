"""What stands around the cursor: the word that is typed, what is expected there, tables in scope."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from igloo.cli.shell.scan import Kind, Piece, scan
from igloo.cli.shell.words import RESERVED, STARTS

Parts = tuple[str, ...]


class Expected(Enum):
    """What may stand where the cursor is."""

    NOTHING = auto()
    START = auto()
    RELATION = auto()
    PLACE = auto()
    CATALOG = auto()
    SETTING = auto()
    SETTING_VALUE = auto()
    CONNECTOR = auto()
    EXPRESSION = auto()


@dataclass(frozen=True, slots=True)
class Relation:
    """A table that the statement names, and the alias that it has there."""

    name: Parts
    alias: str | None = None

    def is_called(self, name: str) -> bool:
        """Return whether columns of it may be written behind ``name``."""
        return name == (self.alias or self.name[-1])


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What completion has to know of the text.

    Attributes:
        expected: what may come.
        qualifier: the parts of the name before the last dot.
        prefix: what is typed of the last part, without an opening quote.
        typed: the same as it stands in the text, so that it can be replaced.
        before: the word before the name, in upper case.
        subject: the setting whose value is typed.
        relations: the tables that the statement names.
        queries: the names that WITH gives.
    """

    expected: Expected
    qualifier: Parts = ()
    prefix: str = ""
    typed: str = ""
    before: str = ""
    subject: str = ""
    relations: tuple[Relation, ...] = ()
    queries: tuple[str, ...] = ()


_AFTER = {
    "FROM": Expected.RELATION,
    "JOIN": Expected.RELATION,
    "INTO": Expected.RELATION,
    "TABLE": Expected.RELATION,
    "VIEW": Expected.RELATION,
    "DESCRIBE": Expected.RELATION,
    "DESC": Expected.EXPRESSION,
    "COPY": Expected.RELATION,
    "USE": Expected.PLACE,
    "CATALOG": Expected.CATALOG,
    "SET": Expected.SETTING,
    "RESET": Expected.SETTING,
    "SHOW": Expected.SETTING,
}
#: Words that name a table behind them.
_NAMES_TABLE = frozenset({"FROM", "JOIN", "INTO", "DESCRIBE", "UPDATE", "TABLE"})


def scope_at(text: str, position: int) -> Scope:
    """Return what stands around ``position`` in ``text``."""
    before = list(scan(text[:position]))
    if before and (before[-1].is_open and before[-1].kind is not Kind.QUOTED_NAME):
        return Scope(expected=Expected.NOTHING)
    if before and before[-1].text.startswith("--"):
        return Scope(expected=Expected.NOTHING)
    head = _statement_end(before)
    tail = text[position:].partition(";")[0]
    whole = _meaningful([*head, *scan(tail)])
    qualifier, typed, rest = _name_at_end(head)
    rest = _meaningful(rest)
    words = [piece.text.upper() if piece.kind is Kind.WORD else piece.text for piece in rest]
    expected, subject = _expected(words)
    return Scope(
        expected=expected,
        qualifier=qualifier,
        prefix=_unquoted(typed),
        typed=typed,
        before=words[-1] if words else "",
        subject=subject,
        relations=tuple(_relations(whole)),
        queries=tuple(_queries(whole)),
    )


def _statement_end(pieces: list[Piece]) -> list[Piece]:
    """Return the pieces of the last statement."""
    ends = [i for i, piece in enumerate(pieces) if piece.text == ";"]
    return pieces[ends[-1] + 1 :] if ends else pieces


def _meaningful(pieces: list[Piece]) -> list[Piece]:
    return [piece for piece in pieces if piece.kind not in {Kind.SPACE, Kind.COMMENT}]


def _name_at_end(pieces: list[Piece]) -> tuple[Parts, str, list[Piece]]:
    """Split off the dotted name that the text ends with: its parts, its last part, the rest."""
    index = len(pieces)
    typed = ""
    if index and _is_name(pieces[index - 1]):
        index -= 1
        typed = pieces[index].text
    parts: list[str] = []
    while index > 1 and pieces[index - 1].text == "." and _is_name(pieces[index - 2]):
        index -= 2
        parts.insert(0, _folded(pieces[index]))
    return tuple(parts), typed, pieces[:index]


def _is_name(piece: Piece) -> bool:
    return piece.kind in {Kind.WORD, Kind.QUOTED_NAME}


def _folded(piece: Piece) -> str:
    return piece.text.lower() if piece.kind is Kind.WORD else _unquoted(piece.text)


def _unquoted(text: str) -> str:
    if not text.startswith('"'):
        return text
    inner = text[1:-1] if len(text) > 1 and text.endswith('"') else text[1:]
    return inner.replace('""', '"')


def _expected(words: list[str]) -> tuple[Expected, str]:
    """Return what may follow the words, and the setting whose value it would be."""
    match words:
        case []:
            return Expected.START, ""
        case ["SET", *name, "=" | "TO"]:
            return Expected.SETTING_VALUE, "".join(n for n in name if n != "SESSION").lower()
        case ["SHOW", "TABLES" | "SCHEMAS", "FROM" | "IN"]:
            return Expected.PLACE, ""
        case ["SET", "SESSION"]:
            return Expected.SETTING, ""
        case ["CREATE", *_, "USING"] if "CATALOG" in words:
            return Expected.CONNECTOR, ""
        case ["EXPLAIN"] | ["EXPLAIN", "ANALYZE"]:
            return Expected.START, ""
        case [*_, ","] if _in_from_list(words):
            return Expected.RELATION, ""
        case _:
            return _AFTER.get(words[-1], Expected.EXPRESSION), ""


def _in_from_list(words: list[str]) -> bool:
    """Return whether the last comma separates tables: no clause started since FROM."""
    depth = 0
    for word in reversed(words):
        depth += (word == ")") - (word == "(")
        if depth < 0:
            return False
        if depth == 0 and word in RESERVED - {"AS"}:
            return word == "FROM"
    return False


def _relations(pieces: list[Piece]) -> list[Relation]:
    relations = []
    for index, piece in enumerate(pieces):
        is_list = piece.text == "," and _in_from_list(
            [p.text.upper() if p.kind is Kind.WORD else p.text for p in pieces[: index + 1]]
        )
        if is_list or (piece.kind is Kind.WORD and piece.text.upper() in _NAMES_TABLE):
            relation = _relation_at(pieces, index + 1)
            if relation is not None:
                relations.append(relation)
    return relations


def _relation_at(pieces: list[Piece], index: int) -> Relation | None:
    parts: list[str] = []
    while index < len(pieces) and _is_name(pieces[index]):
        if pieces[index].kind is Kind.WORD and pieces[index].text.upper() in RESERVED:
            break
        parts.append(_folded(pieces[index]))
        index += 1
        if index >= len(pieces) or pieces[index].text != ".":
            break
        index += 1
    if not parts:
        return None
    if index < len(pieces) and pieces[index].text.upper() == "AS":
        index += 1
    alias = None
    if index < len(pieces) and _is_name(pieces[index]):
        is_word = pieces[index].kind is Kind.WORD and pieces[index].text.upper() in (
            RESERVED | {*STARTS, "TABLESAMPLE"}
        )
        alias = None if is_word else _folded(pieces[index])
    return Relation(tuple(parts), alias)


def _queries(pieces: list[Piece]) -> list[str]:
    """Return the names that stand before ``AS (``."""
    return [
        _folded(pieces[i])
        for i in range(len(pieces) - 2)
        if _is_name(pieces[i]) and pieces[i + 1].text.upper() == "AS" and pieces[i + 2].text == "("
    ]
