import pytest
from iceberg_reading import connect, in_order, read_natively, read_splits
from iceberg_rest_server import TOKEN, serve
from iceberg_tables import SIMPLE, simple, simple_rows

from igloo.errors import SourceRefused, TableNotFound
from igloo.names import TableName


@pytest.fixture
def address(lake, monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    lake.create("t", SIMPLE).append(simple(0, 20))
    with serve(lake) as address:
        yield address


def test_tables_of_a_rest_catalog_are_read(lake, address, session):
    connector = connect(type="rest", uri=address, token=TOKEN)
    assert connector.list_schemas() == ["db"]
    assert connector.list_tables("db") == [TableName("db", "t")]
    assert in_order(read_natively(session, connector, "t").to_pylist()) == simple_rows_in_order(20)
    lake.load("t").append(simple(20, 30))
    assert in_order(read_splits(connector, "t").to_pylist()) == simple_rows_in_order(30)
    connector.close()
    connector.close()


def simple_rows_in_order(end):
    return in_order(simple_rows(0, end))


def test_an_unknown_table_of_a_rest_catalog_is_not_found(address):
    connector = connect(type="rest", uri=address, token=TOKEN)
    with pytest.raises(TableNotFound, match=r"db\.nothing"):
        connector.load_table(TableName("db", "nothing"))
    connector.close()


def test_a_refused_token_is_told_without_the_token(address):
    connector = connect(type="rest", uri=address, token=TOKEN + "x")
    with pytest.raises(SourceRefused) as caught:
        connector.list_schemas()
    assert TOKEN + "x" not in str(caught.value)
    assert caught.value.context["catalog"] == "ice"
