"""Random tables: few rows, many NULLs and duplicates, and the values that engines trip over."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pyarrow as pa

if TYPE_CHECKING:
    import random

NAN, INF = float("nan"), float("inf")


@dataclass(frozen=True, slots=True)
class Domain:
    """What a column may hold, and its type in SQL and in Arrow."""

    kind: str
    sql: str
    arrow: pa.DataType
    values: tuple[Any, ...]
    #: See ``tree.Expr``.
    bound: int | None


#: The first letter of a column's name is its domain.
DOMAINS = {
    "k": Domain("int", "bigint", pa.int64(), (), 100),
    "i": Domain("int", "integer", pa.int32(), (-2, -1, 0, 1, 1, 2, 3, 7), 100),
    "j": Domain("int", "bigint", pa.int64(), (-1, 0, 1, 2, 2, 3, 50), 100),
    "x": Domain("int", "integer", pa.int32(), (-(2**31), -1, 0, 1, 2**31 - 1, 2**31 - 1, 12), None),
    "y": Domain("int", "bigint", pa.int64(), (-(2**63), 0, 1, 2**53 + 1, 2**63 - 1, 2**31), None),
    "f": Domain(
        "float", "double precision", pa.float64(), (-0.0, 0.0, 0.25, -1.5, 1.0, 2.0, 64.75), 100
    ),
    "g": Domain(
        "float",
        "double precision",
        pa.float64(),
        (-0.0, 0.0, NAN, INF, -INF, 0.1, 1e308, -1e308, 5e-324, 1.0),
        None,
    ),
    "d": Domain(
        "dec",
        "numeric(10, 2)",
        pa.decimal128(10, 2),
        tuple(map(Decimal, ("0.00", "-0.01", "0.01", "1.00", "1.50", "-20.25", "99.99"))),
        100,
    ),
    "e": Domain(
        "dec",
        "numeric(20, 4)",
        pa.decimal128(20, 4),
        tuple(map(Decimal, ("0.0000", "9999999999999999.9999", "-0.0001", "1.0000", "12.5000"))),
        None,
    ),
    "s": Domain("text", "text", pa.string(), ("", "a", "A", "ab", "Ab", "a ", "b", "%", "a_b"), 0),
    "u": Domain(
        "text",
        "text",
        pa.string(),
        ("", "a", "é", "É", "aéb", "日本", "\\", "'", "~", "🙂", "e\u0301"),
        None,
    ),
    "b": Domain("bool", "boolean", pa.bool_(), (True, False), None),
    "t": Domain(
        "date",
        "date",
        pa.date32(),
        tuple(map(dt.date.fromisoformat, ("1970-01-01", "2024-02-29", "1969-12-31", "2024-03-01"))),
        0,
    ),
    "v": Domain(
        "date",
        "date",
        pa.date32(),
        tuple(map(dt.date.fromisoformat, ("0001-01-01", "9999-12-31", "1970-01-01", "2000-02-29"))),
        None,
    ),
    "w": Domain(
        "ts",
        "timestamp",
        pa.timestamp("us"),
        tuple(
            map(
                dt.datetime.fromisoformat,
                (
                    "2024-02-29T23:59:59.999999",
                    "1969-12-31T23:59:59",
                    "2024-02-29T00:00:00",
                    "1970-01-01T00:00:00.000001",
                ),
            )
        ),
        0,
    ),
}
KINDS = ("int", "float", "dec", "text", "bool", "date", "ts")
SQL_TYPES = {
    "int": "bigint",
    "float": "double precision",
    "dec": "numeric(10, 2)",
    "text": "text",
    "bool": "boolean",
    "date": "date",
    "ts": "timestamp",
}


@dataclass(frozen=True, slots=True)
class TableData:
    """A table: its columns in order, each name with its domain's letter, and its rows."""

    name: str
    columns: tuple[tuple[str, str], ...]
    rows: tuple[tuple[Any, ...], ...]

    @property
    def key(self) -> str:
        """The column that is unique and not NULL."""
        return self.columns[0][0]

    def arrow(self) -> pa.Table:
        schema = pa.schema([(name, DOMAINS[letter].arrow) for name, letter in self.columns])
        columns = [[row[n] for row in self.rows] for n in range(len(self.columns))]
        arrays = [pa.array(c, f.type) for c, f in zip(columns, schema, strict=True)]
        return pa.Table.from_arrays(arrays, schema=schema)

    def create(self) -> str:
        columns = ", ".join(f"{name} {DOMAINS[letter].sql}" for name, letter in self.columns)
        return f"CREATE TABLE {self.name} ({columns})"

    def insert(self) -> str:
        """Return the INSERT, or nothing for no rows."""
        kinds = [DOMAINS[letter].kind for _, letter in self.columns]
        rows = [", ".join(map(literal, kinds, row)) for row in self.rows]
        return f"INSERT INTO {self.name} VALUES ({'), ('.join(rows)})" if rows else ""


def literal(kind: str, value: Any) -> str:
    """Return a value as SQL that means the same, of the same type, in every engine."""
    if value is None:
        return f"CAST(NULL AS {SQL_TYPES[kind]})"
    if kind == "int":
        return f"({value})" if value < 0 else str(value)
    if kind == "bool":
        return "true" if value else "false"
    if kind == "text":
        return "'" + value.replace("'", "''") + "'"
    if kind == "float":
        return f"CAST('{value!r}' AS double precision)"
    if kind == "dec":
        return (
            f"CAST('{value}' AS numeric({'20, 4' if value.as_tuple().exponent < -2 else '10, 2'}))"
        )
    if kind == "date":
        return f"DATE '{value.isoformat()}'"
    return f"TIMESTAMP '{value.isoformat(sep=' ')}'"


def random_tables(chance: random.Random) -> tuple[TableData, ...]:
    """Return two to four tables; their columns share names, or no two do."""
    is_shared = chance.random() < 0.4
    return tuple(
        _random_table(chance, f"t{n}", "" if is_shared else f"{n}")
        for n in range(chance.randint(2, 4))
    )


def _random_table(chance: random.Random, name: str, suffix: str) -> TableData:
    others = [letter for letter in DOMAINS if letter not in "ki"]
    letters = ["k", "i", *chance.sample(others, chance.randint(2, 6))]
    count = chance.choices([0, 1, 2, 4, 6, 7, 8, 9, 10, 12], [1, 2, 2, 3, 3, 3, 3, 3, 3, 3])[0]
    nulls = chance.choice([0.0, 0.15, 0.3, 0.5])

    def value(letter: str) -> Any:
        return None if chance.random() < nulls else chance.choice(DOMAINS[letter].values)

    rows = [(number, *map(value, letters[1:])) for number in range(1, count + 1)]
    columns = tuple((f"{letter}{suffix}" if suffix else f"{letter}c", letter) for letter in letters)
    return TableData(name, columns, tuple(rows))
