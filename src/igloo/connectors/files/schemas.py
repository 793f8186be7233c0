"""Types of files as types of a table: without what is not carried, and one for all files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from igloo.errors import SourceDataError, UnsupportedType

if TYPE_CHECKING:
    from collections.abc import Sequence

_REFUSED = (
    pa.types.is_union,
    pa.types.is_run_end_encoded,
)


@dataclass(frozen=True, slots=True)
class FileSchema:
    """The columns of one file.

    Attributes:
        path: the file.
        schema: its columns, as ``carried`` gives them.
    """

    path: str
    schema: pa.Schema


def carried(schema: pa.Schema, path: str) -> pa.Schema:
    """Return ``schema`` as Igloo reads it from the file ``path``.

    Every field may be NULL, extension types are what they are stored as, dictionaries are not
    ordered, and there is no metadata.

    Raises:
        SourceDataError: the file has no columns, or two of one name.
        UnsupportedType: a column's type cannot be carried.
    """
    if not schema.names:
        raise SourceDataError(f'The file "{path}" has no columns.', path=path)
    seen: set[str] = set()
    for name in schema.names:
        if name in seen:
            raise SourceDataError(
                f'The file "{path}" has two columns named "{name}".',
                hint="Write it again with names of their own.",
                path=path,
                column=name,
            )
        seen.add(name)
    return pa.schema([pa.field(f.name, _carried_column(f, path)) for f in schema])


def _carried_column(field: pa.Field[Any], path: str) -> pa.DataType:
    try:
        type_: pa.DataType = carried_type(field.type)
    except TypeError as error:
        raise UnsupportedType(
            f'The column "{field.name}" of the file "{path}" has the type {field.type}, '
            "which cannot be carried.",
            hint="Leave the column out or write it with another type.",
            path=path,
            column=field.name,
            type=str(field.type),
        ) from error
    return type_


def carried_type(type_: Any) -> Any:
    """Return the type that a column of ``type_`` is read as.

    Raises:
        TypeError: the type cannot be carried.
    """
    if isinstance(type_, pa.BaseExtensionType):
        return carried_type(type_.storage_type)
    if any(is_one(type_) for is_one in _REFUSED):
        raise TypeError(str(type_))
    if pa.types.is_dictionary(type_):
        return pa.dictionary(type_.index_type, carried_type(type_.value_type))
    if pa.types.is_struct(type_):
        return pa.struct([_carried_field(type_.field(i)) for i in range(type_.num_fields)])
    if pa.types.is_map(type_):
        return pa.map_(
            type_.key_field.with_type(carried_type(type_.key_type)).remove_metadata(),
            _carried_field(type_.item_field),
        )
    if pa.types.is_fixed_size_list(type_):
        return pa.list_(_carried_field(type_.value_field), type_.list_size)
    for is_one, make in _LISTS:
        if is_one(type_):
            return make(_carried_field(type_.value_field))
    return type_


_LISTS = (
    (pa.types.is_list, pa.list_),
    (pa.types.is_large_list, pa.large_list),
    (pa.types.is_list_view, pa.list_view),
    (pa.types.is_large_list_view, pa.large_list_view),
)


def _carried_field(field: pa.Field[Any]) -> pa.Field[Any]:
    return pa.field(field.name, carried_type(field.type))


def one_schema(files: Sequence[FileSchema]) -> pa.Schema:
    """Return the columns of all ``files``: the first file's, then what the others add.

    A column that a file lacks is NULL in its rows, and one may be NULL unless no file allows it.
    Where types differ, one of them must hold every
    value of the other.

    Raises:
        SourceDataError: no type of a column holds the values of all files.
    """
    types: dict[str, pa.DataType] = {}
    origins: dict[str, str] = {}
    for file in files:
        for field in file.schema:
            name, known = field.name, types.get(field.name)
            if known is not None and known.equals(field.type):
                continue
            wider = field.type if known is None else wider_type(known, field.type)
            if wider is None:
                raise types_differ(name, (origins[name], str(known)), (file.path, str(field.type)))
            if known is None or not wider.equals(known):
                types[name], origins[name] = wider, file.path
    required = set.intersection(
        *({f.name for f in each.schema if not f.nullable} for each in files)
    )
    return pa.schema([pa.field(n, type_, n not in required) for n, type_ in types.items()])


def types_differ(column: str, one: tuple[str, str], other: tuple[str, str]) -> SourceDataError:
    """Return the error for a column whose types in two files do not fit.

    Args:
        column: its name.
        one: path and type in one file.
        other: path and type in the other file.
    """
    return SourceDataError(
        f'The column "{column}" is {one[1]} in the file "{one[0]}" and {other[1]} in '
        f'"{other[0]}": no type holds the values of both.',
        hint="Write the files with one type, or keep them in folders of their own.",
        column=column,
        path=other[0],
    )


def wider_type(a: pa.DataType, b: pa.DataType) -> pa.DataType | None:
    """Return the one of two types that holds every value of the other, or None."""
    if holds(a, b):
        return a
    return b if holds(b, a) else None


def holds(wide: pa.DataType, narrow: pa.DataType) -> bool:
    """Whether every value of ``narrow`` is a value of ``wide``, exactly."""
    if wide.equals(narrow) or pa.types.is_null(narrow):
        return True
    if pa.types.is_dictionary(narrow):
        if pa.types.is_dictionary(wide):
            same = wide.value_type.equals(narrow.value_type)
            return same and holds(wide.index_type, narrow.index_type)
        return holds(wide, narrow.value_type)
    if pa.types.is_integer(wide) and pa.types.is_integer(narrow):
        return _integer_holds(wide, narrow)
    if pa.types.is_floating(wide) and pa.types.is_floating(narrow):
        return bool(wide.bit_width > narrow.bit_width)
    if pa.types.is_decimal(wide) and pa.types.is_decimal(narrow):
        whole = wide.precision - wide.scale >= narrow.precision - narrow.scale
        return whole and wide.scale >= narrow.scale and wide.bit_width >= narrow.bit_width
    if pa.types.is_timestamp(wide) and pa.types.is_timestamp(narrow):
        return wide.tz == narrow.tz and _UNITS.index(wide.unit) >= _UNITS.index(narrow.unit)
    return any(_rank(kinds, wide) >= _rank(kinds, narrow) >= 0 for kinds in _SAME_VALUES)


_UNITS = ("s", "ms", "us", "ns")
#: Types of the same values, each list in the order in which one is preferred.
_SAME_VALUES = (
    (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view),
    (pa.types.is_binary, pa.types.is_large_binary, pa.types.is_binary_view),
)


def _rank(kinds: Sequence[object], type_: pa.DataType) -> int:
    return next((i for i, is_one in enumerate(kinds) if is_one(type_)), -1)  # type: ignore[operator]


def _integer_holds(wide: pa.DataType, narrow: pa.DataType) -> bool:
    if pa.types.is_signed_integer(wide) == pa.types.is_signed_integer(narrow):
        return bool(wide.bit_width >= narrow.bit_width)
    return bool(pa.types.is_signed_integer(wide) and wide.bit_width > narrow.bit_width)


def is_read_natively(wide: pa.DataType, narrow: pa.DataType) -> bool:
    """Whether DataFusion's own reader widens ``narrow`` to ``wide`` right under every filter.

    It does not for timestamps: DataFusion 55 cuts the filter's value to the coarser unit, so that
    ``at < 00:00:00.000001`` leaves out the row of 00:00:00.
    """
    return bool(wide.equals(narrow)) or not pa.types.is_timestamp(wide)
