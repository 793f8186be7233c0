"""Columns whose values stand in the names of ``key=value`` folders."""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import pyarrow as pa

from igloo.connectors.files.filtering import is_exact
from igloo.connectors.predicates import And, columns_of, conjuncts, to_arrow
from igloo.errors import SourceDataError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from igloo.connectors.files.listing import FoundFile
    from igloo.connectors.predicates import Predicate

_NULL = "__HIVE_DEFAULT_PARTITION__"
_INTEGER = re.compile(r"(0|-?[1-9][0-9]{0,18})\Z")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}\Z", re.ASCII)
_INT64_MAX = 2**63 - 1

PartitionValue = int | str | dt.date | None


def read_partition_name(name: str) -> tuple[str, str | None] | None:
    """Return key and value of a folder named ``key=value``; None for every other folder.

    Both are percent-decoded. ``__HIVE_DEFAULT_PARTITION__`` is NULL.
    """
    key, equals, value = name.partition("=")
    if not key or not equals:
        return None
    return unquote(key), None if value == _NULL else unquote(value)


def partition_schema(files: Sequence[FoundFile]) -> pa.Schema:
    """Return the partition columns of a table's files, in the order of the folders.

    A column is int64 if every value is a plain integer, date32 if every value is an ISO date, and
    string otherwise.

    Raises:
        SourceDataError: the files do not all lie in folders of the same keys.
    """
    first = files[0]
    keys = tuple(key for key, _ in first.partitions)
    for file in files:
        if tuple(key for key, _ in file.partitions) != keys:
            raise SourceDataError(
                f'The files "{first.path}" and "{file.path}" do not lie in folders of the same '
                "key=value names.",
                hint="Give every file of the table the same partition folders.",
                path=file.path,
            )
    if len(set(keys)) != len(keys):
        raise SourceDataError(
            f'The file "{first.path}" lies in two partition folders of the same key.',
            path=first.path,
        )
    columns = [[file.partitions[i][1] for file in files] for i in range(len(keys))]
    return pa.schema(
        [pa.field(key, _type_of(values)) for key, values in zip(keys, columns, strict=True)]
    )


def _type_of(values: Sequence[str | None]) -> pa.DataType:
    given = {value for value in values if value is not None}
    if not given:
        return pa.string()
    if all(_INTEGER.match(v) and -_INT64_MAX <= int(v) <= _INT64_MAX for v in given):
        return pa.int64()
    if all(_is_date(value) for value in given):
        return pa.date32()
    return pa.string()


def _is_date(text: str) -> bool:
    if not _DATE.match(text):
        return False
    try:
        dt.date.fromisoformat(text)
    except ValueError:
        return False
    return True


def partition_values(file: FoundFile, schema: pa.Schema) -> tuple[pa.Scalar[Any], ...]:
    """Return the typed values of a file's partition columns, in the order of ``schema``."""
    return tuple(
        pa.scalar(_value(text, field.type), field.type)
        for (_, text), field in zip(file.partitions, schema, strict=True)
    )


def _value(text: str | None, type_: pa.DataType) -> PartitionValue:
    if text is None:
        return None
    if pa.types.is_int64(type_):
        return int(text)
    return dt.date.fromisoformat(text) if pa.types.is_date32(type_) else text


def partition_terms(predicate: Predicate | None, schema: pa.Schema) -> list[Predicate]:
    """Return the AND-terms of ``predicate`` that the partition columns alone decide, exactly."""
    own = set(schema.names)
    terms = [t for t in conjuncts(predicate) if columns_of(t) and columns_of(t) <= own]
    return [term for term in terms if is_exact(term, schema)]


def prune(
    files: tuple[FoundFile, ...], terms: Sequence[Predicate], schema: pa.Schema
) -> tuple[FoundFile, ...]:
    """Return the files for which every one of ``terms`` is TRUE; NULL and FALSE are left out."""
    if not terms or not files:
        return files
    rows = [partition_values(file, schema) for file in files]
    table = pa.table(
        [pa.array([row[i].as_py() for row in rows], field.type) for i, field in enumerate(schema)],
        schema=schema,
    ).append_column("", pa.array(range(len(files)), pa.int64()))
    condition = terms[0] if len(terms) == 1 else And(tuple(terms))
    kept: Any = table.filter(to_arrow(condition, schema)).column(len(schema))
    return tuple(files[i] for i in kept.to_pylist())
