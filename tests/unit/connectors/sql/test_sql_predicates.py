import pyarrow as pa
import pytest

from igloo.connectors.postgres.dialect import PostgresDialect
from igloo.connectors.postgres.types import SourceType, sql_column
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
from igloo.connectors.sql import predicates
from igloo.connectors.sql.predicates import split_filter

OP = ComparisonOperator
TYPES = {
    "i": SourceType(name="int4"),
    "j": SourceType(name="int8"),
    "t": SourceType(name="text"),
    "s": SourceType(name="varchar"),
    "f": SourceType(name="float8"),
    "n": SourceType(name="numeric", modifier=(10 << 16 | 2) + 4),
    "b": SourceType(name="bool"),
    "d": SourceType(name="date"),
    "ts": SourceType(name="timestamp"),
    "tz": SourceType(name="timestamptz"),
    "iv": SourceType(name="interval"),
    "bad": SourceType(name="numeric"),
}
COLUMNS = {name: sql_column(name, source_type) for name, source_type in TYPES.items()}
ONE = Literal(pa.scalar(1))
NUL = Literal(pa.scalar("\0"))


def _split(predicate):
    return split_filter(predicate, COLUMNS, PostgresDialect())


def _compare(left, operator, right):
    return Comparison(Column(left), operator, right)


@pytest.mark.parametrize(
    ("predicate", "sql"),
    [
        (_compare("i", OP.LESS, ONE), '"i" < 1'),
        (Comparison(ONE, OP.LESS, Column("i")), '"i" > 1'),
        (Comparison(ONE, OP.NOT_EQUAL, Column("i")), '"i" <> 1'),
        (_compare("n", OP.EQUAL, ONE), '"n" = 1'),
        (_compare("t", OP.EQUAL, Literal(pa.scalar("x"))), "\"t\" = 'x'"),
        (_compare("t", OP.LESS, Literal(pa.scalar("x"))), '"t" COLLATE "C" < \'x\''),
        (_compare("i", OP.LESS, Column("j")), '"i" < "j"'),
        (_compare("t", OP.EQUAL, Column("s")), '"t" COLLATE "C" = "s" COLLATE "C"'),
        (InList(Column("i"), (pa.scalar(1), pa.scalar(2))), '"i" IN (1, 2)'),
        (Like(Column("t"), "a%"), "\"t\" LIKE 'a%'"),
        (IsNull(Column("iv")), '"iv" IS NULL'),
        (Not(IsNull(Column("i"))), 'NOT ("i" IS NULL)'),
        (
            Or((_compare("i", OP.EQUAL, ONE), And((IsNull(Column("i")), IsNull(Column("t")))))),
            '("i" = 1 OR ("i" IS NULL AND "t" IS NULL))',
        ),
        (
            And(
                (_compare("i", OP.EQUAL, ONE), Not(Or((IsNull(Column("i")), IsNull(Column("t"))))))
            ),
            '"i" = 1 AND NOT ("i" IS NULL OR "t" IS NULL)',
        ),
    ],
)
def test_what_means_the_same_is_written(predicate, sql):
    found = _split(predicate)
    assert (found.sql, found.residual) == (sql, None)


@pytest.mark.parametrize(
    "predicate",
    [
        _compare("i", OP.EQUAL, Literal(pa.scalar(1.0))),
        _compare("f", OP.EQUAL, ONE),
        _compare("f", OP.EQUAL, Column("i")),
        _compare("t", OP.EQUAL, ONE),
        _compare("t", OP.EQUAL, NUL),
        _compare("i", OP.EQUAL, Literal(pa.scalar(None, pa.int32()))),
        _compare("b", OP.LESS, Literal(pa.scalar(True))),
        _compare("ts", OP.EQUAL, Literal(pa.scalar(0, pa.timestamp("us", "UTC")))),
        _compare("tz", OP.EQUAL, Literal(pa.scalar(0, pa.timestamp("us")))),
        _compare("ts", OP.EQUAL, Column("tz")),
        _compare("d", OP.EQUAL, Column("ts")),
        _compare("iv", OP.EQUAL, Column("iv")),
        _compare("bad", OP.EQUAL, ONE),
        IsNull(Column("bad")),
        Comparison(ONE, OP.EQUAL, ONE),
        InList(Column("i"), ()),
        InList(Column("i"), (pa.scalar(1), pa.scalar(None, pa.int64()))),
        InList(Column("t"), (pa.scalar("a"), pa.scalar("\0"))),
        Like(Column("i"), "1"),
        Or((_compare("i", OP.EQUAL, ONE), _compare("t", OP.EQUAL, NUL))),
        Not(And((_compare("i", OP.EQUAL, ONE), _compare("t", OP.EQUAL, NUL)))),
    ],
)
def test_what_is_not_proven_stays_whole(predicate):
    found = _split(predicate)
    assert (found.sql, found.residual) == ("", predicate)


def test_the_terms_of_an_and_part():
    pushed, kept = _compare("i", OP.EQUAL, ONE), _compare("t", OP.EQUAL, NUL)
    found = _split(And((pushed, And((kept, IsNull(Column("t")))))))
    assert found.sql == '"i" = 1 AND "t" IS NULL'
    assert found.residual == kept


def test_no_filter_is_nothing():
    found = _split(None)
    assert (found.sql, found.residual) == ("", None)


def test_terms_too_long_or_too_deep_stay(monkeypatch):
    monkeypatch.setattr(predicates, "TERM_CHARACTERS_MAX", 20)
    long = InList(Column("i"), tuple(pa.scalar(n) for n in range(20)))
    assert _split(long).residual == long
    deep = IsNull(Column("i"))
    for _ in range(predicates.DEPTH_MAX + 1):
        deep = Not(deep)
    assert _split(deep).residual == deep
