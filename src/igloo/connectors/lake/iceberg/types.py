"""Iceberg types as Arrow types, exactly."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
from pyiceberg import types as iceberg

from igloo.errors import UnsupportedType

if TYPE_CHECKING:
    from pyiceberg.schema import Schema

_PLAIN: dict[type[iceberg.IcebergType], pa.DataType] = {
    iceberg.BooleanType: pa.bool_(),
    iceberg.IntegerType: pa.int32(),
    iceberg.LongType: pa.int64(),
    iceberg.FloatType: pa.float32(),
    iceberg.DoubleType: pa.float64(),
    iceberg.DateType: pa.date32(),
    iceberg.TimeType: pa.time64("us"),
    iceberg.TimestampType: pa.timestamp("us"),
    iceberg.TimestamptzType: pa.timestamp("us", "UTC"),
    iceberg.TimestampNanoType: pa.timestamp("ns"),
    iceberg.TimestamptzNanoType: pa.timestamp("ns", "UTC"),
    iceberg.StringType: pa.string(),
    iceberg.UUIDType: pa.uuid(),
    iceberg.BinaryType: pa.binary(),
}
#: Types that the format has and this connector does not carry; pyiceberg knows some of them.
_REFUSED = ("unknown", "variant", "geometry", "geography")


def arrow_schema(schema: Schema) -> pa.Schema:
    """Return the Arrow schema of a table.

    Raises:
        UnsupportedType: a column's type cannot be carried; names the column.
    """
    return pa.schema([_arrow_field(field, field.name) for field in schema.fields])


def arrow_type(type_: iceberg.IcebergType, column: str) -> pa.DataType:
    """Return the Arrow type of an Iceberg type.

    Args:
        type_: the Iceberg type.
        column: name of the column, for the message.

    Raises:
        UnsupportedType: the type, or one inside of it, cannot be carried.
    """
    match type_:
        case iceberg.DecimalType():
            return pa.decimal128(type_.precision, type_.scale)
        case iceberg.FixedType():
            return pa.binary(len(type_))
        case iceberg.StructType():
            return pa.struct([_arrow_field(f, f"{column}.{f.name}") for f in type_.fields])
        case iceberg.ListType():
            item = arrow_type(type_.element_type, f"{column}.element")
            return pa.list_(pa.field("element", item, nullable=not type_.element_required))
        case iceberg.MapType():
            value = arrow_type(type_.value_type, f"{column}.value")
            key = arrow_type(type_.key_type, f"{column}.key")
            return map_type(
                pa.field("key", key, nullable=False),
                pa.field("value", value, nullable=not type_.value_required),
            )
    found = _PLAIN.get(type(type_))
    if found is None:
        raise unsupported(column, str(type_))
    return found


def map_type(key: pa.Field[Any], value: pa.Field[Any]) -> pa.DataType:
    """Return the type of maps whose keys and values are these fields."""
    make: Any = pa.map_
    made: pa.DataType = make(key, value)
    return made


def _arrow_field(field: iceberg.NestedField, column: str) -> pa.Field[Any]:
    return pa.field(field.name, arrow_type(field.field_type, column), nullable=not field.required)


def unsupported(column: str, type_: str) -> UnsupportedType:
    """Return the error for a column that cannot be carried."""
    return UnsupportedType(
        f'The column "{column}" has the Iceberg type {type_}, which cannot be read.',
        column=column,
        type=type_,
    )


def refuse_unknown_types(metadata: dict[str, Any]) -> None:
    """Raise for the first column of the present schema whose type pyiceberg cannot even name.

    Args:
        metadata: a metadata file as JSON.

    Raises:
        UnsupportedType: there is such a column.
    """
    current = metadata.get("current-schema-id")
    for schema in metadata.get("schemas", []):
        if schema.get("schema-id") == current:
            for field in schema.get("fields", []):
                _refuse_unknown(field.get("type"), str(field.get("name")))


def _refuse_unknown(type_: Any, column: str) -> None:
    if isinstance(type_, str) and type_.startswith(_REFUSED):
        raise unsupported(column, type_)
    if isinstance(type_, dict):
        for field in type_.get("fields", []):
            _refuse_unknown(field.get("type"), f"{column}.{field.get('name')}")
        for part in ("element", "key", "value"):
            _refuse_unknown(type_.get(part), f"{column}.{part}")
