"""Long chains are refused before they overflow a stack; long lists are not."""

import pytest

from igloo.engine.planner.term_count import PLAN_TERMS, check_terms
from igloo.engine.planner.tokens import tokenize
from igloo.errors import LimitExceeded


def is_refused(sql, terms_max):
    try:
        check_terms(tokenize(sql, bytes_max=10**8), terms_max=terms_max)
    except LimitExceeded:
        return True
    return False


def height(sql):
    """Return the smallest limit that lets the statement through."""
    low, high = 0, 1 << 20
    while low < high:
        middle = (low + high) // 2
        low, high = (middle + 1, high) if is_refused(sql, middle) else (low, middle)
    return low


CHAINS = {
    "plus": "SELECT " + "+".join(["a"] * 101),
    "minus": "SELECT " + " - ".join(["a"] * 101),
    "mixed": "SELECT " + "a * b / c - d % e + " * 20 + "a",
    "text": "SELECT " + "||".join(["'x'"] * 101),
    "and": "SELECT 1 FROM t WHERE " + " AND ".join(["a"] * 101),
    "or": "SELECT 1 FROM t WHERE " + " or ".join(["a"] * 101),
    "cast": "SELECT a" + "::int::bigint" * 50,
    "is": "SELECT a" + " IS NULL" * 100,
    "not": "SELECT " + "NOT " * 100 + "a",
    "zone": "SELECT a" + " AT TIME ZONE 'UTC'" * 100,
    "union": " UNION ALL ".join(["SELECT 1"] * 101),
    "except": " EXCEPT ".join(["SELECT 1"] * 101),
    "json": "SELECT a" + "->'b'" * 100,
}


@pytest.mark.parametrize("name", CHAINS)
def test_each_operator_of_a_chain_counts(name):
    assert height(CHAINS[name]) == pytest.approx(100, abs=1)


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT a", 0),
        ("SELECT a = 1", 1),
        ("SELECT 1 FROM t WHERE a = 1 OR b = 2 OR c = 3", 3),
        ("SELECT 1 FROM t WHERE a BETWEEN 1 AND 2 AND b BETWEEN 3 AND 4", 2),
        ("SELECT 1 FROM t WHERE NOT a BETWEEN 1 AND 2 OR b NOT BETWEEN 3 AND 4", 3),
        ("SELECT 1 FROM t WHERE a NOT IN (1, 2) AND b NOT LIKE 'x' AND c NOT ILIKE 'y'", 3),
        ("SELECT 1 FROM t WHERE a IS DISTINCT FROM 1 OR b IS DISTINCT FROM 2", 3),
        ("SELECT 1 FROM t WHERE (a OR b) AND (c OR d)", 3),
        ("SELECT CASE WHEN a THEN 1 + 1 WHEN b THEN 2 ELSE 3 END", 2),
        ("SELECT 1 FROM a JOIN b ON a.x = b.x", PLAN_TERMS + 1),
        ("SELECT 1 FROM a, b, c", 2 * PLAN_TERMS),
        ("SELECT 1 FROM t WHERE a IN (SELECT b FROM u)", PLAN_TERMS + 1),
        ("SELECT DISTINCT ON (a) a, b, c FROM t", 1),
        ("SELECT a::timestamp with time zone, b, c FROM t", 2),
        ("SELECT extract(year FROM a), b, c FROM t", 1),
        ('SELECT "or", "and", t.union, t.join FROM t', 0),
        ("SELECT 'a or b or c' -- or or or", 0),
    ],
)
def test_small_statements_count_what_is_nested(sql, expected):
    assert height(sql) == expected


def test_lists_of_any_length_pass():
    many = range(5_000)
    for sql in [
        f"SELECT 1 FROM t WHERE a IN ({', '.join(map(str, many))})",
        f"SELECT {', '.join(f'a + {n}' for n in many)} FROM t",
        f"INSERT INTO t VALUES {', '.join(f'({n}, -{n})' for n in many)}",
        f"SELECT coalesce({', '.join(f'c{n}' for n in many)})",
        f"SELECT CASE {' '.join(f'WHEN a = {n} THEN {n}' for n in many)} END FROM t",
        f"SELECT 1 FROM t ORDER BY {', '.join(f'a + {n}' for n in many)}",
    ]:
        assert not is_refused(sql, 20), sql[:60]


def test_brackets_do_not_hide_a_chain():
    inner = " AND ".join(["a"] * 60)
    assert is_refused(f"SELECT 1 FROM (SELECT * FROM t WHERE {inner}) u WHERE {inner}", 100)
    assert is_refused(
        f"WITH c AS (SELECT * FROM t WHERE {inner}) SELECT 1 FROM c WHERE {inner}", 100
    )
    assert is_refused("SELECT " + "(" * 60 + "a" + " + a) + a" * 60, 100)
    assert is_refused("SELECT ((" + "+".join(["a"] * 200), 100)


def test_joins_of_separate_branches_stand_side_by_side():
    one = "SELECT 1 FROM a JOIN b ON a.x = b.x"
    assert not is_refused(" UNION ALL ".join([one] * 50), 50 + PLAN_TERMS + 1)


def test_the_error_says_where_and_what_to_do():
    sql = "SELECT 1\n  + 2 + 3"
    with pytest.raises(LimitExceeded) as caught:
        check_terms(tokenize(sql, bytes_max=100), terms_max=1)
    assert "line 2, column 7" in str(caught.value)
    assert "igloo.limits.expression_terms" in str(caught.value)
    assert caught.value.context["limit"] == "igloo.limits.expression_terms"


def test_unbalanced_text_is_left_to_the_parser():
    for sql in ["SELECT )))", "SELECT CASE WHEN", "END END", "SELECT (CASE WHEN a) END", ")(", ""]:
        assert not is_refused(sql, 50)
