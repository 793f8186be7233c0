import gc
import pickle
import threading

import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest

from igloo.cancel import CancelToken
from igloo.connectors import arrow_sources, memory
from igloo.connectors.contract import (
    AcceptsWrites,
    HasStatistics,
    HoldsArrow,
    Pushdown,
    WriteMode,
)
from igloo.connectors.memory import MemoryConnector
from igloo.connectors.predicates import Column, Comparison, ComparisonOperator, Literal, Not
from igloo.errors import (
    InvalidValue,
    NotSupported,
    QueryCancelled,
    ResultConsumed,
    SourceDataError,
    TableNotFound,
    TypeMismatch,
)
from igloo.names import TableName

NAME = TableName("public", "t")
NAN = float("nan")
ROWS = pa.table({"id": [1, 2, 3], "name": ["a", None, "c"]})


@pytest.fixture
def connector():
    made = MemoryConnector("mem")
    yield made
    made.close()


def compare(column, operator, value):
    literal = Literal(pa.scalar(value))
    return Comparison(Column(column), ComparisonOperator(operator), literal)


def read(connector, name=NAME, columns=None, cancel=None, **offer):
    table = connector.load_table(name)
    chosen = tuple(table.schema.names) if columns is None else columns
    scan = connector.plan_scan(table, Pushdown(columns=chosen, **offer))
    assert scan.residual is None
    readers = [connector.read_split(s, cancel or CancelToken()) for s in scan.splits]
    batches = [batch for reader in readers for batch in reader]
    return pa.Table.from_batches(batches, pa.schema([table.schema.field(c) for c in chosen]))


class CapsuleOnly:
    """A foreign object that gives the same stream each time, and is as long as its rows."""

    def __init__(self, table):
        self.table = table

    def __len__(self):
        return self.table.num_rows

    def __arrow_c_stream__(self, requested_schema=None):
        return self.table.__arrow_c_stream__(requested_schema)


class CapsuleOnce:
    """A foreign stream: its rows are gone once they were read."""

    def __init__(self, table):
        self.reader = table.to_reader()

    def __arrow_c_stream__(self, requested_schema=None):
        return self.reader.__arrow_c_stream__(requested_schema)


class ArrayOnly:
    def __init__(self, table):
        self.batch = table.combine_chunks().to_batches()[0]

    def __arrow_c_array__(self, requested_schema=None):
        return self.batch.__arrow_c_array__(requested_schema)


@pytest.mark.parametrize(
    "source",
    [
        ROWS,
        ROWS.to_batches()[0],
        ds.dataset(ROWS),
        ROWS.to_pandas(),
        pl.from_arrow(ROWS),
        CapsuleOnly(ROWS),
        ArrayOnly(ROWS),
    ],
    ids=lambda source: type(source).__name__,
)
def test_what_was_registered_is_read_again_and_again(connector, source):
    connector.put(NAME, source)
    for _ in range(2):
        assert read(connector).to_pylist() == ROWS.to_pylist()
    predicate = Not(compare("name", "=", "a"))
    assert read(connector, columns=("id",), filter=predicate).to_pylist() == [{"id": 3}]
    assert read(connector, columns=("name", "id"), limit=1).to_pylist() == [{"name": "a", "id": 1}]
    assert read(connector, columns=()).num_rows == 3


@pytest.mark.parametrize("make", [pa.Table.to_reader, CapsuleOnce], ids=["reader", "capsule"])
def test_a_stream_is_read_once_and_then_says_what_to_do(connector, make):
    connector.put(NAME, make(ROWS))
    assert connector.load_table(NAME).schema == ROWS.schema
    assert read(connector, filter=compare("id", ">", 1)).num_rows == 2
    for _ in range(2):
        with pytest.raises(ResultConsumed, match="pyarrow Table") as caught:
            read(connector)
        assert caught.value.context["table"] == "public.t"


def test_planning_does_not_consume_a_stream(connector):
    connector.put(NAME, ROWS.to_reader())
    table = connector.load_table(NAME)
    for _ in range(3):
        connector.plan_scan(table, Pushdown(columns=("id",)))
    assert read(connector).num_rows == 3


def test_two_threads_never_share_a_stream(connector):
    connector.put(NAME, ROWS.to_reader())
    outcomes, start = [], threading.Barrier(4)

    def work():
        start.wait()
        try:
            outcomes.append(read(connector).num_rows)
        except ResultConsumed:
            outcomes.append("consumed")

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes, key=str) == [3, "consumed", "consumed", "consumed"]


def test_a_length_makes_an_object_readable_anew_with_its_present_rows(connector):
    source = CapsuleOnly(ROWS)
    connector.put(NAME, source)
    assert read(connector).num_rows == 3
    source.table = ROWS.slice(0, 1)
    assert read(connector).num_rows == 1
    assert connector.load_table(NAME).version is None
    assert connector.load_table(NAME).row_count is None


def test_a_pandas_index_is_no_column(connector):
    frame = pd.DataFrame({"a": [1, 2]}, index=pd.Index([7, 8], name="index_name"))
    connector.put(NAME, frame)
    assert connector.load_table(NAME).schema == pa.schema([("a", pa.int64())])


@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame], ids=["pandas", "polars"])
def test_a_frame_is_read_as_it_was_when_it_was_registered(connector, make):
    frame = make({"a": [1.5, 2.5, 3.5]})
    connector.put(NAME, frame)
    if isinstance(frame, pd.DataFrame):
        frame.loc[0, "a"] = 99.0
        frame["b"] = 1
    else:
        frame[0, "a"] = 99.0
        frame.insert_column(1, pl.Series("b", [1, 2, 3]))
    assert read(connector).to_pylist() == [{"a": 1.5}, {"a": 2.5}, {"a": 3.5}]


def test_pandas_columns_that_are_not_named_by_text_get_their_text(connector):
    connector.put(NAME, pd.DataFrame({1: [1]}))
    assert connector.load_table(NAME).schema.names == ["1"]


def test_a_polars_frame_with_text_can_be_filtered(connector):
    connector.put(NAME, pl.DataFrame({"s": ["a", None, "b" * 40]}))
    kept = read(connector, filter=compare("s", ">", "a"))
    assert kept.to_pylist() == [{"s": "b" * 40}]


@pytest.mark.parametrize(
    "source",
    [
        pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["a", "a"]),
        pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["a", "a"]).to_reader(),
        pd.DataFrame([[1, 2]], columns=["a", "a"]),
    ],
    ids=["table", "reader", "pandas"],
)
def test_two_columns_of_one_name_are_refused(connector, source):
    with pytest.raises(InvalidValue, match="a"):
        connector.put(NAME, source)
    assert connector.list_tables("public") == []


@pytest.mark.parametrize("source", [pa.table({}), pd.DataFrame(), pl.DataFrame()], ids=type)
def test_a_table_without_columns_is_refused(connector, source):
    with pytest.raises(InvalidValue, match="no columns"):
        connector.put(NAME, source)


@pytest.mark.parametrize("source", [5, "text", [1, 2], {"a": [1]}, pl.LazyFrame(), None], ids=repr)
def test_what_holds_no_arrow_data_is_refused_with_what_is_taken(connector, source):
    with pytest.raises(InvalidValue, match="Polars frame"):
        connector.put(NAME, source)


@pytest.mark.parametrize("source", [pl.Series([1]), pa.chunked_array([[1]])], ids=type)
def test_one_column_by_itself_is_refused(connector, source):
    with pytest.raises(InvalidValue, match=r"public\.t"):
        connector.put(NAME, source)


def test_a_pandas_column_of_mixed_types_is_refused_by_name(connector):
    with pytest.raises(InvalidValue, match="mixed"):
        connector.put(NAME, pd.DataFrame({"mixed": [1, "x"]}))


def test_a_table_that_breaks_its_own_not_null_is_refused(connector):
    schema = pa.schema([pa.field("must", pa.int64(), nullable=False)])
    broken = pa.Table.from_arrays([pa.array([1, None])], schema=schema)
    with pytest.raises(InvalidValue, match='"must"'):
        connector.put(NAME, broken)
    connector.put(NAME, broken.to_reader())
    with pytest.raises(SourceDataError, match='"must"'):
        read(connector)


def test_registering_again_replaces_and_removing_forgets(connector):
    connector.put(NAME, ROWS)
    connector.put(NAME, ROWS.slice(0, 1))
    assert read(connector).num_rows == 1
    connector.remove(NAME)
    with pytest.raises(TableNotFound):
        connector.load_table(NAME)
    with pytest.raises(TableNotFound):
        connector.remove(NAME)


def test_a_stream_that_fails_is_a_source_error_with_its_cause(connector):
    def batches():
        yield ROWS.to_batches()[0]
        raise RuntimeError("the sensor is off")

    connector.put(NAME, pa.RecordBatchReader.from_batches(ROWS.schema, batches()))
    with pytest.raises(SourceDataError, match="the sensor is off") as caught:
        read(connector)
    assert caught.value.context == {"catalog": "mem", "table": "public.t"}
    assert isinstance(caught.value.__cause__, RuntimeError)


def test_an_object_that_fails_to_open_is_a_source_error(connector):
    source = CapsuleOnly(ROWS)
    connector.put(NAME, source)
    source.table = None
    with pytest.raises(SourceDataError, match="mem"):
        read(connector)


def test_a_dataset_whose_file_went_away_is_a_source_error(connector, tmp_path):
    pq.write_table(ROWS, tmp_path / "a.parquet")
    connector.put(NAME, ds.dataset(tmp_path))
    (tmp_path / "a.parquet").unlink()
    with pytest.raises(SourceDataError):
        read(connector)


def test_row_groups_whose_statistics_hide_nan_are_read(connector, tmp_path):
    # Parquet's statistics leave NaN out, and one value twice looks like a constant.
    pq.write_table(pa.table({"x": [3.0, 3.0, NAN]}), tmp_path / "a.parquet")
    connector.put(NAME, ds.dataset(tmp_path))
    for operator, value in ((">", 5.0), ("<>", 3.0), ("=", NAN)):
        assert (
            str(read(connector, filter=compare("x", operator, value)).to_pylist()) == "[{'x': nan}]"
        )
    assert str(read(connector, filter=Not(compare("x", "<", 5.0))).to_pylist()) == "[{'x': nan}]"


def test_filters_choose_row_groups_of_a_dataset(connector, tmp_path):
    pq.write_table(pa.table({"id": range(1000)}), tmp_path / "a.parquet", row_group_size=10)
    (tmp_path / "b.parquet").write_bytes(b"not opened")
    part = ds.dataset(tmp_path / "a.parquet")
    connector.put(NAME, part)
    assert read(connector, filter=compare("id", "=", 17)).to_pylist() == [{"id": 17}]


def test_a_large_table_is_read_in_several_splits(connector, monkeypatch):
    monkeypatch.setattr(arrow_sources, "ROWS_PER_SPLIT", 10)
    monkeypatch.setattr(arrow_sources, "ROWS_PER_BATCH", 4)
    rows = pa.table({"id": range(95)})
    connector.put(NAME, rows)
    table = connector.load_table(NAME)
    scan = connector.plan_scan(table, Pushdown(columns=("id",)))
    assert len(scan.splits) == 10
    assert read(connector).column("id").to_pylist() == list(range(95))
    assert read(connector, columns=()).num_rows == 95
    assert read(connector, limit=3).num_rows >= 3


def test_an_empty_table_needs_no_split(connector):
    connector.put(NAME, ROWS.slice(0, 0))
    table = connector.load_table(NAME)
    assert connector.plan_scan(table, Pushdown(columns=("id",))).splits == ()


def test_a_limit_counts_after_the_filter(connector):
    connector.put(NAME, ROWS)
    assert read(connector, filter=compare("id", ">", 1), limit=1).to_pylist() == [
        {"id": 2, "name": None}
    ]
    assert read(connector, limit=0).num_rows == 0


def test_a_filter_without_meaning_fails_when_it_is_planned(connector):
    connector.put(NAME, ROWS)
    table = connector.load_table(NAME)
    wrong = Pushdown(columns=("id",), filter=compare("id", "=", "text"))
    with pytest.raises(TypeMismatch):
        connector.plan_scan(table, wrong)


def test_a_filter_of_any_size_is_taken(connector):
    from igloo.connectors.predicates import Or

    connector.put(NAME, ds.dataset(ROWS))
    many = Or(tuple(compare("id", "=", number) for number in range(2, 3000)))
    assert read(connector, columns=("id",), filter=many).to_pylist() == [{"id": 2}, {"id": 3}]


def test_held_tables_are_shared_and_others_are_not(connector):
    connector.put(NAME, ROWS)
    assert connector.arrow_table(connector.load_table(NAME)).equals(ROWS)
    connector.put(NAME, ds.dataset(ROWS))
    assert connector.arrow_table(connector.load_table(NAME)) is None
    connector.put(NAME, ROWS.to_reader())
    assert connector.arrow_table(connector.load_table(NAME)) is None


def test_it_keeps_the_protocols_it_shows(connector):
    assert isinstance(connector, AcceptsWrites)
    assert isinstance(connector, HoldsArrow)
    assert isinstance(connector, HasStatistics)


def test_statistics_are_exact_for_held_tables(connector):
    connector.put(NAME, ROWS)
    known = connector.statistics(connector.load_table(NAME))
    assert (known.row_count, known.size_bytes) == (3, ROWS.nbytes)
    shares = {name: column.null_fraction for name, column in known.columns}
    assert shares == {"id": 0.0, "name": 1 / 3}
    connector.put(NAME, ROWS.slice(0, 0))
    assert connector.statistics(connector.load_table(NAME)).row_count == 0
    connector.put(NAME, ds.dataset(ROWS))
    assert connector.statistics(connector.load_table(NAME)).row_count is None


def test_a_scan_keeps_its_version_while_the_table_goes_on(connector):
    connector.put(NAME, ROWS)
    table = connector.load_table(NAME)
    scan = connector.plan_scan(table, Pushdown(columns=("id",)))
    connector.write(NAME, ROWS.slice(0, 1).to_reader(), WriteMode.OVERWRITE)
    connector.drop_table(NAME)
    assert connector.read_split(scan.splits[0], CancelToken()).read_all().num_rows == 3


def test_an_unpickled_split_finds_its_version_while_somebody_holds_it(connector):
    connector.put(NAME, ROWS)
    scan = connector.plan_scan(connector.load_table(NAME), Pushdown(columns=("id",)))
    travelled = pickle.loads(pickle.dumps(scan.splits[0]))
    assert connector.read_split(travelled, CancelToken()).read_all().num_rows == 3
    connector.put(NAME, ROWS.slice(0, 1))
    assert connector.read_split(travelled, CancelToken()).read_all().num_rows == 3
    del scan
    gc.collect()
    with pytest.raises(SourceDataError, match="replaced"):
        connector.read_split(travelled, CancelToken())


def test_rows_of_another_connector_are_not_read(connector):
    connector.put(NAME, ROWS)
    scan = connector.plan_scan(connector.load_table(NAME), Pushdown(columns=("id",)))
    travelled = pickle.loads(pickle.dumps(scan.splits[0]))
    with pytest.raises(SourceDataError, match="not in this process"):
        MemoryConnector("other").read_split(travelled, CancelToken())


def test_versions_are_never_used_twice(connector):
    versions = set()
    for _ in range(3):
        connector.put(NAME, ROWS)
        versions.add(connector.load_table(NAME).version)
        connector.drop_table(NAME)
    other = MemoryConnector("mem")
    other.put(NAME, ROWS)
    versions.add(other.load_table(NAME).version)
    assert len(versions) == 4


def test_registered_streams_and_datasets_cannot_be_written(connector):
    for source in (ds.dataset(ROWS), ROWS.to_reader()):
        connector.put(NAME, source)
        with pytest.raises(NotSupported, match="CREATE TABLE"):
            connector.write(NAME, ROWS.to_reader(), WriteMode.APPEND)


def test_writing_to_a_registered_table_leaves_the_callers_own_alone(connector):
    connector.put(NAME, ROWS)
    connector.write(NAME, ROWS.to_reader(), WriteMode.APPEND)
    assert read(connector).num_rows == 6
    assert ROWS.num_rows == 3


def test_many_small_appends_do_not_pile_up_chunks(connector):
    connector.create_table(NAME, ROWS.schema)
    for _ in range(memory._CHUNKS_MAX + 5):
        connector.write(NAME, ROWS.to_reader(), WriteMode.APPEND)
    held = connector.arrow_table(connector.load_table(NAME))
    assert held.num_rows == 3 * (memory._CHUNKS_MAX + 5)
    assert held.column("id").num_chunks <= memory._CHUNKS_MAX


def test_a_table_that_is_replaced_while_rows_arrive_is_not_written_with_wrong_columns(connector):
    connector.create_table(NAME, ROWS.schema)

    def batches():
        connector.drop_table(NAME)
        connector.create_table(NAME, pa.schema([("other", pa.int64())]))
        yield from ROWS.to_batches()

    with pytest.raises(TypeMismatch):
        connector.write(
            NAME, pa.RecordBatchReader.from_batches(ROWS.schema, batches()), WriteMode.APPEND
        )
    assert read(connector).num_rows == 0


def test_a_created_table_has_columns_of_different_names(connector):
    with pytest.raises(InvalidValue, match="no columns"):
        connector.create_table(NAME, pa.schema([]))
    with pytest.raises(InvalidValue, match='"a"'):
        connector.create_table(NAME, pa.schema([("a", pa.int64()), ("a", pa.int64())]))


def test_a_schema_is_there_while_it_has_tables(connector):
    assert connector.list_schemas() == ["public"]
    connector.create_table(TableName("stage", "t"), ROWS.schema)
    assert connector.list_schemas() == ["public", "stage"]
    connector.drop_table(TableName("stage", "t"))
    assert connector.list_schemas() == ["public"]


def test_a_stream_is_cancelled_between_batches(connector):
    token = CancelToken()

    def batches():
        yield ROWS.to_batches()[0]
        token.cancel()
        yield ROWS.to_batches()[0]

    connector.put(NAME, pa.RecordBatchReader.from_batches(ROWS.schema, batches()))
    with pytest.raises(QueryCancelled):
        read(connector, cancel=token)


def test_closing_forgets_every_table(connector):
    connector.put(NAME, ROWS)
    connector.close()
    assert connector.list_tables("public") == []
