"""The types that a query's rows will have, which its first plan does not always tell."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from igloo.engine.execution.conform import plain_schema

if TYPE_CHECKING:
    from datafusion import DataFrame, SessionContext


def result_schema(context: SessionContext, frame: DataFrame) -> pa.Schema:
    """Return the schema that users see.

    Until types are coerced, a plan takes the type of the first branch of a UNION or CASE, and rows
    of the others would be cut to it. The coerced plan has the types that come out.
    """
    planned = frame.schema()
    coerced = context.create_dataframe_from_logical_plan(frame.optimized_logical_plan()).schema()
    fields = zip(planned, coerced, strict=True)
    return plain_schema(
        pa.schema([pa.field(f.name, c.type, f.nullable or c.nullable) for f, c in fields])
    )
