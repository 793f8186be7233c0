"""Warehouses that several tests share."""

import sys
from pathlib import Path

import pytest
from datafusion import SessionContext

# The modules beside this file are no tests, so pytest does not put them on the path.
sys.path.insert(0, str(Path(__file__).parent))

from iceberg_reading import connect
from iceberg_tables import MAKERS
from iceberg_writing import Warehouse


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
