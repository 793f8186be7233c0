"""Filters that a join or a sort finds while it runs reach no column that only shares a name.

DataFusion 55 looks such a column up by its name, and takes the first of several.
"""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

HARD_TO_JOIN = (
    "SELECT s.id, j.a, j.b FROM files.main.tb s JOIN ({inner}) j ON s.id = j.b",
    "SELECT a.id AS a, b.id AS b, a.ty FROM files.main.ta a LEFT JOIN files.main.tb b ON a.ty = b.id",
)


@pytest.fixture
def files(db, tmp_path):
    folder = tmp_path / "tables"
    folder.mkdir()
    pq.write_table(pa.table({"id": ["a1"], "ty": ["x1"]}), folder / "ta.parquet")
    pq.write_table(pa.table({"id": ["x1"]}), folder / "tb.parquet")
    orders = {"id": list(range(3000)), "amount": [number // 30 for number in range(3000)]}
    payments = {"id": list(range(3000)), "amount": [3000 - number for number in range(3000)]}
    pq.write_table(pa.table(orders), folder / "orders.parquet", row_group_size=100)
    pq.write_table(pa.table(payments), folder / "payments.parquet", row_group_size=100)
    pq.write_table(pa.table({"id": list(range(3000))}), folder / "customers.parquet")
    db.sql(f"CREATE CATALOG files USING files WITH (path = '{folder}')")


def test_a_join_drops_no_row_of_a_grouped_outer_join(files, rows):
    outer, inner = HARD_TO_JOIN
    sql = outer.format(inner=f"{inner} GROUP BY a.id, b.id, a.ty")
    assert rows(sql) == [("x1", "a1", "x1")]


def test_a_join_drops_no_row_of_a_grouped_inner_join(files, rows):
    outer, inner = HARD_TO_JOIN
    sql = outer.format(inner=inner.replace("LEFT JOIN", "JOIN"))
    assert rows(sql) == [("x1", "a1", "x1")]


@pytest.mark.parametrize("ordered", ["p.amount", "o.amount DESC, p.amount", "p.amount DESC"])
def test_the_first_rows_of_a_join_are_the_first_of_all(files, rows, ordered):
    sql = (
        "SELECT o.amount AS owed, p.amount AS paid FROM files.main.orders o"
        " JOIN files.main.payments p ON o.id = p.id JOIN files.main.customers c ON p.id = c.id"
        f" ORDER BY {ordered}"
    )
    assert rows(f"{sql} LIMIT 1") == rows(sql)[:1]
