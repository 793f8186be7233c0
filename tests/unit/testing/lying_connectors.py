"""Connectors that lie on purpose, each in one way, and an honest one to compare them with."""

import contextlib
import dataclasses
import os
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pyarrow as pa

from igloo.cancel import CancelToken
from igloo.config.secrets import Secret
from igloo.connectors.contract import Capabilities, Operator, Scan, WriteMode
from igloo.connectors.memory import MemoryConnector
from igloo.connectors.options import Options, option
from igloo.connectors.predicates import (
    And,
    Comparison,
    ComparisonOperator,
    Like,
    Literal,
    Not,
    Or,
    columns_of,
    keep_true,
)
from igloo.errors import QueryCancelled, SourceDataError
from igloo.names import TableName
from igloo.testing.conformance import ConnectorConformance, WritesConformance

_PASSWORD = Secret("hunter2-swordfish")


class Disk:
    """The source of these connectors, as their driver shows it."""

    def touch(self):
        pass


DISK = Disk()


class DiskError(Exception):
    pass


class DiskTimeoutError(Exception):
    pass


class Honest(MemoryConnector):
    """Does what the contract says, and can be broken."""

    is_broken = False
    mapped = (DiskError, DiskTimeoutError)

    def touch(self):
        try:
            DISK.touch()
        except self.mapped as error:
            raise SourceDataError("The disk failed.", catalog=self.catalog) from error

    def list_tables(self, schema):
        self.touch()
        return super().list_tables(schema)

    def load_table(self, name):
        self.touch()
        return super().load_table(name)

    def read_split(self, split, cancel):
        self.touch()
        if self.is_broken:
            raise SourceDataError("The source broke.", catalog=self.catalog)
        return super().read_split(split, cancel)

    def read_all(self, split, columns=None, **changes):
        """Return a split's rows, some of its details changed."""
        detail = dataclasses.replace(split.detail, **changes)
        changed = dataclasses.replace(split, detail=detail, columns=columns or split.columns)
        return super().read_split(changed, CancelToken()).read_all()


class LimitUnderResidual(Honest):
    """Leaves the filter to the engine, and cuts to the limit all the same."""

    def plan_scan(self, table, pushdown):
        extra = sorted(columns_of(pushdown.filter) - set(pushdown.columns))
        wider = dataclasses.replace(pushdown, columns=(*pushdown.columns, *extra), filter=None)
        return Scan(splits=super().plan_scan(table, wider).splits, residual=pushdown.filter)


class LimitBeforeFilter(Honest):
    def read_split(self, split, cancel):
        limit = split.detail.limit
        rows = self.read_all(split, split.table.schema.names, filter=None, limit=limit)
        return _reader(_kept(rows, split.detail.filter), split)


class IgnoresProjection(Honest):
    def read_split(self, split, cancel):
        every = dataclasses.replace(split, columns=tuple(split.table.schema.names))
        return super().read_split(every, cancel)


class IgnoresOrder(Honest):
    def plan_scan(self, table, pushdown):
        ordered = tuple(name for name in table.schema.names if name in pushdown.columns)
        return super().plan_scan(table, dataclasses.replace(pushdown, columns=ordered))


class ForgetsResidualColumns(Honest):
    def plan_scan(self, table, pushdown):
        bare = dataclasses.replace(pushdown, filter=None, limit=None)
        return Scan(splits=super().plan_scan(table, bare).splits, residual=pushdown.filter)


class ClaimsFilterNotApplied(Honest):
    def plan_scan(self, table, pushdown):
        return super().plan_scan(table, dataclasses.replace(pushdown, filter=None, limit=None))


class ClaimsNothingTakesFilter(Honest):
    capabilities = Capabilities(operators=frozenset({Operator.LIMIT}))


class ClaimsNothingTakesLimit(Honest):
    capabilities = Capabilities(operators=frozenset({Operator.FILTER}))


class ClaimsLimitNeverTakes(Honest):
    def plan_scan(self, table, pushdown):
        return super().plan_scan(table, dataclasses.replace(pushdown, limit=None))


class ClaimsFilterNeverTakes(ForgetsResidualColumns):
    def plan_scan(self, table, pushdown):
        extra = sorted(columns_of(pushdown.filter) - set(pushdown.columns))
        wider = dataclasses.replace(pushdown, columns=(*pushdown.columns, *extra))
        return super().plan_scan(table, wider)


class OtherMeaning(Honest):
    """Filters by a meaning of its own."""

    def read_split(self, split, cancel):
        rows = self.read_all(split, split.table.schema.names, filter=None, limit=None)
        meant = self.meaning(split.detail.filter, rows) if split.detail.filter else None
        return _reader(rows if meant is None else rows.filter(pa.array(meant)), split)

    def meaning(self, predicate, rows):
        match predicate:
            case Not(operand):
                return [not value for value in self.meaning(operand, rows)]
            case And(operands):
                return [
                    all(v) for v in zip(*(self.meaning(p, rows) for p in operands), strict=True)
                ]
            case Or(operands):
                return [
                    any(v) for v in zip(*(self.meaning(p, rows) for p in operands), strict=True)
                ]
        return self.leaf(predicate, rows)

    def leaf(self, predicate, rows):
        numbered = rows.append_column("_row", pa.array(range(rows.num_rows)))
        kept = set(_kept(numbered, predicate).column("_row").to_pylist())
        return [number in kept for number in range(rows.num_rows)]


class TwoValued(OtherMeaning):
    """NULL counts as FALSE, which NOT makes TRUE."""


class NaNAsInIeee754(OtherMeaning):
    def meaning(self, predicate, rows):
        if isinstance(predicate, Comparison) and isinstance(predicate.right, Literal):
            column = rows.column(predicate.left.name)
            if (
                pa.types.is_floating(column.type)
                and predicate.operator is ComparisonOperator.GREATER
            ):
                value = predicate.right.value.as_py()
                return [x is not None and x > value for x in column.to_pylist()]
        return super().meaning(predicate, rows)


class TextWithoutCase(OtherMeaning):
    def meaning(self, predicate, rows):
        if isinstance(predicate, Comparison) and predicate.operator is ComparisonOperator.EQUAL:
            column = rows.column(predicate.left.name)
            if pa.types.is_string(column.type):
                value = predicate.right.value.as_py().lower()
                return [x is not None and x.lower() == value for x in column.to_pylist()]
        return super().meaning(predicate, rows)


class LikeWithoutEscape(OtherMeaning):
    def meaning(self, predicate, rows):
        if isinstance(predicate, Like):
            predicate = Like(predicate.column, predicate.pattern.replace("\\", ""))
        return super().meaning(predicate, rows)


class LosesLastSplit(Honest):
    def plan_scan(self, table, pushdown):
        scan = super().plan_scan(table, pushdown)
        return dataclasses.replace(scan, splits=scan.splits[:-1])


class DuplicatesSplit(Honest):
    def plan_scan(self, table, pushdown):
        scan = super().plan_scan(table, pushdown)
        return dataclasses.replace(scan, splits=(*scan.splits, *scan.splits[-1:]))


class SplitsCarryRows(Honest):
    def plan_scan(self, table, pushdown):
        scan = super().plan_scan(table, pushdown)
        heavy = dataclasses.replace(table, detail=_Heavy(table.detail, self.arrow_table(table)))
        splits = tuple(dataclasses.replace(split, table=heavy) for split in scan.splits)
        return dataclasses.replace(scan, splits=splits)

    def read_split(self, split, cancel):
        light = dataclasses.replace(split.table, detail=split.table.detail.version)
        return super().read_split(dataclasses.replace(split, table=light), cancel)


@dataclass(frozen=True)
class _Heavy:
    version: object
    rows: pa.Table


class RowsWithoutColumnsAreLost(Honest):
    def read_split(self, split, cancel):
        if split.columns:
            return super().read_split(split, cancel)
        return pa.RecordBatchReader.from_batches(pa.schema([]), iter(()))


class WrongReaderSchema(Honest):
    def read_split(self, split, cancel):
        rows = super().read_split(split, cancel).read_all()
        wider = [
            pa.field(f.name, pa.int32() if f.type == pa.int16() else f.type) for f in rows.schema
        ]
        return rows.cast(pa.schema(wider)).to_reader()


class LosesMicroseconds(Honest):
    def read_split(self, split, cancel):
        rows = super().read_split(split, cancel).read_all()
        coarse = [
            pa.field(f.name, pa.timestamp("ms", f.type.tz)) if pa.types.is_timestamp(f.type) else f
            for f in rows.schema
        ]
        return rows.cast(pa.schema(coarse), safe=False).cast(rows.schema, safe=False).to_reader()


class EmptyTextIsNull(Honest):
    def read_split(self, split, cancel):
        rows = super().read_split(split, cancel).read_all()
        columns = [
            pa.chunked_array([[x or None for x in c.to_pylist()]], c.type)
            if pa.types.is_string(c.type) else c
            for c in rows.columns
        ]  # fmt: skip
        return pa.Table.from_arrays(columns, schema=rows.schema).to_reader()


class WrongRowCount(Honest):
    def load_table(self, name):
        table = super().load_table(name)
        return dataclasses.replace(table, row_count=table.row_count + 1)


class KeyErrorForUnknownTables(Honest):
    def load_table(self, name):
        with contextlib.suppress(Exception):
            return super().load_table(name)
        raise KeyError(name)


class IgnoresCase(Honest):
    def load_table(self, name):
        return super().load_table(TableName(name.schema, name.table.lower()))


class UnsortedTables(Honest):
    def list_tables(self, schema):
        return list(reversed(super().list_tables(schema)))


class DriverExceptionLeaves(Honest):
    def read_split(self, split, cancel):
        if self.is_broken:
            raise ConnectionResetError("peer went away")
        return super().read_split(split, cancel)


class ErrorsWithoutCatalog(Honest):
    def read_split(self, split, cancel):
        if self.is_broken:
            raise SourceDataError("The source broke.")
        return super().read_split(split, cancel)


class HidesThatTheSourceBroke(Honest):
    def read_split(self, split, cancel):
        if self.is_broken:
            return pa.RecordBatchReader.from_batches(split.table.schema, iter(()))
        return super().read_split(split, cancel)


class LeaksFiles(Honest):
    def read_split(self, split, cancel):
        self.leaked = [*getattr(self, "leaked", ()), Path(os.devnull).open()]  # noqa: SIM115 - it leaks on purpose
        return super().read_split(split, cancel)

    def close(self):
        for file in getattr(self, "leaked", ()):
            file.close()
        super().close()


class ClosesOnce(Honest):
    def close(self):
        if self.__dict__.setdefault("closed", False):
            raise RuntimeError("closed already")
        self.closed = True
        super().close()


class KeepsFilesAfterClose(Honest):
    kept: ClassVar[list] = []

    def close(self):
        self.kept.append(Path(os.devnull).open())  # noqa: SIM115 - it leaks on purpose
        super().close()


class IgnoresCancel(Honest):
    def read_split(self, split, cancel):
        return super().read_split(split, CancelToken())


class EndsQuietlyWhenCancelled(Honest):
    def read_split(self, split, cancel):
        reader = super().read_split(split, CancelToken())

        def batches():
            for batch in reader:
                if cancel.is_cancelled:
                    return
                yield batch

        return pa.RecordBatchReader.from_batches(reader.schema, batches())


class OneBatch(Honest):
    def read_split(self, split, cancel):
        rows = super().read_split(split, cancel).read_all()
        return pa.RecordBatchReader.from_batches(rows.schema, rows.combine_chunks().to_batches())


class ReadsAllAtOnce(Honest):
    def read_split(self, split, cancel):
        rows = super().read_split(split, cancel).read_all()
        output = pa.BufferOutputStream()
        with pa.ipc.new_stream(output, rows.schema) as writer:
            writer.write_table(rows)
        return pa.ipc.open_stream(output.getvalue())


class DriverErrorLeavesTheList(Honest):
    def list_tables(self, schema):
        DISK.touch()
        return super().list_tables(schema)


class AFailedReadIsAnEmptyTable(Honest):
    def read_split(self, split, cancel):
        try:
            return super().read_split(split, cancel)
        except SourceDataError:
            schema = pa.schema([split.table.schema.field(name) for name in split.columns])
            return pa.RecordBatchReader.from_batches(schema, iter(()))


class NeverRecovers(Honest):
    failed = None

    def touch(self):
        if self.failed is not None:
            raise self.failed
        try:
            super().touch()
        except SourceDataError as error:
            self.failed = error
            raise


class FailuresWithoutCatalog(Honest):
    def touch(self):
        try:
            DISK.touch()
        except self.mapped as error:
            raise SourceDataError("The disk failed.") from error


class KnowsOneFailureOnly(Honest):
    mapped = (DiskError,)


class TouchesNothing(Honest):
    def touch(self):
        pass


class LeaksWhenItFails(LeaksFiles):
    def read_split(self, split, cancel):
        return Honest.read_split(self, split, cancel)

    def touch(self):
        try:
            super().touch()
        except SourceDataError:
            KEPT.append(Path(os.devnull).open())  # noqa: SIM115 - it leaks on purpose
            raise


#: What the leaking ones keep.
KEPT = []


class LeaksWhenCancelled(Honest):
    def read_split(self, split, cancel):
        reader = super().read_split(split, cancel)

        def batches():
            try:
                yield from reader
            except QueryCancelled:
                KEPT.append(Path(os.devnull).open())  # noqa: SIM115 - it leaks on purpose
                raise

        return pa.RecordBatchReader.from_batches(reader.schema, batches())


class ForgetsTheAnswer(Honest):
    """Loses one value, which only an author's own case of types has."""

    def read_split(self, split, cancel):
        rows = super().read_split(split, cancel).read_all()
        columns = [
            pa.chunked_array([[None if x == 4_242 else x for x in c.to_pylist()]], c.type)
            if c.type == pa.int64() else c
            for c in rows.columns
        ]  # fmt: skip
        return pa.Table.from_arrays(columns, schema=rows.schema).to_reader()


class Scanned(Honest):
    """Is read by its splits, as a source outside of the process is."""

    def arrow_table(self, table):
        return None


class ScannedFilterNotApplied(Scanned):
    def plan_scan(self, table, pushdown):
        return super().plan_scan(table, dataclasses.replace(pushdown, filter=None, limit=None))


class ScannedTakesWhatItDoesNotClaim(Scanned):
    capabilities = Capabilities(operators=frozenset({Operator.LIMIT}))


class EstimatesBelowZero(Honest):
    def statistics(self, table):
        return dataclasses.replace(super().statistics(table), row_count=-1.0)


class OpensMoreFilesThanThereAre(Honest):
    def plan_scan(self, table, pushdown):
        scan = super().plan_scan(table, pushdown)
        return dataclasses.replace(scan, files_planned=2, files_total=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class _SecretOptions(Options):
    password: Secret = option("The password.", default=_PASSWORD)  # noqa: RUF009 - it makes a field


class PrintsSecret(Honest):
    options_type = _SecretOptions

    def __init__(self, catalog):
        super().__init__(catalog, _SecretOptions())

    def __repr__(self):
        return f"PrintsSecret({self.options.password.reveal()})"


class SecretInError(PrintsSecret):
    __repr__ = object.__repr__

    def load_table(self, name):
        try:
            return super().load_table(name)
        except Exception as error:
            error.context["uri"] = f"db://me:{self.options.password.reveal()}@host"
            raise


@dataclass(frozen=True, slots=True, kw_only=True)
class _PlainOptions(Options):
    password: str = option("The password.", default="")


class PasswordIsPlain(Honest):
    options_type = _PlainOptions

    def __init__(self, catalog):
        super().__init__(catalog, _PlainOptions())


@dataclass(frozen=True, slots=True, kw_only=True)
class _UndocumentedOptions(Options):
    port: int = 5


class OptionWithoutHelp(Honest):
    options_type = _UndocumentedOptions

    def __init__(self, catalog):
        super().__init__(catalog, _UndocumentedOptions())


@dataclass(frozen=True, init=False)
class _AnyOptions(Options):
    def __init__(self, **kwargs):
        pass


class AcceptsUnknownOptions(Honest):
    options_type = _AnyOptions

    def __init__(self, catalog):
        super().__init__(catalog, _AnyOptions())


class ClaimsSqlItLacks(Honest):
    capabilities = Capabilities(
        operators=frozenset({Operator.FILTER, Operator.LIMIT}), sql_dialect="postgres"
    )


class WritesBatchByBatch(Honest):
    def write(self, name, rows, mode):
        if mode is WriteMode.OVERWRITE:
            super().write(name, rows.schema.empty_table().to_reader(), mode)
        written = 0
        for batch in rows:
            table = pa.Table.from_batches([batch])
            written += super().write(name, table.to_reader(), WriteMode.APPEND)
        return written


class VersionNeverMoves(Honest):
    def load_table(self, name):
        return dataclasses.replace(super().load_table(name), version="1")


class OverwriteAppends(Honest):
    def write(self, name, rows, mode):
        return super().write(name, rows, WriteMode.APPEND)


class NullsInNotNull(Honest):
    def create_table(self, name, schema):
        super().create_table(name, pa.schema([field.with_nullable(True) for field in schema]))


class CreateReplaces(Honest):
    def create_table(self, name, schema):
        self.put(name, schema.empty_table())


def _kept(rows, predicate):
    if predicate is None:
        return rows
    batches = [keep_true(batch, predicate) for batch in rows.to_batches()]
    return pa.Table.from_batches(batches, rows.schema)


def _reader(rows, split):
    chosen = rows.select(list(split.columns))
    return pa.RecordBatchReader.from_batches(chosen.schema, chosen.to_batches())


#: Each liar, and the tests of which every one has to catch it.
CAUGHT_BY = {
    LimitUnderResidual: ["test_filter_case_with_a_limit[null_is_not_equal]"],
    LimitBeforeFilter: ["test_filter_case_with_a_limit[null_is_not_equal]"],
    IgnoresProjection: ["test_each_column_can_be_read_alone"],
    IgnoresOrder: ["test_columns_come_in_the_asked_order"],
    ForgetsResidualColumns: ["test_a_filter_may_read_columns_that_are_not_asked_for"],
    ClaimsFilterNotApplied: ["test_filter_case[one_row]", "test_random_filters[0]"],
    ClaimsNothingTakesFilter: ["test_filters_are_taken_as_claimed", "test_filter_case[one_row]"],
    ClaimsNothingTakesLimit: ["test_limits_are_taken_as_claimed", "test_a_limit_without_a_filter[7]"],
    ClaimsLimitNeverTakes: ["test_limits_are_taken_as_claimed"],
    ClaimsFilterNeverTakes: ["test_filters_are_taken_as_claimed"],
    TwoValued: ["test_filter_case_negated[null_is_not_equal]", "test_filter_case[null_under_not]"],
    NaNAsInIeee754: ["test_filter_case[nan_is_greatest]"],
    TextWithoutCase: ["test_filter_case[text_case_matters]"],
    LikeWithoutEscape: ["test_filter_case[like_escaped_underscore]"],
    LosesLastSplit: ["test_every_row_is_read_once[facts]"],
    DuplicatesSplit: ["test_every_row_is_read_once[facts]"],
    SplitsCarryRows: ["test_splits_are_small_and_survive_pickling[large_facts]"],
    RowsWithoutColumnsAreLost: ["test_no_columns_still_give_every_row[facts]"],
    WrongReaderSchema: ["test_every_row_is_read_once[facts]"],
    LosesMicroseconds: ["test_a_type_comes_back_exactly_or_is_refused[timestamp_us]"],
    EmptyTextIsNull: ["test_a_type_comes_back_exactly_or_is_refused[string]"],
    WrongRowCount: ["test_the_row_count_is_exact_where_it_is_given"],
    KeyErrorForUnknownTables: ["test_an_unknown_table_is_table_not_found[no_such_table]"],
    IgnoresCase: ["test_a_name_in_another_case_is_another_name"],
    UnsortedTables: ["test_tables_are_listed_sorted_and_all_are_there"],
    DriverExceptionLeaves: ["test_a_source_that_breaks_before_reading_raises_source_errors"],
    ErrorsWithoutCatalog: ["test_a_source_that_breaks_before_reading_raises_source_errors"],
    HidesThatTheSourceBroke: ["test_a_source_that_breaks_before_planning_raises_source_errors"],
    LeaksFiles: ["test_abandoned_readers_leave_nothing_open", "test_finished_readers_leave_nothing_open"],
    ClosesOnce: ["test_closing_twice_is_safe"],
    KeepsFilesAfterClose: ["test_closing_gives_everything_back"],
    IgnoresCancel: [
        "test_a_read_that_is_cancelled_before_it_starts_raises",
        "test_a_read_that_is_cancelled_midway_stops_within_a_second",
        "test_a_cancelled_read_ends_with_the_tokens_reason",
    ],
    EndsQuietlyWhenCancelled: ["test_a_read_that_is_cancelled_midway_stops_within_a_second"],
    OneBatch: ["test_a_large_table_arrives_in_batches"],
    ReadsAllAtOnce: ["test_reading_a_large_table_takes_little_memory"],
    PrintsSecret: ["test_secrets_are_never_printed"],
    SecretInError: ["test_secrets_are_never_printed"],
    PasswordIsPlain: ["test_options_that_hold_secrets_are_secrets"],
    OptionWithoutHelp: ["test_every_option_is_documented"],
    AcceptsUnknownOptions: ["test_an_unknown_option_is_refused"],
    ClaimsSqlItLacks: ["test_a_dialect_and_running_sql_go_together"],
    WritesBatchByBatch: ["test_a_write_that_fails_midway_leaves_no_row[append]"],
    VersionNeverMoves: ["test_the_version_changes_with_every_write[append]"],
    OverwriteAppends: ["test_overwritten_rows_are_gone"],
    NullsInNotNull: ["test_a_null_in_a_column_that_is_not_null_is_refused"],
    DriverErrorLeavesTheList: ["test_whatever_call_to_the_source_fails[once]"],
    AFailedReadIsAnEmptyTable: [
        "test_whatever_call_to_the_source_fails[once]",
        "test_whatever_call_to_the_source_fails[for good]",
    ],
    NeverRecovers: ["test_whatever_call_to_the_source_fails[once]"],
    FailuresWithoutCatalog: ["test_whatever_call_to_the_source_fails[for good]"],
    KnowsOneFailureOnly: ["test_every_failure_of_the_driver_is_a_source_error"],
    TouchesNothing: ["test_whatever_call_to_the_source_fails[once]"],
    LeaksWhenItFails: ["test_failures_leave_nothing_open"],
    LeaksWhenCancelled: ["test_cancelled_readers_leave_nothing_open"],
    ForgetsTheAnswer: ["test_a_type_comes_back_exactly_or_is_refused[answer]"],
    ScannedFilterNotApplied: ["test_the_engine_answers_the_same_however_much_is_pushed"],
    ScannedTakesWhatItDoesNotClaim: ["test_the_plan_says_what_the_source_leaves"],
    EstimatesBelowZero: ["test_estimates_can_be_true"],
    OpensMoreFilesThanThereAre: ["test_a_scan_opens_no_more_files_than_there_are"],
    CreateReplaces: ["test_creating_twice_is_already_exists"],
}  # fmt: skip


class _Conformance(WritesConformance, ConnectorConformance):
    connector_type: ClassVar = Honest
    large_table_rows: ClassVar = 140_000  # three batches
    settle_s: ClassVar = 0.2
    source_failures: ClassVar = [DiskError("planted"), DiskTimeoutError("planted")]
    type_cases: ClassVar = {"answer": (pa.int64(), (42, 4_242))}

    def make_connector(self, tables):
        connector = self.connector_type("lies")
        for name, table in tables.items():
            connector.put(TableName("public", name), table)
        return connector

    def source_calls(self):
        return [(Disk, "touch")]

    def reopen(self, connector):
        fresh = self.connector_type(connector.catalog)
        for name, version in connector._current.items():
            fresh.put(name, version.source_here.table)
        return fresh

    def break_source(self, connector, table):
        connector.is_broken = True


class TestHonest(_Conformance):
    pass


for liar in CAUGHT_BY:
    globals()[f"Test{liar.__name__}"] = type(
        f"Test{liar.__name__}", (_Conformance,), {"connector_type": liar}
    )
del liar
