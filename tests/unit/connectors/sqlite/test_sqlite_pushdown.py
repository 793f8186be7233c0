"""Filters run inside of SQLite only where they mean there what they mean here."""

import sqlite3

import pyarrow as pa
import pytest

from igloo.connectors.contract import Pushdown
from igloo.connectors.predicates import (
    And,
    Column,
    Comparison,
    ComparisonOperator,
    Like,
    Literal,
    Not,
    Or,
)
from igloo.connectors.sql.types import ValueKind
from igloo.connectors.sqlite.dialect import SqliteDialect
from igloo.errors import SourceDataError
from igloo.names import TableName


def both(db, sql):
    """Return the rows with and without pushdown, and what SQLite was asked."""
    db.sql("SET igloo.pushdown = 'off'")
    plain = sorted(db.sql(sql).fetchall())
    db.sql("SET igloo.pushdown = 'full'")
    result = db.sql(sql)
    pushed = sorted(result.fetchall())
    assert pushed == plain
    return pushed, " ".join(result.stats.sources["lite"].sql)


def test_case_matters_whatever_the_columns_collation(db, put):
    put("CREATE TABLE t (v TEXT COLLATE NOCASE, w TEXT COLLATE RTRIM)")
    put("INSERT INTO t VALUES (?, ?)", ("a", "x"), ("A", "x "), (None, None))
    assert both(db, "SELECT v FROM lite.t WHERE v = 'a'")[0] == [("a",)]
    assert both(db, "SELECT w FROM lite.t WHERE w IN ('x')")[0] == [("x",)]
    rows, sql = both(db, "SELECT v FROM lite.t WHERE v < 'a'")
    assert rows == [("A",)]
    assert "COLLATE BINARY" in sql


def test_texts_of_a_numeric_column_are_ordered_as_texts(db, put):
    # The column's affinity would turn '5' into a number, and every number is below every text.
    put("CREATE TABLE t (v JSON)")
    put("INSERT INTO t VALUES (?)", ("1a",), ("[5]",), ("zz",))
    rows, sql = both(db, "SELECT v FROM lite.t WHERE v < '5'")
    assert rows == [("1a",)]
    assert "+`v`" in sql


def test_columns_of_a_view_are_compared_as_the_values_that_they_are(db, put):
    put(
        "CREATE TABLE t (n NUMERIC, s TEXT);"
        "CREATE VIEW w AS SELECT s AS v FROM t UNION ALL SELECT n FROM t"
    )
    put("INSERT INTO t VALUES (?, ?)", ("1a", "0"), ("zz", "6"))
    assert both(db, "SELECT v FROM lite.w WHERE v < '5'")[0] == [("0",), ("1a",)]


@pytest.mark.parametrize(
    ("pattern", "wanted", "is_sent"),
    [
        ("ab%", ["ab", "ab\0c", "abc"], True),
        ("AB%", ["AB"], True),
        ("ab", ["ab"], True),
        ("%b\0c%", ["ab\0c"], False),
        ("%c%", ["ab\0c", "abc", "c"], True),
        ("%", ["", "AB", "ab", "ab\0c", "abc", "c", "\ud7ffx", "\U0010ffffx"], True),
        ("", [""], True),
        ("a_", ["ab"], False),
        ("%c", ["ab\0c", "abc", "c"], False),
        ("\ud7ff%", ["\ud7ffx"], True),
        ("\U0010ffff%", ["\U0010ffffx"], False),
        ("a\\", [], False),
    ],
)
def test_like_is_sent_where_sqlite_can_say_it_otherwise(put, connector, pattern, wanted, is_sent):
    put("CREATE TABLE t (v TEXT)")
    texts = ["", "AB", "ab", "ab\0c", "abc", "c", "\ud7ffx", "\U0010ffffx"]
    put("INSERT INTO t VALUES (?)", *((text,) for text in texts), (None,))
    predicate = Like(Column("v"), pattern)
    scan = plan(connector, predicate)
    assert (scan.residual is None) == is_sent
    if is_sent:
        assert sorted(read(connector, scan)) == sorted(wanted)
        negated = plan(connector, Not(predicate))
        assert sorted(read(connector, negated)) == sorted(set(texts) - set(wanted))


def plan(connector, predicate, columns=("v",)):
    table = connector.load_table(TableName("main", "t"))
    return connector.plan_scan(table, Pushdown(columns=columns, filter=predicate))


def read(connector, scan):
    from igloo.cancel import CancelToken

    (split,) = scan.splits
    return connector.read_split(split, CancelToken()).read_all().column(0).to_pylist()


def test_doubles_are_written_without_rounding():
    dialect = SqliteDialect()
    database = sqlite3.connect(":memory:")
    for number in (0.1, 0.3 - 0.1, 5.0, -2.5, 1 / 3, float("inf"), -(2.0**53)):
        text = dialect.literal(pa.scalar(number), ValueKind.FLOAT)
        assert database.execute(f"SELECT {text}").fetchone()[0] == number, text
    for number in (float("nan"), 1e300, 1e-9, 5e-324):
        assert dialect.literal(pa.scalar(number), ValueKind.FLOAT) is None
    database.close()


@pytest.mark.parametrize("is_deep", [True, False], ids=["deep", "wide"])
def test_a_filter_that_is_too_large_for_sqlites_parser_stays_here(put, connector, is_deep):
    put("CREATE TABLE t (v INTEGER); INSERT INTO t VALUES (1), (2), (NULL)")
    one = Comparison(Column("v"), ComparisonOperator.EQUAL, Literal(pa.scalar(1)))
    predicate = one
    if is_deep:
        for _ in range(60):
            predicate = Not(predicate)
    else:
        predicate = Or(tuple(
            Comparison(Column("v"), ComparisonOperator.EQUAL, Literal(pa.scalar(number)))
            for number in range(1500)
        ))  # fmt: skip
    scan = plan(connector, And((predicate, one)))
    assert scan.residual == predicate
    assert read(connector, scan) == [1]


def test_the_largest_filter_that_is_sent_is_understood(put, connector):
    put("CREATE TABLE t (v INTEGER); INSERT INTO t VALUES (1), (2), (NULL)")
    deep = Comparison(Column("v"), ComparisonOperator.EQUAL, Literal(pa.scalar(1)))
    for number in range(19):
        deep = Not(deep) if number % 2 else Or((deep, deep))
    many = Or(tuple(
        Comparison(Column("v"), ComparisonOperator.NOT_EQUAL, Literal(pa.scalar(number)))
        for number in range(390)
    ))  # fmt: skip
    for predicate in (deep, many):
        scan = plan(connector, predicate)
        assert scan.residual is None or predicate is deep
        read(connector, scan)


@pytest.mark.parametrize(
    "created",
    [
        "CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT)",
        "CREATE TABLE t (id INT, v TEXT) STRICT; CREATE INDEX i ON t (id)",
    ],
    ids=["row number", "strict"],
)
def test_columns_that_hold_one_type_are_found_by_their_index(put, look, connector, created):
    if "STRICT" in created and sqlite3.sqlite_version_info < (3, 37):
        created = created.replace("STRICT", "").replace("INT,", "INTEGER PRIMARY KEY,")
        created = created.partition(";")[0]
    put(created)
    predicate = Comparison(Column("id"), ComparisonOperator.EQUAL, Literal(pa.scalar(7)))
    (sql,) = plan(connector, predicate).sql
    assert "SEARCH" in look(f"EXPLAIN QUERY PLAN {sql}")[0][3]


def test_a_column_that_is_gone_is_no_text(put, connector):
    put("CREATE TABLE t (id INTEGER, v TEXT); INSERT INTO t VALUES (1, 'a')")
    scan = plan(connector, None)
    put("ALTER TABLE t DROP COLUMN v")
    with pytest.raises(SourceDataError, match="no such column"):
        read(connector, scan)
