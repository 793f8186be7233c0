"""Opens a path with the files connector and reads its tables, as the suites below need it."""

import pyarrow as pa
import pytest
from datafusion import SessionContext

from igloo.cancel import CancelToken
from igloo.connectors.contract import Pushdown
from igloo.connectors.files import FilesConnector, FilesOptions
from igloo.connectors.options import read_options
from igloo.engine.execution.file_scan import bind_file_scan
from igloo.names import TableName


class Opened:
    """One path as a catalog."""

    def __init__(self, path, **options):
        given = {"path": str(path), **options}
        read = read_options(FilesOptions, given, connector="files", environment={})
        self.connector = FilesConnector("lake", read)

    def tables(self, schema="main"):
        return [name.table for name in self.connector.list_tables(schema)]

    def load(self, name, schema="main"):
        return self.connector.load_table(TableName(schema, name))

    def scan(self, table, columns=None, **offer):
        names = table.schema.names if columns is None else columns
        return self.connector.plan_scan(table, Pushdown(columns=tuple(names), **offer))

    def read(self, name, schema="main", columns=None, **offer):
        """Read a table as ``read_split`` gives it."""
        table = self.load(name, schema)
        scan = self.scan(table, columns, **offer)
        batches = [b for s in scan.splits for b in self.connector.read_split(s, CancelToken())]
        names = table.schema.names if columns is None else columns
        return pa.Table.from_batches(batches, pa.schema([table.schema.field(n) for n in names]))

    def rows(self, name, schema="main", **offer):
        return self.read(name, schema, **offer).to_pylist()

    def native(self, name, schema="main", predicate=None):
        """Read a table as DataFusion does, from the list of files; None if there is none."""
        table = self.load(name, schema)
        offer = Pushdown(columns=tuple(table.schema.names), filter=predicate)
        scan = self.connector.list_files(table, offer)
        if scan is None:
            return None
        return bind_file_scan(SessionContext(), scan, table.schema).to_arrow_table()


@pytest.fixture
def opened():
    return Opened
