import datetime as dt
from decimal import Decimal

import pyarrow as pa
import pytest
from pyiceberg import types
from pyiceberg.expressions import AlwaysTrue
from pyiceberg.schema import Schema
from pyiceberg.types import NestedField

from igloo.connectors.lake.iceberg.pruning import wider_expression
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
)

TYPES = {
    "i": types.IntegerType(),
    "l": types.LongType(),
    "f": types.FloatType(),
    "d": types.DoubleType(),
    "m": types.DecimalType(9, 2),
    "s": types.StringType(),
    "b": types.BinaryType(),
    "u": types.UUIDType(),
    "day": types.DateType(),
    "ts": types.TimestampType(),
    "tz": types.TimestamptzType(),
    "a.b": types.LongType(),
    "p": types.StructType(NestedField(100, "x", types.LongType(), required=False)),
}
SCHEMA = Schema(
    *(
        NestedField(number, name, type_, required=False)
        for number, (name, type_) in enumerate(TYPES.items(), 1)
    )
)
UTC = dt.UTC


def compare(column, operator, value, type_=None):
    literal = Literal(pa.scalar(value, type_))
    return Comparison(Column(column), ComparisonOperator(operator), literal)


@pytest.mark.parametrize(
    "predicate",
    [
        compare("i", "<>", 3),
        Not(compare("i", "=", 3)),
        compare("d", ">", float("nan")),
        compare("d", "=", float("inf")),
        compare("f", "<", 0.1, pa.float64()),
        compare("f", "<", 1e300, pa.float64()),
        compare("m", "=", Decimal("1.005")),
        compare("i", "=", 1.5),
        compare("d", "=", 1),
        compare("s", "=", b"x"),
        compare("b", "=", b"x"),
        compare("u", "=", b"0" * 16, pa.binary(16)),
        compare("ts", "=", dt.datetime(2020, 1, 1, tzinfo=UTC), pa.timestamp("us", "UTC")),
        compare("tz", "=", dt.datetime(2020, 1, 1), pa.timestamp("us")),  # noqa: DTZ001 - has no zone
        compare("ts", "<", 1, pa.timestamp("ns")),
        compare("day", "=", dt.datetime(2020, 1, 1), pa.timestamp("us")),  # noqa: DTZ001 - has no zone
        compare("a.b", "=", 1),
        compare("p.x", "=", 1),
        compare("unknown", "=", 1),
        IsNull(Column("unknown")),
        Comparison(Column("i"), ComparisonOperator.LESS, Column("l")),
        Not(InList(Column("i"), (pa.scalar(1),))),
        InList(Column("i"), (pa.scalar(1), pa.scalar(1.5))),
        Not(Like(Column("s"), "a%")),
        Like(Column("s"), "%a"),
        Like(Column("s"), "_a"),
        Like(Column("i"), "1%"),
        Or((compare("i", "=", 1), compare("i", "<>", 2))),
    ],
    ids=repr,
)
def test_what_cannot_be_proven_wider_is_left_out(predicate):
    assert wider_expression(predicate, SCHEMA) == AlwaysTrue()


@pytest.mark.parametrize(
    ("predicate", "text"),
    [
        (compare("i", "<", 3), "LessThan(term=Reference(name='i'), literal=LongLiteral(3))"),
        (Not(compare("i", "<", 3)), "GreaterThanOrEqual"),
        (Comparison(Literal(pa.scalar(3)), ComparisonOperator.LESS, Column("i")), "GreaterThan("),
        (compare("d", ">", 3.0), "IsNaN"),
        (Not(compare("d", "<=", 3.0)), "IsNaN"),
        (compare("m", "=", Decimal("1.5")), "DecimalLiteral(Decimal('1.50'))"),
        (compare("m", "=", 100), "DecimalLiteral(Decimal('100.00'))"),
        (compare("day", "=", dt.date(1969, 12, 31)), "LongLiteral(-1)"),
        (compare("tz", "=", 5000, pa.timestamp("ns", "UTC")), "LongLiteral(5)"),
        (compare("ts", "=", -1, pa.timestamp("s")), "LongLiteral(-1000000)"),
        (Like(Column("s"), "ab\\%c%"), "StartsWith(term=Reference(name='s'), literal=literal('ab'))"),
        (Not(IsNull(Column("s"))), "NotNull"),
        (And((compare("i", "=", 1), compare("i", "<>", 2))), "EqualTo"),
        (Not(Or((IsNull(Column("s")), compare("i", "=", 1)))), "NotNull"),
    ],
    ids=repr,
)  # fmt: skip
def test_what_is_proven_is_kept(predicate, text):
    assert text in repr(wider_expression(predicate, SCHEMA))


def test_a_below_comparison_needs_no_nan():
    assert "IsNaN" not in repr(wider_expression(compare("d", "<", 3.0), SCHEMA))


def test_no_filter_is_always_true():
    assert wider_expression(None, SCHEMA) == AlwaysTrue()
