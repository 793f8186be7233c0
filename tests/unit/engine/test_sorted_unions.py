"""UNION ALL of branches that each have a constant, sorted by it: every branch keeps its value."""

import pyarrow as pa
import pytest

import igloo

UNION = "(SELECT 'a' AS source, k FROM t UNION ALL SELECT 'b', k FROM u)"
OVER = "OVER (ORDER BY source DESC, k)"


@pytest.fixture
def db(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with igloo.connect() as opened:
        for name in ("t", "u"):
            opened.register(name, pa.table({"k": [2, 1, 3]}))
        yield opened


@pytest.mark.parametrize("partitions", [1, 2, 4])
@pytest.mark.parametrize(
    ("sql", "rows"),
    [
        (f"SELECT * FROM {UNION} AS q ORDER BY source DESC, k LIMIT 2", [("b", 1), ("b", 2)]),
        (f"SELECT * FROM {UNION} AS q ORDER BY source, k DESC LIMIT 1", [("a", 3)]),
        (
            f"SELECT * FROM {UNION} AS q ORDER BY source DESC, k",
            [("b", 1), ("b", 2), ("b", 3), ("a", 1), ("a", 2), ("a", 3)],
        ),
        (
            f"SELECT source, k FROM (SELECT *, row_number() {OVER} AS n FROM {UNION} q) r WHERE n = 1",
            [("b", 1)],
        ),
    ],
)
def test_the_branch_that_sorts_first_comes_first(db, partitions, sql, rows):
    db.sql(f"SET igloo.target_partitions = {partitions}")
    assert db.sql(sql).fetchall() == rows
