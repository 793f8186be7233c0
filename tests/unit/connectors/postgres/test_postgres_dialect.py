import datetime as dt
import math
from decimal import Decimal

import pyarrow as pa
import pytest

from igloo.connectors.postgres.dialect import PostgresDialect
from igloo.connectors.sql.types import ValueKind as Kind
from igloo.names import TableName

DIALECT = PostgresDialect()
UTC = pa.timestamp("us", "UTC")


@pytest.mark.parametrize(
    ("value", "kind", "text"),
    [
        (pa.scalar(True), Kind.BOOLEAN, "true"),
        (pa.scalar(-5), Kind.INTEGER, "-5"),
        (pa.scalar(2**63 - 1), Kind.INTEGER, "9223372036854775807"),
        (pa.scalar(-(2**63)), Kind.INTEGER, "'-9223372036854775808'::numeric"),
        (pa.scalar(2**64 - 1, pa.uint64()), Kind.INTEGER, "'18446744073709551615'::numeric"),
        (pa.scalar(Decimal("-1.50")), Kind.DECIMAL, "'-1.50'::numeric"),
        (pa.scalar(Decimal("1E-10")), Kind.DECIMAL, "'0.0000000001'::numeric"),
        (pa.scalar(0.1), Kind.FLOAT, "'0.1'::float8"),
        (pa.scalar(0.1, pa.float32()), Kind.FLOAT, "'0.10000000149011612'::float8"),
        (pa.scalar(math.nan), Kind.FLOAT, "'NaN'::float8"),
        (pa.scalar(-math.inf), Kind.FLOAT, "'-Infinity'::float8"),
        (pa.scalar("it's"), Kind.TEXT, "'it''s'"),
        (pa.scalar("a\\'b"), Kind.TEXT, "E'a\\\\''b'"),
        (pa.scalar("a\0b"), Kind.TEXT, None),
        (pa.scalar(b"\x00'"), Kind.BINARY, "'\\x0027'::bytea"),
        (pa.scalar(dt.date(1, 1, 1)), Kind.DATE, "'0001-01-01'::date"),
        (pa.scalar(2**31 - 1, pa.date32()), Kind.DATE, None),
        (pa.scalar(86_400_000, pa.date64()), Kind.DATE, "'1970-01-02'::date"),
        (pa.scalar(0, pa.time32("s")), Kind.TIME, "'00:00:00'::time"),
        (pa.scalar(1001, pa.time64("ns")), Kind.TIME, None),
        (pa.scalar(-1, pa.timestamp("us")), Kind.TIMESTAMP, "'1969-12-31 23:59:59.999999'::timestamp"),
        (pa.scalar(1_000, pa.timestamp("ns")), Kind.TIMESTAMP, "'1970-01-01 00:00:00.000001'::timestamp"),
        (pa.scalar(1, pa.timestamp("ns")), Kind.TIMESTAMP, None),
        (pa.scalar(2**62, pa.timestamp("s")), Kind.TIMESTAMP, None),
        (pa.scalar(0, UTC), Kind.INSTANT, "'1970-01-01 00:00:00+00'::timestamptz"),
        (pa.scalar(0, pa.timestamp("s", "+05:30")), Kind.INSTANT, "'1970-01-01 00:00:00+00'::timestamptz"),
        (pa.scalar("550e8400-e29b-41d4-a716-446655440000"), Kind.UUID, "'550e8400-e29b-41d4-a716-446655440000'::uuid"),
        (pa.scalar("550E8400-e29b-41d4-a716-446655440000"), Kind.UUID, None),
        (pa.scalar("550e8400-e29b-41d4-a716-446655440000'"), Kind.UUID, None),
    ],
)  # fmt: skip
def test_literals_are_exact_or_not_written(value, kind, text):
    assert DIALECT.literal(value, kind) == text


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("a%", "\"c\" LIKE 'a%'"),
        ("a\\_'", "\"c\" LIKE E'a\\\\_'''"),
        ("a\\", None),
        ("a\\\\", "\"c\" LIKE E'a\\\\\\\\'"),
        ("a\\\\\\", None),
        ("\0", None),
    ],
)
def test_patterns_keep_their_escape(pattern, text):
    assert DIALECT.like('"c"', pattern) == text


def test_names_are_quoted_and_qualified():
    assert DIALECT.table(TableName('a"b', "Select")) == '"a""b"."Select"'
