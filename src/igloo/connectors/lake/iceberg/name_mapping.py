"""Field ids for files that have none, from the table's name mapping."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa

from igloo.connectors.lake.iceberg.footers import FIELD_ID, field_id
from igloo.connectors.lake.iceberg.types import map_type
from igloo.errors import NotSupported

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyiceberg.table.name_mapping import MappedField, NameMapping


def with_field_ids(schema: pa.Schema, names: NameMapping | None) -> pa.Schema:
    """Return a file's schema with field ids: its own, or those that its names are mapped to.

    Raises:
        NotSupported: the file has no field ids and the table no name mapping.
    """
    if not len(schema) or any(_has_id(field) for field in schema):
        return schema
    if names is None:
        raise NotSupported(
            "A data file has no field ids and the table has no name mapping.",
            hint="Set the table property schema.name-mapping.default.",
        )
    return pa.schema(_mapped_all(list(schema), names.root))


def _has_id(field: pa.Field[Any]) -> bool:
    if field_id(field) is not None:
        return True
    if not pa.types.is_nested(field.type):
        return False
    return any(_has_id(field.type.field(i)) for i in range(field.type.num_fields))


def _mapped_all(
    fields: Sequence[pa.Field[Any]], mapped: Sequence[MappedField]
) -> list[pa.Field[Any]]:
    by_name = {name: entry for entry in mapped for name in entry.names}
    return [_mapped(field, by_name.get(field.name)) for field in fields]


def _mapped(field: pa.Field[Any], entry: MappedField | None) -> pa.Field[Any]:
    if entry is None:
        return field
    type_ = _mapped_type(field.type, entry.fields)
    if entry.field_id is None:
        return field.with_type(type_)
    metadata: dict[Any, Any] = {**(field.metadata or {})}
    metadata[FIELD_ID] = str(entry.field_id).encode()
    return field.with_type(type_).with_metadata(metadata)


def _mapped_type(type_: pa.DataType, mapped: Sequence[MappedField]) -> pa.DataType:
    if pa.types.is_struct(type_):
        return pa.struct(_mapped_all([type_.field(i) for i in range(type_.num_fields)], mapped))
    if pa.types.is_map(type_):
        key, value = _renamed(type_.key_field, "key"), _renamed(type_.item_field, "value")
        return map_type(*_mapped_all([key, value], mapped))
    if pa.types.is_list(type_) or pa.types.is_large_list(type_):
        (item,) = _mapped_all([_renamed(type_.value_field, "element")], mapped)
        return pa.large_list(item) if pa.types.is_large_list(type_) else pa.list_(item)
    return type_


def _renamed(field: pa.Field[Any], name: str) -> pa.Field[Any]:
    """Name mappings call the parts of lists and maps so, whatever the file calls them."""
    return field.with_name(name)
