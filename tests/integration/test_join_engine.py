"""JoinEngine: a Parquet table with an Iceberg table, against rows written down here."""

import os
import subprocess
import sys

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from datafusion import col, lit
from pyiceberg.catalog.sql import SqlCatalog

from igloo.errors import (
    ColumnNotFound,
    InvalidSetting,
    InvalidValue,
    SourceError,
    TableNotFound,
    TypeMismatch,
)
from igloo.join import IcebergConfig, JoinConfig, JoinEngine, JoinType

CUSTOMERS = pa.table(
    {
        "customer_id": pa.array([1, 2, 3, None], pa.int64()),
        "name": ["Ann", "Bob", "Cid", "Nul"],
        "region": ["US", "US", "EU", "EU"],
    }
)
ORDERS = pa.table(
    {
        "order_id": pa.array([10, 11, 12, 13], pa.int64()),
        "customer_id": pa.array([1, 1, 9, None], pa.int64()),
        "amount": [5.0, 50.0, 7.0, 8.0],
        "day": ["a", "a", "b", "b"],
    }
)
OUTPUT = ["customer_id", "name", "region", "order_id", "orders_customer_id", "amount", "day"]

ANN_10 = (1, "Ann", "US", 10, 1, 5.0, "a")
ANN_11 = (1, "Ann", "US", 11, 1, 50.0, "a")
ALONE = [
    (2, "Bob", "US", None, None, None, None),
    (3, "Cid", "EU", None, None, None, None),
    (None, "Nul", "EU", None, None, None, None),
]
ORPHANS = [
    (None, None, None, 12, 9, 7.0, "b"),
    (None, None, None, 13, None, 8.0, "b"),
]
EXPECTED = {
    JoinType.INNER: [ANN_10, ANN_11],
    JoinType.LEFT: [ANN_10, ANN_11, *ALONE],
    JoinType.RIGHT: [ANN_10, ANN_11, *ORPHANS],
    JoinType.FULL: [ANN_10, ANN_11, *ALONE, *ORPHANS],
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Lay out customers as Parquet and orders as Iceberg: one data file for each half."""
    root = tmp_path_factory.mktemp("join")
    (root / "customers").mkdir()
    pq.write_table(CUSTOMERS.slice(0, 2), root / "customers" / "1.parquet")
    pq.write_table(CUSTOMERS.slice(2), root / "customers" / "2.parquet")
    warehouse = root / "warehouse"
    warehouse.mkdir()
    catalog = SqlCatalog(
        "lake", uri=f"sqlite:///{warehouse}/catalog.db", warehouse=f"file://{warehouse}"
    )
    catalog.create_namespace("sales")
    table = catalog.create_table("sales.orders", ORDERS.schema)
    table.append(ORDERS.slice(0, 2))
    table.append(ORDERS.slice(2))
    catalog.engine.dispose()
    return root


@pytest.fixture
def iceberg(folder):
    return IcebergConfig(warehouse=str(folder / "warehouse"))


@pytest.fixture
def engine(folder, iceberg, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with JoinEngine(iceberg) as made:
        made.register_parquet_table("customers", folder / "customers")
        made.register_iceberg_table("orders", "sales", "orders")
        yield made


@pytest.fixture
def config(folder, iceberg):
    def make(kind=JoinType.INNER, keys=(("customer_id", "customer_id"),), path=None):
        return JoinConfig(
            parquet_path=str(path or folder / "customers"),
            iceberg_config=iceberg,
            join_type=kind,
            join_keys=list(keys),
        )

    return make


def as_rows(batches):
    assert isinstance(batches, list)
    assert all(isinstance(batch, pa.RecordBatch) for batch in batches)
    rows = [tuple(row.values()) for batch in batches for row in batch.to_pylist()]
    return sorted(rows, key=repr)


def expected_rows(rows):
    return sorted(rows, key=repr)


@pytest.mark.parametrize("kind", JoinType)
def test_each_kind_of_join_gives_exactly_its_rows(engine, config, kind):
    batches = engine.join_tables("customers", "orders", config(kind))
    assert as_rows(batches) == expected_rows(EXPECTED[kind])
    assert {tuple(batch.schema.names) for batch in batches} == {tuple(OUTPUT)}


MIRRORED = {
    JoinType.INNER: JoinType.INNER,
    JoinType.LEFT: JoinType.RIGHT,
    JoinType.RIGHT: JoinType.LEFT,
    JoinType.FULL: JoinType.FULL,
}


@pytest.mark.parametrize("kind", JoinType)
def test_the_iceberg_table_may_be_the_left_one(engine, config, kind):
    batches = engine.join_tables("orders", "customers", config(kind))
    assert batches[0].schema.names == [
        *ORDERS.schema.names,
        "customers_customer_id",
        "name",
        "region",
    ]
    turned = [(*row[3:], *row[:3]) for row in EXPECTED[MIRRORED[kind]]]
    assert as_rows(batches) == expected_rows(turned)


def test_filters_are_applied_before_the_join(engine, config):
    batches = engine.join_tables_advanced(
        "customers",
        "orders",
        config(JoinType.FULL),
        parquet_filters=[col("region") == lit("US"), col("customer_id") < lit(3)],
        iceberg_filters=[col("day") == lit("a"), col("amount") > lit(5.0)],
    )
    assert as_rows(batches) == expected_rows([ANN_11, ALONE[0]])


def test_a_filter_on_the_key_side_keeps_the_other_sides_rows(engine, config):
    batches = engine.join_tables_advanced(
        "customers",
        "orders",
        config(JoinType.LEFT),
        iceberg_filters=[col("order_id") == lit(-1)],
    )
    assert as_rows(batches) == expected_rows([(1, "Ann", "US", None, None, None, None), *ALONE])


def test_filters_leave_files_unread(engine, config, folder, iceberg):
    """The files that a filter rules out are gone, so only pruning can answer."""
    (second,) = {
        path
        for path in (folder / "warehouse").rglob("*.parquet")
        if pq.read_table(path)["day"].to_pylist() == ["b", "b"]
    }
    hidden = second.with_suffix(".hidden")
    second.rename(hidden)
    try:
        batches = engine.join_tables_advanced(
            "customers", "orders", config(), iceberg_filters=[col("day") == lit("a")]
        )
        assert as_rows(batches) == expected_rows(EXPECTED[JoinType.INNER])
        with pytest.raises(SourceError):
            engine.join_tables("customers", "orders", config())
    finally:
        hidden.rename(second)


def test_projections_choose_and_order_output_columns(engine, config):
    batches = engine.join_tables_advanced(
        "customers", "orders", config(), projections=["amount", "orders_customer_id", "name"]
    )
    assert batches[0].schema.names == ["amount", "orders_customer_id", "name"]
    assert as_rows(batches) == [(5.0, 1, "Ann"), (50.0, 1, "Ann")]


def test_several_keys_have_to_be_equal_all(engine, config):
    keys = [("customer_id", "customer_id"), ("name", "day")]
    assert as_rows(engine.join_tables("customers", "orders", config(keys=keys))) == []


def test_a_single_file_and_an_expected_schema_are_taken(engine, config, folder):
    path = folder / "customers" / "1.parquet"
    engine.register_parquet_table("customers", path, CUSTOMERS.schema)
    batches = engine.join_tables("customers", "orders", config(path=path))
    assert as_rows(batches) == expected_rows(EXPECTED[JoinType.INNER])


def test_another_schema_than_the_expected_is_refused(engine, folder):
    wrong = pa.schema([("customer_id", pa.string())])
    with pytest.raises(TypeMismatch, match="customer_id"):
        engine.register_parquet_table("again", folder / "customers", wrong)


def test_a_path_that_was_not_registered_is_refused(engine, config, folder):
    with pytest.raises(InvalidValue, match="elsewhere"):
        engine.join_tables("customers", "orders", config(path=folder / "elsewhere"))


def test_a_relative_path_means_the_same_as_its_absolute_one(engine, config, folder, monkeypatch):
    monkeypatch.chdir(folder)
    batches = engine.join_tables("customers", "orders", config(path="customers"))
    assert as_rows(batches) == expected_rows(EXPECTED[JoinType.INNER])


def test_a_join_needs_a_key(engine, config):
    with pytest.raises(InvalidValue, match="key"):
        engine.join_tables("customers", "orders", config(keys=()))


def test_keys_of_types_that_do_not_fit_are_refused_before_any_data_is_read(engine, config, folder):
    files = list((folder / "warehouse").rglob("data/**/*.parquet"))
    assert files
    for path in files:
        path.rename(path.with_suffix(".hidden"))
    try:
        with pytest.raises(TypeMismatch, match=r"name.*customer_id"):
            engine.join_tables("customers", "orders", config(keys=[("name", "customer_id")]))
    finally:
        for path in files:
            path.with_suffix(".hidden").rename(path)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"parquet_filters": [col("regionn") == lit("US")]}, "regionn"),
        ({"iceberg_filters": [col("region") == lit("US")]}, "region"),
        ({"projections": ["amountt"]}, "amount"),
    ],
)
def test_columns_that_are_not_there_are_told(engine, config, options, told):
    with pytest.raises(ColumnNotFound, match=told):
        engine.join_tables_advanced("customers", "orders", config(), **options)


def test_a_key_that_is_not_there_is_told_with_a_guess(engine, config):
    with pytest.raises(ColumnNotFound, match="customer_id"):
        engine.join_tables("customers", "orders", config(keys=[("custmer_id", "customer_id")]))


def test_a_filter_of_types_that_cannot_be_compared_is_told(engine, config):
    with pytest.raises((TypeMismatch, InvalidValue)):
        engine.join_tables_advanced(
            "customers",
            "orders",
            config(),
            parquet_filters=[col("customer_id") == lit("no number")],
        )


def test_names_that_are_not_registered_are_told(engine, config):
    with pytest.raises(TableNotFound, match='Did you mean "customers"'):
        engine.join_tables("customer", "orders", config())
    with pytest.raises(TableNotFound):
        engine.register_iceberg_table("x", "sales", "no_such")
    with pytest.raises(SourceError):
        engine.register_parquet_table("x", "no/such/folder")


def test_output_names_that_would_repeat_are_refused(engine, folder, iceberg):
    path = folder / "clash.parquet"
    pq.write_table(pa.table({"customer_id": [1], "orders_customer_id": [2]}), path)
    engine.register_parquet_table("clash", path)
    config = JoinConfig(path, iceberg, JoinType.INNER, [("customer_id", "customer_id")])
    with pytest.raises(InvalidValue, match="orders_customer_id"):
        engine.join_tables("clash", "orders", config)


def test_properties_are_checked_at_once(folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InvalidSetting, match="no_such"):
        JoinEngine(IcebergConfig(warehouse=str(folder), properties={"no_such": "1"}))


SCRIPT = """
import sys
from igloo.join import IcebergConfig, JoinConfig, JoinEngine
config = IcebergConfig()
path = sys.argv[1]
with JoinEngine(config) as engine:
    engine.register_parquet_table("customers", path)
    engine.register_iceberg_table("orders", "sales", "orders")
    keys = [("customer_id", "customer_id")]
    joined = JoinConfig(parquet_path=path, iceberg_config=config, join_keys=keys)
    print(sum(batch.num_rows for batch in engine.join_tables("customers", "orders", joined)))
"""


def run_script(folder, cwd, **variables):
    environment = {k: v for k, v in os.environ.items() if k != "IGLOO_ICEBERG_WAREHOUSE"}
    return subprocess.run(
        [sys.executable, "-c", SCRIPT, str(folder / "customers")],
        env=environment | variables,
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_the_warehouse_may_come_from_the_environment(folder, tmp_path):
    done = run_script(folder, tmp_path, IGLOO_ICEBERG_WAREHOUSE=str(folder / "warehouse"))
    assert (done.returncode, done.stdout) == (0, "2\n"), done.stderr


def test_without_a_warehouse_the_variable_is_named(folder, tmp_path):
    done = run_script(folder, tmp_path)
    assert done.returncode == 1
    assert "InvalidSetting" in done.stderr
    assert "IGLOO_ICEBERG_WAREHOUSE" in done.stderr
