"""Joins of a Parquet table with an Iceberg table, without writing SQL."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import pyarrow as pa

from igloo.engine.catalog.catalogs import MEMORY
from igloo.engine.catalog.resolve import START, FoundTable
from igloo.errors import (
    ColumnNotFound,
    InternalError,
    InvalidSetting,
    InvalidValue,
    TableNotFound,
    TypeMismatch,
    did_you_mean,
)
from igloo.names import TablePath

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import TracebackType

    from datafusion import Expr

    from igloo.engine.planner.frames import JoinKind

__all__ = ["IcebergConfig", "JoinConfig", "JoinEngine", "JoinType"]

_WAREHOUSE_VARIABLE = "IGLOO_ICEBERG_WAREHOUSE"


class JoinType(StrEnum):
    """Which rows without a partner stay."""

    INNER = "inner"
    LEFT = "left"
    RIGHT = "right"
    FULL = "full"


@dataclass(frozen=True, slots=True)
class IcebergConfig:
    """Where the Iceberg tables are.

    Attributes:
        catalog: kind of catalog: ``sql``, ``rest`` or ``folder``.
        uri: the catalog's address; for ``sql`` on SQLite, ``catalog.db`` in the warehouse if None.
        warehouse: folder of the tables; ``IGLOO_ICEBERG_WAREHOUSE`` if None.
        properties: further options of the connector ``iceberg``.
    """

    catalog: str = "sql"
    uri: str | None = None
    warehouse: str | Path | None = None
    properties: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class JoinConfig:
    """One join.

    Attributes:
        parquet_path: the path that the Parquet table was registered with.
        iceberg_config: where the Iceberg table is.
        join_type: which rows without a partner stay.
        join_keys: pairs of (left column, right column); all of them have to be equal.
    """

    parquet_path: str | Path
    iceberg_config: IcebergConfig
    join_type: JoinType = JoinType.INNER
    join_keys: Sequence[tuple[str, str]] = ()


_KINDS: dict[JoinType, JoinKind] = {
    JoinType.INNER: "inner",
    JoinType.LEFT: "left",
    JoinType.RIGHT: "right",
    JoinType.FULL: "full",
}


@dataclass(frozen=True, slots=True)
class _Side:
    name: str
    found: FoundTable
    filters: Sequence[Expr]


class JoinEngine:
    """Joins registered tables; either side may be the Parquet one. Also a context manager."""

    def __init__(self, iceberg_config: IcebergConfig) -> None:
        """Open an engine of its own; nothing is read yet.

        Raises:
            InvalidSetting: neither ``warehouse`` nor ``IGLOO_ICEBERG_WAREHOUSE`` is set, or a
                property is unknown.
        """
        from igloo.config.load import load_config
        from igloo.engine.engine import Engine

        self.iceberg_config = iceberg_config
        loaded = load_config()
        # Only the tables registered here are to be seen, whatever else is configured.
        self._engine = Engine(replace(loaded, catalogs=()))
        self._session = self._engine.open_session()
        self._paths: dict[str, Path] = {}
        self._iceberg_tables: dict[str, TablePath] = {}
        self._add_iceberg(iceberg_config, loaded.environment)

    def register_parquet_table(
        self, name: str, path: str | Path, schema: pa.Schema | None = None
    ) -> None:
        """Give a Parquet file or folder a name.

        Args:
            name: what ``join_tables`` calls it.
            path: a file, a folder, or a glob.
            schema: the columns that are expected; checked now.

        Raises:
            SourceError: the files are not there or cannot be read.
            TypeMismatch: the files' columns are not those of ``schema``.
        """
        location = Path(os.path.abspath(path))  # noqa: PTH100 - a glob must not be resolved
        place = TablePath(MEMORY, START.schema, name)
        self._engine.external.create(place, str(location), "parquet", {})
        self._paths[name] = location
        self._iceberg_tables.pop(name, None)
        if schema is not None:
            _check_schema(name, self._find(name).table.schema, schema)

    def register_iceberg_table(self, name: str, namespace: str, table: str) -> None:
        """Give a table of the Iceberg catalog a name.

        Raises:
            TableNotFound: the catalog has no such table.
            SourceError: the catalog cannot be read.
        """
        path = TablePath("iceberg", namespace, table)
        self._engine.resolver.resolve((path.catalog, path.schema, path.table), START)
        self._iceberg_tables[name] = path
        self._paths.pop(name, None)

    def join_tables(self, left: str, right: str, config: JoinConfig) -> list[pa.RecordBatch]:
        """Join two registered tables; see ``join_tables_advanced``."""
        return self.join_tables_advanced(left, right, config)

    def join_tables_advanced(  # noqa: PLR0913, PLR0917 - the promised signature
        self,
        left: str,
        right: str,
        config: JoinConfig,
        parquet_filters: Sequence[Expr] | None = None,
        iceberg_filters: Sequence[Expr] | None = None,
        projections: Sequence[str] | None = None,
    ) -> list[pa.RecordBatch]:
        """Join two registered tables, filtered first.

        Args:
            left: name of the left table.
            right: name of the right table.
            config: the join.
            parquet_filters: conditions over the Parquet table's own columns; all have to hold.
            iceberg_filters: the same for the Iceberg table.
            projections: output columns to return, in this order; all of them if None.

        Returns:
            The left table's columns, then the right's. A right column whose name the left has, too,
            is called ``<right table>_<column>``. Keys are not merged; NULL keys match nothing.

        Raises:
            TableNotFound: a name is not registered.
            ColumnNotFound: a key or a projection names no column.
            TypeMismatch: the types of two keys do not fit; raised before any row is read.
            InvalidValue: there are no keys, or ``parquet_path`` is not the registered one.
        """
        self._check_path(left, right, config)
        if not config.join_keys:
            raise InvalidValue("The join has no keys.", hint="Give join_keys=[(left, right), …].")
        sides = []
        for name in (left, right):
            filters = parquet_filters if name in self._paths else iceberg_filters
            sides.append(_Side(name, self._find(name), _listed(filters)))
        _check_keys(sides[0], sides[1], config.join_keys)
        outputs = _output_names(sides[0], sides[1])
        return self._run(sides[0], sides[1], config, _select(outputs, projections))

    def close(self) -> None:
        """Give back what the engine holds. Safe to call twice."""
        self._engine.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _add_iceberg(self, config: IcebergConfig, environment: Mapping[str, str]) -> None:
        from igloo.config.load import CatalogConfig

        warehouse = config.warehouse or environment.get(_WAREHOUSE_VARIABLE)
        if not warehouse and not config.uri:
            raise InvalidSetting(
                "IcebergConfig has no warehouse.",
                hint=f"Give warehouse=…, or set {_WAREHOUSE_VARIABLE}.",
            )
        options = dict(config.properties)
        if warehouse:
            options["warehouse"] = str(warehouse)
        if config.uri:
            options["uri"] = config.uri
        # A folder without catalog.db is a folder catalog, whatever the default kind says.
        if config.uri or config.catalog != "sql":
            options["type"] = config.catalog
        self._engine.catalogs.create(
            CatalogConfig(
                name="iceberg", connector="iceberg", options=options, origin="code", base=None
            )
        )

    def _find(self, name: str) -> FoundTable:
        if name in self._paths:
            parts: tuple[str, ...] = (MEMORY, START.schema, name)
        elif name in self._iceberg_tables:
            path = self._iceberg_tables[name]
            parts = (path.catalog, path.schema, path.table)
        else:
            known = [*self._paths, *self._iceberg_tables]
            raise TableNotFound(
                f'No table "{name}" is registered.', hint=did_you_mean(name, known), table=name
            )
        found = self._engine.resolver.resolve(parts, START)
        if not isinstance(found, FoundTable):
            raise InternalError(f'"{name}" is a view.')
        return found

    def _check_path(self, left: str, right: str, config: JoinConfig) -> None:
        registered = [self._paths[name] for name in (left, right) if name in self._paths]
        given = Path(os.path.abspath(config.parquet_path))  # noqa: PTH100 - a glob must not be resolved
        if registered and given not in registered:
            raise InvalidValue(
                f'The join names the Parquet path "{config.parquet_path}"; '
                f'"{registered[0]}" is registered.',
                hint="Give the path that register_parquet_table was given.",
            )

    def _run(
        self,
        left: _Side,
        right: _Side,
        config: JoinConfig,
        outputs: Sequence[tuple[str, str]],
    ) -> list[pa.RecordBatch]:
        from igloo.engine.planner.frames import join_frames

        with self._engine.run_frame(
            self._session,
            lambda binder: join_frames(
                binder.bind(left.found, left.filters),
                binder.bind(right.found, right.filters),
                kind=_KINDS[config.join_type],
                keys=config.join_keys,
                outputs=outputs,
            ),
            shown=f"join {left.name} with {right.name}",
        ) as result:
            return list(result)


def _listed(filters: Sequence[Expr] | Expr | None) -> Sequence[Expr]:
    from datafusion import Expr

    if filters is None:
        return ()
    # A single expression can be iterated without end.
    return (filters,) if isinstance(filters, Expr) else tuple(filters)


def _check_schema(name: str, found: pa.Schema, expected: pa.Schema) -> None:
    for column in expected:
        index = found.get_field_index(column.name)
        actual = found.field(index).type if index >= 0 else None
        if actual != column.type:
            raise TypeMismatch(
                f'The column "{column.name}" of "{name}" should be {column.type}, '
                f"it is {actual or 'missing'}.",
                column=column.name,
            )


def _check_keys(left: _Side, right: _Side, keys: Sequence[tuple[str, str]]) -> None:
    for left_key, right_key in keys:
        left_type, right_type = _type_of(left, left_key), _type_of(right, right_key)
        fits = _family(left_type) == _family(right_type) and _digits_fit(left_type, right_type)
        if not fits:
            raise TypeMismatch(
                f'The key "{left_key}" of "{left.name}" is {left_type} and "{right_key}" of '
                f'"{right.name}" is {right_type}; they cannot be equal.',
                hint="Join columns of the same kind, or CAST one of them in SQL.",
            )


def _type_of(side: _Side, column: str) -> pa.DataType:
    schema = side.found.table.schema
    index = schema.get_field_index(column)
    if index < 0:
        raise ColumnNotFound(
            f'The table "{side.name}" has no column "{column}".',
            hint=did_you_mean(column, schema.names),
            column=column,
        )
    type_: pa.DataType = schema.field(index).type
    return type_


def _family(type_: pa.DataType) -> str:
    """Return a name that two types share if their values can be equal without loss."""
    types = pa.types
    if types.is_dictionary(type_):
        return _family(type_.value_type)
    families = {
        "number": types.is_integer(type_) or types.is_decimal(type_),
        "float": types.is_floating(type_),
        "text": any(is_text(type_) for is_text in _TEXT),
        "binary": any(is_binary(type_) for is_binary in _BINARY),
        "date": types.is_date(type_),
    }
    if types.is_timestamp(type_):
        return "timestamp" if type_.tz is None else "timestamp with zone"
    return next((family for family, fits in families.items() if fits), str(type_))


_TEXT = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view)
_BINARY = (pa.types.is_binary, pa.types.is_large_binary, pa.types.is_binary_view)
_DECIMAL_DIGITS_MAX = 38


def _digits_fit(left: pa.DataType, right: pa.DataType) -> bool:
    """Whether one decimal type holds the values of both, if either is a decimal."""
    if not (pa.types.is_decimal(left) or pa.types.is_decimal(right)):
        return True
    whole = max(_digits(left)[0], _digits(right)[0])
    scale = max(_digits(left)[1], _digits(right)[1])
    return whole + scale <= _DECIMAL_DIGITS_MAX


def _digits(type_: Any) -> tuple[int, int]:
    """Return how many digits a number has before and behind its point."""
    if pa.types.is_decimal(type_):
        return type_.precision - type_.scale, type_.scale
    return len(str(2**type_.bit_width)), 0


def _output_names(left: _Side, right: _Side) -> list[tuple[str, str]]:
    """Return (internal name, output name) of every column: ``l0 …`` and ``r0 …`` inside."""
    left_names = left.found.table.schema.names
    outputs = [(f"l{i}", name) for i, name in enumerate(left_names)]
    taken = set(left_names)
    for i, name in enumerate(right.found.table.schema.names):
        output = f"{right.name}_{name}" if name in taken else name
        outputs.append((f"r{i}", output))
    names = [output for _, output in outputs]
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise InvalidValue(
            f'The output would have two columns named "{repeated[0]}".',
            hint="Register the right table under another name.",
        )
    return outputs


def _select(
    outputs: list[tuple[str, str]], projections: Sequence[str] | None
) -> list[tuple[str, str]]:
    if projections is None:
        return outputs
    by_name = {output: internal for internal, output in outputs}
    unknown = [name for name in projections if name not in by_name]
    if unknown:
        raise ColumnNotFound(
            f'The join has no output column "{unknown[0]}".',
            hint=did_you_mean(unknown[0], by_name),
            column=unknown[0],
        )
    return [(by_name[name], name) for name in projections]
