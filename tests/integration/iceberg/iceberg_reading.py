"""Both ways of reading a table, and how their rows are compared."""

import pyarrow as pa

from igloo.cancel import CancelToken
from igloo.connectors.contract import Pushdown
from igloo.connectors.predicates import to_arrow
from igloo.engine.execution.file_scan import bind_file_scan
from igloo.names import TableName


def load(connector, name):
    return connector.load_table(TableName("db", name))


def read_natively(session, connector, name, where=None):
    """Return the rows that DataFusion reads of the listed files, before the filter."""
    table = load(connector, name)
    scan = connector.list_files(table, Pushdown(columns=tuple(table.schema.names), filter=where))
    assert scan is not None, "the table is read natively"
    found = bind_file_scan(session, scan, table.schema).to_arrow_table()
    assert found.schema.names == table.schema.names
    return filtered(found.cast(table.schema), where)


def read_splits(connector, name, where=None, columns=None):
    table = load(connector, name)
    columns = tuple(table.schema.names) if columns is None else columns
    scan = connector.plan_scan(table, Pushdown(columns=columns, filter=where))
    tables = [connector.read_split(split, CancelToken()).read_all() for split in scan.splits]
    for found in tables:
        assert list(found.schema) == [table.schema.field(n) for n in found.schema.names]
    found = pa.concat_tables(tables) if tables else table.schema.empty_table()
    return filtered(found, scan.residual)


def filtered(table, where):
    return table if where is None else table.filter(to_arrow(where, table.schema))


def in_order(rows):
    """Return rows in an order that does not depend on how they were read."""
    return sorted((dict(sorted(row.items())) for row in rows), key=repr)
