"""SHOW, DESCRIBE, EXPLAIN, SET, RESET, USE, scripts: the forms that a user can type."""

import threading

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import igloo
from igloo.errors import (
    CatalogNotFound,
    IglooError,
    InvalidSetting,
    LimitExceeded,
    NotSupported,
    SchemaNotFound,
    SqlSyntaxError,
    TableNotFound,
    UserError,
)


def test_show_catalogs_schemas_and_tables(rows, tmp_path):
    pq.write_table(pa.table({"a": [1]}), tmp_path / "t.parquet")
    rows(f"CREATE CATALOG lake USING files WITH (path = '{tmp_path}')")
    rows("CREATE TABLE m (a INT)")
    rows("CREATE VIEW v AS SELECT 1 AS a")
    assert rows("SHOW CATALOGS") == [
        ("lake", "files", "SQL"),
        ("memory", "memory", "built in"),
        ("system", "system", "built in"),
    ]
    assert rows("show schemas from LAKE") == [("main",)]
    assert rows("SHOW SCHEMAS IN memory") == [("public",)]
    assert rows("SHOW TABLES FROM lake.main") == [("t", "main", "lake")]
    assert rows("SHOW TABLES FROM lake") == [("t", "main", "lake")]
    assert rows("SHOW TABLES") == [("m", "public", "memory"), ("v", "public", "memory")]
    assert rows("SHOW TABLES FROM public") == rows("SHOW TABLES FROM memory")
    rows("USE lake")
    assert rows("SHOW TABLES") == [("t", "main", "lake")]
    assert rows("SHOW SCHEMAS") == [("main",)]


def test_a_connection_tells_where_short_names_start(rows, db, tmp_path):
    assert db.current_schema == ("memory", "public")
    rows(f"CREATE CATALOG lake USING files WITH (path = '{tmp_path}')")
    rows("USE lake")
    assert db.current_schema == ("lake", "main")
    rows("USE memory.public")
    assert db.current_schema == ("memory", "public")


def test_system_tables(rows):
    assert rows("SELECT name, connector, origin FROM system.catalogs ORDER BY name") == [
        ("memory", "memory", "built in"),
        ("system", "system", "built in"),
    ]
    rows("SELECT 42 AS answer")
    with pytest.raises(UserError):
        rows("SELECT nope")
    states = dict(rows("SELECT sql, state FROM system.queries"))
    assert states["SELECT 42 AS answer"] == "finished"
    assert states["SELECT nope"] == "failed"
    assert rows("SELECT error_code FROM system.queries WHERE sql = 'SELECT nope'") == [
        ("column_not_found",)
    ]


def test_the_text_of_a_catalog_is_kept_without_its_options(rows):
    rows("CREATE CATALOG pg USING postgres WITH (host = 'h', password = 'hush')")
    with pytest.raises(UserError):
        rows("CREATE CATALOG pg USING postgres WITH (host = 'h', password = 'hush')")
    with pytest.raises(UserError):
        rows("CREATE CATALOG pg2 USING postgres WITH (passwrd = 'hush')")
    told = repr(rows("SELECT * FROM system.queries")) + repr(rows("SELECT * FROM system.catalogs"))
    assert "hush" not in told


@pytest.mark.parametrize("word", ["DESCRIBE", "DESC", "describe table"])
def test_describe(rows, word):
    rows("CREATE TABLE t (a INT NOT NULL, s TEXT)")
    rows("CREATE VIEW v (x) AS SELECT s FROM t")
    assert rows(f"{word} t") == [("a", "int32", "NO"), ("s", "string", "YES")]
    assert rows(f"{word} v") == [("x", "string", "YES")]
    with pytest.raises(TableNotFound):
        rows(f"{word} nowhere")


def test_explain_plans_and_does_not_run(rows, db):
    rows("CREATE TABLE t (a INT)")
    plans = dict(rows("EXPLAIN SELECT 1 / a FROM t WHERE a > 1"))
    assert list(plans) == ["igloo_plan", "logical_plan", "physical_plan"]
    assert "Cache: bypass, reason=" in plans["igloo_plan"]
    assert "MemoryScan: table=memory.public.t" in plans["igloo_plan"]
    analyzed = dict(rows("EXPLAIN ANALYZE SELECT a FROM t"))
    assert list(analyzed) == ["igloo_plan", "logical_plan", "physical_plan", "analyzed_plan"]
    assert analyzed["analyzed_plan"].startswith("Query: rows=0")
    for sql in ["EXPLAIN", "EXPLAIN ANALYZE"]:
        with pytest.raises(SqlSyntaxError):
            rows(sql)
    for sql in [
        "EXPLAIN DROP TABLE t",
        "EXPLAIN CREATE TABLE u (a INT)",
        "EXPLAIN EXPLAIN SELECT 1",
    ]:
        with pytest.raises(NotSupported):
            rows(sql)
    assert rows("SHOW TABLES") == [("t", "public", "memory")]


def value_of(rows, name):
    return rows(f"SHOW {name}")[0][1]


@pytest.mark.parametrize(
    "sql",
    [
        "SET igloo.timeout = 5s",
        "SET igloo.timeout = '5s'",
        "SET igloo.timeout TO 5s",
        "set session IGLOO.TIMEOUT to '5s'",
        "SET SESSION igloo.timeout = 5000ms",
    ],
)
def test_every_form_of_set_is_one(rows, sql):
    rows(sql)
    assert value_of(rows, "igloo.timeout") in {"5s", "5000ms"}
    rows("RESET igloo.timeout")
    assert value_of(rows, "igloo.timeout") == "0"
    rows(sql)
    rows("SET igloo.timeout = DEFAULT")
    assert value_of(rows, "igloo.timeout") == "0"


def test_show_settings_tells_value_default_origin_and_meaning(db, rows):
    result = db.sql("SHOW SETTINGS")
    assert result.schema.names == ["name", "value", "default", "origin", "description"]
    rows("SET igloo.pushdown = off")
    ((name, value, default, origin, description),) = rows("SHOW igloo.pushdown")
    assert (name, value, default, origin) == ("igloo.pushdown", "off", "full", "session")
    assert description
    rows("RESET ALL")
    assert rows("SHOW igloo.pushdown")[0][1] == "full"


@pytest.mark.parametrize(
    ("sql", "kind", "told"),
    [
        ("SET igloo.timout = 5s", InvalidSetting, "igloo.timeout"),
        ("SET igloo.timeout = soon", InvalidSetting, "soon"),
        ("SET igloo.timeout = ''", InvalidSetting, "igloo.timeout"),
        ("SET igloo.pushdown = some", InvalidSetting, "full"),
        ("SET igloo.memory_limit = 1", InvalidSetting, "igloo.memory_limit"),
        ("SET igloo.timezone = 'Mars/Base'", InvalidSetting, "Mars/Base"),
        ("SET igloo.catalog_store = 'x'", InvalidSetting, "fixed"),
        ("SET igloo.limits.nesting_depth = 100000", InvalidSetting, "nesting_depth"),
        ("SET igloo.timeout", SqlSyntaxError, "="),
        ("SET igloo.timeout =", SqlSyntaxError, "value"),
        ("SET datafusion.execution.batch_size = 1", IglooError, "datafusion"),
        ("SHOW igloo.nope", InvalidSetting, "igloo.nope"),
        ("SHOW nonsense", InvalidSetting, "nonsense"),
        ("RESET igloo.nope", InvalidSetting, "igloo.nope"),
        ("USE nowhere", SchemaNotFound, "nowhere"),
        ("USE nowhere.main", CatalogNotFound, "nowhere"),
        ("SHOW SCHEMAS FROM nowhere", CatalogNotFound, "nowhere"),
        ("SHOW TABLES FROM nowhere", SchemaNotFound, "nowhere"),
        ("SHOW TABLES FROM memory.nowhere", SchemaNotFound, "nowhere"),
        ("SHOW CATALOGS please", SqlSyntaxError, "please"),
    ],
)
def test_wrong_forms_are_told(rows, sql, kind, told):
    with pytest.raises(kind, match=told):
        rows(sql)
    assert rows("SELECT 1") == [(1,)]


def test_the_time_zone_is_the_sessions(rows):
    rows("SET igloo.timezone = '+02:00'")
    assert rows("SELECT CAST(TIMESTAMP '2024-01-01 00:00:00' AS TIMESTAMPTZ)::text")[0][
        0
    ].startswith("2024-01-01T00:00:00+02:00")
    rows("SET TIME ZONE 'UTC'")
    assert value_of(rows, "igloo.timezone") == "UTC"


def test_settings_given_to_connect_beat_the_default(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with igloo.connect(settings={"batch_rows": 7, "igloo.pushdown": "off"}, timeout_s=9) as db:
        named = {row[0]: row[1] for row in db.sql("SHOW SETTINGS").fetchall()}
        assert (named["igloo.batch_rows"], named["igloo.pushdown"]) == ("7", "off")
        assert named["igloo.timeout"] in {"9s", "9000ms"}
        sizes = {batch.num_rows for batch in db.sql("SELECT * FROM range(0, 70)")}
        assert max(sizes) <= 7


def test_limits_of_a_statement_follow_the_session(rows):
    rows("SET igloo.limits.nesting_depth = 5")
    with pytest.raises(LimitExceeded, match=r"igloo\.limits\.nesting_depth"):
        rows("SELECT ((((((1))))))")
    rows("SET igloo.limits.expression_terms = 3")
    with pytest.raises(LimitExceeded, match=r"igloo\.limits\.expression_terms"):
        rows("SELECT 1+1+1+1+1")
    rows("SET igloo.limits.statement_bytes = 40B")
    with pytest.raises(LimitExceeded, match=r"igloo\.limits\.statement_bytes"):
        rows("SELECT '" + "x" * 40 + "'")
    rows("RESET ALL")
    assert rows("SELECT ((((((1+1+1+1+1))))))") == [(5,)]


# -- scripts -------------------------------------------------------------------------------------


def test_a_script_yields_each_result_and_runs_as_it_is_read(db, rows):
    script = db.run_script("CREATE TABLE t (a INT); INSERT INTO t VALUES (1); SELECT a FROM t;")
    assert next(script).fetchall() == []
    assert rows("SELECT count(*) FROM t") == [(0,)]
    assert [result.fetchall() for result in script] == [[(1,)], [(1,)]]


def test_a_script_stops_at_the_first_error_and_keeps_what_was_done(db, rows):
    script = "CREATE TABLE t AS SELECT 1 AS a; SELECT * FROM u; DROP TABLE t"
    results = db.run_script(script)
    assert next(results).fetchall() == []
    with pytest.raises(TableNotFound):
        next(results)
    assert rows("SELECT a FROM t") == [(1,)]


def test_an_empty_text_is_told(rows):
    for sql in ["", "  ", ";", "-- nothing", "/* nothing */ ;"]:
        with pytest.raises(SqlSyntaxError, match="empty"):
            rows(sql)


# -- register --------------------------------------------------------------------------------------


def test_register_takes_what_arrow_takes_and_replaces(db, rows):
    db.register("t", pa.table({"a": [1]}))
    assert rows("SELECT a FROM t") == [(1,)]
    db.register("t", pa.record_batch({"a": [2]}))
    assert rows("SELECT a FROM t") == [(2,)]
    db.register("t", db.sql("SELECT 3 AS a").to_pandas())
    assert rows("SELECT a FROM t") == [(3,)]
    db.register("t", db.sql("SELECT 4 AS a").to_polars())
    assert rows("SELECT a FROM t") == [(4,)]
    db.register("t", db.sql("SELECT 5 AS a"))
    assert rows("SELECT a FROM t") == [(5,)]
    db.unregister("t")
    with pytest.raises(TableNotFound):
        rows("SELECT a FROM t")
    with pytest.raises(TableNotFound):
        db.unregister("t")


def test_a_reader_is_read_once(db, rows):
    table = pa.table({"a": [1, 2]})
    db.register("t", table.to_reader())
    assert rows("SELECT sum(a) FROM t") == [(3,)]
    with pytest.raises(IglooError):
        rows("SELECT sum(a) FROM t")


@pytest.mark.parametrize("source", [None, 1, "text", [1, 2], {"a": 1}, object()])
def test_register_refuses_what_is_no_table(db, source):
    with pytest.raises(UserError):
        db.register("t", source)


def test_register_refuses_an_empty_name(db):
    with pytest.raises(UserError):
        db.register("", pa.table({"a": [1]}))


# -- cross joins -----------------------------------------------------------------------------------


def test_a_cross_join_is_warned_of(db, rows):
    rows("CREATE TABLE t AS SELECT value AS a FROM range(0, 100)")
    result = db.sql("SELECT count(*) FROM t x, t y WHERE x.a < y.a")
    assert result.fetchall() == [(4950,)]
    (warning,) = result.stats.warnings
    assert "10,000 pairs" in warning
    plan = dict(rows("EXPLAIN SELECT sum(y.a) FROM t x CROSS JOIN t y"))["igloo_plan"]
    assert "Warning: A join without an equality looks at about 10,000 pairs" in plan
    assert db.sql("SELECT count(*) FROM t x JOIN t y ON x.a = y.a").stats.warnings == ()


def test_a_cross_join_above_the_limit_is_refused(rows):
    rows("CREATE TABLE t AS SELECT value AS a FROM range(0, 100)")
    rows("SET igloo.limits.cross_join_rows = 9999")
    for sql in [
        "SELECT sum(x.a) FROM t x, t y",
        "SELECT count(*) FROM t x JOIN t y ON x.a < y.a",
        "SELECT count(*) FROM t x LEFT JOIN t y ON x.a <> y.a",
        "CREATE TABLE u AS SELECT x.a FROM t x, t y",
        "EXPLAIN SELECT sum(x.a) FROM t x, t y",
    ]:
        with pytest.raises(LimitExceeded, match=r"igloo\.limits\.cross_join_rows"):
            rows(sql)
    assert rows("SELECT count(*) FROM t x JOIN t y ON x.a = y.a") == [(100,)]


def test_a_limit_counts_for_the_size_of_a_cross_join(rows):
    rows("CREATE TABLE t AS SELECT value AS a FROM range(0, 100)")
    rows("SET igloo.limits.cross_join_rows = 9999")
    first = "(SELECT a FROM t ORDER BY a LIMIT 1 + 1) x"
    assert rows(f"SELECT sum(x.a + y.a) FROM {first}, t y") == [(10_000,)]
    assert rows(f"SELECT x.a, y.a FROM {first}, t y ORDER BY x.a, y.a LIMIT 1") == [(0, 0)]
    with pytest.raises(LimitExceeded):
        rows("SELECT sum(x.a) FROM t x, (SELECT a FROM t ORDER BY a OFFSET 1) y")


def test_groups_are_taken_to_be_fewer_than_rows(rows):
    rows("CREATE TABLE t AS SELECT value AS a FROM range(0, 100)")
    rows("SET igloo.limits.cross_join_rows = 9999")
    groups = "(SELECT a % 3 AS g FROM t GROUP BY a % 3)"
    assert rows(f"SELECT count(*) FROM {groups} x, {groups} y") == [(9,)]
    rows("SET igloo.limits.cross_join_rows = 99")
    with pytest.raises(LimitExceeded):
        rows(f"SELECT count(*) FROM {groups} x, {groups} y")


# -- threads ---------------------------------------------------------------------------------------


def in_threads(count, work):
    """Run ``work(number)`` in threads at once; raise the first error."""
    errors = []
    barrier = threading.Barrier(count)

    def run(number):
        barrier.wait()
        try:
            work(number)
        except BaseException as error:  # noqa: BLE001 - handed to the main thread
            errors.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


def test_threads_with_views_over_tables_of_one_name_do_not_mix(db, rows, tmp_path):
    for number in range(8):
        folder = tmp_path / f"lake{number}"
        folder.mkdir()
        pq.write_table(pa.table({"a": [number]}), folder / "t.parquet")
        rows(f"CREATE CATALOG c{number} USING files WITH (path = '{folder}')")
        rows(f"USE c{number}")
        rows(f"CREATE VIEW memory.public.v{number} AS SELECT a FROM t")
    rows("USE memory")

    def work(number):
        for _ in range(15):
            assert db.sql(f"SELECT a FROM v{number}").fetchall() == [(number,)]
            assert db.sql(f"SELECT a FROM c{number}.t WHERE a = ?", [number]).fetchall() == [
                (number,)
            ]

    in_threads(8, work)


def test_set_in_one_thread_does_not_disturb_the_others(db):
    def work(number):
        for turn in range(15):
            if number == 0:
                db.sql(f"SET igloo.batch_rows = {turn + 1}")
            assert db.sql(f"SELECT count(*) + {number} FROM range(0, 100)").fetchall() == [
                (100 + number,)
            ]

    in_threads(8, work)


def test_tables_come_and_go_while_others_query(db):
    db.register("steady", pa.table({"a": list(range(1000))}))

    def work(number):
        for turn in range(15):
            name = f"t{number}"
            db.register(name, pa.table({"a": [turn]}))
            assert db.sql(f"SELECT a FROM {name}").fetchall() == [(turn,)]
            assert db.sql("SELECT sum(a) FROM steady").fetchall() == [(499500,)]
            db.unregister(name)

    in_threads(8, work)


def test_a_replaced_table_is_seen_whole(db):
    """Every read sees one version: rows and columns of two versions never mix."""
    db.register("t", pa.table({"a": [0] * 100}))

    def work(number):
        for turn in range(20):
            if number == 0:
                db.register("t", pa.table({"a": [turn] * 100}))
            else:
                (values,) = db.sql("SELECT count(*), min(a) = max(a) FROM t").fetchall()
                assert values == (100, True)

    in_threads(4, work)


def test_a_closed_connection_says_so(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    db = igloo.connect()
    kept = db.sql("SELECT 1 AS a")
    kept.to_arrow()
    db.close()
    db.close()
    assert kept.fetchall() == [(1,)]
    for use in [lambda: db.sql("SELECT 1"), lambda: db.register("t", pa.table({"a": [1]}))]:
        with pytest.raises(UserError, match="closed"):
            use()
