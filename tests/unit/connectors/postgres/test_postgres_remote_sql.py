import pytest

from igloo.connectors.postgres.remote_sql import single_statement
from igloo.errors import NotSupported, SqlSyntaxError


@pytest.mark.parametrize(
    ("sql", "statement"),
    [
        ("SELECT 1", "SELECT 1"),
        ("SELECT 1;", "SELECT 1"),
        ("SELECT 1 ; ; -- end", "SELECT 1 "),
        ("SELECT ';'", "SELECT ';'"),
        ('SELECT ";" FROM t;', 'SELECT ";" FROM t'),
        ("SELECT $$;$$", "SELECT $$;$$"),
        ("-- ;\nVALUES (1)", "-- ;\nVALUES (1)"),
        ("/* x */ WITH w AS (SELECT 1) TABLE w", "/* x */ WITH w AS (SELECT 1) TABLE w"),
        ("(SELECT 1)", "(SELECT 1)"),
        ("show all", "show all"),
        ("explain select 1", "explain select 1"),
    ],
)
def test_a_reading_statement_is_taken_without_its_end(sql, statement):
    assert single_statement(sql, "pg") == statement


@pytest.mark.parametrize(
    "sql",
    [
        *("", " ", ";", "-- only a comment", "SELECT 1; SELECT 2", "SELECT 1;; DELETE FROM t"),
        *("DELETE FROM t", "copy t to stdout", "CALL p()", "DO $$ $$", "BEGIN", "1"),
    ],
)
def test_several_none_and_writing_statements_are_not_supported(sql):
    with pytest.raises(NotSupported) as caught:
        single_statement(sql, "pg")
    assert caught.value.context["catalog"] == "pg"


@pytest.mark.parametrize("sql", ["SELECT 'x", 'SELECT "x', "SELECT '\0'", "SELECT /* x"])
def test_text_that_cannot_be_split_is_a_syntax_error(sql):
    with pytest.raises(SqlSyntaxError) as caught:
        single_statement(sql, "pg")
    assert caught.value.context["catalog"] == "pg"
