"""``remote_query('catalog', 'SQL')``: rows of a statement in the source's own SQL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from igloo.connectors.contract import Connector, Pushdown, RunsSql, Scan, Split, Table
from igloo.connectors.options import Options
from igloo.errors import InvalidValue, NotSupported

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa
    from datafusion.catalog import Table as BoundTable

    from igloo.cancel import CancelToken
    from igloo.names import TableName


class RemoteQueries(Protocol):
    """Binds the text of a remote query for the statement that is being planned."""

    def bind(self, catalog: str, sql: str) -> BoundTable:
        """Return the table that the remote statement's rows are."""
        ...


class RemoteQuery(Connector):
    """One statement of a source, read as if it were a table. Everything else stays local."""

    kind: ClassVar[str] = "remote_query"
    options_type: ClassVar[type[Options]] = Options

    def __init__(self, source: Connector, sql: str) -> None:
        """Wrap ``sql`` for ``source``.

        Raises:
            NotSupported: the source does not speak SQL.
        """
        super().__init__(source.catalog, Options())
        if not isinstance(source, RunsSql):
            raise NotSupported(
                f'The catalog "{source.catalog}" ({source.kind}) does not run SQL of its own.',
                hint="remote_query() works on databases such as PostgreSQL.",
                catalog=source.catalog,
            )
        self._source: RunsSql = source
        self._sql = sql

    def list_schemas(self) -> Sequence[str]:
        """Return nothing: there is one table."""
        return ()

    def list_tables(self, schema: str) -> Sequence[TableName]:  # noqa: ARG002 - the contract's
        """Return nothing: there is one table."""
        return ()

    def load_table(self, name: TableName) -> Table:
        """Describe the statement's rows.

        Raises:
            InvalidValue: two columns have one name.
        """
        schema = self._source.describe_sql(self._sql)
        repeated = sorted({n for n in schema.names if schema.names.count(n) > 1})
        if repeated:
            raise InvalidValue(
                f'The remote query has two columns named "{repeated[0]}".',
                hint="Give each its own name with AS.",
                catalog=self.catalog,
            )
        return Table(name=name, schema=schema)

    def plan_scan(self, table: Table, pushdown: Pushdown) -> Scan:
        """Read everything; columns are cut here, filters stay with the engine."""
        split = Split(table=table, columns=tuple(table.schema.names))
        return Scan(splits=(split,), residual=pushdown.filter, sql=(self._sql,))

    def read_split(self, split: Split, cancel: CancelToken) -> pa.RecordBatchReader:  # noqa: ARG002 - the contract's
        """Run the statement."""
        cancel.raise_if_cancelled()
        return self._source.run_sql(self._sql, cancel)

    def close(self) -> None:
        """Nothing is held; the source belongs to its catalog."""


def literal_arguments(arguments: Sequence[Any]) -> tuple[str, str]:
    """Return catalog and SQL of a call.

    Raises:
        InvalidValue: there are not two of them, or one is not a string literal.
    """
    texts = [_text(argument) for argument in arguments]
    if len(texts) != 2 or None in texts:
        raise InvalidValue(
            "remote_query() takes a catalog and a statement, both as string literals.",
            hint="Write remote_query('pg', 'SELECT …').",
        )
    return str(texts[0]), str(texts[1])


def _text(argument: Any) -> str | None:
    from datafusion import Expr

    expression = argument if isinstance(argument, Expr) else Expr(argument)
    value = expression.python_value()
    value = value.as_py() if hasattr(value, "as_py") else value
    return value if isinstance(value, str) else None
