"""One statement of Igloo's own with all that running it needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa

from igloo.engine.execution.conform import conform
from igloo.engine.execution.stream import PlanStream
from igloo.errors import SchemaNotFound, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from igloo.engine.engine import Engine
    from igloo.engine.planner.planner import PlannedQuery
    from igloo.engine.query import Query
    from igloo.engine.session import Session

#: Rows of an answer; None for a statement that answers nothing.
Answer = pa.Table | None


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


def find_schema(command: Command, catalog: str, name: str) -> str:
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
