import pytest
from iceberg_reading import in_order, load, read_natively, read_splits
from iceberg_tables import MAKERS

from igloo.connectors.contract import Pushdown


@pytest.mark.parametrize("name", MAKERS)
def test_native_scan_finds_exactly_the_rows(seven, session, name):
    connector, rows = seven
    found = read_natively(session, connector, name).to_pylist()
    assert in_order(found) == in_order(rows[name])


@pytest.mark.parametrize("name", MAKERS)
def test_splits_find_exactly_the_rows(seven, name):
    connector, rows = seven
    assert in_order(read_splits(connector, name).to_pylist()) == in_order(rows[name])


@pytest.mark.parametrize("name", MAKERS)
def test_a_count_needs_no_columns(seven, name):
    connector, rows = seven
    table = load(connector, name)
    scan = connector.plan_scan(table, Pushdown(columns=()))
    from igloo.cancel import CancelToken

    batches = [b for split in scan.splits for b in connector.read_split(split, CancelToken())]
    assert sum(batch.num_rows for batch in batches) == len(rows[name])
    assert all(batch.num_columns == 0 for batch in batches)


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("evolved", "mapped"),
        ("defaults", "mapped"),
        ("repartitioned", "native"),
        ("position_deleted", "deletes"),
        ("equality_deleted", "deletes"),
        ("vector_deleted", "deletes"),
        ("rewritten", "native"),
    ],
)
def test_the_way_of_reading_is_the_fastest_that_is_right(seven, name, path):
    connector, _ = seven
    table = load(connector, name)
    scan = connector.list_files(table, Pushdown(columns=tuple(table.schema.names)))
    assert scan.read_path == path


@pytest.mark.parametrize("name", MAKERS)
def test_row_count_is_exact_or_not_given(seven, name):
    connector, rows = seven
    count = load(connector, name).row_count
    has_deletes = name in ("position_deleted", "equality_deleted", "vector_deleted")
    assert count == (None if has_deletes else len(rows[name]))
