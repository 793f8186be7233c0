"""Statements that DataFusion 55 answers wrongly, or refuses, and Igloo answers as PostgreSQL does.

Each is asked twice: rewritten, for the right rows, and as it is written, to see that the rule is
still needed.
"""

import datetime as dt

import pyarrow as pa
import pytest

import igloo
from igloo.errors import IglooError, InvalidValue, NotSupported

A = pa.table({"k": [1], "s": pa.array([None], pa.string())})
B = pa.table({"k": [1], "s": ["p"]})
X = pa.table({"i": [1, 2, 3, None], "g": [1, 1, 1, 2], "f": [0.0, -0.0, 1.0, 1.0]})
Y = pa.table({"j": [2, None], "i": [1, 1]})
SHIFTED = pa.table({"t": ["y"], "k": [1], "z": [5]})
MILLISECONDS = pa.table(
    {
        "at": pa.array(
            [dt.datetime(2024, 1, 1, tzinfo=dt.UTC).replace(tzinfo=None)], pa.timestamp("ms")
        )
    }
)
TEXTS = pa.table({"v": ["abc", "a%b", "a", None]})
TABLES = {
    "a": A,
    "b": B,
    "x": X,
    "y": Y,
    "shifted": SHIFTED,
    "ms": MILLISECONDS,
    "texts": TEXTS,
}

FINE = "TIMESTAMP '2024-01-01 00:00:00.000001'"

WRONG = [
    # IN (SELECT …) with its third value, outside of a bare term of WHERE
    ("SELECT i FROM x WHERE i NOT IN (SELECT j FROM y) OR i < 0", []),
    ("SELECT i FROM x WHERE (i IN (SELECT j FROM y)) IS NULL", [(1,), (3,), (None,)]),
    ("SELECT i FROM x WHERE CASE WHEN i NOT IN (SELECT j FROM y) THEN 1 ELSE 0 END = 1", []),
    ("SELECT i FROM x WHERE NOT (i IN (SELECT j FROM y) AND i > 0)", []),
    ("SELECT i FROM x GROUP BY i HAVING i NOT IN (SELECT j FROM y) OR i < 0", []),
    ("SELECT i FROM x WHERE i NOT IN (SELECT y.i FROM y WHERE y.i = x.i)", [(2,), (3,), (None,)]),
    ("SELECT i FROM y WHERE 0 NOT IN (SELECT j FROM y)", []),
    # one row of all rows, whatever a filter above it lets through
    ("SELECT n FROM (SELECT count(*) AS n, 5 AS c FROM x) AS q WHERE c > 5", []),
    ("SELECT n FROM (SELECT max(g) AS n, (SELECT 5) AS c FROM x) AS q WHERE c > 5", []),
    ("WITH q AS (SELECT sum(i) AS n, 'a' AS c FROM x) SELECT n FROM q WHERE c = 'b'", []),
    ("SELECT c FROM (SELECT 7 AS c FROM x GROUP BY ROLLUP (g)) AS q WHERE c > 7", []),
    ("SELECT count(*) FROM x HAVING (SELECT max(j) FROM y) > 5", []),
    ("SELECT n FROM (SELECT count(*) AS n FROM x) AS q WHERE (SELECT false)", []),
    (
        "WITH q AS (SELECT count(*) AS n FROM x) SELECT n FROM q WHERE (SELECT max(j) > 5 FROM y)",
        [],
    ),
    # lists
    ("SELECT i FROM x WHERE i NOT IN (1, 3) OR i NOT IN (1, NULL)", [(2,)]),
    ("SELECT i FROM x WHERE i NOT IN (1, 2) OR i NOT IN (3, 4)", [(1,), (2,), (3,)]),
    ("SELECT i FROM x WHERE NOT (i IN (1, 2) AND i IN (3, 4))", [(1,), (2,), (3,)]),
    ("SELECT i FROM x WHERE (i IN (1, 2) AND i IN (3, 4)) IS NULL", [(None,)]),
    ("SELECT i IN (1) AND i IN (2) FROM x", [(False,), (False,), (False,), (None,)]),
    ("SELECT i FROM x WHERE i IN (g) AND i IN (1, 5)", [(1,)]),
    ("SELECT i FROM x WHERE i NOT IN (1, 3) OR i NOT IN (1, nullif(1, 1))", [(2,)]),
    ("SELECT f FROM x WHERE f IN (0.0, 2, 3, 4)", [(0.0,), (-0.0,)]),
    ("SELECT f FROM x WHERE f NOT IN (-0.0, 2, 3, 4)", [(1.0,), (1.0,)]),
    # joins
    (
        "SELECT b.s FROM a FULL JOIN b ON a.k = b.k WHERE b.k = 1 AND a.s IS NULL",
        [("p",)],
    ),
    ("SELECT b.s FROM a RIGHT JOIN b ON a.k = b.k WHERE b.k = 1 AND a.s IS NULL", [("p",)]),
    ("SELECT k FROM (SELECT 2 AS k) c RIGHT JOIN (SELECT 3 AS k) d USING (k)", [(3,)]),
    ("SELECT k FROM (SELECT 2 AS k) c FULL JOIN (SELECT 3 AS k) d USING (k)", [(2,), (3,)]),
    ("SELECT * FROM (SELECT 2 AS k) c NATURAL FULL JOIN (SELECT 3 AS k) d", [(2,), (3,)]),
    ("SELECT * FROM shifted JOIN a USING (k)", [(1, "y", 5, None)]),
    # sets of rows that may be equal
    ("SELECT g FROM x INTERSECT ALL SELECT 1", [(1,)]),
    ("SELECT g FROM x EXCEPT ALL SELECT 1", [(1,), (1,), (2,)]),
    ("SELECT i % 2, g FROM x EXCEPT ALL SELECT 1, 1", [(0, 1), (1, 1), (None, 2)]),
    # text
    ("SELECT v FROM texts WHERE v SIMILAR TO 'a'", [("a",)]),
    ("SELECT v FROM texts WHERE v NOT SIMILAR TO 'b'", [("a",), ("a%b",), ("abc",)]),
    ("SELECT v FROM texts WHERE (v ~ '.*') IS NULL", [(None,)]),
    # literals finer than the column
    (f"SELECT count(*) FROM ms WHERE at < {FINE}", [(1,)]),
    (f"SELECT count(*) FROM ms WHERE at = {FINE}", [(0,)]),
    (f"SELECT count(*) FROM ms WHERE at NOT IN ({FINE}, TIMESTAMP '2020-01-01')", [(1,)]),
    (f"SELECT count(*) FROM ms WHERE at BETWEEN {FINE} AND TIMESTAMP '2025-01-01'", [(0,)]),
    # precedence
    ("SELECT (i > 1) IS DISTINCT FROM TRUE OR g = 1 FROM x WHERE i = 2", [(True,)]),
]

REFUSED = [
    ("SELECT v FROM texts WHERE v SIMILAR TO 'a!%b' ESCAPE '!'", [("a%b",)]),
    ("SELECT i, (i IN (SELECT j FROM y)) IS TRUE FROM x WHERE i = 1", [(1, False)]),
    ("SELECT 1, 1", [(1, 1)]),
    ("SELECT 1 AS a, 2 AS a UNION ALL SELECT 3, 3", [(1, 2), (3, 3)]),
    ("SELECT *, k FROM a", [(1, None, 1)]),
    ("SELECT s.* FROM (SELECT 1 AS a, 2 AS a) s", [(1, 2)]),
    (
        "SELECT i FROM x WHERE i NOT IN (SELECT j FROM y WHERE y.i = x.i AND j > 0)",
        [(1,), (2,), (3,), (None,)],
    ),
    ("SELECT sum((SELECT max(j) FROM y WHERE y.i = x.i)) AS n FROM x", [(2,)]),
    ("SELECT count(*) FILTER (WHERE EXISTS (SELECT 1 FROM y WHERE y.i = x.i)) AS n FROM x", [(1,)]),
    ("SELECT count(*) FILTER (WHERE i IN (SELECT j FROM y WHERE y.i = g)) AS n FROM x", [(1,)]),
    (
        "SELECT EXISTS (SELECT 1 FROM y WHERE y.i = x.i) AS e, count(*) FROM x GROUP BY 1",
        [(False, 3), (True, 1)],
    ),
    ("SELECT k FROM a JOIN b USING (k) WHERE k > 0", [(1,)]),
    ("SELECT k FROM a JOIN b USING (k) JOIN shifted USING (k) JOIN a d USING (k)", [(1,)]),
    ("SELECT (SELECT max(j) FROM y WHERE y.i = x.i) AS m FROM x GROUP BY 1", [(2,), (None,)]),
]


@pytest.fixture(scope="module")
def db():
    with igloo.connect() as connection:
        for name, table in TABLES.items():
            connection.register(name, table)
        yield connection


def ordered(rows):
    return sorted(rows, key=repr)


@pytest.mark.parametrize(("sql", "right"), WRONG, ids=lambda value: str(value)[:80])
def test_a_statement_that_datafusion_answers_wrongly_is_answered_right(db, sql, right):
    db.sql("SET igloo.rewrites = off")
    as_written = ordered(db.sql(sql).fetchall())
    db.sql("RESET igloo.rewrites")
    assert ordered(db.sql(sql).fetchall()) == ordered(right)
    assert as_written != ordered(right), "DataFusion is right by now: its rule can go"


@pytest.mark.parametrize(("sql", "right"), REFUSED, ids=lambda value: str(value)[:80])
def test_a_statement_that_datafusion_refuses_is_answered(db, sql, right):
    db.sql("SET igloo.rewrites = off")
    with pytest.raises(IglooError):
        db.sql(sql).fetchall()
    db.sql("RESET igloo.rewrites")
    assert ordered(db.sql(sql).fetchall()) == ordered(right)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT v FROM texts WHERE v SIMILAR TO v",
        "SELECT (i IN (SELECT j FROM y LIMIT 1)) IS NULL FROM x",
        "SELECT (random() IN (SELECT j FROM y)) IS NULL",
    ],
)
def test_what_cannot_be_made_right_is_refused(db, sql):
    with pytest.raises(NotSupported, match="cannot be rewritten"):
        db.sql(sql)


def test_parameters_are_minded_as_if_they_were_written_out(db):
    sql = "SELECT i FROM x WHERE i NOT IN (1, 3) OR i NOT IN (1, ?)"
    assert db.sql(sql, [None]).fetchall() == [(2,)]
    at = dt.datetime(2024, 1, 1, 0, 0, 0, 1, tzinfo=dt.UTC).replace(tzinfo=None)
    assert db.sql("SELECT count(*) FROM ms WHERE at < ?", [at]).fetchall() == [(1,)]
    assert db.sql("SELECT f FROM x WHERE f IN (?, 2, 3, 4)", [0.0]).fetchall() == [(0.0,), (-0.0,)]


def test_a_list_in_a_view_is_not_merged_with_one_outside(db):
    db.sql("CREATE OR REPLACE VIEW lists AS SELECT i, i NOT IN (1, 2) AS p FROM x")
    assert db.sql("SELECT i FROM lists WHERE p OR i NOT IN (3, 4)").fetchall() == [(1,), (2,), (3,)]


def test_views_tables_and_explain_get_the_same_rows(db, tmp_path):
    sql = "SELECT i FROM x WHERE i NOT IN (SELECT j FROM y) OR i < 0"
    db.sql(f"CREATE OR REPLACE VIEW nothing AS {sql}")
    assert db.sql("SELECT * FROM nothing").fetchall() == []
    db.sql(f"CREATE OR REPLACE TABLE made AS {sql}")
    assert db.sql("SELECT * FROM made").fetchall() == []
    db.sql("CREATE OR REPLACE TABLE filled (i BIGINT)")
    assert db.sql(f"INSERT INTO filled {sql}").fetchall() == [(0,)]
    both = "SELECT b.s, a.k FROM a FULL JOIN b ON a.k = b.k WHERE b.k = 1 AND a.s IS NULL"
    assert db.sql(f"INSERT INTO filled (i) SELECT k FROM ({both}) j").fetchall() == [(1,)]
    db.sql(f"COPY ({both}) TO '{tmp_path}/out.parquet' STORED AS PARQUET")
    db.sql(f"CREATE EXTERNAL TABLE copied STORED AS PARQUET LOCATION '{tmp_path}/out.parquet'")
    copied = db.sql("SELECT * FROM copied")
    assert (copied.schema.names, copied.fetchall()) == (["s", "k"], [("p", 1)])
    db.sql("DROP TABLE copied")
    db.sql(f"COPY (SELECT * FROM shifted JOIN a USING (k)) TO '{tmp_path}/2.csv' STORED AS CSV")
    assert (tmp_path / "2.csv").read_text().split() == ["k,t,z,s", "1,y,5,"]
    plans = dict(db.sql(f"EXPLAIN {sql}").fetchall())
    assert "count(" in plans["logical_plan"]


@pytest.mark.parametrize(
    ("sql", "names"),
    [
        ("SELECT 1, 1", ["Int64(1)", "Int64(1)"]),
        ("SELECT k + 1, k + 1 FROM a", ["a.k + Int64(1)", "a.k + Int64(1)"]),
        ("SELECT (i IN (SELECT j FROM y)) IS NULL FROM x", ["IN IS NULL"]),
        (
            "SELECT a.k, b.k, count(*) FROM a FULL JOIN b ON a.k = b.k GROUP BY a.k, b.k",
            ["k", "k", "count(*)"],
        ),
        ("SELECT * FROM a LEFT JOIN b ON a.k = b.k", ["k", "s", "k", "s"]),
    ],
)
def test_columns_keep_the_names_of_the_statement_as_it_was_written(db, sql, names):
    result = db.sql(sql)
    assert result.schema.names == names
    assert result.to_arrow().schema.names == names
    assert [batch.schema.names for batch in db.sql(sql)] == [names]


def test_repeated_names_come_through_every_conversion_that_can_hold_them(db):
    result = db.sql("SELECT 1 AS a, 2 AS a")
    assert result.fetchall() == [(1, 2)]
    assert list(result.to_pandas().columns) == ["a", "a"]
    assert pa.table(result).schema.names == ["a", "a"]
    with pytest.raises(InvalidValue, match='two columns named "a"'):
        result.to_polars()


def test_a_table_cannot_have_two_columns_of_one_name(db):
    with pytest.raises(InvalidValue, match='two columns named "a"'):
        db.sql("CREATE TABLE twice AS SELECT 1 AS a, 2 AS a")


def test_a_view_cannot_have_two_columns_of_one_name_unless_it_names_them(db):
    with pytest.raises(IglooError, match="two columns of one name"):
        db.sql("CREATE VIEW twice AS SELECT 1, 1")
    db.sql("CREATE OR REPLACE VIEW twice (p, q) AS SELECT 1, 1")
    assert db.sql("SELECT q, p FROM twice").fetchall() == [(1, 1)]


def test_nested_statements_are_rewritten_too(db):
    brackets = "(" * 90 + "i NOT IN (SELECT j FROM y)" + ")" * 90
    assert db.sql(f"SELECT i FROM x WHERE {brackets} OR i < 0").fetchall() == []


@pytest.mark.parametrize(
    "sql", ["PREPARE p AS SELECT DISTINCT ON (?) 42", "EXPLAIN PREPARE p AS SELECT 1"]
)
def test_prepare_which_panics_is_out_of_reach(db, sql):
    with pytest.raises(IglooError, match=r"not supported|works on queries|parameter"):
        db.sql(sql)
