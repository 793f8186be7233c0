r"""Arrow columns as text and as JSON, exactly: no digit of a value is lost on the way.

Text follows PostgreSQL where Arrow's own would surprise: ``\x00ff`` for bytes, ``NaN`` and
``Infinity``, decimals without an exponent, times without trailing zeros. Durations and intervals
are ISO 8601. Lists, structs and maps are JSON.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TypeAlias

import pyarrow as pa
import pyarrow.compute

from igloo.errors import NotSupported

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from decimal import Decimal

#: The stubs of pyarrow want the element type of every column, which only the data knows.
Column: TypeAlias = Any
kernels: Any = pyarrow.compute

_TEXT = pa.large_string()
_NANOSECONDS = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}


def text_column(column: Column, name: str = "") -> Column:
    """Return the column as a ``large_string`` array, NULL where it is NULL.

    Args:
        column: a column of any type.
        name: what messages call it.

    Raises:
        NotSupported: a date lies outside of the years that can be written.
    """
    column = _plain(column)
    kind = column.type
    if pa.types.is_nested(kind):
        texts = json_column(column, name)
        valid = column.is_valid().to_pylist()
        return pa.array([t if v else None for t, v in zip(texts, valid, strict=True)], _TEXT)
    convert = next((convert for matches, convert in _CONVERSIONS if matches(kind)), _cast)
    texts = convert(column)
    return _checked_range(texts, name) if pa.types.is_temporal(kind) else texts


def json_column(column: Column, name: str = "") -> list[str]:
    """Return each value of the column as JSON text, ``null`` for NULL.

    Whole and floating numbers and booleans are JSON's own, except that NaN and the infinities,
    which JSON lacks, are strings. Decimals are strings, so that no reader rounds them. Everything
    else is a string as ``text_column`` writes it, times with a ``T``.
    """
    column = _plain(column)
    kind = column.type
    if pa.types.is_struct(kind):
        return _json_structs(column, name)
    if pa.types.is_map(kind):
        return _json_maps(column, name)
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return _json_lists(column, name)
    texts = text_column(column, name).to_pylist()
    if pa.types.is_integer(kind) or pa.types.is_boolean(kind):
        return ["null" if text is None else text for text in texts]
    if pa.types.is_floating(kind):
        return ["null" if t is None else t if t[-1].isdigit() else f'"{t}"' for t in texts]
    if pa.types.is_timestamp(kind):
        texts = [None if text is None else text.replace(" ", "T", 1) for text in texts]
    return [json_string(text) for text in texts]


def json_string(text: str | None) -> str:
    """Return ``text`` as a JSON string, ``null`` for None."""
    return json.dumps(text, ensure_ascii=False)


def unique_names(names: Sequence[str]) -> list[str]:
    """Return the names with each repeated one made different: ``id``, ``id_2``."""
    taken = set(names)
    seen: set[str] = set()
    unique = []
    for name in names:
        candidate, number = name, 1
        while candidate in seen or (candidate != name and candidate in taken):
            number += 1
            candidate = f"{name}_{number}"
        seen.add(candidate)
        unique.append(candidate)
    return unique


def _plain(column: Column) -> Column:
    """Return the column in the plainest encoding of its values."""
    kind = column.type
    if isinstance(kind, pa.BaseExtensionType):
        uuids = pa.types.is_fixed_size_binary(kind.storage_type) and kind.extension_name == (
            "arrow.uuid"
        )
        return _uuid_texts(column.storage) if uuids else _plain(column.storage)
    if pa.types.is_dictionary(kind):
        return _plain(column.dictionary_decode())
    if pa.types.is_run_end_encoded(kind):
        return _plain(kernels.run_end_decode(column))
    if pa.types.is_fixed_size_list(kind) or pa.types.is_list_view(kind):
        return column.cast(pa.list_(kind.value_field))
    if pa.types.is_large_list_view(kind):
        return column.cast(pa.large_list(kind.value_field))
    return column


def _cast(column: Column) -> Column:
    try:
        return kernels.cast(column, _TEXT)
    except pa.ArrowNotImplementedError:
        return pa.array([None if v is None else str(v) for v in column.to_pylist()], _TEXT)


def _checked_range(texts: Column, name: str) -> Column:
    if kernels.any(kernels.starts_with(texts, "<value out of range")).as_py():
        raise NotSupported(
            f'The column "{name}" holds a date outside of the years -32767 to 32767, '
            "which has no text form.",
            hint="Use --format arrow.",
            column=name,
        )
    return texts


def _floats(column: Column) -> Column:
    texts = kernels.replace_substring(kernels.cast(column, _TEXT), "inf", "Infinity")
    return kernels.replace_substring(texts, "nan", "NaN")


def _decimals(column: Column) -> Column:
    texts = kernels.cast(column, _TEXT)
    if not kernels.any(kernels.match_substring(texts, "E")).as_py():
        return texts
    numbers: list[Decimal | None] = column.to_pylist()
    return pa.array([None if n is None else format(n, "f") for n in numbers], _TEXT)


def _times(column: Column) -> Column:
    texts = kernels.cast(column, _TEXT)
    texts = kernels.replace_substring_regex(texts, r"(\.\d*?)0+($|Z|[+-])", r"\1\2")
    texts = kernels.replace_substring_regex(texts, r"\.($|Z|[+-])", r"\1")
    texts = kernels.replace_substring_regex(texts, r"Z$", "+00:00")
    return kernels.replace_substring_regex(texts, r"([+-]\d\d)(\d\d)$", r"\1:\2")


def _bytes(column: Column) -> Column:
    return pa.array([None if b is None else f"\\x{b.hex()}" for b in column.to_pylist()], _TEXT)


def _uuid_texts(column: Column) -> Column:
    from uuid import UUID

    return pa.array([None if b is None else str(UUID(bytes=b)) for b in column.to_pylist()], _TEXT)


def _durations(column: Column) -> Column:
    factor = _NANOSECONDS[column.type.unit]
    counts = column.cast(pa.int64()).to_pylist()
    return pa.array([None if n is None else _iso_duration(0, 0, n * factor) for n in counts], _TEXT)


def _intervals(column: Column) -> Column:
    return pa.array(
        [None if v is None else _iso_duration(*v) for v in column.to_pylist()],
        _TEXT,
    )


def _iso_duration(months: int, days: int, nanoseconds: int) -> str:
    date = (f"{months}M" if months else "") + (f"{days}D" if days else "")
    sign = "-" if nanoseconds < 0 else ""
    seconds, fraction = divmod(abs(nanoseconds), 10**9)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    tail = f".{fraction:09d}".rstrip("0") if fraction else ""
    time = (f"{sign}{hours}H" if hours else "") + (f"{sign}{minutes}M" if minutes else "")
    time += f"{sign}{seconds}{tail}S" if seconds or fraction else ""
    if not date and not time:
        return "PT0S"
    return f"P{date}" + (f"T{time}" if time else "")


def _json_structs(column: Column, name: str) -> list[str]:
    keys = [json_string(key) for key in unique_names([field.name for field in column.type])]
    fields = [json_column(child, name) for child in column.flatten()]
    rows = zip(*fields, strict=True) if fields else [()] * len(column)
    return [
        "{" + ", ".join(f"{k}: {t}" for k, t in zip(keys, row, strict=True)) + "}"
        if valid
        else "null"
        for row, valid in zip(rows, column.is_valid().to_pylist(), strict=True)
    ]


def _json_lists(column: Column, name: str) -> list[str]:
    return _json_groups(
        column, lambda start, end: json_column(column.values[start:end], name), "[]"
    )


def _json_maps(column: Column, name: str) -> list[str]:
    def entries(start: int, end: int) -> list[str]:
        keys = text_column(column.keys[start:end], name).to_pylist()
        items = json_column(column.items[start:end], name)
        return [f"{json_string(key)}: {item}" for key, item in zip(keys, items, strict=True)]

    return _json_groups(column, entries, "{}")


def _json_groups(
    column: Column, texts_between: Callable[[int, int], list[str]], brackets: str
) -> list[str]:
    """Return one JSON text for each run of child values that belongs to a row."""
    offsets: list[int] = column.offsets.to_pylist()
    first = offsets[0] if offsets else 0
    texts = texts_between(first, offsets[-1]) if offsets else []
    opening, closing = brackets[0], brackets[1]
    return [
        opening + ", ".join(texts[offsets[i] - first : offsets[i + 1] - first]) + closing
        if valid
        else "null"
        for i, valid in enumerate(column.is_valid().to_pylist())
    ]


def _is_bytes(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_binary(kind)
        or pa.types.is_large_binary(kind)
        or pa.types.is_fixed_size_binary(kind)
        or pa.types.is_binary_view(kind)
    )


_CONVERSIONS: tuple[tuple[Callable[[pa.DataType], Any], Callable[[Column], Column]], ...] = (
    (pa.types.is_floating, _floats),
    (pa.types.is_decimal, _decimals),
    (pa.types.is_timestamp, _times),
    (pa.types.is_time, _times),
    (_is_bytes, _bytes),
    (pa.types.is_duration, _durations),
    (pa.types.is_interval, _intervals),
)
