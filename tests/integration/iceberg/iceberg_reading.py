"""Both ways of reading a table, and how their rows are compared."""

from igloo.connectors.contract import Pushdown
from igloo.connectors.lake.iceberg import IcebergConnector
from igloo.connectors.options import read_options
from igloo.engine.execution.file_scan import bind_file_scan
from igloo.names import TableName
from igloo.testing.conformance.reading import ask, keep


def connect(**options):
    settings = read_options(
        IcebergConnector.options_type, options, connector="iceberg", environment={}
    )
    return IcebergConnector("ice", settings)


def load(connector, name):
    return connector.load_table(TableName("db", name))


def list_files(connector, name, where=None):
    table = load(connector, name)
    return connector.list_files(table, Pushdown(columns=tuple(table.schema.names), filter=where))


def read_natively(session, connector, name, where=None):
    """Return the rows of the filter that DataFusion reads of the listed files."""
    table = load(connector, name)
    scan = list_files(connector, name, where)
    assert scan is not None, "the table is not read natively"
    found = bind_file_scan(session, scan, table.schema).to_arrow_table()
    assert found.schema.names == table.schema.names
    return keep(found.cast(table.schema), where)


def read_splits(connector, name, where=None):
    """Return the rows of the filter that the splits give."""
    table = load(connector, name)
    return ask(connector, table, tuple(table.schema.names), filter=where).result


def in_order(rows):
    """Return rows in an order that does not depend on how they were read."""
    return sorted((dict(sorted(row.items())) for row in rows), key=repr)
