"""A name that is given to something else means that, everywhere and at once."""

import gc
import os

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import igloo
from igloo.errors import AlreadyExists, InvalidValue, TableNotFound


@pytest.fixture
def db():
    with igloo.connect() as db:
        yield db


def test_a_replaced_catalog_reads_the_same_file_by_its_new_options(db, tmp_path):
    (tmp_path / "a=1").mkdir()
    pq.write_table(pa.table({"x": [1, 2]}), tmp_path / "a=1" / "f.parquet")
    make = "CREATE OR REPLACE CATALOG c USING files WITH (path = '{}', \"table\" = 't')"
    db.sql(make.format(tmp_path / "a=1"))
    assert db.sql("SELECT * FROM c.t").schema.names == ["x"]
    db.sql(make.format(tmp_path))
    assert sorted(db.sql("SELECT * FROM c.t").to_arrow().to_pylist()[0].items()) == [
        ("a", 1),
        ("x", 1),
    ]


def test_a_table_whose_replacement_fails_stays(db):
    db.sql("CREATE TABLE k AS SELECT 1 AS a")
    with pytest.raises(InvalidValue, match="two columns"):
        db.sql("CREATE OR REPLACE TABLE k AS SELECT * FROM k x JOIN k y ON x.a = y.a")
    assert db.sql("SELECT a FROM k").fetchall() == [(1,)]


def test_registering_over_a_view_is_refused(db):
    db.sql("CREATE VIEW v AS SELECT 'view' AS x")
    with pytest.raises(AlreadyExists):
        db.register("v", pa.table({"x": ["registered"]}))


def test_registering_over_an_external_table_replaces_it(db, tmp_path):
    pq.write_table(pa.table({"x": ["file"]}), tmp_path / "e.parquet")
    db.sql(f"CREATE EXTERNAL TABLE e STORED AS PARQUET LOCATION '{tmp_path / 'e.parquet'}'")
    assert db.sql("SELECT x FROM memory_e").fetchall() == [("file",)]
    db.register("e", pa.table({"x": ["registered"]}))
    assert db.sql("SELECT x FROM e").fetchall() == [("registered",)]


def test_an_external_table_replaces_the_rows_under_its_name_for_good(db, tmp_path):
    pq.write_table(pa.table({"x": ["file"]}), tmp_path / "m.parquet")
    db.sql("CREATE TABLE m AS SELECT 'memory' AS x")
    location = tmp_path / "m.parquet"
    db.sql(f"CREATE OR REPLACE EXTERNAL TABLE m STORED AS PARQUET LOCATION '{location}'")
    db.sql("DROP TABLE m")
    with pytest.raises(TableNotFound):
        db.sql("SELECT x FROM m")


def test_views_go_with_their_catalog(db, tmp_path):
    pq.write_table(pa.table({"x": ["file"]}), tmp_path / "f.parquet")
    make = f"CREATE CATALOG c USING files WITH (path = '{tmp_path}')"
    db.sql(make)
    db.sql("CREATE VIEW c.main.v AS SELECT 'old view' AS x")
    db.sql("DROP CATALOG c")
    pq.write_table(pa.table({"x": ["new file"]}), tmp_path / "v.parquet")
    db.sql(make)
    assert db.sql("SELECT x FROM c.main.v").fetchall() == [("new file",)]


def test_the_rows_of_a_dropped_table_are_let_go(db):
    held = pa.table({"x": pa.array(range(1_000_000), pa.int64())})
    before = pa.total_allocated_bytes()
    for _ in range(4):
        db.register("t", pa.concat_tables([held]).combine_chunks())
        assert db.sql("SELECT count(x) FROM t WHERE x >= 0").fetchall() == [(1_000_000,)]
    db.unregister("t")
    gc.collect()
    assert pa.total_allocated_bytes() <= before + held.nbytes


def test_closing_stops_queries_that_the_history_has_no_room_for():
    db = igloo.connect(settings={"limits.query_history": 1})
    waiting = db.sql("SELECT * FROM generate_series(1, 100000000)")
    reader = iter(waiting)
    next(reader)
    for _ in range(3):
        db.sql("SELECT 1 AS x").fetchall()
    states = [row[0] for row in db.sql("SELECT state FROM system.queries").fetchall()]
    assert "running" in states
    db.close()
    with pytest.raises(igloo.errors.QueryCancelled):
        for _batch in reader:
            pass


@pytest.mark.parametrize(
    "sql",
    [
        "EXPLAIN CREATE CATALOG p USING postgres WITH (uri = 'postgres://u:s3cr3t@h/db')",
        "CREATE VIEW v AS CREATE CATALOG p USING postgres WITH (uri = 'postgres://u:s3cr3t@h/db')",
        'CREATE CATALOG p USING postgres WITH (uri = "postgres://u:s3cr3t@h/db")',
        "CREATE CATALOG p USING postgres WITH (password = 'x', password = 's3cr3t')",
        "CREATE CATALOG p USING files WITH (path = 's3://u:s3cr3t@b/x')",
        "CREATE EXTERNAL TABLE e STORED AS PARQUET LOCATION 'https://u:s3cr3t@h/f.parquet'",
        "CREATE CATALOG p USING postgres WITH (host = 'h', port = 's3cr3t')",
    ],
)
def test_a_statement_that_fails_tells_no_secret(db, sql):
    with pytest.raises(igloo.IglooError) as failure:
        db.sql(sql)
    told = [repr(failure.value), str(failure.value.context), repr(failure.value.__cause__)]
    told += [repr(row) for row in db.sql("SELECT sql, error FROM system.queries").fetchall()]
    assert "s3cr3t" not in "".join(told)


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_a_forked_process_is_told_what_to_do(db):
    db.sql("SELECT 1 AS x").fetchall()
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            db.sql("SELECT 1 AS x")
        except igloo.errors.NotSupported as error:
            os.write(writing, str(error).encode())
        os._exit(0)
    os.waitpid(child, 0)
    os.close(writing)
    with os.fdopen(reading) as told:
        assert "forked" in told.read()


def test_a_result_outlives_the_name_of_its_connection():
    assert igloo.connect().sql("SELECT 1 AS x").fetchall() == [(1,)]
