import pickle

import pytest
import sqlglot

from igloo.names import (
    TableName,
    TablePath,
    quote_identifier,
    quote_if_needed,
    quote_literal,
)

AWKWARD = [
    "",
    "a",
    "A",
    "a b",
    'say "hi"',
    "it's",
    "a.b",
    "select",
    "1st",
    "ünï",
    "表",
    "a\nb",
    ";--",
    "\\",
]


def test_names_are_written_with_dots():
    assert str(TableName("public", "t")) == "public.t"
    assert str(TablePath("pg", "public", "t")) == "pg.public.t"


def test_a_path_knows_the_name_inside_its_catalog():
    assert TablePath("pg", "public", "t").name == TableName("public", "t")


def test_names_are_values_that_sort_and_travel():
    names = [TableName("b", "a"), TableName("a", "b"), TableName("a", "a")]
    assert sorted(names) == [TableName("a", "a"), TableName("a", "b"), TableName("b", "a")]
    assert pickle.loads(pickle.dumps(names)) == names
    assert len({*names, *names}) == 3


@pytest.mark.parametrize("name", [name for name in AWKWARD if name])
def test_a_quoted_identifier_reads_back_as_itself(name):
    parsed = sqlglot.parse_one(f"SELECT {quote_identifier(name)}", dialect="postgres")
    (identifier,) = parsed.find_all(sqlglot.exp.Identifier)
    assert identifier.this == name
    assert identifier.quoted


@pytest.mark.parametrize("text", AWKWARD)
def test_a_quoted_literal_reads_back_as_itself(text):
    parsed = sqlglot.parse_one(f"SELECT {quote_literal(text)}", dialect="postgres")
    (literal,) = parsed.find_all(sqlglot.exp.Literal)
    assert literal.this == text


@pytest.mark.parametrize(
    ("name", "written"),
    [("customer", "customer"), ("_a1", "_a1"), ("Customer", '"Customer"'), ("1a", '"1a"'),
     ("a b", '"a b"'), ("ü", '"ü"'), ("", '""'), ("a\n", '"a\n"'), ('"', '""""')],
)  # fmt: skip
def test_an_identifier_is_quoted_only_where_it_has_to_be(name, written):
    assert quote_if_needed(name) == written
