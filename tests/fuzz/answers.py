"""When two answers are the same.

This is the one place that says which differences are none. Beside it only ``spelling.FORMS`` says
the same thing in other words. Everything else has to be equal, value by value and type by type.
"""

from __future__ import annotations

import datetime as dt
import math
from collections import Counter
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

PYTHON_TYPES = {
    "int": int,
    "float": float,
    "dec": Decimal,
    "text": str,
    "bool": bool,
    "date": dt.date,
    "ts": dt.datetime,
}


def comparable(kind: str, value: Any) -> Any:
    """Return a value so that equal values of SQL are equal here, and no others."""
    if value is None:
        return None
    if kind == "float":
        # NaN is one value in SQL, and so are 0.0 and -0.0, of which any may stand for a group.
        value = float(value)
        return "NaN" if math.isnan(value) else value + 0.0
    if kind == "int":
        # PostgreSQL's sums of bigint are numeric; Igloo's are bigint.
        return int(value)
    if kind == "dec":
        # The scales of decimals differ: 1.50 is 1.5. The driver of PostgreSQL gives text.
        return Decimal(value).normalize() + 0
    return value


def normal(rows: Sequence[tuple[Any, ...]], kinds: Sequence[str]) -> list[tuple[Any, ...]]:
    return [tuple(map(comparable, kinds, row)) for row in rows]


def wrong_type(rows: Sequence[tuple[Any, ...]], kinds: Sequence[str]) -> str:
    """Say which column of Igloo's answer is not of the kind that the statement has."""
    for row in rows:
        for number, (kind, value) in enumerate(zip(kinds, row, strict=True), start=1):
            if value is not None and type(value) is not PYTHON_TYPES[kind]:
                return f"column {number} should be {kind}, and {value!r} is {type(value).__name__}"
    return ""


def difference(
    found: Sequence[tuple[Any, ...]], expected: Sequence[tuple[Any, ...]], *, is_ordered: bool
) -> str:
    """Say how two answers differ; nothing if they do not."""
    lost, added = Counter(expected), Counter(found)
    lost, added = lost - added, added - lost
    if lost or added:
        return f"lost {shown(lost)}, added {shown(added)}"
    if is_ordered and list(found) != list(expected):
        return f"in another order: {list(found)[:9]} instead of {list(expected)[:9]}"
    return ""


def shown(rows: Counter[Any]) -> str:
    return str(list(rows.elements())[:9]) if rows else "nothing"
