"""Each statement form, and errors with their place."""

import pytest

from igloo.engine.planner import statements as st
from igloo.engine.planner.parse import parse_statement
from igloo.engine.planner.tokens import tokenize
from igloo.errors import NotSupported, SqlSyntaxError


def parse(text):
    return parse_statement(tokenize(text, bytes_max=10**6))


FORMS = [
    ("SELECT 1", st.Query("SELECT 1")),
    ("WITH a AS (SELECT 1) SELECT * FROM a", st.Query("WITH a AS (SELECT 1) SELECT * FROM a")),
    ("VALUES (1)", st.Query("VALUES (1)")),
    ("(SELECT 1)", st.Query("(SELECT 1)")),
    ("CREATE CATALOG c USING memory", st.CreateCatalog("c", "memory", {})),
    (
        "create or replace catalog if not exists C using POSTGRES with (uri = 'x', \"pool_size\" = 4)",
        st.CreateCatalog("c", "postgres", {"uri": "x", "pool_size": "4"}, True, True),
    ),
    (
        "CREATE CATALOG c USING files WITH (path = 'p', storage.region = 'eu', 'storage.endpoint' 'e')",
        st.CreateCatalog(
            "c", "files", {"path": "p", "storage.region": "eu", "storage.endpoint": "e"}
        ),
    ),
    (
        "CREATE CATALOG c USING x WITH (a = TRUE, b = -1.5, c = 'it''s')",
        st.CreateCatalog("c", "x", {"a": "true", "b": "-1.5", "c": "it's"}),
    ),
    ('CREATE CATALOG "My C" USING memory WITH ()', st.CreateCatalog("My C", "memory", {})),
    ("DROP CATALOG c", st.DropCatalog("c")),
    ("DROP CATALOG IF EXISTS c", st.DropCatalog("c", True)),
    ("SHOW CATALOGS", st.ShowCatalogs()),
    ("SHOW SCHEMAS", st.ShowSchemas()),
    ("SHOW SCHEMAS FROM pg", st.ShowSchemas("pg")),
    ("SHOW DATABASES IN pg", st.ShowSchemas("pg")),
    ("SHOW TABLES", st.ShowTables()),
    ('SHOW TABLES FROM c."S"', st.ShowTables(("c", "S"))),
    ("SHOW SETTINGS", st.ShowSettings()),
    ("SHOW ALL", st.ShowSettings()),
    ("SHOW igloo.limits.spill_bytes", st.ShowSettings("igloo.limits.spill_bytes")),
    ("DESCRIBE a.b.c", st.Describe(("a", "b", "c"))),
    ("DESC TABLE t", st.Describe(("t",))),
    ("EXPLAIN SELECT 1", st.Explain("SELECT 1")),
    ("EXPLAIN ANALYZE VERBOSE SELECT 1", st.Explain("SELECT 1", True)),
    ("SET igloo.pushdown = off", st.SetSetting("igloo.pushdown", "off")),
    ("SET SESSION igloo.pushdown TO 'off'", st.SetSetting("igloo.pushdown", "off")),
    ("SET igloo.timeout = 5s", st.SetSetting("igloo.timeout", "5s")),
    ("SET igloo.memory_limit = 4GiB", st.SetSetting("igloo.memory_limit", "4GiB")),
    ("SET igloo.freshness = bounded(5s)", st.SetSetting("igloo.freshness", "bounded(5s)")),
    ("SET igloo.timezone = +02:00", st.SetSetting("igloo.timezone", "+02:00")),
    ("SET TIME ZONE 'UTC'", st.SetSetting("igloo.timezone", "UTC")),
    ("SET igloo.timeout TO DEFAULT", st.SetSetting("igloo.timeout", None)),
    ("RESET igloo.timeout", st.ResetSetting("igloo.timeout")),
    ("RESET ALL", st.ResetSetting()),
    ("USE c", st.Use(("c",))),
    ("USE c.s", st.Use(("c", "s"))),
    ("CREATE VIEW v AS SELECT 1", st.CreateView(("v",), "SELECT 1")),
    (
        'CREATE OR REPLACE VIEW IF NOT EXISTS a.b.V (X, "Y") AS SELECT 1, 2',
        st.CreateView(("a", "b", "v"), "SELECT 1, 2", ("x", "Y"), True, True),
    ),
    ("DROP VIEW v", st.DropView(("v",))),
    ("DROP VIEW IF EXISTS s.v", st.DropView(("s", "v"), True)),
    ("CREATE TABLE t (a INT, b TEXT)", st.CreateTable(("t",), "(a INT, b TEXT)")),
    (
        "CREATE OR REPLACE TABLE IF NOT EXISTS t (a INT)",
        st.CreateTable(("t",), "(a INT)", True, True),
    ),
    ("CREATE TABLE t AS SELECT 1 AS a", st.CreateTableAs(("t",), "SELECT 1 AS a")),
    ("DROP TABLE IF EXISTS c.s.t", st.DropTable(("c", "s", "t"), True)),
    (
        "CREATE EXTERNAL TABLE t STORED AS PARQUET LOCATION 'p'",
        st.CreateExternalTable(("t",), "parquet", "p", {}),
    ),
    (
        (
            "CREATE EXTERNAL TABLE IF NOT EXISTS t LOCATION 'p' OPTIONS ('format.has_header' 'true')"
            " STORED AS csv"
        ),
        st.CreateExternalTable(("t",), "csv", "p", {"format.has_header": "true"}, False, True),
    ),
    ("INSERT INTO s.t VALUES (1)", st.Insert(("s", "t"), "INSERT INTO s.t VALUES (1)")),
    ("COPY t TO 'p'", st.CopyTo("COPY t TO 'p'", "p")),
    (
        "COPY (SELECT ')' AS a, (1)) TO 'p q' STORED AS CSV",
        st.CopyTo("COPY (SELECT ')' AS a, (1)) TO 'p q' STORED AS CSV", "p q"),
    ),
    ("REFRESH TABLE t", st.RefreshTable(("t",))),
]


@pytest.mark.parametrize(("text", "expected"), FORMS)
def test_each_form_becomes_its_statement(text, expected):
    assert parse(text) == expected


@pytest.mark.parametrize("text", [form for form, _ in FORMS if form[0] != "("])
def test_comments_and_case_of_the_first_word_change_nothing(text):
    word, _, rest = text.partition(" ")
    found = parse(f"/* a */ {word.lower()} -- b\n {rest}")
    assert type(found) is type(parse(text))


@pytest.mark.parametrize(
    ("text", "line", "column", "told"),
    [
        ("SHOW CATALOGS now", 1, 15, "expected the end of the statement"),
        ("DROP CATALOG\n  'c'", 2, 3, "expected a name"),
        ("CREATE CATALOG c\nWITH (a = 'b')", 2, 1, "expected USING"),
        ("CREATE CATALOG c USING m WITH (a = b)", 1, 36, 'expected the value of "a"'),
        ("CREATE CATALOG c USING m WITH (a = '1', a = '2')", 1, 45, "given twice"),
        ("CREATE CATALOG c USING m WITH (a = '1' b = '2')", 1, 40, "expected ,"),
        ("CREATE TABLE t 5", 1, 16, "expected columns or AS"),
        ("SET igloo.timeout 5s", 1, 19, "expected = or TO"),
        ("CREATE EXTERNAL TABLE t USING x", 1, 25, "expected STORED AS"),
        ("REFRESH t", 1, 9, "expected TABLE"),
        ("USE a.b.c", 1, 8, "expected the end"),
        ("DROP CATALOG a.b", 1, 15, "expected the end"),
        ("CREATE VIEW v SELECT 1", 1, 15, "expected AS"),
    ],
)
def test_what_is_written_wrong_is_told_with_its_place(text, line, column, told):
    with pytest.raises(SqlSyntaxError, match=told) as caught:
        parse(text)
    assert (caught.value.context["line"], caught.value.context["column"]) == (line, column)
    assert f"line {line}, column {column}" in caught.value.message


@pytest.mark.parametrize(
    "text",
    [
        "CREATE CATALOG",
        "CREATE CATALOG c USING",
        "CREATE VIEW v AS",
        "CREATE TABLE t AS",
        "CREATE EXTERNAL TABLE t STORED AS PARQUET",
        "SET igloo.timeout =",
        "EXPLAIN",
        "SHOW",
        "DESCRIBE",
        "CREATE CATALOG c USING m WITH (",
        "INSERT INTO",
    ],
)
def test_what_stops_too_early_is_a_syntax_error(text):
    with pytest.raises(SqlSyntaxError, match="at the end"):
        parse(text)


@pytest.mark.parametrize("text", ["", "   ", "-- nothing", "/* nothing */"])
def test_an_empty_statement_is_told(text):
    with pytest.raises(SqlSyntaxError, match="empty"):
        parse(text)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("DELETE FROM t", "DELETE"),
        ("update t set a = 1", "UPDATE"),
        ("MERGE INTO t", "MERGE"),
        ("TRUNCATE t", "TRUNCATE"),
        ("ALTER TABLE t", "ALTER"),
        ("BEGIN", "BEGIN"),
        ("COMMIT", "COMMIT"),
        ("PREPARE p AS SELECT 1", "PREPARE"),
        ("GRANT ALL", "GRANT"),
        ("CREATE FUNCTION f", "CREATE FUNCTION"),
        ("CREATE SCHEMA s", "CREATE SCHEMA"),
        ("DROP SCHEMA s", "DROP SCHEMA"),
        ("INSERT OVERWRITE t SELECT 1", "Only INSERT INTO"),
        ("CREATE EXTERNAL TABLE t (a INT) STORED AS CSV LOCATION 'p'", "Columns cannot be"),
    ],
)
def test_what_igloo_does_not_offer_is_refused_by_name(text, told):
    with pytest.raises(NotSupported, match=told):
        parse(text)


def test_a_misspelt_kind_gets_a_guess():
    with pytest.raises(NotSupported, match="CATALOG"):
        parse("CREATE CATALOGUE c USING memory")
