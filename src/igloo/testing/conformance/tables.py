"""The tables that the suite puts into a source: small, and full of awkward values."""

from __future__ import annotations

import datetime as dt
import random
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Callable

FACTS = "facts"
EMPTY = "empty_facts"
LARGE = "large_facts"

FACTS_ROWS = 120
#: The same rows in every run: a failure must be seen again.
_SEED = 20_250

TEXTS = (
    *("", " ", "a", "A", "b", "B", "ab", "aB", "ä", "Ä", "a_c", "abc", "a%c", "a\\c", "a\nc"),
    *("100%", "_", "%", "\\", "trailing ", "Ünïcödé", "日本語", "🧊", "'; DROP TABLE facts; --"),
    *('"quoted"', "it's", "NULL", "null", "a,b", "a\tb", "x" * 300, "-1", "0", "NaN", "\ufeffbom"),
)
FLOATS = (
    0.0,
    -0.0,
    1.0,
    -1.0,
    0.1,
    1.5,
    1e300,
    -1e300,
    5e-324,
    *map(float, ("inf", "-inf", "nan")),
)
_UTC = dt.UTC

#: Name, type and values of each column of the table of facts, besides ``id``.
FACTS_COLUMNS: tuple[tuple[str, pa.DataType, tuple[Any, ...]], ...] = (
    ("flag", pa.bool_(), (True, False)),
    ("tiny", pa.int16(), (0, 1, -1, 2, 7, 2**15 - 1, -(2**15))),
    ("small", pa.int32(), (0, 1, -1, 2, 7, 2**31 - 1, -(2**31))),
    ("big", pa.int64(), (0, 1, -1, 2, 7, 2**53 + 1, 2**63 - 1, -(2**63))),
    ("ratio", pa.float32(), (0.0, 1.0, -1.0, 0.5, 2.0**100, *map(float, ("inf", "-inf", "nan")))),
    ("price", pa.float64(), FLOATS),
    ("amount", pa.decimal128(12, 2), tuple(map(Decimal, ("0", "0.01", "-0.01", "1.10", "9999999999.99")))),
    ("name", pa.string(), TEXTS),
    ("payload", pa.binary(), (b"", b"\x00", b"\x00\xff", b"a", b"\\x41", b"'")),
    (
        "day",
        pa.date32(),
        tuple(dt.date(*d) for d in ((1970, 1, 1), (1969, 12, 31), (2024, 2, 29), (1582, 10, 4), (9999, 12, 31), (1, 1, 1))),
    ),
    (
        "at",
        pa.timestamp("us", "UTC"),
        (
            dt.datetime(1970, 1, 1, tzinfo=_UTC),
            dt.datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=_UTC),
            dt.datetime(2024, 3, 31, 1, 30, tzinfo=_UTC),
            dt.datetime(2024, 10, 27, 0, 30, tzinfo=_UTC),
            dt.datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=_UTC),
        ),
    ),
    (
        "local",
        pa.timestamp("us"),
        tuple(
            dt.datetime.fromisoformat(text)
            for text in ("1970-01-01", "2024-03-31T02:30:00", "2024-10-27T02:30:00.000001", "0001-01-01")
        ),
    ),
)  # fmt: skip


def facts(
    store_type: Callable[[pa.DataType], pa.DataType | None],
    can_store: Callable[[pa.DataType, object], bool],
) -> pa.Table:
    """Return the table of facts without what the source cannot store.

    Args:
        store_type: the type that a column comes back as, None if it cannot be stored.
        can_store: whether a value can be stored; NULL takes the place of one that cannot.
    """
    rng = random.Random(_SEED)  # noqa: S311 - not for secrets
    columns: dict[str, pa.Array[Any]] = {}
    if store_type(pa.int64()) is not None:
        columns["id"] = pa.array(range(FACTS_ROWS), pa.int64())
    for name, type_, values in FACTS_COLUMNS:
        if store_type(type_) is None:
            continue
        pool = [value if can_store(type_, value) else None for value in values]
        # Every value at least once, then at random; a sixth of the rows is NULL.
        filled = [
            *pool,
            None,
            *(rng.choice((*pool, *[None] * (len(pool) // 5 + 1))) for _ in range(FACTS_ROWS)),
        ]
        chosen = filled[:FACTS_ROWS]
        rng.shuffle(chosen)
        columns[name] = pa.array(chosen, type_)
    return pa.table(columns)


def large(rows: int) -> pa.Table:
    """Return ``rows`` rows of about 260 bytes: ``id`` and ``name``."""
    filler = "x" * 240
    names = [f"{number}-{filler}" for number in range(rows)]
    return pa.table({"id": pa.array(range(rows), pa.int64()), "name": pa.array(names)})
