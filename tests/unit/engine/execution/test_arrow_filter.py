"""Filters as DataFusion really hands them to a Dataset, and what is read from them."""

import datetime as dt
import decimal

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pytest
from datafusion import SessionContext

from igloo.connectors import predicates as pr
from igloo.connectors.predicates import ComparisonOperator as Op
from igloo.connectors.predicates import keep_true
from igloo.engine.execution.arrow_filter import read_arrow_filter
from igloo.errors import InternalError

SCHEMA = pa.schema(
    [
        ("a", pa.int64()),
        ("c", pa.int64()),
        ("s", pa.string()),
        ("b", pa.bool_()),
        ("d", pa.date32()),
        ("f", pa.float64()),
        ("m", pa.decimal128(9, 2)),
    ]
)
NAN = float("nan")
ROWS = [
    {"a": 1, "c": 1, "s": "a", "b": True, "d": dt.date(2024, 1, 1), "f": 0.5, "m": "1.50"},
    {"a": 5, "c": 1, "s": "b", "b": False, "d": dt.date(2024, 1, 2), "f": NAN, "m": "2.00"},
    {"a": None, "c": None, "s": None, "b": None, "d": None, "f": None, "m": None},
    {"a": 5, "c": 9, "s": "", "b": None, "d": dt.date(1999, 1, 1), "f": -0.0, "m": "-1.50"},
    {"a": -3, "c": None, "s": "é", "b": True, "d": None, "f": float("inf"), "m": "0.00"},
]
TABLE = pa.Table.from_pylist(
    [row | {"m": None if row["m"] is None else decimal.Decimal(row["m"])} for row in ROWS],
    schema=SCHEMA,
)


class Fragment:
    """All rows, whatever was asked: the filter is only noted."""

    def __init__(self, columns):
        self.table = TABLE.select(columns)

    def scanner(self, *_arguments, **_options):
        return self

    @property
    def projected_schema(self):
        return self.table.schema

    def to_batches(self):
        return iter(self.table.to_batches())


class Noting(ds.Dataset):
    """A Dataset without rows that notes the filter DataFusion hands over."""

    def __init__(self, *, rows=False):
        self.filters = []
        self.columns = SCHEMA.names
        self.rows = rows

    @property
    def schema(self):
        return SCHEMA

    def scanner(self, columns=None, filter=None, **_options):  # noqa: A002 - pyarrow's name
        self.columns = SCHEMA.names if columns is None else list(columns)
        return Fragment(self.columns)

    def get_fragments(self, filter=None):  # noqa: A002 - pyarrow's name
        self.filters.append(filter)
        return [Fragment(self.columns)] if self.rows else []


def handed(where):
    """Return the filter of the one scan of a query, and whether DataFusion filters again."""
    dataset = Noting()
    context = SessionContext()
    context.register_dataset("t", dataset)
    plan = context.sql(f"SELECT a FROM t WHERE {where}").execution_plan()
    (found,) = dataset.filters
    return found, "FilterExec" in plan.display_indent()


def read(where):
    found, _ = handed(where)
    assert found is not None, "DataFusion handed no filter over"
    return read_arrow_filter(found, SCHEMA)


A, B, S = (pr.Column(name) for name in "abs")


def number(value):
    return pr.Literal(pa.scalar(value, pa.int64()))


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("a = 5", pr.Comparison(A, Op.EQUAL, number(5))),
        ("a <> 5", pr.Comparison(A, Op.NOT_EQUAL, number(5))),
        ("a >= 5", pr.Comparison(A, Op.GREATER_OR_EQUAL, number(5))),
        ("a IS NULL", pr.IsNull(A)),
        ("a IS NOT NULL", pr.Not(pr.IsNull(A))),
        (
            "a = 5 OR s = 'x'",
            pr.Or(
                (
                    pr.Comparison(A, Op.EQUAL, number(5)),
                    pr.Comparison(S, Op.EQUAL, pr.Literal(pa.scalar("x"))),
                )
            ),
        ),
        ("b", pr.Comparison(B, Op.EQUAL, pr.Literal(pa.scalar(True)))),
        ("NOT b", pr.Not(pr.Comparison(B, Op.EQUAL, pr.Literal(pa.scalar(True))))),
        ("a IN (1, 2, 3, 4, 5)", pr.InList(A, tuple(pa.scalar(i) for i in range(1, 6)))),
    ],
)
def test_a_filter_is_read_as_the_predicate_it_is(where, expected):
    assert read(where).predicate == expected
    assert read(where).expressions == ()


CONDITIONS = [
    "a > 1 AND a IN (1, 2, 3, 4, 5, 6)",
    "NOT (a = 1 OR f < 2)",
    "s BETWEEN 'a' AND 'b'",
    "s IN ('a', 'b', 'c', 'd', 'e')",
    "s NOT IN ('a', 'b', 'c', 'd', 'e')",
    "m > 1.5",
    "d >= DATE '2024-01-01'",
    "d = '2024-01-02'",
    "f > 1",
    "f = 'NaN'::DOUBLE",
    "f < 'NaN'::DOUBLE",
    "f >= 0.0",
    "f = 0.0",
    "f <> 0.5",
    "a > c",
    "a = c",
    "a BETWEEN c AND 5",
    "a NOT BETWEEN 1 AND 4",
    "(a > 1) IS NULL",
    "(a > 1) IS NOT NULL",
    "(s > 'a') = b",
    "(a > 1) IS NULL AND c IS NULL",
    "b OR a = 5",
    "NOT (b AND a = 5)",
    "a = 5 AND b IS NULL",
]


def as_dataframe_rows(where, *, over_dataset):
    context = SessionContext()
    if over_dataset:
        context.register_dataset("t", Noting(rows=True))
    else:
        context.from_arrow(TABLE, name="t")
    return context.sql(f"SELECT * FROM t WHERE {where}").to_arrow_table()


def kept_by(arrow_filter):
    (batch,) = TABLE.combine_chunks().to_batches()
    if arrow_filter.predicate is not None:
        batch = keep_true(batch, arrow_filter.predicate)
    for expression in arrow_filter.expressions:
        batch = batch.filter(expression)
    return batch


@pytest.mark.parametrize("where", CONDITIONS)
def test_what_was_read_keeps_exactly_the_rows_that_datafusion_keeps(where):
    found, filters_again = handed(where)
    expected = as_dataframe_rows(where, over_dataset=False).to_pylist()
    if found is None:
        # DataFusion keeps the filter to itself.
        assert filters_again
        assert repr(as_dataframe_rows(where, over_dataset=True).to_pylist()) == repr(expected)
        return
    read_filter = read_arrow_filter(found, SCHEMA)
    assert repr(kept_by(read_filter).to_pylist()) == repr(expected)
    used = {name for name in SCHEMA.names for e in read_filter.expressions if name in str(e)}
    assert read_filter.expression_columns <= set(SCHEMA.names)
    assert bool(used) == bool(read_filter.expressions)


@pytest.mark.parametrize("function", ["a + 1 > 5", "abs(a) = 1", "s || 'x' = 'ax'", "s LIKE 'a%'"])
def test_what_arrow_lacks_is_never_handed_over(function):
    found, filters_again = handed(function)
    assert found is None
    assert filters_again


def test_a_long_chain_is_read_without_running_out_of_stack():
    chain = pc.field("a") == 0
    for value in range(1, 3000):
        chain |= pc.field("a") == value
    predicate = read_arrow_filter(chain, SCHEMA).predicate
    assert isinstance(predicate, pr.Or)
    assert len(predicate.operands) == 3000


def test_the_order_and_the_type_of_literals_survive():
    expression = (
        (pc.field("s") == "zwei")
        & (pc.field("a") > 1)
        & (pc.field("m") < pa.scalar(decimal.Decimal("1.25"), pa.decimal128(9, 2)))
    )
    found = pr.conjuncts(read_arrow_filter(expression, SCHEMA).predicate)
    assert [term.right.value.as_py() for term in found] == ["zwei", 1, decimal.Decimal("1.25")]
    assert found[2].right.value.type == pa.decimal128(9, 2)


def test_a_function_that_datafusion_does_not_send_is_refused_and_not_guessed():
    with pytest.raises(InternalError, match="starts_with"):
        read_arrow_filter(pc.starts_with(pc.field("s"), "a"), SCHEMA)


@pytest.mark.parametrize(("constant", "kept"), [(None, 0), (False, 0), (True, len(ROWS))])
def test_a_filter_that_is_a_constant_comes_as_a_bare_scalar(constant, kept):
    found = read_arrow_filter(pa.scalar(constant, pa.bool_()), SCHEMA)
    (batch,) = TABLE.to_batches()
    assert keep_true(batch, found.predicate).num_rows == kept


def test_datafusion_does_hand_over_a_bare_scalar():
    """Join conditions that become constants only late are not folded away."""
    context = SessionContext()
    datasets = {name: Noting(rows=True) for name in "xyz"}
    for name, dataset in datasets.items():
        context.register_dataset(name, dataset)
    context.sql(
        "SELECT 1 AS one FROM x LEFT JOIN y ON CAST(NULL AS decimal(10, 2)) <> CAST(NULL AS bigint)"
        " FULL JOIN z ON y.a = z.a WHERE 0.25 <> z.a * z.a"
    ).execution_plan()
    found = [each for dataset in datasets.values() for each in dataset.filters]
    assert [each for each in found if isinstance(each, pa.Scalar)] == [pa.scalar(None, pa.bool_())]
