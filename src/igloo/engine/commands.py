"""Igloo's own statements, run at once: one function each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa

from igloo.config.load import CatalogConfig
from igloo.connectors.contract import AcceptsWrites, WriteMode
from igloo.connectors.options import Location
from igloo.engine.catalog.resolve import FoundTable, Place
from igloo.engine.catalog.views import View
from igloo.engine.command import Answer, Command, find_schema
from igloo.engine.execution.conform import conform, plain_schema
from igloo.engine.execution.stream import PlanStream
from igloo.engine.inspection import INSPECTIONS
from igloo.engine.planner import statements as st
from igloo.engine.planner.planner import named_as_in
from igloo.engine.planner.result_types import result_schema
from igloo.engine.planner.table_definition import read_table_definition
from igloo.errors import (
    AlreadyExists,
    CatalogNotFound,
    InvalidValue,
    NotSupported,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from datafusion import DataFrame

    from igloo.engine.engine import Engine
    from igloo.engine.query import Query
    from igloo.engine.session import Session
    from igloo.names import TablePath

COUNT_SCHEMA = pa.schema([pa.field("count", pa.int64())])


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
    # What was named below it must not come back under another catalog of that name.
    command.engine.views.drop_catalog(statement.name)
    command.engine.external.drop_catalog(statement.name)
    return None


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
            place = Place(catalog, find_schema(command, catalog, schema))
        case (name,) if catalogs.has(name):
            place = Place(name, catalogs.connector(name).default_schema)
        case (name,):
            current = command.session.place.catalog
            place = Place(current, find_schema(command, current, name))
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
    planned = command.plan(statement.text)
    if not statement.columns and planned.schema.names != planned.frame.schema().names:
        raise InvalidValue(
            f'The view "{path}" would have two columns of one name.',
            hint="Give each its own with AS, or name them behind the view's name.",
        )
    named_as_in(planned.frame, view)
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
    repeated = sorted({name for name in schema.names if schema.names.count(name) > 1})
    if repeated:
        raise InvalidValue(
            f'The table would have two columns named "{repeated[0]}".',
            hint="Give each its own name with AS.",
        )
    find_schema(command, path.catalog, path.schema)
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
    command.engine.gate.check_read(Location(statement.location))
    command.engine.gate.check_references(statement.options)
    hidden = not command.engine.external.has(path) and command.engine.resolver.has_table(path)
    command.engine.external.create(path, statement.location, statement.format, statement.options)
    if hidden:
        _writable(command, path).drop_table(path.name)
        command.engine.native.forget_memory(path)
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
    command.engine.native.forget_memory(path)


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
        result_schema(planner.context, rows),
        command.query.activity,
        is_result=False,
    )
    batches = (conform(batch, schema) for batch in stream)
    return pa.RecordBatchReader.from_batches(schema, batches)


def _copy(command: Command, statement: st.CopyTo) -> Answer:
    command.engine.gate.check_write(Location(statement.location))
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
    **INSPECTIONS,
    st.CreateCatalog: _create_catalog,
    st.DropCatalog: _drop_catalog,
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
