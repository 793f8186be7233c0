"""What the bounds in a Parquet footer do not tell."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

if TYPE_CHECKING:
    import pyarrow.parquet as pq


def constant_floats(metadata: pq.FileMetaData, schema: pa.Schema) -> frozenset[str]:
    """Return the floating-point columns of which some row group shows one value only.

    Bounds leave NaN out, so such a row group may hold NaN as well; DataFusion 55 takes the column
    for constant.
    """
    floats = {field.name for field in schema if pa.types.is_floating(field.type)}
    constant: set[str] = set()
    for group in (metadata.row_group(i) for i in range(metadata.num_row_groups)):
        for chunk in (group.column(i) for i in range(group.num_columns)):
            bounds = chunk.statistics if chunk.path_in_schema in floats else None
            if bounds is not None and bounds.has_min_max and bounds.min == bounds.max:
                constant.add(chunk.path_in_schema)
    return frozenset(constant)
