"""How the columns of one file become the table's: by field id, never by name alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from pyiceberg import types as iceberg

from igloo.connectors.file_scan import Constant, FromFile, MakeStruct, MappedColumn
from igloo.connectors.lake.iceberg.footers import field_id
from igloo.connectors.lake.iceberg.types import arrow_type
from igloo.errors import NotSupported, SourceDataError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pyiceberg.schema import Schema

    from igloo.connectors.file_scan import ColumnSource


@dataclass(frozen=True, slots=True)
class FileMapping:
    """How one physical schema is read.

    Attributes:
        columns: how the table's columns are made; None where names and meanings agree, so that
            reading by name is reading by id.
        file_schema: the part of the file that ``columns`` reads; None with it.
    """

    columns: tuple[MappedColumn, ...] | None = None
    file_schema: pa.Schema | None = None


class NeedsOwnReader(Exception):
    """The file is read right only field by field, which DataFusion's expressions cannot."""


def map_columns(schema: Schema, physical: pa.Schema) -> FileMapping:
    """Return how files of one physical schema are read natively.

    Args:
        schema: the table's present Iceberg schema.
        physical: the file's Arrow schema with field ids.

    Raises:
        NeedsOwnReader: a list or map inside has changed; ``read_split`` reads it.
        NotSupported: a field's type in the file is none that may stand for the table's.
        SourceDataError: the file is ambiguous, or lacks a required column.
    """
    top = by_id(physical)
    if _reads_by_name(schema, physical, top):
        return FileMapping()
    columns = tuple(
        MappedColumn(field.name, _source(field, top, (), field.name)) for field in schema.fields
    )
    roots = {root for column in columns for root in _roots(column.source)}
    return FileMapping(columns, pa.schema([field for field in physical if field.name in roots]))


def by_id(fields: Iterable[pa.Field[Any]]) -> dict[int, pa.Field[Any]]:
    """Return the fields of a file, or of a struct in it, by field id; those without are left out.

    Raises:
        SourceDataError: an id or a name stands twice.
    """
    listed = list(fields)
    known = [(number, field) for field in listed if (number := field_id(field)) is not None]
    if len({field.name for field in listed}) != len(listed):
        raise SourceDataError("A data file has two columns of one name.")
    if len(dict(known)) != len(known):
        raise SourceDataError("A data file has two columns of one field id.")
    return dict(known)


def _reads_by_name(schema: Schema, physical: pa.Schema, top: dict[int, pa.Field[Any]]) -> bool:
    physical_names = set(physical.names)
    for field in schema.fields:
        found = top.get(field.field_id)
        if found is None:
            if field.name in physical_names or not _is_filled_with_null(field):
                return False
        elif found.name != field.name or not is_same(field.field_type, found.type):
            return False
    return True


def _is_filled_with_null(field: iceberg.NestedField) -> bool:
    return not field.required and field.initial_default is None


def is_same(type_: iceberg.IcebergType, found: Any, *, exact: bool = False) -> bool:
    """Whether reading ``found`` by name gives ``type_``: same fields inside, same names, same ids.

    Args:
        type_: what the table says.
        found: what the file holds.
        exact: whether a type that is promoted counts as another one; inside of nested types it
            always does.
    """
    match type_:
        case iceberg.StructType():
            if not pa.types.is_struct(found) or found.num_fields != len(type_.fields):
                return False
            inside = [
                (f.field_id, f.field_type, found.field(i)) for i, f in enumerate(type_.fields)
            ]
            names = [found.field(i).name for i in range(found.num_fields)]
            return names == [f.name for f in type_.fields] and _are_same(inside)
        case iceberg.ListType():
            if not _is_list(found):
                return False
            return _are_same([(type_.element_id, type_.element_type, found.value_field)])
        case iceberg.MapType():
            return pa.types.is_map(found) and _are_same(
                [
                    (type_.key_id, type_.key_type, found.key_field),
                    (type_.value_id, type_.value_type, found.item_field),
                ]
            )
    return plain_type(found) == arrow_type(type_, "") if exact else may_stand_for(type_, found)


def _are_same(inside: Iterable[tuple[int, iceberg.IcebergType, pa.Field[Any]]]) -> bool:
    return all(
        field_id(found) == number and is_same(type_, found.type, exact=True)
        for number, type_, found in inside
    )


def _is_list(type_: pa.DataType) -> bool:
    return bool(pa.types.is_list(type_) or pa.types.is_large_list(type_))


def plain_type(type_: pa.DataType) -> pa.DataType:
    """Return the type without what only says how values lie in memory."""
    if pa.types.is_dictionary(type_):
        return plain_type(type_.value_type)
    if pa.types.is_large_string(type_) or pa.types.is_string_view(type_):
        return pa.string()
    if pa.types.is_large_binary(type_) or pa.types.is_binary_view(type_):
        return pa.binary()
    if pa.types.is_timestamp(type_) and type_.tz in ("+00:00", "Etc/UTC", "Z"):
        return pa.timestamp(type_.unit, "UTC")
    return type_


def may_stand_for(type_: iceberg.IcebergType, found: Any) -> bool:
    """Whether a file may hold ``found`` for a column of ``type_``: equal, or promoted since.

    Args:
        type_: a type that is not nested.
        found: what the file holds.
    """
    found = plain_type(found)
    wanted = arrow_type(type_, "")
    if found == wanted:
        return True
    match type_:
        case iceberg.LongType() | iceberg.IntegerType():
            narrower = pa.types.is_signed_integer(found) and found.bit_width < wanted.bit_width
            return bool(narrower)
        case iceberg.DoubleType():
            return bool(pa.types.is_float32(found))
        case iceberg.DecimalType():
            return bool(
                pa.types.is_decimal(found)
                and found.scale == type_.scale
                and found.precision <= type_.precision
            )
        case iceberg.UUIDType():
            return bool(found == pa.binary(16))
        case iceberg.TimestampType() | iceberg.TimestamptzType():
            # Coarser units are exact in microseconds; finer ones would be cut.
            zoned = isinstance(type_, iceberg.TimestamptzType)
            is_coarse = pa.types.is_timestamp(found) and found.unit in ("s", "ms", "us")
            return bool(is_coarse and found.tz == ("UTC" if zoned else None))
    return False


def _source(
    field: iceberg.NestedField, fields: dict[int, pa.Field[Any]], path: tuple[str, ...], column: str
) -> ColumnSource:
    found = fields.get(field.field_id)
    if found is None:
        return Constant(default_of(field, column))
    here = FromFile((*path, found.name))
    if is_same(field.field_type, found.type):
        return here
    match field.field_type:
        case iceberg.StructType() if pa.types.is_struct(found.type):
            inside = by_id(found.type.field(i) for i in range(found.type.num_fields))
            made = tuple(
                (child.name, _source(child, inside, here.path, f"{column}.{child.name}"))
                for child in field.field_type.fields
            )
            return MakeStruct(here, made)
        case iceberg.ListType() | iceberg.MapType():
            raise NeedsOwnReader(f'"{column}" has changed inside')
    raise wrong_type(column, field.field_type, found.type)


def default_of(field: iceberg.NestedField, column: str) -> pa.Scalar[Any]:
    """Return the value of a field in files that were written before it was added.

    Raises:
        SourceDataError: the field is required and has no default.
    """
    type_ = arrow_type(field.field_type, column)
    if field.initial_default is not None:
        return _default_scalar(field.initial_default, type_)
    if field.required:
        raise SourceDataError(
            f'A data file lacks the required column "{column}", which has no default.',
            column=column,
        )
    return pa.scalar(None, type_)


def _default_scalar(value: Any, type_: pa.DataType) -> pa.Scalar[Any]:
    if isinstance(type_, pa.ExtensionType):
        storage = pa.array([getattr(value, "bytes", value)], type_.storage_type)
        return pa.ExtensionArray.from_storage(type_, storage)[0]
    return pa.scalar(value, type_)


def wrong_type(column: str, type_: iceberg.IcebergType, found: pa.DataType) -> NotSupported:
    """Return the error for a file whose type does not fit the table's."""
    return NotSupported(
        f'The column "{column}" is {type_} in the table and {found} in a data file.', column=column
    )


def _roots(source: ColumnSource) -> set[str]:
    match source:
        case FromFile(path):
            return {path[0]}
        case MakeStruct(file_struct, _):
            return {file_struct.path[0]}
        case Constant():
            return set()
