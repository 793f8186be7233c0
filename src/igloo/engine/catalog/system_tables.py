"""The catalog ``system``: Igloo itself, as tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import pyarrow as pa

from igloo.connectors.contract import Connector, Pushdown, Scan, Split, Table
from igloo.connectors.options import Options
from igloo.engine.catalog.catalogs import SYSTEM
from igloo.errors import TableNotFound, did_you_mean
from igloo.names import TableName

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from igloo.cancel import CancelToken

SCHEMA = "main"

_CATALOGS: dict[str, pa.DataType] = {
    "name": pa.string(),
    "connector": pa.string(),
    "origin": pa.string(),
    "is_open": pa.bool_(),
}

_QUERIES: dict[str, pa.DataType] = {
    "query_id": pa.string(),
    "state": pa.string(),
    "sql": pa.string(),
    "started_at": pa.timestamp("us", tz="UTC"),
    "elapsed_ms": pa.float64(),
    "rows": pa.int64(),
    "sources": pa.list_(pa.string()),
    "execution": pa.string(),
    "cache": pa.string(),
    "error_code": pa.string(),
    "error": pa.string(),
}

CATALOGS_SCHEMA = pa.schema(_CATALOGS)
QUERIES_SCHEMA = pa.schema(_QUERIES)


class SystemTables(Connector):
    """Tables that are made at the moment they are read.

    ``tables`` maps a name to its schema and a function that returns its rows.
    """

    kind: ClassVar[str] = "system"
    options_type: ClassVar[type[Options]] = Options
    default_schema: ClassVar[str] = SCHEMA

    def __init__(
        self, tables: Mapping[str, tuple[pa.Schema, Callable[[], list[dict[str, object]]]]]
    ) -> None:
        super().__init__(SYSTEM, Options())
        self._tables = tables

    def list_schemas(self) -> Sequence[str]:
        """Return the one schema."""
        return (SCHEMA,)

    def list_tables(self, schema: str) -> Sequence[TableName]:
        """Return the tables, sorted."""
        return [TableName(SCHEMA, name) for name in sorted(self._tables) if schema == SCHEMA]

    def load_table(self, name: TableName) -> Table:
        """Return the table's schema."""
        if name.schema != SCHEMA or name.table not in self._tables:
            raise TableNotFound(
                f'There is no table "{SYSTEM}.{name}".',
                hint=did_you_mean(name.table, self._tables),
            )
        return Table(name=name, schema=self._tables[name.table][0])

    def arrow_table(self, table: Table) -> pa.Table:
        """Return the rows as they are now."""
        schema, rows = self._tables[table.name.table]
        return pa.Table.from_pylist(rows(), schema=schema)

    def plan_scan(self, table: Table, pushdown: Pushdown) -> Scan:
        """Plan one split; nothing is taken over."""
        split = Split(table=table, columns=pushdown.columns)
        return Scan(splits=(split,), residual=pushdown.filter)

    def read_split(self, split: Split, cancel: CancelToken) -> pa.RecordBatchReader:
        """Stream the rows."""
        cancel.raise_if_cancelled()
        return self.arrow_table(split.table).select(list(split.columns)).to_reader()

    def close(self) -> None:
        """Nothing is held."""
