"""Igloo's own statements, run at once: one function each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa

from igloo.config.load import CatalogConfig
from igloo.connectors.contract import AcceptsWrites, WriteMode
from igloo.engine.catalog.resolve import FoundTable, Place
from igloo.engine.catalog.views import View
from igloo.engine.execution.stream import PlanStream, conform, plain_schema
from igloo.engine.planner import statements as st
from igloo.engine.planner.explain import SCHEMA as EXPLAIN_SCHEMA
from igloo.engine.planner.explain import explain_igloo
from igloo.engine.planner.parse import parse_statement
from igloo.engine.planner.planner import named_as_in
from igloo.engine.planner.table_definition import read_table_definition
from igloo.engine.planner.tokens import tokenize
from igloo.errors import (
    AlreadyExists,
    CatalogNotFound,
    InvalidValue,
    NotSupported,
    SchemaNotFound,
    did_you_mean,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from datafusion import DataFrame
    from datafusion.plan import ExecutionPlan

    from igloo.engine.engine import Engine
    from igloo.engine.planner.planner import PlannedQuery
    from igloo.engine.query import Query
    from igloo.engine.session import Session
    from igloo.names import TablePath

#: Rows of an answer; None for a statement that answers nothing.
Answer = pa.Table | None


COUNT_SCHEMA = pa.schema([pa.field("count", pa.int64())])
DESCRIBE_SCHEMA = pa.schema(
    [
        pa.field("column_name", pa.string()),
        pa.field("data_type", pa.string()),
        pa.field("is_nullable", pa.string()),
    ]
)


class Command:
    """One statement with all that running it needs."""

    def __init__(
        self, engine: Engine, session: Session, query: Query, values: Mapping[str, pa.Scalar[Any]]
    ) -> None:
        self.engine = engine
        self.session = session
        self.query = query
        self.values = values

    def plan(self, text: str) -> PlannedQuery:
        """Plan a query inside of the statement."""
        planner = self.engine.planner(self.session)
        planned = planner.plan(text, self.values, self.session.place, self.query.activity)
        self.query.warnings = planned.warnings
        self.query.partitions = planned.physical.partition_count
        return planned

    def read(self, planned: PlannedQuery, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        """Run a planned query and yield its rows with exactly ``schema``."""
        context = self.engine.planner(self.session).context
        stream = PlanStream(
            context, planned.physical, planned.schema, self.query.activity, is_result=False
        )
        try:
            for batch in stream:
                yield conform(batch, schema)
        finally:
            stream.close()


def run_command(
    engine: Engine,
    session: Session,
    statement: st.Statement,
    query: Query,
    values: Mapping[str, pa.Scalar[Any]],
) -> Answer:
    """Run one of Igloo's own statements.

    Raises:
        InvalidValue: the statement takes no parameters and some were given.
        IglooError: whatever the statement finds wrong.
    """
    if values and not isinstance(statement, st.Explain | st.Insert | st.CreateTableAs):
        raise InvalidValue("This statement takes no parameters.", hint="Write the values out.")
    command = Command(engine, session, query, values)
    run: Callable[[Command, Any], Answer] = _COMMANDS[type(statement)]
    return run(command, statement)


def _texts(column: str, values: list[str]) -> pa.Table:
    return pa.table({column: pa.array(values, pa.string())})


def _count(rows: int) -> pa.Table:
    return pa.Table.from_pylist([{"count": rows}], schema=COUNT_SCHEMA)


def _create_catalog(command: Command, statement: st.CreateCatalog) -> Answer:
    config = CatalogConfig(
        name=statement.name,
        connector=statement.connector,
        options=statement.options,
        origin="SQL",
        base=None,
    )
    command.engine.catalogs.create(
        config, or_replace=statement.or_replace, if_not_exists=statement.if_not_exists
    )
    return None


def _drop_catalog(command: Command, statement: st.DropCatalog) -> Answer:
    command.engine.catalogs.drop(statement.name, if_exists=statement.if_exists)
    return None


def _show_catalogs(command: Command, _statement: st.ShowCatalogs) -> Answer:
    rows = command.engine.catalogs.rows()
    return pa.table(
        {
            "catalog": pa.array([row.name for row in rows], pa.string()),
            "connector": pa.array([row.connector for row in rows], pa.string()),
            "origin": pa.array([row.origin for row in rows], pa.string()),
        }
    )


def _show_schemas(command: Command, statement: st.ShowSchemas) -> Answer:
    catalog = statement.catalog or command.session.place.catalog
    listed = command.engine.catalogs.connector(catalog).list_schemas()
    return _texts("schema", sorted({*listed, *command.engine.views.schemas(catalog)}))


def _show_tables(command: Command, statement: st.ShowTables) -> Answer:
    place = command.session.place
    match statement.name:
        case ():
            catalog, schemas = place.catalog, [place.schema]
        case (name,) if command.engine.catalogs.has(name):
            catalog = name
            schemas = list(command.engine.catalogs.connector(name).list_schemas())
        case (name,):
            catalog, schemas = place.catalog, [_schema(command, place.catalog, name)]
        case (catalog, name):
            schemas = [_schema(command, catalog, name)]
    rows = [
        {"table": table, "schema": schema, "catalog": catalog}
        for schema in schemas
        for table in _tables_of(command, catalog, schema)
    ]
    fields = [pa.field(name, pa.string()) for name in ("table", "schema", "catalog")]
    return pa.Table.from_pylist(rows, schema=pa.schema(fields))


def _schema(command: Command, catalog: str, name: str) -> str:
    """Return the schema's exact name."""
    listed = command.engine.catalogs.connector(catalog).list_schemas()
    known = {*listed, *command.engine.views.schemas(catalog)}
    folded = [schema for schema in known if schema.lower() == name.lower()]
    if name in known:
        return name
    if len(folded) == 1:
        return folded[0]
    if catalog == command.session.place.catalog and not folded:
        known |= set(command.engine.catalogs.names())
    raise SchemaNotFound(
        f'There is no schema "{name}" in catalog "{catalog}".', hint=did_you_mean(name, known)
    )


def _tables_of(command: Command, catalog: str, schema: str) -> list[str]:
    connector = command.engine.catalogs.connector(catalog)
    names = {name.table for name in connector.list_tables(schema)}
    names.update(command.engine.views.names(catalog, schema))
    names.update(command.engine.external.names(catalog, schema))
    return sorted(names)


def _show_settings(command: Command, statement: st.ShowSettings) -> Answer:
    rows = command.session.settings.rows()
    if statement.name is not None:
        name = command.session.settings.declaration(statement.name).name
        rows = tuple(row for row in rows if row.name == name)
    names = ("name", "value", "default", "origin", "description")
    return pa.table(
        {name: pa.array([getattr(row, name) for row in rows], pa.string()) for name in names}
    )


def _describe(command: Command, statement: st.Describe) -> Answer:
    found = command.engine.resolver.resolve(statement.name, command.session.place)
    if isinstance(found, FoundTable):
        schema = plain_schema(found.table.schema)
    else:
        planner = command.engine.planner(command.session)
        place = Place(found.catalog, found.schema)
        schema = plain_schema(planner.frame(found.text, place, command.query.activity).schema())
        if found.columns:
            fields = zip(found.columns, schema, strict=True)
            schema = pa.schema([field.with_name(name) for name, field in fields])
    rows = [
        {
            "column_name": field.name,
            "data_type": str(field.type),
            "is_nullable": "YES" if field.nullable else "NO",
        }
        for field in schema
    ]
    return pa.Table.from_pylist(rows, schema=DESCRIBE_SCHEMA)


def _explain(command: Command, statement: st.Explain) -> Answer:
    limit = command.session.settings.limits_statement_bytes
    inner = parse_statement(tokenize(statement.text, bytes_max=limit))
    if not isinstance(inner, st.Query):
        raise NotSupported("EXPLAIN works on queries only.")
    planned = command.plan(inner.text)
    activity = command.query.activity
    rows = {
        "igloo_plan": explain_igloo(
            activity.scans(), planned.warnings, partitions=planned.physical.partition_count
        ),
        "logical_plan": planned.frame.optimized_logical_plan().display_indent(),
        "physical_plan": planned.physical.display_indent(),
    }
    if statement.analyze:
        for _batch in command.read(planned, planned.schema):
            pass
        rows["analyzed_plan"] = _analyzed(command, planned)
    listed = [{"plan_type": kind, "plan": plan} for kind, plan in rows.items()]
    return pa.Table.from_pylist(listed, schema=EXPLAIN_SCHEMA)


def _analyzed(command: Command, planned: PlannedQuery) -> str:
    lines = [f"Query: rows={command.query.activity.rows_returned}"]
    lines += [
        f"Source: catalog={name}, rows={source.rows}, bytes={source.bytes}"
        for name, source in sorted(command.query.activity.sources().items())
    ]
    lines += _operators(planned.physical)
    return "\n".join(lines)


def _operators(plan: ExecutionPlan) -> Iterator[str]:
    """Yield each operator with what it did, two spaces a level."""
    waiting = [(plan, 0)]
    while waiting:
        plan, depth = waiting.pop()
        waiting += [(child, depth + 1) for child in reversed(plan.children())]
        yield f"{'  ' * depth}{plan.display().strip()}{_facts(plan)}"


def _facts(plan: ExecutionPlan) -> str:
    metrics = plan.metrics()
    if metrics is None:
        return ""
    rows, compute_ns = metrics.output_rows, metrics.elapsed_compute
    facts = f", rows={rows}" if rows is not None else ""
    facts += f", compute_ms={compute_ns / 1e6:.3f}" if compute_ns is not None else ""
    return facts + (f", spilled_bytes={metrics.spilled_bytes}" if metrics.spilled_bytes else "")


def _set(command: Command, statement: st.SetSetting) -> Answer:
    if statement.value is None:
        command.session.reset(statement.name)
    else:
        command.session.set_value(statement.name, statement.value)
    return None


def _reset(command: Command, statement: st.ResetSetting) -> Answer:
    command.session.reset(statement.name)
    return None


def _use(command: Command, statement: st.Use) -> Answer:
    catalogs = command.engine.catalogs
    match statement.name:
        case (catalog, schema):
            place = Place(catalog, _schema(command, catalog, schema))
        case (name,) if catalogs.has(name):
            place = Place(name, catalogs.connector(name).default_schema)
        case (name,):
            current = command.session.place.catalog
            place = Place(current, _schema(command, current, name))
        case _:
            raise CatalogNotFound("USE takes a catalog or catalog.schema.")
    command.session.use(place)
    return None


def _create_view(command: Command, statement: st.CreateView) -> Answer:
    place = command.session.place
    path = command.engine.resolver.path_for_new(statement.name, place)
    view = View(
        path=path,
        text=statement.text,
        columns=statement.columns,
        catalog=place.catalog,
        schema=place.schema,
    )
    if command.engine.resolver.has_table(path):
        raise AlreadyExists(f'There is a table "{path}" already.', hint="Use another name.")
    named_as_in(command.plan(statement.text).frame, view)
    command.engine.views.create(
        view, or_replace=statement.or_replace, if_not_exists=statement.if_not_exists
    )
    return None


def _drop_view(command: Command, statement: st.DropView) -> Answer:
    path = command.engine.resolver.path_for_new(statement.name, command.session.place)
    command.engine.views.drop(path, if_exists=statement.if_exists)
    return None


def _writable(command: Command, path: TablePath) -> AcceptsWrites:
    connector = command.engine.catalogs.connector(path.catalog)
    if not isinstance(connector, AcceptsWrites):
        raise NotSupported(
            f'The catalog "{path.catalog}" ({connector.kind}) does not take writes.',
            hint="Write to the catalog memory, or use COPY … TO for files.",
            catalog=path.catalog,
        )
    return connector


def _create_table(command: Command, statement: st.CreateTable) -> Answer:
    schema = read_table_definition(statement.definition)
    place = command.session.place
    path = command.engine.resolver.path_for_new(statement.name, place)
    _make_table(
        command,
        path,
        schema,
        or_replace=statement.or_replace,
        if_not_exists=statement.if_not_exists,
    )
    return None


def _make_table(
    command: Command, path: TablePath, schema: pa.Schema, *, or_replace: bool, if_not_exists: bool
) -> bool:
    """Make an empty table; return whether it was made."""
    writer = _writable(command, path)
    _schema(command, path.catalog, path.schema)
    if command.engine.views.get(path) is not None:
        raise AlreadyExists(f'There is a view "{path}" already.', hint="Use another name.")
    if command.engine.resolver.has_table(path):
        if if_not_exists:
            return False
        if not or_replace:
            raise AlreadyExists(
                f'There is a table "{path}" already.', hint="Use CREATE OR REPLACE TABLE."
            )
        _remove_table(command, path)
    writer.create_table(path.name, schema)
    return True


def _create_table_as(command: Command, statement: st.CreateTableAs) -> Answer:
    path = command.engine.resolver.path_for_new(statement.name, command.session.place)
    writer = _writable(command, path)
    planned = command.plan(statement.text)
    schema = pa.schema([field.with_nullable(nullable=True) for field in planned.schema])
    # Read before the old table goes: the query may be reading that one.
    rows = pa.Table.from_batches(command.read(planned, schema), schema=schema)
    made = _make_table(
        command,
        path,
        schema,
        or_replace=statement.or_replace,
        if_not_exists=statement.if_not_exists,
    )
    if made:
        writer.write(path.name, rows.to_reader(), WriteMode.APPEND)
    return None


def _create_external_table(command: Command, statement: st.CreateExternalTable) -> Answer:
    path = command.engine.resolver.path_for_new(statement.name, command.session.place)
    if command.engine.views.get(path) is not None:
        raise AlreadyExists(f'There is a view "{path}" already.', hint="Use another name.")
    if command.engine.resolver.has_table(path):
        if statement.if_not_exists:
            return None
        if not statement.or_replace:
            raise AlreadyExists(f'There is a table "{path}" already.', hint="Use another name.")
    command.engine.external.create(path, statement.location, statement.format, statement.options)
    return None


def _drop_table(command: Command, statement: st.DropTable) -> Answer:
    path = command.engine.resolver.path_for_new(statement.name, command.session.place)
    if command.engine.views.get(path) is not None:
        raise InvalidValue(f'"{path}" is a view.', hint="Use DROP VIEW.")
    if statement.if_exists and not command.engine.resolver.has_table(path):
        return None
    _remove_table(command, path)
    return None


def _remove_table(command: Command, path: TablePath) -> None:
    if command.engine.external.drop(path):
        return
    _writable(command, path).drop_table(path.name)


def _insert(command: Command, statement: st.Insert) -> Answer:
    found = command.engine.resolver.resolve(statement.name, command.session.place)
    if not isinstance(found, FoundTable):
        raise NotSupported(f'"{found.path}" is a view; rows cannot be inserted into it.')
    if command.engine.external.has(found.path):
        raise NotSupported(f'"{found.path}" is an external table, which is read only.')
    writer = _writable(command, found.path)
    planner = command.engine.planner(command.session)
    activity = command.query.activity
    frame = planner.frame(
        statement.text, command.session.place, activity, writes=True, values=command.values
    )
    rows = planner.context.create_dataframe_from_logical_plan(frame.logical_plan().inputs()[0])
    reader = _reader(command, rows, found.table.schema)
    return _count(writer.write(found.path.name, reader, WriteMode.APPEND))


def _reader(command: Command, rows: DataFrame, schema: pa.Schema) -> pa.RecordBatchReader:
    planner = command.engine.planner(command.session)
    stream = PlanStream(
        planner.context,
        rows.execution_plan(),
        plain_schema(rows.schema()),
        command.query.activity,
        is_result=False,
    )
    batches = (conform(batch, schema) for batch in stream)
    return pa.RecordBatchReader.from_batches(schema, batches)


def _copy(command: Command, statement: st.CopyTo) -> Answer:
    planner = command.engine.planner(command.session)
    activity = command.query.activity
    frame = planner.frame(statement.text, command.session.place, activity, writes=True)
    stream = PlanStream(
        planner.context,
        frame.execution_plan(),
        plain_schema(frame.schema()),
        activity,
        is_result=False,
    )
    return _count(sum(value.as_py() for batch in stream for value in batch.column(0)))


def _refresh(command: Command, statement: st.RefreshTable) -> Answer:
    """Forget nothing, as nothing is remembered beyond a table's version; check the name."""
    command.engine.resolver.resolve(statement.name, command.session.place)
    return None


_COMMANDS: dict[type, Callable[[Command, Any], Answer]] = {
    st.CreateCatalog: _create_catalog,
    st.DropCatalog: _drop_catalog,
    st.ShowCatalogs: _show_catalogs,
    st.ShowSchemas: _show_schemas,
    st.ShowTables: _show_tables,
    st.ShowSettings: _show_settings,
    st.Describe: _describe,
    st.Explain: _explain,
    st.SetSetting: _set,
    st.ResetSetting: _reset,
    st.Use: _use,
    st.CreateView: _create_view,
    st.DropView: _drop_view,
    st.CreateTable: _create_table,
    st.CreateTableAs: _create_table_as,
    st.CreateExternalTable: _create_external_table,
    st.DropTable: _drop_table,
    st.Insert: _insert,
    st.CopyTo: _copy,
    st.RefreshTable: _refresh,
}
