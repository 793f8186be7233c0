import pytest
from datafusion import SessionContext
from iceberg_tables import MAKERS
from iceberg_writing import Warehouse

from igloo.connectors.lake.iceberg import IcebergConnector
from igloo.connectors.options import read_options


def connect(**options):
    settings = read_options(
        IcebergConnector.options_type, options, connector="iceberg", environment={}
    )
    return IcebergConnector("ice", settings)


@pytest.fixture
def lake(tmp_path):
    """Give an empty warehouse to write to."""
    warehouse = Warehouse(tmp_path / "lake")
    yield warehouse
    warehouse.close()


@pytest.fixture
def connector(lake):
    made = connect(warehouse=str(lake.folder))
    yield made
    made.close()


@pytest.fixture(scope="session")
def seven(tmp_path_factory):
    """Give a connector over the seven tables, and the right rows of each by table name."""
    warehouse = Warehouse(tmp_path_factory.mktemp("seven") / "lake")
    rows = {name: make(warehouse) for name, make in MAKERS.items()}
    warehouse.close()
    made = connect(warehouse=str(warehouse.folder))
    yield made, rows
    made.close()


@pytest.fixture(scope="session")
def session():
    return SessionContext()
