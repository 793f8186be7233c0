"""NaN in Iceberg tables: footers leave it out of their bounds, and DataFusion believes footers."""

import pyarrow as pa
import pytest
from pyiceberg.catalog.sql import SqlCatalog

import igloo

NAN = float("nan")
ROWS = pa.table(
    {
        "i": [1, 2, 3, 4],
        "x": [1.0, NAN, 2.0, 3.0],
        "looks_constant": [1.0, NAN, 1.0, 1.0],
        "small": pa.array([1.0, NAN, 2.0, 3.0], pa.float32()),
        "constant": [5.0] * 4,
    }
)


@pytest.fixture
def db(tmp_path):
    catalog = SqlCatalog(
        "default", uri=f"sqlite:///{tmp_path}/catalog.db", warehouse=f"file://{tmp_path}"
    )
    catalog.create_namespace("d")
    table = catalog.create_table("d.t", schema=ROWS.schema)
    table.append(ROWS)
    table.append(ROWS)
    catalog.engine.dispose()
    with igloo.connect() as db:
        db.sql(f"CREATE CATALOG ice USING iceberg WITH (warehouse = '{tmp_path}')")
        db.register("held", pa.concat_tables([ROWS, ROWS]))
        yield db


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT i FROM {} WHERE x > 5",
        "SELECT i FROM {} WHERE small > 5",
        "SELECT i FROM {} WHERE NOT (x < 2.5)",
        "SELECT i FROM {} WHERE looks_constant <> 1",
        "SELECT i FROM {} WHERE isnan(looks_constant)",
        "SELECT DISTINCT looks_constant FROM {}",
        "SELECT max(x), min(x), max(looks_constant), max(small) FROM {}",
        "SELECT i, constant FROM {} WHERE looks_constant > 2 OR constant = 4",
        "SELECT count(*) FROM {} WHERE constant = 5",
    ],
)
def test_a_table_with_nan_answers_as_the_same_rows_in_memory(db, sql):
    from_iceberg = db.sql(sql.format("ice.d.t")).fetchall()
    assert sorted(map(repr, from_iceberg)) == sorted(
        map(repr, db.sql(sql.format("held")).fetchall())
    )
