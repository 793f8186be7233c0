"""How a column of a SQL database is read and compared."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Sequence


class ValueKind(StrEnum):
    """Which values may be compared with one another, and how a literal of them is written."""

    BOOLEAN = "boolean"
    INTEGER = "integer"
    DECIMAL = "decimal"
    FLOAT = "float"
    TEXT = "text"
    UUID = "uuid"
    BINARY = "binary"
    DATE = "date"
    TIME = "time"
    TIMESTAMP = "timestamp"
    INSTANT = "instant"


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlColumn:
    """One column of a table, as text of its source's SQL and as Arrow types.

    Attributes:
        name: the column's name in the source's own spelling.
        source_type: the source's own name of the type, for messages.
        type: exact Arrow type that a read gives.
        wire_type: Arrow type that the driver sends for ``read``; cast to ``type`` or refused.
        read: expression that is selected.
        presence: expression that is NULL exactly where the value is.
        kind: what literals it compares with; None where nothing is compared in the source.
        equality: expression for which ``= <> IN`` mean what they mean in the engine, or None.
        order: expression for which ``< <= > >=`` mean what they mean in the engine, or None.
        pattern: expression for which LIKE means what it means in the engine, or None.
        nullable: whether NULL may occur.
        refusal: why the column cannot be read exactly; None for a column that can.
    """

    name: str
    source_type: str
    type: pa.DataType
    wire_type: pa.DataType
    read: str
    presence: str
    kind: ValueKind | None = None
    equality: str | None = None
    order: str | None = None
    pattern: str | None = None
    nullable: bool = True
    refusal: str | None = None


def arrow_schema(columns: Sequence[SqlColumn]) -> pa.Schema:
    """Return the exact schema of a read of ``columns``."""
    return pa.schema([pa.field(c.name, c.type, nullable=c.nullable) for c in columns])


def kind_of(type_: pa.DataType) -> ValueKind | None:
    """Return the kind of literals of an Arrow type; None for types that are never sent."""
    types = pa.types
    if types.is_timestamp(type_):
        return ValueKind.TIMESTAMP if type_.tz is None else ValueKind.INSTANT
    checks = (
        (types.is_boolean, ValueKind.BOOLEAN),
        (types.is_integer, ValueKind.INTEGER),
        (types.is_decimal, ValueKind.DECIMAL),
        (types.is_floating, ValueKind.FLOAT),
        (types.is_date, ValueKind.DATE),
        (types.is_time, ValueKind.TIME),
        (types.is_string, ValueKind.TEXT),
        (types.is_large_string, ValueKind.TEXT),
        (types.is_string_view, ValueKind.TEXT),
        (types.is_binary, ValueKind.BINARY),
        (types.is_large_binary, ValueKind.BINARY),
        (types.is_binary_view, ValueKind.BINARY),
        (types.is_fixed_size_binary, ValueKind.BINARY),
    )
    return next((kind for check, kind in checks if check(type_)), None)
