import pyarrow as pa
import pytest

from igloo.connectors.postgres.types import Collation, SourceType, decimal_type, sql_column
from igloo.connectors.sql.types import ValueKind


def _modifier(precision, scale):
    return ((precision << 16) | (scale & 0x7FF)) + 4


@pytest.mark.parametrize(
    ("precision", "scale", "type_"),
    [
        (10, 2, pa.decimal128(10, 2)),
        (38, 38, pa.decimal128(38, 38)),
        (39, 0, None),
        (5, -2, pa.decimal128(7, 0)),
        (38, -1, None),
        (3, 5, pa.decimal128(5, 5)),
        (3, 39, None),
        (1000, 1000, None),
    ],
)
def test_a_numeric_has_the_decimal_that_holds_it(precision, scale, type_):
    assert decimal_type(_modifier(precision, scale)) == type_


def test_a_numeric_without_precision_has_none():
    assert decimal_type(-1) is None


def test_a_type_of_the_users_is_not_taken_for_the_built_in_of_its_name():
    column = sql_column("c", SourceType(name="int4", schema="public", kind="e"))
    assert (column.type, column.read) == (pa.string(), '"c"::text')
    money = sql_column("c", SourceType(name="money", schema="public", kind="c"))
    assert money.refusal is None


def test_a_refused_column_is_never_compared():
    column = sql_column("c", SourceType(name="numeric"))
    assert column.refusal
    assert column.nullable
    assert (column.kind, column.equality, column.order, column.pattern) == (None,) * 4


@pytest.mark.parametrize(
    ("collation", "equality", "order"),
    [
        (Collation(), '"c"', '"c" COLLATE "C"'),
        (Collation(is_code_point=True), '"c"', '"c"'),
        (Collation(is_deterministic=False), '"c" COLLATE "C"', '"c" COLLATE "C"'),
    ],
)
def test_text_is_compared_as_its_collation_allows(collation, equality, order):
    column = sql_column("c", SourceType(name="text"), collation=collation)
    assert (column.equality, column.order, column.pattern) == (equality, order, equality)


def test_text_in_another_encoding_is_not_compared():
    column = sql_column("c", SourceType(name="text"), compares_text=False)
    assert (column.equality, column.order, column.pattern) == (None, None, None)
    number = sql_column("c", SourceType(name="int4"), compares_text=False)
    assert number.equality == '"c"'


def test_intervals_and_arrays_are_not_compared():
    element = SourceType(name="int4")
    for source_type in (SourceType(name="interval"), SourceType(name="_int4", element=element)):
        assert sql_column("c", source_type).equality is None


def test_an_array_is_read_as_its_elements_are():
    element = SourceType(name="numeric", modifier=_modifier(5, 1))
    column = sql_column("c", SourceType(name="_numeric", element=element))
    assert column.read == '"c"::text[]'
    assert column.wire_type == pa.list_(pa.string())
    assert column.type == pa.list_(pa.decimal128(5, 1))


def test_a_uuid_is_text_that_compares_as_uuid():
    column = sql_column("c", SourceType(name="uuid"))
    assert (column.type, column.kind) == (pa.string(), ValueKind.UUID)
    assert (column.read, column.equality) == ('"c"::text', '"c"')
