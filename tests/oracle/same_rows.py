"""Compares Igloo's rows with DuckDB's: exactly, but for what DuckDB computes in floating point.

Whole numbers, decimals, dates and text have to be equal, digit for digit. One thing differs by
definition: DuckDB divides decimals, and averages them, in binary floating point, while Igloo stays
decimal and cuts the quotient at the scale of its type. Where the judge answers with a float,
Igloo's decimal may be off by one unit of its own last digit, and by no more. Where both are floats,
the order of a sum shows: they may differ by one part in 10^12.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from decimal import Decimal
from itertools import pairwise

import pytest


def assert_same_rows(rows, expected, units=1):
    """The same rows as often, in any order; floats of the judge within Igloo's last digit.

    ``units`` is how much of that digit may be off, where a statement goes on to compute with
    quotients.
    """
    assert len(rows) == len(expected)
    width = len(expected[0]) if expected else 0
    inexact = [i for i in range(width) if any(isinstance(r[i], float) for r in expected)]
    exact = [i for i in range(width) if i not in inexact]
    found, wanted = _by_exact_part(rows, exact, inexact), _by_exact_part(expected, exact, inexact)
    assert _counts(found) == _counts(wanted)
    for key, values in found.items():
        # Rows that nothing else tells apart are paired by the size of their floats.
        for ours, judged in zip(sorted(values), sorted(wanted[key]), strict=True):
            for (_, value), (_, judgement) in zip(ours, judged, strict=True):
                assert_within_last_digit(value, judgement, units)


def _by_exact_part(rows, exact, inexact):
    parts = defaultdict(list)
    for row in rows:
        # A pair for each float, so that NULL sorts.
        values = tuple((row[i] is not None, row[i]) for i in inexact)
        parts[tuple(row[i] for i in exact)].append(values)
    return parts


def _counts(parts):
    return Counter({key: len(values) for key, values in parts.items()})


def assert_within_last_digit(value, expected, units=1):
    assert (value is None) == (expected is None)
    if value is None:
        return
    if isinstance(value, float):
        assert value == pytest.approx(expected, rel=1e-12, abs=0)
        return
    assert isinstance(value, Decimal)
    unit = Decimal(1).scaleb(value.as_tuple().exponent)
    # A float carries about 15 digits; what lies below them is not the judge's word.
    noise = abs(Decimal(expected)) * Decimal("1e-15")
    assert abs(value - Decimal(expected)) <= units * unit + noise, (value, expected)


def assert_ordered(rows, names, order):
    """Each row stands at or after the one before, by the columns that the query orders by."""
    places = [(names.index(name), descending) for name, descending in order]
    for before, after in pairwise(rows):
        for place, descending in places:
            if before[place] == after[place]:
                continue
            assert (before[place] > after[place]) == descending, (before, after)
            break
