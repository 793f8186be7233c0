import json
import math
import uuid
from decimal import Decimal

import pyarrow as pa
import pytest

from igloo.cli.values import json_column, text_column, unique_names
from igloo.errors import NotSupported

NONE = None


def _timestamps(numbers, unit, zone=None):
    return pa.array(numbers, pa.int64()).cast(pa.timestamp(unit, zone))


TEXTS = [
    (pa.array([1, None, -(2**63)]), ["1", None, "-9223372036854775808"]),
    (pa.array([2**64 - 1], pa.uint64()), ["18446744073709551615"]),
    (pa.array([True, False, None]), ["true", "false", None]),
    (pa.array(["", "a", None]), ["", "a", None]),
    (pa.array(["a"], pa.string_view()), ["a"]),
    (pa.array([0.1, math.nan, math.inf, -math.inf, None]), ["0.1", "NaN", "Infinity", "-Infinity", None]),
    (pa.array([0.1], pa.float32()), ["0.1"]),
    (pa.array([Decimal("1E-10"), Decimal("-12.5"), None], pa.decimal128(38, 10)),
     ["0.0000000001", "-12.5000000000", None]),
    (pa.array([Decimal("1E+3")], pa.decimal128(5, -3)), ["1000"]),
    (pa.array([Decimal("0.1")], pa.decimal256(60, 2)), ["0.10"]),
    (pa.array([0, -1], pa.int32()).cast(pa.date32()), ["1970-01-01", "1969-12-31"]),
    (_timestamps([0, 1_700_000_000], "s"), ["1970-01-01 00:00:00", "2023-11-14 22:13:20"]),
    (_timestamps([1_700_000_000_120_000, -1], "us"),
     ["2023-11-14 22:13:20.12", "1969-12-31 23:59:59.999999"]),
    (_timestamps([1], "ns"), ["1970-01-01 00:00:00.000000001"]),
    (_timestamps([0], "us", "UTC"), ["1970-01-01 00:00:00+00:00"]),
    (_timestamps([500_000], "us", "+05:30"), ["1970-01-01 05:30:00.5+05:30"]),
    (_timestamps([1_700_000_000], "s", "America/New_York"), ["2023-11-14 17:13:20-05:00"]),
    (pa.array([1_500_000], pa.int64()).cast(pa.time64("us")), ["00:00:01.5"]),
    (pa.array([0], pa.int32()).cast(pa.time32("s")), ["00:00:00"]),
    (pa.array([3_661_000_001, -1, 0], pa.int64()).cast(pa.duration("us")),
     ["PT1H1M1.000001S", "PT-0.000001S", "PT0S"]),
    (pa.array([pa.MonthDayNano([14, -2, 3_000_000_000]), None, pa.MonthDayNano([0, 0, 0])]),
     ["P14M-2DT3S", None, "PT0S"]),
    (pa.array([b"\x00\xff", b"", None]), ["\\x00ff", "\\x", None]),
    (pa.array([b"ab"], pa.binary(2)), ["\\x6162"]),
    (pa.array([uuid.UUID(int=1).bytes, None], pa.uuid()), ["00000000-0000-0000-0000-000000000001", None]),
    (pa.array(["x", None, "x"]).dictionary_encode(), ["x", None, "x"]),
    (pa.nulls(2), [None, None]),
    (pa.array([[1, None], None, []]), ["[1, null]", None, "[]"]),
    (pa.array([{"a": "x"}, None]), ['{"a": "x"}', None]),
]  # fmt: skip


@pytest.mark.parametrize(("column", "texts"), TEXTS, ids=[str(c.type) for c, _ in TEXTS])
def test_a_column_is_text_without_losing_a_digit(column, texts):
    assert text_column(column).to_pylist() == texts
    assert text_column(column.slice(1)).to_pylist() == texts[1:]
    assert text_column(column.slice(0, 0)).to_pylist() == []


def test_a_date_that_has_no_text_is_refused_by_name():
    column = pa.array([2**30], pa.int32()).cast(pa.date32())
    with pytest.raises(NotSupported, match='column "born" holds a date outside'):
        text_column(column, "born")
    with pytest.raises(NotSupported, match='column "at" holds a date outside'):
        text_column(_timestamps([2**62], "us"), "at")


JSON = [
    (pa.array([1, None]), [1, None]),
    (pa.array([True, None]), [True, None]),
    (pa.array([0.1, math.nan, -math.inf, 1e300, 1e-7, -0.0, 100.0, None]),
     [0.1, "NaN", "-Infinity", 1e300, 1e-7, -0.0, 100, None]),
    (pa.array([Decimal("12345678901234567890.10"), None], pa.decimal128(38, 2)),
     ["12345678901234567890.10", None]),
    (pa.array(['a"\\\n\x1b\u2028é', "", None]), ['a"\\\n\x1b\u2028é', "", None]),
    (_timestamps([0, None], "us", "UTC"), ["1970-01-01T00:00:00+00:00", None]),
    (pa.array([0], pa.int32()).cast(pa.date32()), ["1970-01-01"]),
    (pa.array([b"\x00\xff"]), ["\\x00ff"]),
    (pa.array([[1, None], None, [], [2]]), [[1, None], None, [], [2]]),
    (pa.array([[1, 2], None, [3, 4]], pa.list_(pa.int8(), 2)), [[1, 2], None, [3, 4]]),
    (pa.array([["a"], None], pa.large_list(pa.string())), [["a"], None]),
    (pa.array([[[b"a"], None], [[]]]), [[["\\x61"], None], [[]]]),
    (pa.array([{"a": 1, "b": [None, 2]}, None, {"a": None, "b": None}]),
     [{"a": 1, "b": [None, 2]}, None, {"a": None, "b": None}]),
    (pa.array([[("k", 1), ("l", None)], None, []], pa.map_(pa.string(), pa.int64())),
     [{"k": 1, "l": None}, None, {}]),
    (pa.array([[(7, "x")]], pa.map_(pa.int32(), pa.string())), [{"7": "x"}]),
    (pa.array([{}, {}], pa.struct([])), [{}, {}]),
    (pa.nulls(1), [None]),
    (pa.array([[_timestamps([1], "ns")[0].value]], pa.list_(pa.int64())).cast(
        pa.list_(pa.timestamp("ns"))), [["1970-01-01T00:00:00.000000001"]]),
]  # fmt: skip


@pytest.mark.parametrize(("column", "values"), JSON, ids=[str(c.type) for c, _ in JSON])
def test_a_column_is_json_that_any_reader_reads_back(column, values):
    def read(part):
        return [json.loads(text, parse_constant=_refuse) for text in json_column(part)]

    assert read(column) == values
    assert read(column.slice(1)) == values[1:]
    assert read(column.slice(0, 1)) == values[:1]


def _refuse(constant):
    raise AssertionError(constant)


def test_repeated_names_are_made_different_without_taking_another_name():
    assert unique_names(["a", "b"]) == ["a", "b"]
    assert unique_names(["id", "id", "id"]) == ["id", "id_2", "id_3"]
    assert unique_names(["id", "id", "id_2"]) == ["id", "id_3", "id_2"]
    assert len(set(unique_names(["a", "a_2", "a", "a_2", "a"]))) == 5
