"""Statements that look and change nothing: SHOW, DESCRIBE, EXPLAIN."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa

from igloo.engine.catalog.resolve import FoundTable, Place
from igloo.engine.command import Answer, Command, find_schema
from igloo.engine.execution.conform import plain_schema
from igloo.engine.planner import statements as st
from igloo.engine.planner.explain import SCHEMA as EXPLAIN_SCHEMA
from igloo.engine.planner.explain import explain_igloo
from igloo.engine.planner.parse import parse_statement
from igloo.engine.planner.result_types import result_schema
from igloo.engine.planner.tokens import tokenize
from igloo.errors import NotSupported

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from datafusion.plan import ExecutionPlan

    from igloo.engine.planner.planner import PlannedQuery

DESCRIBE_SCHEMA = pa.schema(
    [
        pa.field("column_name", pa.string()),
        pa.field("data_type", pa.string()),
        pa.field("is_nullable", pa.string()),
    ]
)


def _texts(column: str, values: list[str]) -> pa.Table:
    return pa.table({column: pa.array(values, pa.string())})


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
            catalog, schemas = place.catalog, [find_schema(command, place.catalog, name)]
        case (catalog, name):
            schemas = [find_schema(command, catalog, name)]
    rows = [
        {"table": table, "schema": schema, "catalog": catalog}
        for schema in schemas
        for table in _tables_of(command, catalog, schema)
    ]
    fields = [pa.field(name, pa.string()) for name in ("table", "schema", "catalog")]
    return pa.Table.from_pylist(rows, schema=pa.schema(fields))


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
        frame = planner.frame(found.text, place, command.query.activity)
        schema = result_schema(planner.context, frame)
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
    activity = command.query.activity
    activity.wants_estimates = True
    planned = command.plan(inner.text)
    rows = {
        "igloo_plan": explain_igloo(
            activity.scans(), planned.warnings, partitions=planned.physical.partition_count
        ),
        "logical_plan": planned.frame.optimized_logical_plan().display_indent(),
        "physical_plan": planned.physical.display_indent(),
    }
    if statement.analyze:
        seen = sum(batch.num_rows for batch in command.read(planned, planned.schema))
        rows["analyzed_plan"] = _analyzed(command, planned, seen)
    listed = [{"plan_type": kind, "plan": plan} for kind, plan in rows.items()]
    return pa.Table.from_pylist(listed, schema=EXPLAIN_SCHEMA)


def _analyzed(command: Command, planned: PlannedQuery, rows: int) -> str:
    lines = [f"Query: rows={rows}"]
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


INSPECTIONS: dict[type, Callable[[Command, Any], Answer]] = {
    st.ShowCatalogs: _show_catalogs,
    st.ShowSchemas: _show_schemas,
    st.ShowTables: _show_tables,
    st.ShowSettings: _show_settings,
    st.Describe: _describe,
    st.Explain: _explain,
}
