"""The schema that users see, and batches made to fit it."""

import pyarrow as pa
import pytest

from igloo.engine.execution.conform import conform, plain_schema

VIEWS = [
    (pa.string_view(), pa.string()),
    (pa.binary_view(), pa.binary()),
    (pa.list_(pa.string_view()), pa.list_(pa.string())),
    (pa.large_list(pa.binary_view()), pa.large_list(pa.binary())),
    (
        pa.struct([pa.field("x", pa.string_view(), nullable=False)]),
        pa.struct([pa.field("x", pa.string(), nullable=False)]),
    ),
    (pa.map_(pa.string_view(), pa.string_view()), pa.map_(pa.string(), pa.string())),
    (pa.list_(pa.struct([("x", pa.list_(pa.string_view()))])),) * 2,
]
VIEWS[-1] = (VIEWS[-1][0], pa.list_(pa.struct([("x", pa.list_(pa.string()))])))


@pytest.mark.parametrize(("given", "plain"), VIEWS)
def test_views_become_plain_at_every_depth(given, plain):
    schema = pa.schema([pa.field("v", given, nullable=False)])
    assert plain_schema(schema) == pa.schema([pa.field("v", plain, nullable=False)])


@pytest.mark.parametrize(
    "kept",
    [
        pa.int64(),
        pa.large_string(),
        pa.decimal128(38, 10),
        pa.timestamp("us", "Europe/Berlin"),
        pa.dictionary(pa.int32(), pa.string()),
        pa.list_(pa.int64(), 3),
        pa.month_day_nano_interval(),
    ],
)
def test_other_types_stay(kept):
    schema = pa.schema([pa.field("v", kept)])
    assert plain_schema(schema) == schema


def test_metadata_does_not_reach_the_user():
    schema = pa.schema([pa.field("v", pa.int64(), metadata={"a": "b"})], metadata={"c": "d"})
    plain = plain_schema(schema)
    assert (plain.metadata, plain.field("v").metadata) == (None, None)


def test_a_batch_that_fits_is_handed_on_as_it_is():
    batch = pa.record_batch({"v": [1, None]})
    assert conform(batch, batch.schema) is batch


@pytest.mark.parametrize("values", [["a", None, "x" * 100, "é"], [], [None]])
def test_values_survive_the_change_from_views(values):
    batch = pa.record_batch({"v": pa.array(values, pa.string_view())})
    schema = plain_schema(batch.schema)
    assert conform(batch, schema).equals(
        pa.record_batch({"v": pa.array(values, pa.string())}, schema=schema)
    )


def test_a_batch_is_told_to_lack_nulls_where_its_plan_says_so():
    batch = pa.record_batch({"v": [1, 2]})
    schema = pa.schema([pa.field("v", pa.int64(), nullable=False)])
    assert conform(batch, schema).schema == schema


def test_a_batch_of_other_columns_is_refused():
    with pytest.raises(ValueError, match="argument"):
        conform(pa.record_batch({"a": [1], "b": [2]}), pa.schema([("a", pa.int64())]))
