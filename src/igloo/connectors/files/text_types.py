"""Which type a column of texts has."""

from __future__ import annotations

from typing import Any, Literal

import pyarrow as pa
import pyarrow.compute as pc

TRUE_WORDS = ("true", "True", "TRUE")
FALSE_WORDS = ("false", "False", "FALSE")

_BOOLEAN = f"^({'|'.join((*TRUE_WORDS, *FALSE_WORDS))})$"
# A leading zero or plus carries meaning (007, +49 …), so such a text is no number.
_INTEGER = r"^(0|-?[1-9][0-9]*)$"
_NUMBER = r"^-?((0|[1-9][0-9]*)(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?$"
_NOT_FINITE = r"^(NaN|nan|-?(inf|Inf|Infinity|infinity))$"
#: Whole numbers of more digits may not be exact as float64.
_LONG_INTEGER = r"^-?[0-9]{16,}$"
_DATE = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
_TIMESTAMP = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?"
_NANOSECONDS = r"\.[0-9]{7,9}"
_ZONE = r"(Z|[+-][0-9]{2}(:?[0-9]{2})?)$"


def type_of_texts(values: pa.ChunkedArray[Any]) -> pa.DataType:
    """Return the narrowest type that holds every one of ``values``, null if there are none.

    One of bool, int64, float64, date32, timestamp (microseconds, or nanoseconds where they are
    needed; with zone UTC if every value has an offset) and string. The same values always give the
    same type.
    """
    texts = pc.drop_null(values)
    if not len(texts):
        return pa.null()
    if _all_match(texts, _BOOLEAN):
        return pa.bool_()
    if _all_match(texts, _INTEGER):
        return pa.int64() if _converts(texts, pa.int64()) else pa.string()
    if _is_float(texts):
        return pa.float64()
    if _all_match(texts, _DATE) and _converts(texts, pa.date32()):
        return pa.date32()
    return _timestamp_of(texts) or pa.string()


def _is_float(texts: pa.ChunkedArray[Any]) -> bool:
    finite = pc.match_substring_regex(texts, _NUMBER)
    if not pc.any(finite).as_py():
        return False  # a column of words such as "inf" and "nan" is a column of words
    words = pc.match_substring_regex(texts, _NOT_FINITE)
    if not pc.all(pc.or_(finite, words)).as_py():
        return False
    if pc.any(pc.match_substring_regex(texts, _LONG_INTEGER)).as_py():
        return False
    if not _converts(texts, pa.float64()):
        return False
    too_large = pc.and_(finite, pc.is_inf(texts.cast(pa.float64())))
    return not pc.any(too_large).as_py()


def _timestamp_of(texts: pa.ChunkedArray[Any]) -> pa.DataType | None:
    is_fine = pc.any(pc.match_substring_regex(texts, _NANOSECONDS)).as_py()
    unit: Literal["us", "ns"] = "ns" if is_fine else "us"
    choices: tuple[tuple[str, pa.DataType], ...] = (
        ("$", pa.timestamp(unit)),
        (_ZONE, pa.timestamp(unit, "UTC")),
    )
    for ending, type_ in choices:
        if _all_match(texts, _TIMESTAMP + ending) and _converts(texts, type_):
            return type_
    return None


def _all_match(texts: pa.ChunkedArray[Any], pattern: str) -> bool:
    return bool(pc.all(pc.match_substring_regex(texts, pattern)).as_py())


def _converts(texts: pa.ChunkedArray[Any], type_: pa.DataType) -> bool:
    try:
        texts.cast(type_)
    except pa.ArrowInvalid:
        return False
    return True


def type_of_both(a: pa.DataType, b: pa.DataType) -> pa.DataType:
    """Return the type that texts of two columns have together; string holds every text."""
    if a.equals(b) or pa.types.is_null(b):
        return a
    if pa.types.is_null(a):
        return b
    both = {str(a), str(b)}
    if both == {"int64", "double"}:
        return pa.float64()
    if both == {str(pa.timestamp("us")), str(pa.timestamp("ns"))}:
        return pa.timestamp("ns")
    return pa.string()
