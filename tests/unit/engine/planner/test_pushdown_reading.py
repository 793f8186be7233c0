"""What sources are told of a filter: never more than it says."""

import datetime as dt

import pyarrow as pa
import pytest
from datafusion import SessionContext

from igloo.connectors import predicates as pr
from igloo.connectors.contract import Pushdown
from igloo.connectors.predicates import ComparisonOperator as Op
from igloo.engine.execution.scan import StubDataset
from igloo.engine.planner.pushdown import read_needs

SCHEMA = pa.schema(
    [
        ("a", pa.int64()),
        ("c", pa.int64()),
        ("s", pa.string()),
        ("b", pa.bool_()),
        ("d", pa.date32()),
        ("f", pa.float64()),
    ]
)
A, C, S, B, D = (pr.Column(name) for name in "acsbd")


def number(value):
    return pr.Literal(pa.scalar(value, pa.int64()))


@pytest.fixture
def needs():
    context = SessionContext()
    context.register_dataset("t", StubDataset(SCHEMA))
    context.register_dataset("u", StubDataset(SCHEMA))

    def read(sql):
        found = read_needs(context.sql(sql).optimized_logical_plan())
        return {reference[-1]: need for reference, need in found.items()}

    return read


@pytest.fixture
def filter_of(needs):
    return lambda where: needs(f"SELECT a, c, s, b, d, f FROM t WHERE {where}")["t"].pushdown.filter


EXACT = [
    ("a = 5", pr.Comparison(A, Op.EQUAL, number(5))),
    ("a <> 5", pr.Comparison(A, Op.NOT_EQUAL, number(5))),
    ("a < 5", pr.Comparison(A, Op.LESS, number(5))),
    ("a >= 5", pr.Comparison(A, Op.GREATER_OR_EQUAL, number(5))),
    ("a > c", pr.Comparison(C, Op.LESS, A)),
    ("a IS NULL", pr.IsNull(A)),
    ("a IS NOT NULL", pr.Not(pr.IsNull(A))),
    ("s LIKE 'a%_b'", pr.Like(S, "a%_b")),
    ("s NOT LIKE 'a%_b'", pr.Not(pr.Like(S, "a%_b"))),
    ("b", pr.Comparison(B, Op.EQUAL, pr.Literal(pa.scalar(True)))),
    (
        "d = DATE '2024-01-02'",
        pr.Comparison(D, Op.EQUAL, pr.Literal(pa.scalar(dt.date(2024, 1, 2)))),
    ),
    (
        "a = 1 OR c > 2",
        pr.Or(
            (pr.Comparison(A, Op.EQUAL, number(1)), pr.Comparison(C, Op.GREATER, number(2))),
        ),
    ),
    (
        "a IN (1, 2, 3, 4, 5)",
        pr.InList(A, tuple(pa.scalar(i, pa.int64()) for i in range(1, 6))),
    ),
    (
        "a NOT IN (1, 2, 3, 4, 5)",
        pr.Not(pr.InList(A, tuple(pa.scalar(i, pa.int64()) for i in range(1, 6)))),
    ),
]


@pytest.mark.parametrize(("where", "expected"), EXACT)
def test_what_is_understood_converts_exactly(filter_of, where, expected):
    assert filter_of(where) == expected


@pytest.mark.parametrize(
    "where",
    [
        "s ILIKE 'a%_b'",
        "s NOT ILIKE 'a%_b'",
        "s SIMILAR TO 'a.b'",
        "s ~ 'a.b'",
        "abs(a) = 5",
        "a + c = 5",
        "a % 2 = 0",
        "s || s = 'aa'",
        "CAST(a AS TEXT) LIKE '5%'",
        "a = 5 OR abs(c) = 1",
        "NOT (a = 5 AND abs(c) = 1)",
        "a IS DISTINCT FROM 5",
        "CASE WHEN a = 1 THEN b ELSE NOT b END",
        "random() < 0.5",
        "(a > 1) = b",
    ],
)
def test_what_is_not_understood_asks_for_any_row(filter_of, where):
    assert filter_of(where) is None


@pytest.mark.parametrize(
    "where", ["a = 5 AND abs(c) = 1", "abs(c) = 1 AND a = 5", "a = 5 AND s ILIKE 'x%y_z'"]
)
def test_under_and_what_is_not_understood_is_left_out(filter_of, where):
    assert filter_of(where) == pr.Comparison(A, Op.EQUAL, number(5))


def test_only_the_columns_that_are_used_are_asked_for(needs):
    assert set(needs("SELECT a FROM t WHERE c = 1")["t"].pushdown.columns) <= {"a", "c"}
    assert needs("SELECT count(*) FROM t")["t"].pushdown.columns == ()


def test_a_limit_is_handed_on_only_where_no_filter_follows(needs):
    assert needs("SELECT a FROM t LIMIT 7")["t"].pushdown.limit == 7
    assert needs("SELECT a FROM t LIMIT 7 OFFSET 3")["t"].pushdown.limit == 10
    assert needs("SELECT a FROM t WHERE abs(a) = 1 LIMIT 7")["t"].pushdown.limit is None
    assert needs("SELECT a FROM t ORDER BY a LIMIT 7")["t"].pushdown.limit is None
    assert needs("SELECT a, count(*) FROM t GROUP BY a LIMIT 7")["t"].pushdown.limit is None


def test_each_table_of_a_join_gets_its_own_filter(needs):
    found = needs("SELECT t.a FROM t JOIN u ON t.a = u.a WHERE t.c = 1 AND u.c = 2")
    terms = {name: set(pr.conjuncts(need.pushdown.filter)) for name, need in found.items()}
    assert pr.Comparison(C, Op.EQUAL, number(1)) in terms["t"]
    assert pr.Comparison(C, Op.EQUAL, number(2)) in terms["u"]
    assert pr.Comparison(C, Op.EQUAL, number(2)) not in terms["t"]


def test_the_other_side_of_an_outer_join_is_not_filtered_too_early(needs):
    found = needs("SELECT t.a FROM t LEFT JOIN u ON t.a = u.a WHERE u.c = 2 OR u.c IS NULL")
    assert found["u"].pushdown.filter is None


def test_a_table_scanned_twice_needs_the_rows_and_columns_of_both(needs):
    both = needs("SELECT a FROM t WHERE c = 1 UNION ALL SELECT d::INT FROM t WHERE c = 2")["t"]
    assert set(both.pushdown.columns) >= {"a", "d"}
    assert both.pushdown.filter == pr.Or(
        (pr.Comparison(C, Op.EQUAL, number(1)), pr.Comparison(C, Op.EQUAL, number(2)))
    )
    one = needs("SELECT a FROM t WHERE c = 1 UNION ALL SELECT a FROM t LIMIT 3")["t"].pushdown
    assert (one.filter, one.limit) == (None, None)


def test_the_same_filter_twice_is_one(needs):
    both = needs("SELECT a FROM t WHERE c = 1 UNION ALL SELECT s::INT FROM t WHERE c = 1")["t"]
    assert both.pushdown.filter == pr.Comparison(C, Op.EQUAL, number(1))


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT a FROM t WHERE a = 1 OR a > (SELECT max(c) FROM t WHERE c < 100)",
        "SELECT a, (SELECT max(c) FROM t WHERE c < 9) FROM t WHERE a = 1",
        "SELECT a FROM t WHERE b OR EXISTS (SELECT 1 FROM u WHERE u.a = t.a)",
        "SELECT a FROM t WHERE b OR a IN (SELECT c FROM t WHERE c = 1)",
    ],
)
def test_a_subquery_never_lets_a_scan_miss_what_it_needs(needs, sql):
    """A scan that cannot be seen is not bounded by one that can be."""
    need = needs(sql).get("t")
    if need is not None:
        terms = pr.conjuncts(need.pushdown.filter)
        assert not any(isinstance(term, pr.Comparison) and term.left == C for term in terms)
        assert need.pushdown == Pushdown(
            columns=need.pushdown.columns, filter=need.pushdown.filter, limit=None
        )


def test_a_scan_inside_of_an_expression_takes_all_needs_away():
    context = SessionContext()
    context.register_dataset("t", StubDataset(SCHEMA))
    plan = context.sql("SELECT a FROM t WHERE a > (SELECT max(c) FROM t WHERE c < 9) OR b")
    # Before it is optimized the subquery is still an expression.
    assert plan.logical_plan().display_indent().count("TableScan:") == 2
    assert read_needs(plan.logical_plan()) == {}
