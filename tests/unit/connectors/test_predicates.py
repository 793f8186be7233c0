import datetime as dt
import itertools
import math
import pickle
import struct
from decimal import Decimal

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from datafusion import SessionConfig, SessionContext
from pyarrow import acero

from igloo.connectors.predicates import (
    And,
    Column,
    Comparison,
    ComparisonOperator,
    InList,
    IsNull,
    Like,
    Literal,
    Not,
    Or,
    columns_of,
    conjoin,
    conjuncts,
    keep_true,
    reads_floats,
    to_arrow,
)
from igloo.errors import NotSupported, TypeMismatch
from igloo.testing.conformance.predicate_cases import NAMED_CASES, Literals, RandomPredicates
from igloo.testing.conformance.tables import FLOATS, TEXTS, facts

NAN, INF = float("nan"), float("inf")
NEGATIVE_NAN = struct.unpack("<d", struct.pack("<Q", 0xFFF8_0000_0000_0000))[0]
ROWS = 60
SEEDS = 12
PREDICATES_PER_SEED = 25
INTS = (0, 1, -1, 2, 7, 100)
NATURALS = (0, 1, 2, 7, 100)
DECIMALS = tuple(map(Decimal, ("0", "1.1", "1", "-1", "7")))
BLOBS = (b"", b"a", b"\x00\xff", b"b")
US = (0, 1, -1, 1_711_848_600_000_000, 253_402_300_799_999_999, -62_135_596_800_000_000)

#: Columns whose types may be mixed stand in one group.
GROUPS = {
    "boolean": {"flag": (pa.bool_(), (True, False))},
    "number": {
        "i8": (pa.int8(), (*INTS, 127, -128)),
        "i16": (pa.int16(), (*INTS, 2**15 - 1)),
        "i32": (pa.int32(), (*INTS, 2**31 - 1, -(2**31))),
        "i64": (pa.int64(), (*INTS, 2**63 - 1, -(2**63), 2**53 + 1)),
        "u8": (pa.uint8(), (*NATURALS, 255)),
        "u16": (pa.uint16(), (*NATURALS, 2**16 - 1)),
        "u32": (pa.uint32(), (*NATURALS, 2**32 - 1)),
        "u64": (pa.uint64(), (*NATURALS, 2**64 - 1, 2**63)),
        "d5_0": (pa.decimal128(5, 0), (*map(Decimal, INTS), Decimal(99_999))),
        "d12_2": (pa.decimal128(12, 2), (*DECIMALS, Decimal("9999999999.99"))),
        "d38_10": (pa.decimal128(38, 10), (*DECIMALS, Decimal("1.1000000001"))),
        "d50_5": (pa.decimal256(50, 5), DECIMALS),
    },
    "float": {
        "f16": (pa.float16(), (0.0, -0.0, 1.0, -1.0, 0.5, INF, -INF, NAN)),
        "f32": (pa.float32(), (0.0, -0.0, 1.0, -1.0, 0.5, 0.1, INF, -INF, NAN)),
        "f64": (pa.float64(), (*FLOATS, 0.5)),
    },
    "text": {
        "s": (pa.string(), TEXTS),
        "ls": (pa.large_string(), TEXTS),
        "sv": (pa.string_view(), TEXTS),
        "ds": (pa.dictionary(pa.int32(), pa.string()), TEXTS),
    },
    "bytes": {
        "y": (pa.binary(), BLOBS),
        "ly": (pa.large_binary(), BLOBS),
        "yv": (pa.binary_view(), BLOBS),
    },
    "fixed": {"fb": (pa.binary(2), (b"ab", b"\x00\xff", b"zz"))},
    "day": {"day": (pa.date32(), (0, -1, 19_782, 2_932_896))},
    "instant": {
        "utc": (pa.timestamp("us", "UTC"), US),
        "berlin": (pa.timestamp("us", "Europe/Berlin"), US),
    },
    "local": {"us": (pa.timestamp("us"), US), "ms": (pa.timestamp("ms"), (0, 1, -1))},
    "nanos": {"ns": (pa.timestamp("ns"), (0, 1, -1, 2**62))},
    "time": {"t64": (pa.time64("us"), (0, 1, 86_399_999_999))},
    "seconds": {"t32": (pa.time32("s"), (0, 1, 86_399))},
    "duration": {"dus": (pa.duration("us"), (0, 1, -1, 86_400_000_000))},
}
COLUMNS = {name: made for group in GROUPS.values() for name, made in group.items()}


def array(type_, values):
    if pa.types.is_dictionary(type_):
        return pa.array(values, type_.value_type).cast(type_)
    if pa.types.is_temporal(type_):
        return pa.array(values, pa.int32() if type_.bit_width == 32 else pa.int64()).cast(type_)
    return pa.array(values, type_)


def column(type_, values, step):
    # Steps without a common divisor bring every pair of values of two columns together.
    pool = [*values, None]
    return array(type_, [pool[(row * step + row // len(pool)) % len(pool)] for row in range(ROWS)])


STEPS = itertools.cycle((1, 5, 7, 11, 13))
TABLE = pa.table(
    {"id": pa.array(range(ROWS))}
    | {name: column(*made, next(STEPS)) for name, made in COLUMNS.items()}
)
LITERALS = {
    name: [pa.scalar(v) if pa.types.is_dictionary(type_) else array(type_, [v])[0] for v in values]
    for name, (type_, values) in COLUMNS.items()
}


class MixedPredicates(RandomPredicates):
    """Random predicates whose literals and peers have any type that compares with the column's."""

    def __init__(self, seed):
        super().__init__(TABLE, seed)
        self._values = {
            name: [value for peer in group for value in LITERALS[peer]]
            for group in GROUPS.values()
            for name in group
        }

    def _leaf(self):
        name = self._rng.choice(sorted(self._values))
        group = next(group for group in GROUPS.values() if name in group)
        if len(group) > 1 and self._rng.random() < 0.2:
            operator = self._rng.choice(tuple(ComparisonOperator))
            return Comparison(Column(name), operator, Column(self._rng.choice(sorted(group))))
        return super()._leaf()


class DataFusion:
    """The judge: the same predicate as SQL, nothing optimized, lists spelt out."""

    def __init__(self, table):
        # Its rules for IN-lists are wrong where NULL is (a NOT IN beside another).
        config = SessionConfig({"datafusion.optimizer.max_passes": "0"})
        self.context = SessionContext(config)
        self.context.register_record_batches("t", [table.to_batches()])

    def ids_where_true(self, predicate):
        parameters = {}
        sql = f"SELECT id FROM t WHERE {self.sql(predicate, parameters)}"
        found = self.context.sql(sql, param_values=parameters).collect()
        return sorted(value for batch in found for value in batch.column(0).to_pylist())

    def sql(self, predicate, parameters):
        match predicate:
            case Comparison(left, operator, right):
                a, b = self.term(left, parameters), self.term(right, parameters)
                return f"({a} {operator.value} {b})"
            case InList(column, values):
                equal = (Comparison(column, ComparisonOperator.EQUAL, Literal(v)) for v in values)
                return f"({' OR '.join(self.sql(p, parameters) for p in equal)})"
            case Like(column, pattern):
                literal = Literal(pa.scalar(pattern))
                return f"({self.term(column, parameters)} LIKE {self.term(literal, parameters)})"
            case IsNull(column):
                return f"({self.term(column, parameters)} IS NULL)"
            case Not(operand):
                return f"(NOT {self.sql(operand, parameters)})"
            case And(operands):
                return f"({' AND '.join(self.sql(p, parameters) for p in operands)})"
            case Or(operands):
                return f"({' OR '.join(self.sql(p, parameters) for p in operands)})"

    def term(self, term, parameters):
        if isinstance(term, Column):
            return f'"{term.name}"'
        parameters[f"p{len(parameters)}"] = term.value
        return f"$p{len(parameters) - 1}"


def ids_kept(table, predicate):
    batches = [keep_true(batch, predicate) for batch in table.to_batches()]
    return sorted(value for batch in batches for value in batch.column("id").to_pylist())


def ids_where_expression_is_true(table, predicate):
    numbered = table.select(["id"]).append_column(
        "truth", project(table, to_arrow(predicate, table.schema))
    )
    return sorted(numbered.filter(pc.field("truth")).column("id").to_pylist())


def project(table, expression):
    source = acero.Declaration("table_source", acero.TableSourceNodeOptions(table))
    answer = acero.Declaration("project", acero.ProjectNodeOptions([expression], ["truth"]))
    plan = acero.Declaration.from_sequence([source, answer])
    return plan.to_table(use_threads=False).column("truth")


def assert_same_meaning(table, judge, predicate):
    needed = table.select(list(dict.fromkeys(("id", *sorted(columns_of(predicate))))))
    for asked in (predicate, Not(predicate)):
        wanted = judge.ids_where_true(asked)
        assert ids_kept(needed, asked) == wanted, f"for {asked}"
        assert ids_where_expression_is_true(needed, asked) == wanted, f"as an expression: {asked}"


@pytest.fixture(scope="module")
def judge():
    return DataFusion(TABLE)


@pytest.mark.parametrize("seed", range(SEEDS))
def test_random_predicates_mean_what_datafusion_means(judge, seed):
    generator = MixedPredicates(seed)
    for _ in range(PREDICATES_PER_SEED):
        assert_same_meaning(TABLE, judge, generator.predicate())


@pytest.mark.parametrize("name", COLUMNS)
def test_every_literal_of_the_group_compares_as_in_datafusion(judge, name):
    group = next(group for group in GROUPS.values() if name in group)
    values = [value for peer in group for value in LITERALS[peer][-2:]]
    for value, operator in itertools.product(values, ComparisonOperator):
        predicate = Comparison(Column(name), operator, Literal(value))
        assert_same_meaning(TABLE, judge, predicate)


@pytest.mark.parametrize("group", GROUPS)
def test_columns_of_the_group_compare_as_in_datafusion(judge, group):
    for (a, b), operator in itertools.product(
        itertools.product(GROUPS[group], repeat=2), ComparisonOperator
    ):
        assert_same_meaning(TABLE, judge, Comparison(Column(a), operator, Column(b)))


@pytest.fixture(scope="module")
def facts_and_judge():
    table = facts(lambda type_: type_, lambda type_, value: True)
    return table, DataFusion(table)


@pytest.mark.parametrize("case", NAMED_CASES)
def test_the_suites_named_cases_mean_what_datafusion_means(facts_and_judge, case):
    table, judge = facts_and_judge
    assert_same_meaning(table, judge, NAMED_CASES[case][1](Literals(table.schema)))


@pytest.mark.parametrize(
    "pattern",
    ["a_c", "a%", "%", "_", "", "a\\_c", "a\\%c", "a\\\\c", "\\\\", "\\", "a\\", "%\\", "a\\c",
     "%\n%", "_%_", "日__", "🧊", "a.c", "(", "[a]", "^a$", "a*", "%%", "__", "\\__", "100\\%"],
)  # fmt: skip
@pytest.mark.parametrize("name", ["s", "ls", "sv", "ds"])
def test_patterns_match_as_in_datafusion(judge, name, pattern):
    assert_same_meaning(TABLE, judge, Like(Column(name), pattern))


def table_of(type_, values):
    return pa.table({"id": pa.array(range(len(values))), "c": array(type_, values)})


def compare(operator, value, type_):
    return Comparison(Column("c"), ComparisonOperator(operator), Literal(pa.scalar(value, type_)))


@pytest.mark.parametrize(
    ("operator", "value", "ids"),
    [("=", NAN, [0, 1]), ("<>", NAN, [2, 3]), (">", INF, [0, 1]), (">=", NAN, [0, 1]),
     ("<", NAN, [2, 3]), ("<=", NAN, [0, 1, 2, 3]), (">", NAN, []), ("<", -INF, []),
     ("=", NEGATIVE_NAN, [0, 1]), (">", 0.0, [0, 1, 2]), ("<", NEGATIVE_NAN, [2, 3])],
)  # fmt: skip
@pytest.mark.parametrize("type_", [pa.float16(), pa.float32(), pa.float64()], ids=str)
def test_nan_of_either_sign_is_one_value_above_all_as_in_postgresql(type_, operator, value, ids):
    table = table_of(type_, [NAN, NEGATIVE_NAN, INF, -INF, None])
    assert ids_kept(table, compare(operator, value, pa.float64())) == ids
    opposite = Not(compare(operator, value, pa.float64()))
    assert ids_kept(table, opposite) == sorted({0, 1, 2, 3} - set(ids))


def test_columns_with_nan_of_either_sign_are_equal():
    table = pa.table({"id": [0], "a": [NAN], "b": [NEGATIVE_NAN]})
    for operator, ids in (("=", [0]), ("<", []), (">", []), ("<=", [0]), (">=", [0]), ("<>", [])):
        predicate = Comparison(Column("a"), ComparisonOperator(operator), Column("b"))
        assert ids_kept(table, predicate) == ids


@pytest.mark.parametrize("values", [(0.0,), (-0.0, 5.0, 6.0, 7.0, 8.0)])
def test_both_zeros_are_in_a_list_that_has_one(values):
    table = table_of(pa.float64(), [0.0, -0.0, 1.0, None])
    within = InList(Column("c"), tuple(map(pa.scalar, values)))
    assert ids_kept(table, within) == [0, 1]
    assert ids_kept(table, Not(within)) == [2]


def test_times_keep_their_smallest_part():
    seconds = table_of(pa.timestamp("s"), [0, 1, None])
    later = pa.scalar(1, pa.timestamp("us"))
    for operator, ids in (
        ("<", [0]),
        (">", [1]),
        ("=", []),
        ("<>", [0, 1]),
        ("<=", [0]),
        (">=", [1]),
    ):
        predicate = Comparison(Column("c"), ComparisonOperator(operator), Literal(later))
        assert ids_kept(seconds, predicate) == ids
        assert ids_kept(seconds, Not(predicate)) == sorted({0, 1} - set(ids))


def test_a_fraction_never_equals_an_integer():
    table = table_of(pa.int32(), [1, 2, None])
    half = Decimal("1.50")
    for operator, ids in (
        ("<", [0]),
        ("<=", [0]),
        (">", [1]),
        (">=", [1]),
        ("=", []),
        ("<>", [0, 1]),
    ):
        assert ids_kept(table, compare(operator, half, pa.decimal128(5, 2))) == ids


@pytest.mark.parametrize("type_", [pa.int8(), pa.uint8(), pa.int64(), pa.decimal128(5, 2)], ids=str)
def test_literals_beyond_the_type_are_above_or_below_every_value(type_):
    table = table_of(type_, [0, 1, None])
    above, below = Decimal(10**30), Decimal(-(10**30))
    for operator in ComparisonOperator:
        is_true_above = operator.value in {"<", "<=", "<>"}
        is_true_below = operator.value in {">", ">=", "<>"}
        for value, is_true in ((above, is_true_above), (below, is_true_below)):
            predicate = compare(operator, value, pa.decimal128(38, 0))
            assert ids_kept(table, predicate) == ([0, 1] if is_true else [])
            assert ids_kept(table, Not(predicate)) == ([] if is_true else [0, 1])


def test_a_list_of_values_that_the_column_cannot_have_is_false_and_null_stays_null():
    table = table_of(pa.int8(), [1, None])
    within = InList(Column("c"), (pa.scalar(1000), pa.scalar(2000)))
    assert ids_kept(table, within) == []
    assert ids_kept(table, Not(within)) == [0]


def test_empty_conjunctions_hold_and_empty_disjunctions_do_not():
    table = table_of(pa.int8(), [1, None])
    assert ids_kept(table, And(())) == [0, 1]
    assert ids_kept(table, Or(())) == []
    assert ids_kept(table, InList(Column("c"), ())) == []


def test_constants_combine_with_columns_in_any_order(judge):
    nothing = InList(Column("i8"), (pa.scalar(1000),))
    zeros = InList(Column("f64"), (pa.scalar(NAN), pa.scalar(0.0)))
    only_nan = InList(Column("f64"), (pa.scalar(NAN),))
    unknown = Comparison(Literal(pa.scalar(1)), ComparisonOperator.GREATER, Literal(pa.scalar(2)))
    for a, b in itertools.permutations((nothing, zeros, only_nan, unknown), 2):
        assert_same_meaning(TABLE, judge, And((a, b)))
        assert_same_meaning(TABLE, judge, Or((a, Not(b))))


def test_a_null_literal_is_never_true_nor_false():
    table = table_of(pa.int8(), [1, None])
    unknown = compare("=", None, pa.int8())
    assert ids_kept(table, unknown) == ids_kept(table, Not(unknown)) == []


def test_a_column_of_nulls_compares_with_nothing():
    table = pa.table({"id": [0], "c": pa.nulls(1)})
    for unknown in (
        compare("=", 1, pa.int8()),
        Like(Column("c"), "%"),
        InList(Column("c"), (pa.scalar(1),)),
    ):
        assert ids_kept(table, unknown) == ids_kept(table, Not(unknown)) == []
    assert ids_kept(table, IsNull(Column("c"))) == [0]


@pytest.mark.parametrize(
    ("operator", "ids"), [("<", [0]), ("=", []), (">", []), ("<=", [0]), (">=", []), ("<>", [0])]
)
def test_literals_compare_with_one_another(operator, ids):
    table = pa.table({"id": [0]})
    one, two = Literal(pa.scalar(1)), Literal(pa.scalar(2))
    assert ids_kept(table, Comparison(one, ComparisonOperator(operator), two)) == ids


@pytest.mark.parametrize(
    ("type_", "literal"),
    [(pa.int64(), pa.scalar(1.5)), (pa.float64(), pa.scalar(1)), (pa.string(), pa.scalar(b"a")),
     (pa.timestamp("us"), pa.scalar(0, pa.timestamp("us", "UTC"))), (pa.bool_(), pa.scalar(1)),
     (pa.list_(pa.int64()), pa.scalar([1])), (pa.date32(), pa.scalar("2024-01-01")),
     (pa.month_day_nano_interval(), pa.scalar(1)), (pa.time64("us"), pa.scalar(0))],
    ids=str,
)  # fmt: skip
def test_types_without_a_common_meaning_are_refused(type_, literal):
    schema = pa.schema([("c", type_)])
    with pytest.raises(TypeMismatch, match='"c"'):
        to_arrow(Comparison(Column("c"), ComparisonOperator.EQUAL, Literal(literal)), schema)
    with pytest.raises(TypeMismatch, match='"c"'):
        to_arrow(InList(Column("c"), (literal,)), schema)


def test_patterns_are_for_text():
    with pytest.raises(TypeMismatch, match='"c"'):
        to_arrow(Like(Column("c"), "1%"), pa.schema([("c", pa.int64())]))


def test_decimals_too_wide_for_a_common_type_are_refused():
    schema = pa.schema([("a", pa.decimal256(76, 0)), ("b", pa.decimal256(76, 76))])
    with pytest.raises(TypeMismatch, match="decimal"):
        to_arrow(Comparison(Column("a"), ComparisonOperator.LESS, Column("b")), schema)


@pytest.mark.parametrize(
    "predicate", [IsNull(Column("x")), Like(Column("x"), "a"), InList(Column("x"), (pa.scalar(1),))]
)
def test_an_unknown_column_is_a_key_error(predicate):
    with pytest.raises(KeyError, match="x"):
        to_arrow(predicate, TABLE.schema)


def test_thousands_of_operands_do_not_exhaust_the_stack():
    table = table_of(pa.int64(), [1, 5_000, 20_000, None])
    many = Or(tuple(compare("=", value, pa.int64()) for value in range(10_000)))
    assert ids_kept(table, many) == [0, 1]
    with pytest.raises(NotSupported, match="200"):
        to_arrow(many, table.schema)


def test_rows_with_views_are_kept_whole():
    nested = pa.struct([("v", pa.string_view()), ("l", pa.list_(pa.binary_view()))])
    batch = pa.record_batch(
        {
            "id": pa.array([0, 1, 2]),
            "v": pa.array(["a", None, "b" * 50], pa.string_view()),
            "n": pa.array([None, {"v": "x", "l": [b"y"]}, {"v": "z", "l": []}], nested),
        }
    )
    kept = keep_true(batch, Not(IsNull(Column("v"))))
    assert kept.schema.equals(batch.schema)
    assert kept.to_pylist() == [batch.to_pylist()[0], batch.to_pylist()[2]]


def test_floats_are_known_where_statistics_must_not_choose():
    schema = pa.schema([("f", pa.float32()), ("i", pa.int32())])
    assert reads_floats(Not(IsNull(Column("f"))), schema)
    assert not reads_floats(IsNull(Column("i")), schema)


def test_conjuncts_are_flat_and_come_together_again():
    a, b, c = (IsNull(Column(name)) for name in "abc")
    assert conjuncts(And((a, And((b, c))))) == (a, b, c)
    assert conjuncts(Or((a, b))) == (Or((a, b)),)
    assert conjuncts(None) == ()
    assert conjoin((a, And((b, a)))) == And((a, b))
    assert conjoin((a,)) == a
    assert conjoin(()) is None


def test_the_columns_of_a_predicate_are_all_that_it_reads():
    predicate = Or(
        (
            Comparison(Column("a"), ComparisonOperator.LESS, Column("b")),
            Not(And((InList(Column("c"), (pa.scalar(1),)), Like(Column("d"), "x")))),
            IsNull(Column("e")),
        )
    )
    assert columns_of(predicate) == frozenset("abcde")
    assert columns_of(None) == frozenset()


def test_predicates_are_values_that_travel():
    predicate = And((compare("=", dt.date(2024, 1, 1), pa.date32()), IsNull(Column("c"))))
    assert pickle.loads(pickle.dumps(predicate)) == predicate
    assert hash(pickle.loads(pickle.dumps(predicate))) == hash(predicate)


def test_an_expression_filters_a_table_by_itself():
    table = table_of(pa.float64(), [1.0, NAN, None])
    assert table.filter(to_arrow(compare(">", 0.5, pa.float64()), table.schema)).num_rows == 2
    assert isinstance(to_arrow(IsNull(Column("c")), table.schema), pc.Expression)
    assert math.isnan(table.column("c")[1].as_py())
