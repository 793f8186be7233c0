"""Which answers count as the same."""

import datetime as dt
import math
from decimal import Decimal

import pytest

from fuzz.answers import difference, normal, wrong_type


@pytest.mark.parametrize(
    ("kind", "one", "other"),
    [
        ("float", 0.0, -0.0),
        ("float", math.nan, -math.nan),
        ("dec", Decimal("1.50"), "1.5"),
        ("dec", Decimal("0.00"), "-0.0"),
        ("int", 3, Decimal(3)),
        ("text", None, None),
    ],
)
def test_one_value_in_two_forms_is_no_difference(kind, one, other):
    assert not difference(normal([(one,)], [kind]), normal([(other,)], [kind]), is_ordered=True)


@pytest.mark.parametrize(
    ("kind", "one", "other"),
    [
        ("float", 0.1, 0.1 + 2**-56),
        ("float", math.inf, 1.7976931348623157e308),
        ("dec", Decimal("1.50"), "1.51"),
        ("text", "a", "a "),
        ("text", "", None),
        ("text", "e\u0301", "é"),
        ("bool", False, None),
    ],
)
def test_two_values_are_a_difference(kind, one, other):
    assert difference(normal([(one,)], [kind]), normal([(other,)], [kind]), is_ordered=False)


def test_how_often_a_row_is_there_counts_and_its_place_only_in_an_order():
    assert difference([(1,), (1,)], [(1,)], is_ordered=False) == "lost nothing, added [(1,)]"
    assert difference([(1,)], [(1,), (2,)], is_ordered=False) == "lost [(2,)], added nothing"
    assert not difference([(1,), (2,)], [(2,), (1,)], is_ordered=False)
    assert "another order" in difference([(1,), (2,)], [(2,), (1,)], is_ordered=True)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("int", Decimal(1)),
        ("int", True),
        ("float", 1),
        ("dec", 1.5),
        ("date", dt.datetime(2024, 1, 1)),  # noqa: DTZ001 - timestamps have no zone
        ("text", b"a"),
    ],
)
def test_a_value_of_another_type_is_told(kind, value):
    assert "column 2 should be" in wrong_type([(1, None), (1, value)], ["int", kind])
