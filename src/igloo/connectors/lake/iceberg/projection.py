"""Makes the table's columns of a file's columns, field by field, by field id.

This is the slow, general way: it also reads what changed inside of lists and maps. The engine's
native scans do the same with DataFusion's expressions wherever they can.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
from pyiceberg import types as iceberg

from igloo.connectors.lake.iceberg.mapping import by_id, default_of, may_stand_for, wrong_type
from igloo.connectors.lake.iceberg.types import arrow_type

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Arrow arrays, untyped: the checker cannot follow which kind of array a type means.
Values = Any


def project(
    fields: Sequence[iceberg.NestedField], batch: pa.RecordBatch, physical: pa.Schema
) -> list[Values]:
    """Return the arrays of some of the table's columns for one batch of a file.

    Args:
        fields: the table's columns that are wanted.
        batch: rows of the file; holds at least the columns that ``fields`` need.
        physical: the whole file's schema, with field ids.

    Raises:
        NotSupported: a type in the file does not fit the table's.
        SourceDataError: a required column is missing.
    """
    top = by_id(physical)
    return [
        _field(field, top.get(field.field_id), batch, field.name, len(batch)) for field in fields
    ]


def needed_columns(fields: Sequence[iceberg.NestedField], physical: pa.Schema) -> list[str]:
    """Return the names of the file's columns that ``fields`` are made of."""
    top = by_id(physical)
    return [top[field.field_id].name for field in fields if field.field_id in top]


def _field(
    field: iceberg.NestedField,
    found: pa.Field[Any] | None,
    batch: pa.RecordBatch,
    column: str,
    length: int,
) -> Values:
    if found is None:
        return _repeated(default_of(field, column), length)
    return _value(field.field_type, found.type, batch.column(found.name), column)


def _value(type_: iceberg.IcebergType, found: Any, array: Values, column: str) -> Values:
    match type_:
        case iceberg.StructType() if pa.types.is_struct(found):
            return _struct(type_, found, array, column)
        case iceberg.ListType() if pa.types.is_list(found) or pa.types.is_large_list(found):
            item = _value(type_.element_type, found.value_field.type, _items(array), column)
            return pa.ListArray.from_arrays(
                _offsets(array), item, type=arrow_type(type_, column), mask=_nulls(array)
            )
        case iceberg.MapType() if pa.types.is_map(found):
            return _map(type_, found, array, column)
    if not type_.is_primitive or not may_stand_for(type_, found):
        raise wrong_type(column, type_, found)
    return _cast(array, arrow_type(type_, column))


def _struct(type_: iceberg.StructType, found: Any, array: Values, column: str) -> Values:
    inside = by_id(found.field(i) for i in range(found.num_fields))
    positions = {found.field(i).name: i for i in range(found.num_fields)}
    made = []
    for child in type_.fields:
        source = inside.get(child.field_id)
        path = f"{column}.{child.name}"
        if source is None:
            made.append(_repeated(default_of(child, path), len(array)))
        else:
            values = array.field(positions[source.name])
            made.append(_value(child.field_type, source.type, values, path))
    wanted: Any = arrow_type(type_, column)
    return pa.StructArray.from_arrays(made, fields=list(wanted), mask=_nulls(array))


def _map(type_: iceberg.MapType, found: Any, array: Values, column: str) -> Values:
    array = _rebased(array)
    keys = _value(type_.key_type, found.key_field.type, array.keys, f"{column}.key")
    values = _value(type_.value_type, found.item_field.type, array.items, f"{column}.value")
    make: Any = pa.MapArray.from_arrays
    return make(array.offsets, keys, values, type=arrow_type(type_, column), mask=_nulls(array))


def _items(array: Values) -> Values:
    return _rebased(array).values


def _offsets(array: Values) -> Values:
    return _rebased(array).offsets.cast(pa.int32())


def _rebased(array: Values) -> Values:
    """A slice keeps the whole parent's items; copying it keeps only its own, from offset 0."""
    return (
        pa.concat_arrays([array]) if array.offset == 0 else array.take(pa.array(range(len(array))))
    )


def _nulls(array: Values) -> Values:
    return array.is_null() if array.null_count else None


def _repeated(value: Any, length: int) -> Values:
    if isinstance(value.type, pa.ExtensionType):
        storage = _repeated(value.value or pa.scalar(None, value.type.storage_type), length)
        return pa.ExtensionArray.from_storage(value.type, storage)
    return pa.repeat(value, length) if value.is_valid else pa.nulls(length, value.type)


def _cast(array: Values, wanted: pa.DataType) -> Values:
    if array.type == wanted:
        return array
    if isinstance(wanted, pa.ExtensionType):
        storage = array.storage if isinstance(array, pa.ExtensionArray) else array
        return pa.ExtensionArray.from_storage(wanted, storage.cast(wanted.storage_type))
    return pc.cast(array, wanted)
