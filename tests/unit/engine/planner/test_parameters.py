"""The text that DataFusion gets, and the values by name."""

import datetime as dt
import decimal
import uuid

import numpy as np
import pyarrow as pa
import pytest

from igloo.engine.planner.parameters import bind_parameters
from igloo.engine.planner.tokens import tokenize
from igloo.errors import InvalidValue


def bind(text, parameters):
    bound, values = bind_parameters(tokenize(text, bytes_max=10_000), parameters)
    return bound, {name: value.as_py() for name, value in values.items()}


@pytest.mark.parametrize(
    ("text", "bound"),
    [
        ("SELECT ?, ?", "SELECT $1, $2"),
        ("SELECT ?+?", "SELECT $1+$2"),
        ("SELECT ?AS", "SELECT $1 AS"),
        ("SELECT ?_a", "SELECT $1 _a"),
        ("SELECT '?', ?, \"?\", ? -- ?", "SELECT '?', $1, \"?\", $2 -- ?"),
        ("SELECT /* ? */ ?, $$?$$, ?", "SELECT /* ? */ $1, $$?$$, $2"),
        (r"SELECT ?, E'\'?', ?", r"SELECT $1, E'\'?', $2"),
        ("SELECT 'é', ?, 'é', ?", "SELECT 'é', $1, 'é', $2"),
    ],
)
def test_question_marks_are_numbered_and_all_else_stays(text, bound):
    assert bind(text, ["a", "b"][: bound.count("$1") + bound.count("$2")]) == (
        bound,
        dict(zip(["1", "2"], ["a", "b"][: bound.count("$1") + bound.count("$2")], strict=False)),
    )


def test_numbers_and_names_leave_the_text_alone():
    assert bind("SELECT $2,$1,$2", ["a", "b"]) == ("SELECT $2,$1,$2", {"1": "a", "2": "b"})
    assert bind("SELECT $x,$Y", {"x": 1, "Y": 2}) == ("SELECT $x,$Y", {"x": 1, "Y": 2})
    assert bind("SELECT 1", None) == ("SELECT 1", {})
    assert bind("SELECT 1", {}) == ("SELECT 1", {})


UTC = dt.UTC
TYPES = [
    (True, pa.bool_()),
    (1, pa.int64()),
    (-(2**63), pa.int64()),
    (2**63, pa.decimal128(38, 0)),
    (10**38 - 1, pa.decimal128(38, 0)),
    (0.5, pa.float64()),
    ("é", pa.string()),
    (b"\x00", pa.binary()),
    (bytearray(b"x"), pa.binary()),
    (memoryview(b"x"), pa.binary()),
    (None, pa.null()),
    (decimal.Decimal("1.50"), pa.decimal128(3, 2)),
    (dt.date(2024, 2, 29), pa.date32()),
    (dt.time(1, 2, 3), pa.time64("us")),
    (dt.datetime(2024, 1, 1, tzinfo=UTC), pa.timestamp("us", "UTC")),
    (dt.timedelta(seconds=1), pa.duration("us")),
    (uuid.UUID(int=1), pa.string()),
    ([1, 2], pa.list_(pa.int64())),
    ((1, 2), pa.list_(pa.int64())),
    ({"a": 1}, pa.struct([("a", pa.int64())])),
    (np.int32(5), pa.int64()),
    (np.float32(0.5), pa.float64()),
    (np.bool_(True), pa.bool_()),
    (pa.scalar(1, pa.int8()), pa.int8()),
]


@pytest.mark.parametrize(("value", "type_"), TYPES, ids=lambda v: repr(v)[:30])
def test_each_value_gets_the_type_that_holds_it_exactly(value, type_):
    _, values = bind_parameters(tokenize("SELECT ?", bytes_max=100), [value])
    assert values["1"].type == type_


@pytest.mark.parametrize("value", [10**38, -(10**38), object(), lambda: 1, [1, "a"], 1j])
def test_what_sql_has_no_type_for_is_refused_without_its_value(value):
    with pytest.raises(InvalidValue, match=r"parameter \$1"):
        bind("SELECT ?", [value])


def test_a_value_is_not_repeated_in_an_error():
    with pytest.raises(InvalidValue) as caught:
        bind("SELECT ?", [[1, "swordfish"]])
    assert "swordfish" not in str(caught.value)
