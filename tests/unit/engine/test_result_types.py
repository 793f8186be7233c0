"""The types of a result are those that DataFusion computes with, once it has made them fit."""

from decimal import Decimal

import pyarrow as pa
import pytest

import igloo


@pytest.fixture
def db():
    with igloo.connect() as connection:
        connection.register("t", pa.table({"k": pa.array([1, None], pa.int64())}))
        yield connection


@pytest.mark.parametrize(
    ("sql", "type_", "rows"),
    [
        ("SELECT 1 AS k UNION ALL SELECT 1.5", pa.float64(), [1.0, 1.5]),
        ("SELECT k FROM t UNION ALL SELECT 1.0", pa.float64(), [None, 1.0, 1.0]),
        (
            "SELECT CAST(1.5 AS decimal(10, 2)) AS k UNION SELECT CAST('1.0001' AS decimal(20, 4))",
            pa.decimal128(20, 4),
            [Decimal("1.0001"), Decimal("1.5000")],
        ),
        ("SELECT sum(k) AS k FROM (SELECT 1 AS k UNION ALL SELECT 1.5) AS q", pa.float64(), [2.5]),
        (
            "SELECT k + 1 AS k FROM (SELECT 1 AS k UNION ALL SELECT 1.5) AS q",
            pa.float64(),
            [2, 2.5],
        ),
        (
            "SELECT rank() OVER (ORDER BY k) / 2 AS k FROM t",
            pa.decimal128(24, 4),
            [Decimal("0.5000"), Decimal("1.0000")],
        ),
    ],
)
def test_a_result_has_the_type_that_its_rows_are_computed_in(db, sql, type_, rows):
    result = db.sql(sql)
    assert result.schema == pa.schema([pa.field("k", type_, result.schema.field("k").nullable)])
    found = [row[0] for row in result.fetchall()]
    assert sorted(found, key=str) == sorted(rows, key=str)
    assert result.to_arrow().schema == result.schema


def test_a_column_that_may_be_null_in_one_branch_may_be_null(db):
    assert db.sql("SELECT 1 AS k UNION ALL SELECT k FROM t").schema.field("k").nullable


def test_a_view_and_a_table_of_mixed_types_keep_what_is_in_them(db):
    db.sql("CREATE VIEW v AS SELECT 1 AS k UNION ALL SELECT 1.5")
    assert sorted(db.sql("SELECT k FROM v").fetchall()) == [(1.0,), (1.5,)]
    assert db.sql("SELECT max(k) AS m FROM v").fetchall() == [(1.5,)]
    assert db.sql("DESCRIBE v").fetchall()[0][:2] == ("k", "double")
    db.sql("CREATE TABLE made AS SELECT 1 AS k UNION ALL SELECT 1.5")
    assert sorted(db.sql("SELECT k FROM made").fetchall()) == [(1.0,), (1.5,)]
    db.sql("INSERT INTO made SELECT 2 UNION ALL SELECT 2.5")
    assert db.sql("SELECT sum(k) AS s FROM made").fetchall() == [(7.0,)]
