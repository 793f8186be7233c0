"""Types: each comes back exactly, or is refused."""

from __future__ import annotations

import datetime as dt
import uuid
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from igloo.errors import UnsupportedType
from igloo.testing.conformance.hooks import ConformanceHooks
from igloo.testing.conformance.reading import assert_same_rows, read_table
from igloo.testing.conformance.tables import FLOATS, TEXTS

_INT64 = (-(2**63), -1, 0, 1, 2**53 + 1, 2**63 - 1)
_HALVES = tuple(map(float, ("0", "-0.0", "0.5", "65504", "inf", "-inf", "nan")))
_SINGLES = tuple(map(float, ("0", "-0.0", "0.5", "3.4028234663852886e38", "inf", "-inf", "nan")))
#: 1970, the microsecond before, a leap second's neighbour, years 1 and 9999; in microseconds.
_INSTANTS_US = (0, -1, 1_483_228_799_999_999, -62_135_596_800_000_000, 253_402_300_799_999_999)
#: What nanoseconds can hold: from 1677 to 2262.
_INSTANTS_NS = (0, -1, 1_483_228_799_999_999_999, -(2**63) + 1, 2**63 - 1)
_SECONDS = tuple(value // 1_000_000 for value in _INSTANTS_US)
_DECIMALS = tuple(
    map(Decimal, ("0.00", "0.01", "-0.01", "1.10", "9999999999.99", "-9999999999.99"))
)
#: Python rounds a sign change of this many digits, so that both are written out.
_WIDE, _WIDE_NEGATIVE = Decimal("9" * 38), Decimal("-" + "9" * 38)
_BLOBS = (b"", b"\x00", b"\x00\xff", b"text", b"\\x41", bytes(range(256)))
_POINT = pa.struct([("x", pa.int64()), ("y", pa.string())])


def _interval(parts: Any) -> Any:
    interval: Any = pa.MonthDayNano
    return interval(parts)


#: One column each: its type and its values; NULL is put before, between and after them.
TYPE_CASES: dict[str, tuple[pa.DataType, tuple[Any, ...]]] = {
    "bool": (pa.bool_(), (True, False)),
    "int8": (pa.int8(), (-128, 0, 127)),
    "int16": (pa.int16(), (-(2**15), 0, 2**15 - 1)),
    "int32": (pa.int32(), (-(2**31), 0, 2**31 - 1)),
    "int64": (pa.int64(), _INT64),
    "uint8": (pa.uint8(), (0, 255)),
    "uint16": (pa.uint16(), (0, 2**16 - 1)),
    "uint32": (pa.uint32(), (0, 2**32 - 1)),
    "uint64": (pa.uint64(), (0, 2**63, 2**64 - 1)),
    "float16": (pa.float16(), _HALVES),
    "float32": (pa.float32(), _SINGLES),
    "float64": (pa.float64(), (*FLOATS, 1.7976931348623157e308, 2.0**53 + 2)),
    "decimal_12_2": (pa.decimal128(12, 2), _DECIMALS),
    "decimal_38_0": (pa.decimal128(38, 0), (Decimal(0), _WIDE, _WIDE_NEGATIVE)),
    "decimal_38_38": (pa.decimal128(38, 38), (Decimal("1e-38"), Decimal("-0." + "9" * 38))),
    "decimal_1_0": (pa.decimal128(1, 0), (Decimal(9), Decimal(-9))),
    "decimal_negative_scale": (pa.decimal128(5, -2), (Decimal(100), Decimal(9999900))),
    "decimal32": (pa.decimal32(9, 2), (Decimal("0.01"), Decimal("9999999.99"))),
    "decimal64": (pa.decimal64(18, 2), (Decimal("0.01"), Decimal("9999999999999999.99"))),
    "decimal256": (pa.decimal256(76, 10), (Decimal("0.0000000001"), Decimal("1" * 60))),
    "string": (pa.string(), TEXTS),
    "large_string": (pa.large_string(), TEXTS),
    "string_view": (pa.string_view(), TEXTS),
    "binary": (pa.binary(), _BLOBS),
    "large_binary": (pa.large_binary(), _BLOBS),
    "binary_view": (pa.binary_view(), _BLOBS),
    "fixed_size_binary": (pa.binary(4), (b"\x00\x00\x00\x00", b"abcd", b"\xff\xfe\xfd\xfc")),
    "date32": (pa.date32(), (0, -1, 19_782, -719_162, 2_932_896)),
    "date64": (pa.date64(), (0, -86_400_000, 86_400_000 * 19_782)),
    "time32_s": (pa.time32("s"), (0, 86_399)),
    "time32_ms": (pa.time32("ms"), (0, 1, 86_399_999)),
    "time64_us": (pa.time64("us"), (0, 1, 86_399_999_999)),
    "time64_ns": (pa.time64("ns"), (0, 1, 86_399_999_999_999)),
    "timestamp_s": (pa.timestamp("s"), _SECONDS),
    "timestamp_ms": (pa.timestamp("ms"), tuple(value * 1000 + 1 for value in _SECONDS)),
    "timestamp_us": (pa.timestamp("us"), _INSTANTS_US),
    "timestamp_ns": (pa.timestamp("ns"), _INSTANTS_NS),
    "timestamp_us_utc": (pa.timestamp("us", "UTC"), _INSTANTS_US),
    "timestamp_ns_utc": (pa.timestamp("ns", "UTC"), _INSTANTS_NS),
    "timestamp_us_zone": (pa.timestamp("us", "Europe/Berlin"), _INSTANTS_US),
    "timestamp_us_offset": (pa.timestamp("us", "+05:30"), _INSTANTS_US),
    "duration_s": (pa.duration("s"), (0, -1, 86_400)),
    "duration_us": (pa.duration("us"), (0, -1, 86_400_000_000)),
    "interval": (pa.month_day_nano_interval(), tuple(map(_interval, ((0, 0, 0), (1, 2, 3_000), (-1, -2, -3_000))))),
    "null": (pa.null(), ()),
    "list": (pa.list_(pa.int64()), ([], [1, None, 2], [None])),
    "list_of_strings": (pa.list_(pa.string()), ([], ["", None, "a,b", '"'])),
    "large_list": (pa.large_list(pa.int64()), ([], [1, None])),
    "fixed_size_list": (pa.list_(pa.int64(), 2), ([1, None], [3, 4])),
    "list_of_lists": (pa.list_(pa.list_(pa.int32())), ([], [[]], [[1], None, [2, 3]])),
    "struct": (_POINT, ({"x": 1, "y": "a"}, {"x": None, "y": None})),
    "struct_in_struct": (pa.struct([("p", _POINT)]), ({"p": {"x": 1, "y": ""}}, {"p": None})),
    "list_of_structs": (pa.list_(_POINT), ([], [{"x": 1, "y": "a"}, None])),
    "map": (pa.map_(pa.string(), pa.int64()), ([], [("a", 1), ("b", None)])),
    "dictionary": (pa.dictionary(pa.int32(), pa.string()), ("a", "b", "a", "")),
    "uuid": (pa.uuid(), (uuid.UUID(int=0).bytes, uuid.UUID(int=2**128 - 1).bytes)),
}  # fmt: skip


class TypeTests(ConformanceHooks):
    """Every Arrow type with its awkward values."""

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Lay the author's own cases over those of the suite."""
        super().pytest_generate_tests(metafunc)
        if "type_case" in metafunc.fixturenames:
            metafunc.parametrize("type_case", _cases(metafunc.cls))

    def test_a_type_comes_back_exactly_or_is_refused(self, make: Any, type_case: str) -> None:
        type_, values = _cases(type(self))[type_case]
        tables = {
            "typed": pa.table({"c": _column(self, type_, values)}),
            "only_nulls": pa.table({"c": _column(self, type_, ())}),
        }
        stored = self.store_type(type_)
        if stored is None:
            with pytest.raises(UnsupportedType) as caught:
                self.table(make(tables), "typed")
            assert caught.value.context.get("column") == "c", "say which column cannot be carried"
            return
        connector = make(tables)
        for name, rows in tables.items():
            table = self.table(connector, name)
            assert table.schema.field("c").type == stored
            assert_same_rows(read_table(connector, table), self.stored(rows), f"{name}, {type_}")

    def test_a_leap_day_stays_a_leap_day(self, make: Any) -> None:
        days = [dt.date(2024, 2, 29), dt.date(2000, 2, 29), dt.date(1600, 2, 29)]
        rows = pa.table({"c": pa.array(days, pa.date32())})
        if self.store_type(pa.date32()) is None:
            rows = pa.table({"c": pa.array([day.toordinal() for day in days], pa.int64())})
        connector = make({"days": rows})
        assert_same_rows(read_table(connector, self.table(connector, "days")), self.stored(rows))


def _cases(cls: Any) -> dict[str, tuple[pa.DataType, tuple[Any, ...]]]:
    return {**TYPE_CASES, **cls.type_cases}


def _column(hooks: ConformanceHooks, type_: pa.DataType, values: tuple[Any, ...]) -> Any:
    storable = [value for value in values if hooks.can_store(type_, value)]
    filled = [None, *(item for value in storable for item in (value, None))]
    if isinstance(type_, pa.BaseExtensionType):
        return pa.ExtensionArray.from_storage(type_, pa.array(filled, type_.storage_type))
    if pa.types.is_dictionary(type_):
        return pa.array(filled, type_.value_type).dictionary_encode().cast(type_)
    if pa.types.is_interval(type_):
        return pa.array(filled, type_)
    if pa.types.is_temporal(type_):
        return pa.array(filled, pa.int32() if type_.bit_width == 32 else pa.int64()).cast(type_)
    return pa.array(filled, type_)
