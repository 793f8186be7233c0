"""What a name in SQL means, from three parts to one, and what it must not mean."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from igloo.errors import CatalogNotFound, TableNotFound, UserError


@pytest.fixture
def lake(db, tmp_path):
    """Give a function that makes a files catalog whose tables hold their own full name."""

    def make(catalog, *tables):
        for name in tables:
            # A folder that holds data files is a table, so a schema holds folders.
            path = tmp_path / catalog / (f"{name}/1.parquet" if "/" in name else f"{name}.parquet")
            path.parent.mkdir(parents=True, exist_ok=True)
            pq.write_table(pa.table({"at": [f"{catalog}:{name}"]}), path)
        db.sql(f"CREATE CATALOG \"{catalog}\" USING files WITH (path = '{tmp_path / catalog}')")

    return make


@pytest.fixture
def means(rows):
    """Give a function that says which table a name means."""
    return lambda name: rows(f"SELECT at FROM {name}")[0][0]


def test_three_two_and_one_part(lake, means, rows):
    lake("lake", "orders", "deep/orders")
    assert means("lake.main.orders") == "lake:orders"
    assert means("lake.deep.orders") == "lake:deep/orders"
    assert means("lake.orders") == "lake:orders"
    assert means("LAKE.Main.ORDERS") == "lake:orders"
    assert means('"lake"."main"."orders"') == "lake:orders"
    rows("USE lake")
    assert means("orders") == "lake:orders"
    assert means("deep.orders") == "lake:deep/orders"
    rows("USE lake.deep")
    assert means("orders") == "lake:deep/orders"
    assert means("main.orders") == "lake:orders"
    rows("USE main")
    assert means("orders") == "lake:orders"


def test_a_schema_of_the_current_catalog_beats_a_catalog_of_that_name(lake, means, rows):
    lake("deep", "orders")
    lake("lake", "deep/orders", "other")
    assert means("deep.orders") == "deep:orders"
    rows("USE lake")
    assert means("deep.orders") == "lake:deep/orders"


@pytest.mark.parametrize(
    ("catalog", "table"),
    [("lake", "orders"), ("lake", "a_b_c"), ("my_lake", "orders"), ("my_lake", "a_b")],
)
def test_short_names_are_catalog_and_table(lake, means, catalog, table):
    lake(catalog, table)
    assert means(f"{catalog}_{table}") == f"{catalog}:{table}"


def test_a_short_name_with_two_meanings_names_both(lake, rows):
    lake("a", "b_c")
    lake("a_b", "c")
    with pytest.raises(UserError) as caught:
        rows("SELECT * FROM a_b_c")
    assert '"a.main.b_c"' in str(caught.value)
    assert '"a_b.main.c"' in str(caught.value)


def test_a_short_name_looks_into_every_schema(lake, means, rows):
    lake("lake", "x", "deep/orders")
    assert means("lake_orders") == "lake:deep/orders"
    lake("two", "orders", "deep/orders")
    with pytest.raises(UserError, match=r'"two\.deep\.orders".*"two\.main\.orders"'):
        rows("SELECT * FROM two_orders")


def test_a_table_here_beats_a_short_name(lake, means, rows):
    lake("lake", "orders")
    rows("CREATE TABLE lake_orders AS SELECT 'here' AS at")
    assert means("lake_orders") == "here"


def test_one_match_in_other_case_is_found_and_two_are_refused(lake, means, rows):
    lake("lake", "Orders", "UPPER", "upper", "Twice", "tWICE")
    assert means("lake.orders") == "lake:Orders"
    assert means("lake.upper") == "lake:upper"
    assert means('lake."UPPER"') == "lake:UPPER"
    assert means('lake."Twice"') == "lake:Twice"
    with pytest.raises(UserError, match="Twice") as caught:
        rows("SELECT * FROM lake.twice")
    assert "tWICE" in str(caught.value)


def test_odd_names_are_reached_with_quotes(db, means):
    for name in ['a"b', "a.b", "select", "ünï", " ", "a b", "?", "$1", "A"]:
        db.register(name, pa.table({"at": [name]}))
        quoted = '"' + name.replace('"', '""') + '"'
        assert means(quoted) == name
        assert means(f"memory.public.{quoted}") == name


def test_unquoted_names_fold_to_lower_case(rows):
    rows("CREATE TABLE Mixed (Some INT)")
    assert rows("DESCRIBE mIXED")[0][0] == "some"
    assert rows("SELECT SOME FROM MIXED") == []
    rows('CREATE TABLE "Quoted" ("Some" INT)')
    assert rows('SELECT "Some" FROM quoted') == []


def test_what_is_not_there_is_told_with_a_guess(lake, rows):
    lake("lake", "orders")
    rows("CREATE TABLE customers (a INT)")
    for name, guess in [
        ("custmers", '"customers"'),
        ("lake.order", '"orders"'),
        ("lake.main.order", '"orders"'),
        ("memory.public.customer", '"customers"'),
    ]:
        with pytest.raises(TableNotFound) as caught:
            rows(f"SELECT * FROM {name}")
        assert f'There is no table "{name}"' in str(caught.value)
        assert guess in str(caught.value)
    with pytest.raises(CatalogNotFound, match='"lake"'):
        rows("SELECT * FROM lak.main.orders")


def test_a_cte_hides_a_table_inside_of_its_statement_only(rows):
    rows("CREATE TABLE t AS SELECT 'table' AS at")
    assert rows("WITH t AS (SELECT 'cte' AS at) SELECT at FROM t") == [("cte",)]
    assert rows("WITH t AS (SELECT at || '!' AS at FROM t) SELECT at FROM t") == [("table!",)]
    assert rows("WITH t AS (SELECT 'cte' AS at) SELECT at FROM memory.public.t") == [("table",)]
    assert rows("SELECT * FROM (WITH t AS (SELECT 1 AS a) SELECT a FROM t) q, t") == [(1, "table")]


def test_an_alias_is_no_table(rows):
    rows("CREATE TABLE t AS SELECT 1 AS a")
    assert rows("SELECT u.a FROM t u JOIN t AS v ON u.a = v.a") == [(1,)]
    with pytest.raises(UserError):
        rows("SELECT t.a FROM t u")


# -- views ---------------------------------------------------------------------------------------


def test_names_in_a_view_mean_what_they_meant_when_it_was_made(lake, means, rows):
    lake("lake", "t")
    rows("CREATE TABLE t AS SELECT 'memory' AS at")
    rows("CREATE VIEW v AS SELECT at FROM t")
    rows("USE lake")
    assert means("t") == "lake:t"
    assert means("memory.public.v") == "memory"
    both = "SELECT v.at, t.at AS other FROM memory.public.v v, t"
    assert rows(both) == [("memory", "lake:t")]
    assert rows("SELECT at FROM memory.public.v WHERE at IN (SELECT at FROM t)") == []


def test_views_in_views(rows):
    rows("CREATE TABLE t AS SELECT * FROM (VALUES (1), (2), (3)) v(a)")
    rows("CREATE VIEW v1 AS SELECT a FROM t WHERE a > 1")
    rows("CREATE VIEW v2 (b) AS SELECT a * 10 FROM v1")
    rows("CREATE VIEW v3 AS SELECT v2.b, t.a FROM v2, t WHERE t.a = 1")
    assert sorted(rows("SELECT * FROM v3")) == [(20, 1), (30, 1)]


def test_thirty_views_deep_work_and_more_are_refused(rows):
    rows("CREATE TABLE v0 AS SELECT 7 AS a")
    for number in range(1, 31):
        rows(f"CREATE VIEW v{number} AS SELECT a FROM v{number - 1}")
    assert rows("SELECT a FROM v30") == [(7,)]
    rows("CREATE VIEW v31 AS SELECT a FROM v30")
    rows("CREATE VIEW v32 AS SELECT a FROM v31")
    rows("CREATE VIEW v33 AS SELECT a FROM v32")
    with pytest.raises(UserError, match="nested more than"):
        rows("SELECT a FROM v33")


def test_a_view_that_refers_to_itself_is_refused(rows):
    rows("CREATE VIEW v AS SELECT 1 AS a")
    rows("CREATE OR REPLACE VIEW w AS SELECT a FROM v")
    rows("CREATE OR REPLACE VIEW v AS SELECT a FROM w")
    with pytest.raises(UserError, match="refers to itself"):
        rows("SELECT * FROM v")
    rows("CREATE OR REPLACE VIEW v AS SELECT 2 AS a")
    assert rows("SELECT * FROM w") == [(2,)]


def test_a_view_and_a_table_never_share_a_name(rows):
    rows("CREATE TABLE t (a INT)")
    rows("CREATE VIEW v AS SELECT 1 AS a")
    for sql in [
        "CREATE VIEW t AS SELECT 1",
        "CREATE OR REPLACE VIEW t AS SELECT 1",
        "CREATE TABLE v (a INT)",
        "CREATE OR REPLACE TABLE v (a INT)",
        "CREATE TABLE v AS SELECT 1",
        "DROP TABLE v",
        "DROP VIEW t",
        "INSERT INTO v VALUES (1)",
    ]:
        with pytest.raises(UserError):
            rows(sql)
    assert rows("SELECT * FROM v") == [(1,)]
    assert rows("SELECT * FROM t") == []


def test_a_view_of_what_is_not_there_is_refused_when_made(rows):
    with pytest.raises(TableNotFound):
        rows("CREATE VIEW v AS SELECT * FROM nowhere")
    with pytest.raises(UserError):
        rows("CREATE VIEW v (a, b) AS SELECT 1 AS x")
    with pytest.raises(UserError):
        rows("CREATE VIEW v (a, a) AS SELECT 1 AS x, 2 AS y")
    assert rows("SHOW TABLES") == []


def test_a_view_whose_table_went_says_so(rows):
    rows("CREATE TABLE t (a INT)")
    rows("CREATE VIEW v AS SELECT a FROM t")
    rows("DROP TABLE t")
    with pytest.raises(TableNotFound, match='"t"'):
        rows("SELECT * FROM v")


# -- table functions -----------------------------------------------------------------------------


def test_table_functions_are_found_beside_tables(rows):
    assert rows("SELECT * FROM generate_series(1, 3)") == [(1,), (2,), (3,)]
    assert rows("SELECT * FROM range(1, 3)") == [(1,), (2,)]
    rows("CREATE TABLE range AS SELECT 'table' AS at")
    assert rows("SELECT * FROM range") == [("table",)]
    assert rows("SELECT r.at, f.value FROM range r, range(0, 1) f") == [("table", 0)]


def test_a_function_that_is_not_there_is_told(rows):
    with pytest.raises(UserError, match="nowhere"):
        rows("SELECT * FROM nowhere(1)")
