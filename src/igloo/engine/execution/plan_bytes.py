"""Edits the bytes of a DataFusion logical plan: the protobuf wire format, without a schema.

DataFusion's Python interface makes a table of one path only; its plan format carries a list. The
format is private to one DataFusion version, which is why that version is pinned and why
``listing.self_check`` tries the edit before anything depends on it.
"""

from __future__ import annotations

from dataclasses import dataclass

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5

#: Field numbers of ``LogicalPlanNode`` and its ``ListingTableScanNode``.
_LISTING_SCAN = 1
_PATHS = 2
_FILE_EXTENSION = 3
_JSON_FORMAT = 15
#: Field numbers of ``JsonFormat`` and its ``JsonOptions``.
_JSON_OPTIONS = 1
_NEWLINE_DELIMITED = 4


@dataclass(frozen=True, slots=True)
class _Field:
    number: int
    wire_type: int
    value: int | bytes


def with_paths(plan: bytes, urls: tuple[str, ...]) -> bytes:
    """Return the plan of one file table with its paths replaced.

    Args:
        plan: a serialized plan that is nothing but the scan of a file table.
        urls: what to read instead, percent-encoded.

    Raises:
        ValueError: the bytes are not such a plan.
    """
    kept = [f for f in _scan_fields(plan) if f.number not in (_PATHS, _FILE_EXTENSION)]
    if len(kept) == len(_scan_fields(plan)):
        raise ValueError("The plan lists no paths.")
    # Without an extension every listed file is read, whatever its name ends with.
    return _plan_of(kept + [_Field(_PATHS, _BYTES, url.encode()) for url in urls])


def with_json_array(plan: bytes) -> bytes:
    """Return the plan of a JSON table so that each file is one array instead of lines.

    Raises:
        ValueError: the bytes are not the scan of a JSON table.
    """
    fields = _scan_fields(plan)
    if not any(f.number == _JSON_FORMAT for f in fields):
        raise ValueError("The plan reads no JSON.")
    return _plan_of([_as_array(f) if f.number == _JSON_FORMAT else f for f in fields])


def _as_array(json_format: _Field) -> _Field:
    (options,) = _decode(_bytes_of(json_format))
    if options.number != _JSON_OPTIONS:
        raise ValueError("The plan has no JSON options.")
    inner = [f for f in _decode(_bytes_of(options)) if f.number != _NEWLINE_DELIMITED]
    inner.append(_Field(_NEWLINE_DELIMITED, _VARINT, 0))
    outer = _Field(_JSON_OPTIONS, _BYTES, _encode(inner))
    return _Field(_JSON_FORMAT, _BYTES, _encode([outer]))


def _scan_fields(plan: bytes) -> list[_Field]:
    fields = _decode(plan)
    if [f.number for f in fields] != [_LISTING_SCAN]:
        raise ValueError("The plan is not the scan of a file table.")
    return _decode(_bytes_of(fields[0]))


def _plan_of(scan_fields: list[_Field]) -> bytes:
    return _encode([_Field(_LISTING_SCAN, _BYTES, _encode(scan_fields))])


def _bytes_of(field: _Field) -> bytes:
    if not isinstance(field.value, bytes):
        raise ValueError(f"Field {field.number} of the plan is not a message.")  # noqa: TRY004 - malformed bytes, not a caller's type error
    return field.value


def _decode(data: bytes) -> list[_Field]:
    fields, at = [], 0
    while at < len(data):
        tag, at = _read_varint(data, at)
        number, wire_type = tag >> 3, tag & 7
        value: int | bytes
        match wire_type:
            case 0:
                value, at = _read_varint(data, at)
            case 2:
                length, at = _read_varint(data, at)
                value, at = data[at : at + length], at + length
            case 1 | 5:
                length = 8 if wire_type == _FIXED64 else 4
                value, at = data[at : at + length], at + length
            case _:
                raise ValueError(f"Unknown wire type {wire_type} in a plan.")
        fields.append(_Field(number, wire_type, value))
    if at != len(data):
        raise ValueError("The plan ends early.")
    return fields


def _encode(fields: list[_Field]) -> bytes:
    out = bytearray()
    for field in fields:
        out += _varint(field.number << 3 | field.wire_type)
        if isinstance(field.value, int):
            out += _varint(field.value)
        else:
            out += _varint(len(field.value)) if field.wire_type == _BYTES else b""
            out += field.value
    return bytes(out)


def _read_varint(data: bytes, at: int) -> tuple[int, int]:
    shift = value = 0
    while True:
        if at >= len(data):
            raise ValueError("The plan ends early.")
        byte = data[at]
        value |= (byte & 0x7F) << shift
        shift, at = shift + 7, at + 1
        if byte < 0x80:
            return value, at


def _varint(value: int) -> bytes:
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
