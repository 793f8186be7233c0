"""The smallest and largest values of files, several at once."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import igloo

GROUPS = 40


@pytest.fixture
def db(tmp_path):
    """Give one file whose row groups get larger in ``a`` and smaller in ``b``."""
    rising = list(range(GROUPS))
    falling = [GROUPS - each for each in rising]
    (tmp_path / "t").mkdir()
    pq.write_table(
        pa.table({"a": rising, "b": falling}), tmp_path / "t/0.parquet", row_group_size=1
    )
    pq.write_table(
        pa.table({"a": falling, "b": rising}), tmp_path / "t/1.parquet", row_group_size=1
    )
    with igloo.connect() as connection:
        connection.sql(f"CREATE CATALOG files USING files WITH (path = '{tmp_path}')")
        yield connection


@pytest.mark.parametrize(
    ("extremes", "expected"),
    [
        ("max(CAST(a AS double)), max(b)", (40.0, 40)),
        ("max(a + 1), max(b)", (41, 40)),
        ("min(a * 2), min(b)", (0, 0)),
        ("max(a), min(-b)", (40, -40)),
        ("max(b), max(a) FILTER (WHERE b < 3)", (40, 40)),
    ],
)
def test_one_extreme_does_not_hide_the_rows_of_another(db, extremes, expected):
    """How much is read before the first one is known is chance, so it is asked many times."""
    found = {db.sql(f"SELECT {extremes} FROM files.main.t").fetchone() for _ in range(20)}
    assert found == {expected}
