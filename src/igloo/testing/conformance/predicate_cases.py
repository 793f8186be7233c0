"""Predicates to offer: those that sources are known to get wrong, and random ones from a seed."""

from __future__ import annotations

import datetime as dt
import random
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from igloo.connectors.predicates import (
    And,
    Column,
    Comparison,
    ComparisonOperator,
    InList,
    IsNull,
    Like,
    Literal,
    Not,
    Or,
    Predicate,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_OPERATORS = tuple(ComparisonOperator)
_PATTERNS = ("a%", "%a", "%c%", "_", "__", "", "%", "a_c", "a\\_c", "100\\%", "a\\\\c", "A%", "ä", "%\n%", "日%", "a%c")  # fmt: skip

#: Name → the column it reads and how it is built from a function that makes literals.
NamedCase = tuple[tuple[str, ...], "Callable[[Literals], Predicate]"]


class Literals:
    """Makes terms and predicates over the columns of one schema."""

    def __init__(self, schema: pa.Schema) -> None:
        self.schema = schema

    def value(self, column: str, value: Any) -> pa.Scalar[Any]:
        """Return ``value`` with the column's type."""
        made: pa.Scalar[Any] = pa.scalar(value, self.schema.field(column).type)
        return made

    def compare(self, column: str, operator: str, value: Any) -> Comparison:
        """Return ``column operator value``."""
        literal = Literal(self.value(column, value))
        return Comparison(Column(column), ComparisonOperator(operator), literal)

    def within(self, column: str, *values: Any) -> InList:
        """Return ``column IN (values)``."""
        return InList(Column(column), tuple(self.value(column, value) for value in values))


def _utc(*parts: int) -> dt.datetime:
    return dt.datetime(*parts, tzinfo=dt.UTC)  # type: ignore[misc,arg-type]


def _typed(column: str, operator: str, value: Any, type_: pa.DataType) -> Comparison:
    literal = Literal(pa.scalar(value, type_))
    return Comparison(Column(column), ComparisonOperator(operator), literal)


_NAN = float("nan")
_INF = float("inf")

#: Where sources lie: NULL logic, text order and case, NaN, zones, and literals out of range.
NAMED_CASES: dict[str, NamedCase] = {
    "null_is_not_equal": (("small",), lambda x: x.compare("small", "<>", 1)),
    "null_under_not": (("small",), lambda x: Not(x.compare("small", "=", 1))),
    "null_in_list_under_not": (("small",), lambda x: Not(x.within("small", 0, 1, 2))),
    "null_or_true": (("small", "id"), lambda x: Or((x.compare("small", ">", 0), x.compare("id", "<", 60)))),
    "null_and_false_under_not": (("small", "big"), lambda x: Not(And((x.compare("small", ">", 0), x.compare("big", "<", 1))))),
    "is_null": (("name",), lambda _: IsNull(Column("name"))),
    "is_not_null": (("name",), lambda _: Not(IsNull(Column("name")))),
    "bool_is_true": (("flag",), lambda x: x.compare("flag", "=", True)),
    "bool_is_not_true": (("flag",), lambda x: Not(x.compare("flag", "=", True))),
    "empty_text_is_not_null": (("name",), lambda x: x.compare("name", "=", "")),
    "not_empty_text": (("name",), lambda x: x.compare("name", "<>", "")),
    "text_case_matters": (("name",), lambda x: x.compare("name", "=", "a")),
    "text_in_list_case_matters": (("name",), lambda x: x.within("name", "A", "B")),
    "text_accents_matter": (("name",), lambda x: x.compare("name", "=", "ä")),
    "trailing_space_matters": (("name",), lambda x: x.compare("name", "=", "trailing")),
    "text_order_is_by_code_point": (("name",), lambda x: x.compare("name", "<", "a")),
    "text_order_upper_before_lower": (("name",), lambda x: x.compare("name", ">", "B")),
    "text_order_ascii_before_accents": (("name",), lambda x: x.compare("name", ">=", "b")),
    "text_order_beyond_the_basic_plane": (("name",), lambda x: x.compare("name", ">", "\uffff")),
    "text_that_is_sql": (("name",), lambda x: x.compare("name", "=", "'; DROP TABLE facts; --")),
    "text_with_quotes": (("name",), lambda x: x.within("name", '"quoted"', "it's")),
    "text_with_backslash": (("name",), lambda x: x.compare("name", "=", "a\\c")),
    "text_null_is_a_text": (("name",), lambda x: x.within("name", "NULL", "null")),
    "text_not_in_source": (("name",), lambda x: x.compare("name", "=", "nobody has this")),
    "like_prefix": (("name",), lambda _: Like(Column("name"), "a%")),
    "like_case_matters": (("name",), lambda _: Like(Column("name"), "A%")),
    "like_one_character": (("name",), lambda _: Like(Column("name"), "_")),
    "like_escaped_underscore": (("name",), lambda _: Like(Column("name"), "a\\_c")),
    "like_escaped_percent": (("name",), lambda _: Like(Column("name"), "100\\%")),
    "like_escaped_backslash": (("name",), lambda _: Like(Column("name"), "a\\\\c")),
    "like_dot_matches_newline": (("name",), lambda _: Like(Column("name"), "a_c")),
    "like_empty_pattern": (("name",), lambda _: Like(Column("name"), "")),
    "not_like_leaves_null_out": (("name",), lambda _: Not(Like(Column("name"), "a%"))),
    "nan_is_nan": (("price",), lambda x: x.compare("price", "=", _NAN)),
    "nan_is_greatest": (("price",), lambda x: x.compare("price", ">", 1.0)),
    "nan_is_greater_than_infinity": (("price",), lambda x: x.compare("price", ">", _INF)),
    "nan_is_not_less": (("price",), lambda x: x.compare("price", "<", 1.0)),
    "all_are_less_than_nan": (("price",), lambda x: x.compare("price", "<", _NAN)),
    "nan_in_list": (("price",), lambda x: x.within("price", 1.0, _NAN)),
    "nan_under_not": (("price",), lambda x: Not(x.compare("price", "<=", 1.0))),
    "nan_in_float32": (("ratio",), lambda x: x.compare("ratio", ">=", 1.0)),
    "zeros_are_equal": (("price",), lambda x: x.compare("price", "=", 0.0)),
    "negative_zero_is_zero": (("price",), lambda x: x.compare("price", ">=", -0.0)),
    "infinity": (("price",), lambda x: x.compare("price", "=", -_INF)),
    "int_beyond_double": (("big",), lambda x: x.compare("big", "=", 2**53 + 1)),
    "int_extremes": (("big",), lambda x: x.within("big", 2**63 - 1, -(2**63))),
    "literal_above_the_type": (("small",), lambda _: _typed("small", "<", 2**40, pa.int64())),
    "literal_below_the_type": (("small",), lambda _: Not(_typed("small", "<=", -(2**40), pa.int64()))),
    "literal_of_another_scale": (("amount",), lambda _: _typed("amount", ">", Decimal("0.005"), pa.decimal128(10, 3))),
    "decimal_equal": (("amount",), lambda x: x.compare("amount", "=", Decimal("1.10"))),
    "decimal_less": (("amount",), lambda x: x.compare("amount", "<", Decimal("0.01"))),
    "date_before_1970": (("day",), lambda x: x.compare("day", "<", dt.date(1970, 1, 1))),
    "date_leap_day": (("day",), lambda x: x.compare("day", "=", dt.date(2024, 2, 29))),
    "date_before_gregory": (("day",), lambda x: x.compare("day", "<=", dt.date(1582, 10, 10))),
    "instant_in_a_lost_hour": (("at",), lambda x: x.compare("at", "=", _utc(2024, 3, 31, 1, 30))),
    "instant_in_a_double_hour": (("at",), lambda x: x.compare("at", "<", _utc(2024, 10, 27, 1))),
    "instant_microsecond": (("at",), lambda x: x.compare("at", "<", _utc(1970, 1, 1))),
    "local_time_has_no_zone": (("local",), lambda x: x.compare("local", "=", dt.datetime(2024, 3, 31, 2, 30))),  # noqa: DTZ001 - no zone is the point
    "local_time_microsecond": (("local",), lambda x: x.compare("local", ">", dt.datetime(2024, 10, 27, 2, 30))),  # noqa: DTZ001 - no zone is the point
    "bytes_equal": (("payload",), lambda x: x.compare("payload", "=", b"\x00\xff")),
    "bytes_are_not_text": (("payload",), lambda x: x.compare("payload", "=", b"\\x41")),
    "bytes_order": (("payload",), lambda x: x.compare("payload", ">", b"\x00")),
    "columns_compared": (("small", "tiny"), lambda _: Comparison(Column("small"), ComparisonOperator.LESS, Column("tiny"))),
    "float_columns_compared": (("ratio", "price"), lambda _: Comparison(Column("price"), ComparisonOperator.GREATER_OR_EQUAL, Column("ratio"))),
    "literal_on_the_left": (("id",), lambda x: Comparison(Literal(x.value("id", 7)), ComparisonOperator.LESS, Column("id"))),
    "nothing_matches": (("id",), lambda x: And((x.compare("id", ">", 5), x.compare("id", "<", 5)))),
    "everything_matches": (("id",), lambda x: x.compare("id", ">=", 0)),
    "one_row": (("id",), lambda x: x.compare("id", "=", 17)),
}  # fmt: skip


class RandomPredicates:
    """Predicates over a table's own values; the same seed gives the same predicates."""

    def __init__(self, table: pa.Table, seed: int) -> None:
        self._rng = random.Random(seed)  # noqa: S311 - not for secrets
        self._schema = table.schema
        self._values = {
            name: _distinct(table.column(name))
            for name in table.column_names
            if _is_comparable(table.schema.field(name).type)
        }
        self._values = {name: values for name, values in self._values.items() if values}

    def predicate(self, depth: int = 3) -> Predicate:
        """Return a random tree of at most ``depth`` levels."""
        choice = self._rng.random()
        if depth <= 1 or choice < 0.35:
            return self._leaf()
        if choice < 0.55:
            return Not(self.predicate(depth - 1))
        operands = tuple(self.predicate(depth - 1) for _ in range(self._rng.randint(2, 3)))
        return And(operands) if choice < 0.78 else Or(operands)

    def _leaf(self) -> Predicate:
        name = self._rng.choice(sorted(self._values))
        choice = self._rng.random()
        type_ = self._schema.field(name).type
        if _is_text(type_) and choice < 0.25:
            return Like(Column(name), self._rng.choice(_PATTERNS))
        if choice < 0.35:
            return IsNull(Column(name))
        if choice < 0.5:
            return InList(Column(name), self._several(self._values[name]))
        operator = self._rng.choice(_OPERATORS)
        peers = [n for n in self._values if n != name and self._schema.field(n).type == type_]
        if peers and choice < 0.6:
            return Comparison(Column(name), operator, Column(self._rng.choice(sorted(peers))))
        literal = Literal(self._rng.choice(self._values[name]))
        if choice < 0.65:
            return Comparison(literal, operator, Column(name))
        return Comparison(Column(name), operator, literal)

    def _several(self, values: Sequence[pa.Scalar[Any]]) -> tuple[pa.Scalar[Any], ...]:
        return tuple(self._rng.choice(values) for _ in range(self._rng.randint(1, 6)))


def _distinct(column: pa.ChunkedArray[Any]) -> tuple[pa.Scalar[Any], ...]:
    seen = {repr(value): value for value in column if value.is_valid}
    return tuple(seen[key] for key in sorted(seen))


def _is_text(type_: pa.DataType) -> bool:
    return bool(
        pa.types.is_string(type_)
        or pa.types.is_large_string(type_)
        or pa.types.is_string_view(type_)
    )


def _is_comparable(type_: pa.DataType) -> bool:
    return not (pa.types.is_nested(type_) or pa.types.is_null(type_) or pa.types.is_interval(type_))
