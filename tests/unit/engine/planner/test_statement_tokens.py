"""Where statements end, and what is refused before anything reads it."""

import pytest

from igloo.engine.planner.tokens import check_depth, split_script, tokenize
from igloo.errors import LimitExceeded, SqlSyntaxError


def statements(text):
    return split_script(tokenize(text, bytes_max=10_000))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ()),
        (" ; ;; ", ()),
        ("SELECT 1", ("SELECT 1",)),
        ("SELECT 1;", ("SELECT 1",)),
        ("SELECT 1; SELECT 2 ;", ("SELECT 1", "SELECT 2")),
        ("SELECT ';' ; SELECT \";\"", ("SELECT ';'", 'SELECT ";"')),
        ("SELECT 1 -- a; b\n; SELECT 2 /* ; */", ("SELECT 1 -- a; b", "SELECT 2 /* ; */")),
        ("SELECT $$a;b$$; SELECT 2", ("SELECT $$a;b$$", "SELECT 2")),
        ("SELECT 'it''s; fine'; SELECT 2", ("SELECT 'it''s; fine'", "SELECT 2")),
    ],
)
def test_a_script_is_split_at_its_semicolons_only(text, expected):
    assert statements(text) == expected


@pytest.mark.parametrize("text", ["SELECT 'a", 'SELECT "a', "SELECT /* a", "SELECT $x$ a"])
def test_what_does_not_end_is_a_syntax_error(text):
    with pytest.raises(SqlSyntaxError, match="does not end"):
        tokenize(text, bytes_max=100)


def test_a_nul_byte_is_refused_with_its_place():
    with pytest.raises(SqlSyntaxError, match="NUL byte at line 2, column 3") as caught:
        tokenize("SELECT\n1 \x00", bytes_max=100)
    assert (caught.value.context["line"], caught.value.context["column"]) == (2, 3)


def test_length_is_counted_in_bytes():
    assert tokenize("SELECT 'é'", bytes_max=11)
    with pytest.raises(LimitExceeded, match=r"igloo\.limits\.statement_bytes"):
        tokenize("SELECT 'é'", bytes_max=10)


def test_text_with_a_lone_surrogate_is_counted_and_not_crashed_on():
    with pytest.raises(LimitExceeded):
        tokenize("SELECT '\ud800'", bytes_max=5)


def test_depth_counts_brackets_of_both_kinds_outside_of_quotes():
    deep = tokenize("SELECT ([(1)]), '((((((((((', \"(((((\"", bytes_max=100)
    check_depth(deep, depth_max=3)
    with pytest.raises(LimitExceeded, match="more than 2 brackets deep at line 1, column 10"):
        check_depth(deep, depth_max=2)
