"""Turns a list of files into native DataFusion scans.

Everything is built from DataFusion expressions: no name is registered in the session, so that one
session serves several threads, and no text is parsed, so that any name and any value is safe.
"""

from __future__ import annotations

from dataclasses import replace
from functools import reduce
from operator import and_
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
from datafusion import DataFrame, Expr, SessionContext, functions, lit
from datafusion.catalog import Table

from igloo.connectors.file_scan import Constant, FileFormat, FromFile, MakeStruct
from igloo.engine.execution import listing
from igloo.errors import ColumnNotFound, NotSupported

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from igloo.connectors.file_scan import (
        ColumnSource,
        EqualityDeletes,
        FileGroup,
        FileScan,
        PositionDeletes,
    )


def bind_file_scan(ctx: SessionContext, scan: FileScan, schema: pa.Schema) -> DataFrame:
    """Return the rows of ``scan`` as one native, lazy DataFusion plan.

    Filters, projections and limits put above it reach the files' readers.

    Args:
        ctx: where the plan is made; nothing is registered in it.
        scan: what to read.
        schema: the columns wanted, in order: the table's, or some of them.

    Returns:
        Exactly these columns in this order. Types are equal except that text and bytes of Parquet
        files may come as ``string_view`` and ``binary_view``, in which DataFusion reads them
        fastest, and that nullability may be wider.

    Raises:
        ColumnNotFound: a column is asked for that no file can give.
        NotSupported: the same file is listed twice, or a group cannot be read natively.
        SourceDataError: a local file is not there any more.
    """
    listing.check_local_files(file.path for group in scan.groups for file in group.files)
    wanted = _as_read(schema, scan.format)
    groups = scan.groups if listing.self_check() else _one_file_each(scan.groups)
    if not groups:
        return _no_rows(ctx, wanted)
    return _union_all([_GroupBinding(ctx, scan, group, wanted).bind() for group in groups])


def bind_file_table(ctx: SessionContext, scan: FileScan, schema: pa.Schema) -> Table:
    """Return the rows of ``scan`` as a table; see ``bind_file_scan`` for all but the form.

    One plain Parquet file becomes DataFusion's own table of files; anything else a view, which
    costs the optimizer a few nodes more in every statement.
    """
    plain = _one_plain_file(scan, schema)
    if plain is not None:
        found = plain.schema
        if found.names == schema.names and found.types == _as_read(schema, scan.format).types:
            return plain
    return Table(bind_file_scan(ctx, scan, schema).into_view())


def _one_plain_file(scan: FileScan, schema: pa.Schema) -> Table | None:
    if scan.format is not FileFormat.PARQUET or scan.partition_schema or len(scan.groups) != 1:
        return None
    (group,) = scan.groups
    is_mapped = group.columns is not None or group.position_deletes or group.equality_deletes
    if is_mapped or len(group.files) != 1 or any(_is_float(field.type) for field in schema):
        return None
    listing.check_local_files([group.files[0].path])
    url = listing.file_url(group.files[0].path)
    own = _as_read(group.file_schema or schema, scan.format)
    # A session of its own: a table is made by registering it, and the engine's has no such names.
    scratch = SessionContext()
    scratch.register_parquet("t", url, file_extension="", schema=own)
    return scratch.table_provider("t")


def _as_read(schema: pa.Schema, format_: FileFormat) -> pa.Schema:
    if format_ is not FileFormat.PARQUET:
        return schema
    return pa.schema([field.with_type(_view_of(field.type)) for field in schema])


def _view_of(type_: pa.DataType) -> pa.DataType:
    if pa.types.is_string(type_) or pa.types.is_large_string(type_):
        return pa.string_view()
    if pa.types.is_binary(type_) or pa.types.is_large_binary(type_):
        return pa.binary_view()
    return type_


def _one_file_each(groups: Iterable[FileGroup]) -> tuple[FileGroup, ...]:
    return tuple(replace(group, files=(file,)) for group in groups for file in group.files)


def _no_rows(ctx: SessionContext, schema: pa.Schema) -> DataFrame:
    return ctx.read_batch(pa.RecordBatch.from_pylist([], schema=schema))


def _union_all(frames: Sequence[DataFrame]) -> DataFrame:
    """Return all rows of ``frames``; as a balanced tree, because optimizers recurse."""
    if len(frames) == 1:
        return frames[0]
    middle = len(frames) // 2
    return _union_all(frames[:middle]).union(_union_all(frames[middle:]))


class _GroupBinding:
    """Binds one group: read, name by number, map, leave out what is deleted.

    The columns of the file are first given the names ``c0``, ``c1`` …: a file's name that stays
    in sight beside a table's column of the same name makes DataFusion's optimizer fail.
    """

    def __init__(
        self, ctx: SessionContext, scan: FileScan, group: FileGroup, wanted: pa.Schema
    ) -> None:
        self._ctx = ctx
        self._scan = scan
        self._group = group
        self._wanted = wanted
        self._partitions = scan.partition_schema or pa.schema([])
        self._reported = [listing.reported_name(file.path) for file in group.files]
        if len(set(self._reported)) != len(self._reported):
            twice = next(n for n in self._reported if self._reported.count(n) > 1)
            raise NotSupported(f'The file "{twice}" is listed twice in one scan.')

    def bind(self) -> DataFrame:
        file_rows = listing.read_files(
            self._ctx, self._scan, [file.path for file in self._group.files], self._file_schema()
        )
        if self._is_plain(file_rows):
            return _floats_guarded(file_rows) if self._is_guarded else file_rows
        rows = self._mapped(file_rows)
        if self._group.position_deletes is not None:
            rows = self._without_positions(rows, self._group.position_deletes)
        for deletes in _merged(self._group.equality_deletes):
            rows = self._without_keys(rows, deletes)
        return rows.select(
            *(
                rows.col(_output(i)).alias(field.name, _extension_metadata(field.type))
                for i, field in enumerate(self._wanted)
            )
        )

    def _file_schema(self) -> pa.Schema | None:
        given = self._group.file_schema
        if given is not None:
            return _as_read(given, self._scan.format)
        if self._group.columns is not None:
            return None
        own = set(self._partitions.names)
        hidden = {
            name: key_type
            for deletes in self._group.equality_deletes
            for name, key_type in zip(deletes.columns, deletes.keys.schema.types, strict=True)
            if name in self._hidden_names() and name not in own
        }
        wanted = [field for field in self._wanted if field.name not in own]
        return pa.schema([*wanted, *(pa.field(name, kind) for name, kind in hidden.items())])

    @property
    def _is_guarded(self) -> bool:
        return self._scan.format is FileFormat.PARQUET

    def _is_plain(self, file_rows: DataFrame) -> bool:
        group = self._group
        if group.columns is not None or group.position_deletes or group.equality_deletes:
            return False
        found = file_rows.schema()
        return found.names == self._wanted.names and found.types == self._wanted.types

    # -- names and values ----------------------------------------------------------------------

    def _mapped(self, file_rows: DataFrame) -> DataFrame:
        file_types = dict(zip(file_rows.schema().names, file_rows.schema().types, strict=True))
        numbers = {name: f"c{i}" for i, name in enumerate(file_types)}
        inner = [
            (_guarded(file_rows, name) if self._is_guarded else file_rows.col(name)).alias(number)
            for name, number in numbers.items()
        ]
        has_positions = self._group.position_deletes is not None
        if has_positions:
            inner.append(functions.file_row_index().alias("position"))
        if has_positions or self._partitions_differ():
            inner.append(functions.input_file_name().alias("file_name"))
        rows = file_rows.select(*inner)
        columns = {name: (rows.col(number), file_types[name]) for name, number in numbers.items()}
        outer = [
            self._column(rows, columns, field.name, field.type).alias(_output(i))
            for i, field in enumerate(self._wanted)
        ]
        for i, name in enumerate(self._hidden_names()):
            outer.append(self._column(rows, columns, name, None).alias(_hidden(i)))
        if has_positions:
            outer.append(rows.col("position"))
            outer.append(self._file_number(rows).alias("file_number"))
        return rows.select(*outer)

    def _hidden_names(self) -> list[str]:
        """Columns that only equality deletes compare with."""
        used = (name for deletes in self._group.equality_deletes for name in deletes.columns)
        return [name for name in dict.fromkeys(used) if name not in self._wanted.names]

    def _column(
        self,
        rows: DataFrame,
        columns: dict[str, tuple[Expr, pa.DataType]],
        name: str,
        type_: pa.DataType | None,
    ) -> Expr:
        """Return the table's column ``name``, cast to ``type_`` if given."""
        if name in self._partitions.names:
            return self._partition(rows, name, type_)
        sources = {column.name: column.source for column in self._group.columns or ()}
        source = FromFile((name,)) if self._group.columns is None else sources.get(name)
        if source is None or (isinstance(source, FromFile) and source.path[0] not in columns):
            raise ColumnNotFound(f'The files have no column "{name}".', column=name)
        return _value(source, columns, type_)

    def _partitions_differ(self) -> bool:
        return len({file.partition_values for file in self._group.files}) > 1

    def _partition(self, rows: DataFrame, name: str, type_: pa.DataType | None) -> Expr:
        index = self._partitions.get_field_index(name)
        type_ = type_ or self._partitions.field(index).type
        values = [_literal(file.partition_values[index], type_) for file in self._group.files]
        if not self._partitions_differ():
            return values[0]
        return self._by_file(rows, values)

    def _by_file(self, rows: DataFrame, values: Sequence[Expr]) -> Expr:
        """Return the value of each row's file. DataFusion looks literals up in a hash table."""
        choice = functions.case(rows.col("file_name"))
        for name, value in zip(self._reported, values, strict=True):
            choice = choice.when(Expr.string_literal(name), value)
        return choice.end()

    def _file_number(self, rows: DataFrame) -> Expr:
        numbers = [
            _literal(pa.scalar(i, pa.int32()), pa.int32()) for i in range(len(self._reported))
        ]
        return numbers[0] if len(numbers) == 1 else self._by_file(rows, numbers)

    # -- deletes -------------------------------------------------------------------------------

    def _without_positions(self, rows: DataFrame, deletes: PositionDeletes) -> DataFrame:
        paths = pa.array([file.path for file in self._group.files], pa.string())
        numbers = pc.index_in(deletes.positions["file"].cast(pa.string()), value_set=paths)
        table = pa.table(
            {"deleted_file": numbers, "deleted_position": deletes.positions["position"]}
        ).filter(pc.is_valid(numbers))
        gone = _in_memory(self._ctx, table.combine_chunks())
        return rows.join_on(
            gone,
            rows.col("file_number") == gone.col("deleted_file"),
            rows.col("position") == gone.col("deleted_position"),
            how="anti",
        )

    def _without_keys(self, rows: DataFrame, deletes: EqualityDeletes) -> DataFrame:
        hidden = self._hidden_names()
        own = [
            _output(self._wanted.names.index(name))
            if name in self._wanted.names
            else _hidden(hidden.index(name))
            for name in deletes.columns
        ]
        types = [rows.schema().field(name).type for name in own]
        keys = _in_memory(
            self._ctx, deletes.keys.rename_columns([f"k{i}" for i in range(len(own))])
        )
        keys = keys.select(
            *(keys.col(f"k{i}").cast(type_).alias(f"key{i}") for i, type_ in enumerate(types))
        )
        # NULL equals NULL here; DataFusion makes a hash join of it where all terms are of this kind.
        both = rows.join_on(keys, lit(value=True))
        same = [
            both.parse_sql_expr(f"{name} IS NOT DISTINCT FROM key{i}") for i, name in enumerate(own)
        ]
        return rows.join_on(keys, reduce(and_, same), how="anti")


def _floats_guarded(rows: DataFrame) -> DataFrame:
    """Hide floating-point columns from DataFusion's use of Parquet statistics."""
    fields = list(rows.schema())
    if not any(_is_float(field.type) for field in fields):
        return rows
    # By numbers in between, for the reason that _GroupBinding has.
    numbered = rows.select(
        *(_guarded(rows, field.name).alias(f"c{i}") for i, field in enumerate(fields))
    )
    return numbered.select(
        *(numbered.col(f"c{i}").alias(field.name) for i, field in enumerate(fields))
    )


def _guarded(rows: DataFrame, name: str) -> Expr:
    """Return a column; a floating-point one so that its statistics are not used.

    Statistics leave NaN out, and NaN is greater than every number: row groups that hold one would
    be skipped by ``x > 5``, and ``max(x)`` would miss it. ``nanvl(x, x)`` is x, and opaque.
    """
    column = rows.col(name)
    return functions.nanvl(column, column) if _is_float(rows.schema().field(name).type) else column


def _is_float(type_: pa.DataType) -> bool:
    return bool(pa.types.is_float32(type_) or pa.types.is_float64(type_))


def _extension_metadata(type_: pa.DataType) -> dict[str, str] | None:
    """Return what makes a column of an extension type again of its storage; casts lose it."""
    if not isinstance(type_, pa.BaseExtensionType):
        return None
    raw = type_.__arrow_ext_serialize__() if isinstance(type_, pa.ExtensionType) else b""
    return {"ARROW:extension:name": type_.extension_name, "ARROW:extension:metadata": raw.decode()}


def _output(index: int) -> str:
    return f"o{index}"


def _hidden(index: int) -> str:
    return f"h{index}"


def _merged(deletes: Iterable[EqualityDeletes]) -> list[EqualityDeletes]:
    """Return one value for each set of columns, so that each is one join."""
    by_columns: dict[tuple[str, ...], EqualityDeletes] = {}
    for one in deletes:
        seen = by_columns.get(one.columns)
        if seen is not None:
            # Unified as the types are: keys are cast to the columns' types one by one already.
            both = pa.concat_tables([seen.keys, one.keys.rename_columns(seen.keys.column_names)])
            one = replace(one, keys=both)  # noqa: PLW2901 - the merged value takes its place
        by_columns[one.columns] = one
    return list(by_columns.values())


def _in_memory(ctx: SessionContext, table: pa.Table) -> DataFrame:
    return ctx.read_batches(table.to_batches() or [pa.RecordBatch.from_pylist([], table.schema)])


def _value(
    source: ColumnSource,
    columns: dict[str, tuple[Expr, pa.DataType]],
    type_: pa.DataType | None,
) -> Expr:
    match source:
        case Constant(value):
            return _literal(value, type_ or value.type)
        case FromFile():
            taken, found = _from_file(source, columns)
            return taken if type_ is None or type_ == found else taken.cast(type_)
        case MakeStruct(file_struct, fields):
            made = [
                (name, _value(field, columns, None if type_ is None else _field_type(type_, i)))
                for i, (name, field) in enumerate(fields)
            ]
            whole, _ = _from_file(file_struct, columns)
            made_struct = functions.named_struct(made)
            return functions.when(whole.is_not_null(), made_struct).end()


def _field_type(struct: Any, index: int) -> pa.DataType:
    found: pa.DataType = struct.field(index).type
    return found


def _from_file(
    source: FromFile, columns: dict[str, tuple[Expr, pa.DataType]]
) -> tuple[Expr, pa.DataType]:
    value: Expr
    type_: Any
    value, type_ = columns[source.path[0]]
    for name in source.path[1:]:
        value, type_ = value[name], type_.field(name).type
    return value, type_


def _literal(value: pa.Scalar[Any], type_: pa.DataType) -> Expr:
    # DataFusion cannot take a NULL of every nested type, and can cast one to every type.
    if not value.is_valid:
        return lit(None).cast(type_)
    plain = value.value if isinstance(value, pa.ExtensionScalar) else value
    return lit(plain).cast(type_)
