"""Parameters of every kind and type, and what must not be taken for one."""

import datetime as dt
import decimal
import uuid

import numpy as np
import pyarrow as pa
import pytest

from igloo.errors import InvalidValue

MIDNIGHT_UTC = dt.datetime(2024, 2, 29, 1, 2, 3, 456789, dt.UTC)


def test_question_marks_numbers_and_names(rows):
    assert rows("SELECT ? + ?, ?", [1, 2, "x"]) == [(3, "x")]
    assert rows("SELECT $2, $1, $2 AS again", ["a", "b"]) == [("b", "a", "b")]
    assert rows("SELECT $one + $two", {"two": 2, "one": 1}) == [(3,)]
    assert rows("SELECT ?,?", (1, 2)) == [(1, 2)]
    assert rows("SELECT $1,$2", (1, 2)) == [(1, 2)]
    assert rows("SELECT '?' || ? || '$1'", ["-"]) == [("?-$1",)]


def test_more_than_nine_parameters(rows):
    marks = ", ".join(f"? AS c{n}" for n in range(12))
    assert rows(f"SELECT {marks}", list(range(12))) == [tuple(range(12))]
    numbers = ", ".join(f"${n} AS c{n}" for n in range(1, 13))
    assert rows(f"SELECT {numbers}", list(range(12))) == [tuple(range(12))]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT '?'",
        "SELECT '$1', '$name'",
        'SELECT 1 AS "?"',
        'SELECT 1 AS "$1"',
        "SELECT 1 -- ? $1 $name",
        "SELECT 1 /* ? $1 */",
        "SELECT 'it''s ?'",
        "SELECT $$ ? $1 $$",
    ],
)
def test_quotes_and_comments_hold_no_parameters(rows, sql):
    assert len(rows(sql)) == 1
    with pytest.raises(InvalidValue):
        rows(sql, [1])


@pytest.mark.parametrize(
    ("sql", "parameters", "told"),
    [
        ("SELECT ?", None, "1 parameter, 0 were given"),
        ("SELECT ?", [1, 2], "1 parameter, 2 were given"),
        ("SELECT ?, ?", [1], "2 parameters, 1 was given"),
        ("SELECT $1", [], "1 parameter"),
        ("SELECT $2", [1, 2], "does not use $1"),
        ("SELECT ? + $1", [1], "mixes"),
        ("SELECT ? + $a", {"a": 1}, "mixes"),
        ("SELECT $a", [1], "dict"),
        ("SELECT $1", {"1": 1}, "list"),
        ("SELECT ?", {"a": 1}, "list"),
        ("SELECT $a", {}, "$a has no value"),
        ("SELECT $a", {"a": 1, "b": 2}, "does not use $b"),
        ("SELECT 1", [1], "0 parameters"),
        ("SELECT ?", "x", "cannot be given as str"),
        ("SELECT ?", {1, 2}, "cannot be given as set"),
        ("SELECT ?", [object()], "type object"),
        ("SELECT ?", [10**40], "38 digits"),
        ("SET igloo.timeout = ?", ["1s"], "takes no parameters"),
        ("SHOW CATALOGS", [1], "parameter"),
    ],
)
def test_wrong_parameters_are_told_before_anything_runs(db, sql, parameters, told):
    with pytest.raises(InvalidValue) as caught:
        db.sql(sql, parameters)
    assert told in str(caught.value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        (True, True),
        (0, 0),
        (2**63 - 1, 2**63 - 1),
        (-(2**63), -(2**63)),
        (2**63, decimal.Decimal(2**63)),
        (10**37, decimal.Decimal(10**37)),
        (1.5, 1.5),
        (float("inf"), float("inf")),
        (decimal.Decimal("1.10"), decimal.Decimal("1.10")),
        ("é'\"\\?$1", "é'\"\\?$1"),
        ("", ""),
        (b"\x00\xff", b"\x00\xff"),
        (bytearray(b"ab"), b"ab"),
        (memoryview(b"ab"), b"ab"),
        (dt.date(1, 1, 1), dt.date(1, 1, 1)),
        (dt.datetime(9999, 12, 31, 23, 59, 59), dt.datetime(9999, 12, 31, 23, 59, 59)),  # noqa: DTZ001 - a timestamp without a zone
        (MIDNIGHT_UTC, MIDNIGHT_UTC),
        (dt.time(1, 2, 3, 4), dt.time(1, 2, 3, 4)),
        (dt.timedelta(days=1, microseconds=1), dt.timedelta(days=1, microseconds=1)),
        (uuid.UUID(int=7), str(uuid.UUID(int=7))),
        ([1, None, 3], [1, None, 3]),
        (("a", "b"), ["a", "b"]),
        (np.int64(5), 5),
        (np.float32(1.5), 1.5),
        (np.str_("x"), "x"),
        (pa.scalar(3, pa.int8()), 3),
    ],
)
def test_every_python_value_comes_back_as_it_went_in(rows, value, expected):
    ((found,),) = rows("SELECT $1 AS v", [value])
    assert found == expected
    assert type(found) is type(expected)


def test_not_a_number_comes_back(rows):
    ((found,),) = rows("SELECT ?", [float("nan")])
    assert found != found  # noqa: PLR0124 - that is what NaN is


def test_parameters_stand_wherever_a_value_may(rows):
    rows("CREATE TABLE t (a BIGINT, s TEXT)")
    assert rows("INSERT INTO t VALUES (?, ?), (?, ?)", [1, "x", 2, None]) == [(2,)]
    assert rows("SELECT a FROM t WHERE s = $1", ["x"]) == [(1,)]
    assert rows("SELECT a FROM t WHERE s = $1", [None]) == []
    assert rows("SELECT a FROM t WHERE a IN (?, ?) ORDER BY a", [1, 2]) == [(1,), (2,)]
    assert rows("SELECT a FROM t ORDER BY a LIMIT ? OFFSET ?", [1, 1]) == [(2,)]
    assert rows("SELECT a FROM t WHERE a > ? ORDER BY a LIMIT ?", [0, 1]) == [(1,)]
    assert rows("SELECT a FROM t WHERE a = ANY(?)", [[2, 3]]) == [(2,)]
    assert rows("EXPLAIN SELECT a FROM t WHERE a = ?", [1])[0][0] == "igloo_plan"
    rows("CREATE TABLE u AS SELECT a FROM t WHERE a >= ?", [2])
    assert rows("SELECT * FROM u") == [(2,)]


def test_a_value_is_never_read_as_sql(rows):
    rows("CREATE TABLE t (s TEXT)")
    evil = "'); DROP TABLE t; --"
    rows("INSERT INTO t VALUES (?)", [evil])
    assert rows("SELECT s FROM t WHERE s = ?", [evil]) == [(evil,)]


def test_a_question_mark_beside_text_is_a_parameter(rows):
    assert rows("SELECT 'a'||?||'b'", ["-"]) == [("a-b",)]
    assert rows("SELECT(?)", [1]) == [(1,)]
    assert rows("SELECT ?AS x", [1]) == [(1,)]
    assert rows("SELECT a FROM (SELECT ?a)t WHERE a=?OR a=?", [1, 2, 1]) == [(1,)]
