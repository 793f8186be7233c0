"""Tokens where PostgreSQL's rules of quoting matter, and the places they stand at."""

import random

import pytest

from igloo.engine.planner.tokens import TokenType, place_of, split_script, tokenize
from igloo.errors import LimitExceeded, SqlSyntaxError


def tokens_of(text):
    return tokenize(text, bytes_max=10_000)


def texts(text):
    return [token.text for token in tokens_of(text).tokens]


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("SELECT $$a;b$$; SELECT 2", 2),
        ("SELECT $tag$a;$$;$tag$; SELECT 2", 2),
        ("SELECT $tag$ it's ; \" $tag$", 1),
        (r"SELECT E'it\'s; fine'; SELECT 2", 2),
        (r"SELECT 'back\'; SELECT 2", 2),
        ("SELECT 'a''b;'; SELECT 2", 2),
        ('SELECT "a"";b"; SELECT 2', 2),
        ("SELECT /* a /* nested; */ ; */ 1; SELECT 2", 2),
        ("SELECT 1 --;\n; SELECT 2", 2),
        ("SELECT 1 -- no end of line;", 1),
        ("SELECT $1,$2; SELECT $1", 2),
        ("SELECT $1$ ;", 1),
        ("-- only a comment", 0),
        ("/* a */ ; -- b", 0),
    ],
)
def test_a_statement_ends_at_a_semicolon_outside_of_every_kind_of_quote(text, count):
    assert len(split_script(tokens_of(text))) == count


def test_parameters_beside_a_comma_are_no_dollar_quotes():
    parameters = [t for t in tokens_of("SELECT $1,$2,$name").tokens if t.text == "$"]
    assert [t.token_type for t in parameters] == [TokenType.PARAMETER] * 3


def test_places_are_those_of_the_text_as_given():
    text = "SELECT $1, 'é;', $2 -- x\n FROM \"T t\" WHERE a <> $three"
    for token in tokens_of(text).tokens:
        written = text[token.start : token.end + 1]
        if token.token_type in {TokenType.STRING, TokenType.IDENTIFIER}:
            written = written[1:-1]
        assert written == token.text


def test_a_script_joined_again_is_the_same_script():
    pieces = ["SELECT 1", "SELECT ';'", 'SELECT "a;b"', "SELECT $x$;$x$", "SELECT 1 /* ; */"]
    chosen = random.Random(5).choices(pieces, k=50)
    assert list(split_script(tokens_of(" ;\n".join(chosen)))) == chosen


@pytest.mark.parametrize("text", ["SELECT 'a\nb", "SELECT $tag$ $$", "/* /* */", 'SELECT "a""'])
def test_what_does_not_end_is_told(text):
    with pytest.raises(SqlSyntaxError, match="does not end"):
        tokens_of(text)


@pytest.mark.parametrize("text", ["\x00", "SELECT '\x00'", "SELECT 1 -- \x00"])
def test_a_nul_byte_is_refused_wherever_it_stands(text):
    with pytest.raises(SqlSyntaxError, match="NUL"):
        tokens_of(text)


def test_the_size_is_checked_before_anything_is_read():
    with pytest.raises(LimitExceeded):
        tokenize("'" * 101, bytes_max=100)


def test_words_are_upper_case_and_quoted_ones_are_no_words():
    tokens = tokens_of("select \"Select\" 'from'")
    assert [tokens.word(i) for i in range(5)] == ["SELECT", "", "", "", ""]
    assert tokens.starts_with("SELECT")
    assert not tokens.starts_with("SELECT", "SELECT")
    assert tokens.text_from(1) == "\"Select\" 'from'"
    assert tokens.text_from(9) == ""


@pytest.mark.parametrize(
    ("position", "place"), [(0, (1, 1)), (2, (1, 3)), (3, (2, 1)), (5, (2, 3))]
)
def test_lines_and_columns_count_from_one(position, place):
    assert place_of("ab\ncd\n", position) == place


def test_no_word_swallows_the_rest_of_its_statement():
    assert texts("SHOW TABLES FROM x") == ["SHOW", "TABLES", "FROM", "x"]
    assert texts("COPY t TO 'p'") == ["COPY", "t", "TO", "p"]
