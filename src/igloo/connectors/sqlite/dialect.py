"""SQLite's identifiers, literals and patterns."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from igloo.connectors.sql import values
from igloo.connectors.sql.dialect import Dialect
from igloo.connectors.sql.types import ValueKind

if TYPE_CHECKING:
    from collections.abc import Callable

    import pyarrow as pa

_INT64_MIN, _INT64_MAX = -(2**63), 2**63 - 1
#: A double counts whole numbers up to here, and SQLite reads them from text without rounding.
_WHOLE_MAX = 2**53
#: Powers of two up to here are whole numbers for SQLite's reader.
_DENOMINATOR_MAX = 2**62
_CODE_POINT_MAX = 0x10FFFF


class SqliteDialect(Dialect):
    """Writes SQLite's SQL."""

    def identifier(self, name: str) -> str:
        """Return ``name`` quoted. SQLite takes an unknown name in double quotes for a text."""
        return "`" + name.replace("`", "``") + "`"

    def text(self, value: str) -> str | None:
        """Return a text literal; None for text with NUL, which ends SQLite's statements."""
        return None if "\0" in value else "'" + value.replace("'", "''") + "'"

    def literal(self, value: pa.Scalar[Any], kind: ValueKind) -> str | None:
        """Return ``value`` as a literal; None where it is not exactly that in SQLite."""
        if kind is ValueKind.TEXT:
            return self.text(value.as_py())
        write = _LITERALS.get(kind)
        return None if write is None else write(value)

    def like(self, expression: str, pattern: str) -> str | None:
        """Return what means the pattern: SQLite's own LIKE ignores case and stops at NUL.

        None but for ``text``, ``text%``, ``%text%`` and ``%``.
        """
        parts = _parts(pattern)
        if parts is None:
            return None
        match parts:
            case [text]:
                literal = self.text(text)
                return None if literal is None else f"{expression} = {literal}"
            case ["", ""]:
                return f"{expression} >= ''"
            case [prefix, ""]:
                return self._starts_with(expression, prefix)
            case ["", inner, ""]:
                literal = self.text(inner)
                return None if literal is None else f"instr({expression}, {literal}) > 0"
        return None

    def _starts_with(self, expression: str, prefix: str) -> str | None:
        last = ord(prefix[-1]) + 1
        # Surrogates are no characters.
        last = 0xE000 if last == 0xD800 else last
        low = self.text(prefix)
        if low is None or last > _CODE_POINT_MAX:
            return None
        high = self.text(prefix[:-1] + chr(last))
        return f"({expression} >= {low} AND {expression} < {high})"


def _parts(pattern: str) -> list[str] | None:
    """Return the plain texts between percent signs; None where there is more to the pattern."""
    parts, characters = [""], iter(pattern)
    for character in characters:
        if character == "_":
            return None
        if character == "%":
            parts.append("")
            continue
        plain = character
        if character == "\\":
            plain = next(characters, "")
            if not plain:
                return None
        parts[-1] += plain
    return parts


def _integer(value: pa.Scalar[Any]) -> str | None:
    number = value.as_py()
    whole = int(number)
    # A decimal is compared with whole numbers only if it is one.
    return str(whole) if whole == number and _INT64_MIN <= whole <= _INT64_MAX else None


def _float(value: pa.Scalar[Any]) -> str | None:
    number = float(value.as_py())
    if math.isnan(number):
        return None
    if math.isinf(number):
        return "9e999" if number > 0 else "-9e999"
    # SQLite may read decimal fractions with an error in the last bit; a quotient of whole numbers
    # by a power of two has none.
    numerator, denominator = number.as_integer_ratio()
    if denominator == 1:
        return f"{numerator}.0" if abs(numerator) <= _WHOLE_MAX else None
    return f"({numerator}.0 / {denominator})" if denominator <= _DENOMINATOR_MAX else None


def _date(value: pa.Scalar[Any]) -> str | None:
    text = values.date_text(value)
    return None if text is None else f"'{text}'"


_LITERALS: dict[ValueKind, Callable[[pa.Scalar[Any]], str | None]] = {
    ValueKind.BOOLEAN: lambda value: "1" if value.as_py() else "0",
    ValueKind.INTEGER: _integer,
    ValueKind.FLOAT: _float,
    ValueKind.BINARY: lambda value: f"x'{value.as_py().hex()}'",
    ValueKind.DATE: _date,
}
