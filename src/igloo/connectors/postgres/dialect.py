"""PostgreSQL's literals and patterns."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from igloo.connectors.sql import values
from igloo.connectors.sql.dialect import Dialect
from igloo.connectors.sql.types import ValueKind

if TYPE_CHECKING:
    from collections.abc import Callable

    import pyarrow as pa

#: The only spelling in which text and uuid compare alike.
_CANONICAL_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z")
_INT8_MAX = 2**63 - 1


class PostgresDialect(Dialect):
    """Writes PostgreSQL; literals carry their type, so that none is guessed."""

    def text(self, value: str) -> str | None:
        """Return a text literal; None for text with NUL, which PostgreSQL cannot hold."""
        if "\0" in value:
            return None
        quoted = value.replace("'", "''")
        # The E form means the same whatever standard_conforming_strings says.
        return "E'" + quoted.replace("\\", "\\\\") + "'" if "\\" in value else f"'{quoted}'"

    def literal(self, value: pa.Scalar[Any], kind: ValueKind) -> str | None:
        """Return ``value`` as a literal, or None where PostgreSQL cannot hold it exactly."""
        if kind is ValueKind.TEXT:
            return self.text(value.as_py())
        return _LITERALS[kind](value)

    def like(self, expression: str, pattern: str) -> str | None:
        """Return LIKE; None for a pattern that ends in its escape, which PostgreSQL refuses."""
        literal = self.text(pattern)
        trailing = len(pattern) - len(pattern.rstrip("\\"))
        return None if literal is None or trailing % 2 else f"{expression} LIKE {literal}"


def _number(value: pa.Scalar[Any]) -> str:
    number = value.as_py()
    if isinstance(number, int) and -_INT8_MAX <= number <= _INT8_MAX:
        # Plain digits keep integer operators, and with them indexes.
        return values.integer_text(value)
    text = values.integer_text(value) if isinstance(number, int) else values.decimal_text(value)
    return f"'{text}'::numeric"


def _typed(text: str | None, type_name: str) -> str | None:
    return None if text is None else f"'{text}'::{type_name}"


def _uuid(value: pa.Scalar[Any]) -> str | None:
    text: str = value.as_py()
    return _typed(text, "uuid") if _CANONICAL_UUID.match(text) else None


def _instant(value: pa.Scalar[Any]) -> str | None:
    text = values.timestamp_text(value)
    return None if text is None else _typed(f"{text}+00", "timestamptz")


_LITERALS: dict[ValueKind, Callable[[pa.Scalar[Any]], str | None]] = {
    ValueKind.BOOLEAN: lambda value: "true" if value.as_py() else "false",
    ValueKind.INTEGER: _number,
    ValueKind.DECIMAL: _number,
    ValueKind.FLOAT: lambda value: _typed(values.float_text(value), "float8"),
    ValueKind.UUID: _uuid,
    ValueKind.BINARY: lambda value: _typed(f"\\x{value.as_py().hex()}", "bytea"),
    ValueKind.DATE: lambda value: _typed(values.date_text(value), "date"),
    ValueKind.TIME: lambda value: _typed(values.time_text(value), "time"),
    ValueKind.TIMESTAMP: lambda value: _typed(values.timestamp_text(value), "timestamp"),
    ValueKind.INSTANT: _instant,
}
