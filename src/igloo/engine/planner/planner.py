"""From a query's text to a physical plan over tables of many sources."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from datafusion import SQLOptions, TableFunction
from datafusion.catalog import Table as BoundTable

from igloo.connectors.contract import HoldsArrow, ListsFiles, Pushdown
from igloo.engine.catalog.resolve import FoundTable, Place
from igloo.engine.execution.activity import PlannedScan
from igloo.engine.execution.failures import translate_failure
from igloo.engine.execution.remote_query import RemoteQuery, literal_arguments
from igloo.engine.execution.scan import ScanDataset, StubDataset
from igloo.engine.planner.bind import Binding, active, active_binding
from igloo.engine.planner.cross_join import check_cross_joins
from igloo.engine.planner.pushdown import read_needs, scans_filtered_by_constants
from igloo.engine.planner.result_types import result_schema
from igloo.engine.planner.rewrite.statement import Statement, is_curable
from igloo.engine.planner.source_functions import strands_source_functions
from igloo.errors import IglooError, InternalError, TableNotFound, UserError
from igloo.names import TableName, TablePath, quote_identifier

if TYPE_CHECKING:
    from collections.abc import Mapping

    from datafusion import DataFrame, SessionContext
    from datafusion.plan import ExecutionPlan, LogicalPlan

    from igloo.config.settings import Settings
    from igloo.engine.catalog.catalogs import Catalogs
    from igloo.engine.catalog.resolve import Resolver
    from igloo.engine.catalog.views import View
    from igloo.engine.execution.activity import Activity
    from igloo.engine.execution.tables import NativeTables
    from igloo.engine.planner.bind import Reference
    from igloo.engine.planner.pushdown import ScanNeed

#: Each round binds at least one more name, so this many names and views can be nested.
ROUNDS_MAX = 200
VIEW_DEPTH_MAX = 32
_NO_LIMIT = 2**63 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedQuery:
    """A query that is ready to run.

    Attributes:
        frame: the query as DataFusion holds it.
        physical: the plan that will run.
        schema: what its rows look like to the user.
        warnings: what the user should know.
    """

    frame: DataFrame
    physical: ExecutionPlan
    schema: pa.Schema
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Planner:
    """Plans queries of one session's settings over one engine's catalogs."""

    context: SessionContext
    catalogs: Catalogs
    resolver: Resolver
    native: NativeTables
    settings: Settings

    def plan(
        self,
        text: str,
        values: Mapping[str, pa.Scalar[Any]],
        place: Place,
        activity: Activity,
    ) -> PlannedQuery:
        """Plan a query.

        Raises:
            UserError: the text, a name or a type in it is wrong.
            SourceError: a source that has to be asked for a schema does not answer.
            LimitExceeded: the plan joins too many rows without a key.
        """
        return _Planning(self, place, activity).plan(text, values)

    def frame(
        self,
        text: str,
        place: Place,
        activity: Activity,
        *,
        writes: bool = False,
        values: Mapping[str, pa.Scalar[Any]] | None = None,
    ) -> DataFrame:
        """Return a statement as DataFusion plans it, tables bound, nothing run."""
        return _Planning(self, place, activity, writes=writes).frame(text, values or {})


@dataclass(slots=True)
class _Stub:
    """A table of files whose list waits for the filter that the plan puts on it."""

    found: FoundTable
    files: ListsFiles


@dataclass(slots=True)
class _Planning:
    """The rounds of planning one statement."""

    planner: Planner
    place: Place
    activity: Activity
    writes: bool = False
    tables: dict[TablePath, BoundTable] = field(default_factory=dict)
    stubs: dict[TablePath, _Stub] = field(default_factory=dict)
    scans: dict[TablePath, ScanDataset] = field(default_factory=dict)
    references: dict[Reference, set[TablePath]] = field(default_factory=dict)
    found: dict[TablePath, FoundTable] = field(default_factory=dict)
    statements: dict[tuple[str, Place, bool], Statement] = field(default_factory=dict)
    view_depth: int = 0

    def plan(self, text: str, values: Mapping[str, pa.Scalar[Any]]) -> PlannedQuery:
        frame, physical = self._physical(text, values)
        named = {
            reference: self.found[path]
            for reference, paths in self.references.items()
            for path in paths
            if path in self.found
        }
        rows_max = self.planner.settings.limits_cross_join_rows
        warnings = check_cross_joins(frame, physical, named, rows_max)
        schema = self._named(result_schema(self.planner.context, frame), text)
        return PlannedQuery(frame=frame, physical=physical, schema=schema, warnings=warnings)

    def _physical(
        self, text: str, values: Mapping[str, pa.Scalar[Any]]
    ) -> tuple[DataFrame, ExecutionPlan]:
        """Plan the statement; once more, rewritten, if DataFusion refuses it that late."""
        try:
            frame = self.frame(text, values)
            return frame, frame.execution_plan()
        except Exception as error:
            if not self.planner.settings.rewrites or not is_curable(error):
                raise self._failure(error) from error
            failure = self._failure(error)
        self.statements[text, self.place, False] = Statement(
            text, values, is_view=False, is_enabled=True, was_refused=True
        )
        frame = self.frame(text, values)
        try:
            return frame, frame.execution_plan()
        except Exception as error:
            # What DataFusion says of the rewritten one names columns that nobody wrote.
            raise failure from error

    def _named(self, schema: pa.Schema, text: str) -> pa.Schema:
        """Return the schema with the names of the statement as it was written."""
        statement = self.statements.get((text, self.place, False))
        names = statement.repeated_names if statement is not None else ()
        if not names:
            return schema
        return pa.schema(
            [column.with_name(name) for column, name in zip(schema, names, strict=True)]
        )

    def frame(self, text: str, values: Mapping[str, pa.Scalar[Any]]) -> DataFrame:
        """Return the statement as a plan over tables that are bound as it needs them."""
        frame = self._informed(text, values)
        if not strands_source_functions(frame):
            return frame
        for path, bound in self.tables.items():
            if isinstance(self.found[path].connector, ListsFiles):
                self.tables[path] = self._behind_limit(bound)
        frame = self._rounds(text, values, self.place)
        if not strands_source_functions(frame):
            return frame
        for path, found in self.found.items():
            if path in self.tables and isinstance(found.connector, ListsFiles):
                self.tables[path] = self._bind_scan(found)
        return self._rounds(text, values, self.place)

    def _informed(self, text: str, values: Mapping[str, pa.Scalar[Any]]) -> DataFrame:
        """Plan in two passes: the second knows what each scan needs."""
        frame = self._rounds(text, values, self.place)
        if not self.stubs and not self.scans:
            return frame
        optimized = frame.optimized_logical_plan()
        unreadable = self._scans_with_unreadable_filters(optimized)
        if unreadable & self.scans.keys():
            for path in unreadable & self.scans.keys():
                self.tables[path] = self._behind_limit(self.tables[path])
            frame = self._rounds(text, values, self.place)
            optimized = frame.optimized_logical_plan()
        needs = self._needs(optimized)
        for path, scan in self.scans.items():
            scan.pushdown_enabled = self.planner.settings.pushdown != "off"
            need = needs.get(path)
            if need is not None and path not in unreadable:
                scan.hint = replace(need.pushdown, filter=need.unhanded)
        if not self.stubs:
            return frame
        for path, stub in self.stubs.items():
            bound = self._bind_files(stub, needs.get(path))
            is_behind_limit = path in unreadable and path in self.scans
            self.tables[path] = self._behind_limit(bound) if is_behind_limit else bound
        self.stubs.clear()
        return self._rounds(text, values, self.place)

    def _scans_with_unreadable_filters(self, optimized: LogicalPlan) -> set[TablePath]:
        references = scans_filtered_by_constants(optimized)
        if references is None:
            return {*self.scans, *self.stubs}
        return {path for reference in references for path in self.references.get(reference, ())}

    def _behind_limit(self, table: BoundTable) -> BoundTable:
        """Return the table behind a limit that is never met: filters stay above it."""
        return BoundTable(self.planner.context.read_table(table).limit(_NO_LIMIT).into_view())

    def _needs(self, optimized: LogicalPlan) -> dict[TablePath, ScanNeed]:
        """Return what each table's scans need; nothing where a name means two tables."""
        if self.planner.settings.pushdown == "off":
            return {}
        by_name = read_needs(optimized)
        needs: dict[TablePath, ScanNeed] = {}
        for path in self.tables:
            names = [ref for ref, paths in self.references.items() if path in paths]
            shared = any(len(self.references[ref]) > 1 for ref in names)
            seen = [by_name[ref] for ref in names if ref in by_name]
            if len(names) == 1 and len(seen) == 1 and not shared:
                needs[path] = self._permitted(seen[0])
        return needs

    def _permitted(self, need: ScanNeed) -> ScanNeed:
        """Return what ``igloo.pushdown`` lets a source be asked: ``scan`` asks for no limit."""
        if self.planner.settings.pushdown == "full":
            return need
        return replace(need, pushdown=replace(need.pushdown, limit=None))

    def _rounds(
        self,
        text: str,
        values: Mapping[str, pa.Scalar[Any]],
        place: Place,
        *,
        is_view: bool = False,
    ) -> DataFrame:
        statement = self._statement(text, values, place, is_view=is_view)
        binding = Binding(remote_queries=self)
        for reference in self.planner.native.names_of(text):
            binding.tables[reference] = self._bind_or_leave(reference, place, binding)
        for _ in range(ROUNDS_MAX):
            frame, failure = self._attempt(statement.first_text, values, binding)
            if not binding.missing:
                attempt = partial(self._attempt_bound, values=values, binding=binding)
                frame, failure = statement.plan(attempt, frame, failure)
            if not binding.missing:
                if frame is None:
                    failure = failure or InternalError("Planning gave nothing.")
                    raise binding.not_found_in(str(failure)) or self._failure(failure)
                self.planner.native.remember_names(text, tuple(binding.tables))
                return frame
            for reference in binding.missing:
                binding.tables[reference] = self._bind_or_leave(reference, place, binding)
            binding.missing.clear()
        raise UserError(f"The query names more than {ROUNDS_MAX} views within views.")

    def _statement(
        self, text: str, values: Mapping[str, pa.Scalar[Any]], place: Place, *, is_view: bool
    ) -> Statement:
        found = self.statements.get((text, place, is_view))
        if found is None:
            is_enabled = self.planner.settings.rewrites
            found = Statement(text, values, is_view=is_view, is_enabled=is_enabled)
            self.statements[text, place, is_view] = found
        return found

    def _attempt(
        self, text: str, values: Mapping[str, pa.Scalar[Any]], binding: Binding
    ) -> tuple[DataFrame | None, Exception | None]:
        options = (
            SQLOptions()
            .with_allow_ddl(allow=False)
            .with_allow_dml(allow=self.writes)
            .with_allow_statements(allow=False)
        )
        with active(binding):
            try:
                frame = self.planner.context.sql(text, options, param_values=dict(values) or None)
            except Exception as error:  # noqa: BLE001 - its meaning depends on what is missing
                return None, error
        return frame, None

    def _attempt_bound(
        self, text: str, values: Mapping[str, pa.Scalar[Any]], binding: Binding
    ) -> tuple[DataFrame | None, Exception | None]:
        """Plan a text made from the statement; a name that is not bound by now is none of its own."""
        frame, failure = self._attempt(text, values, binding)
        if binding.missing:
            binding.missing.clear()
            return None, failure
        return frame, failure

    def _failure(self, error: Exception) -> IglooError:
        return self.activity.failure or translate_failure(error)

    def _bind_or_leave(
        self, reference: Reference, place: Place, binding: Binding
    ) -> BoundTable | None:
        """Bind a name; leave one that may be a table function's, looked up as a table first."""
        try:
            return self._bind(reference, place)
        except TableNotFound as error:
            if len(reference) > 1:
                raise
            binding.not_found[reference[0]] = error
            return None

    def _bind(self, reference: Reference, place: Place) -> BoundTable:
        found = self.planner.resolver.resolve(reference, place)
        self.references.setdefault(reference, set()).add(found.path)
        table = self.tables.get(found.path)
        if table is None:
            if not isinstance(found, FoundTable):
                return self._bind_view(found)
            table = self.tables[found.path] = self._bind_table(found)
        return table

    def _bind_view(self, view: View) -> BoundTable:
        if self.view_depth >= VIEW_DEPTH_MAX:
            raise UserError(
                f'The view "{view.path}" is nested more than {VIEW_DEPTH_MAX} deep.',
                hint="Check whether it refers to itself.",
            )
        self.view_depth += 1
        place = Place(view.catalog, view.schema)
        frame = self._rounds(view.text, {}, place, is_view=True)
        self.view_depth -= 1
        repeated = self.statements[view.text, place, True].repeated_names
        if repeated and not view.columns:
            raise UserError(
                f'The view "{view.path}" would have two columns of one name.',
                hint="Give each its own with AS, or name them behind the view's name.",
            )
        return BoundTable(named_as_in(frame, view).into_view())

    def _bind_table(self, found: FoundTable) -> BoundTable:
        self.found[found.path] = found
        self.activity.read(found.path, found.table.version)
        connector = found.connector
        if isinstance(connector, HoldsArrow):
            held = self.planner.native.bind_memory(self.planner.context, found, self.activity)
            if held is not None:
                self.activity.planned(_memory_scan(found))
                return held
        if isinstance(connector, ListsFiles):
            return self._bind_listed(found, connector)
        return self._bind_scan(found)

    def _bind_listed(self, found: FoundTable, connector: ListsFiles) -> BoundTable:
        everything = Pushdown(columns=tuple(found.table.schema.names))
        scan = connector.list_files(found.table, everything)
        # Fewer columns or a filter may need fewer files, or make the native reader right.
        can_improve = scan is None or scan.files_planned > 1
        if can_improve and self.planner.settings.pushdown != "off":
            self.stubs[found.path] = _Stub(found, connector)
            return BoundTable(StubDataset(found.table.schema))
        if scan is None:
            return self._bind_scan(found)
        return self.planner.native.bind_files(self.planner.context, found, scan, self.activity)

    def _bind_files(self, stub: _Stub, need: ScanNeed | None) -> BoundTable:
        found = stub.found
        everything = Pushdown(columns=tuple(found.table.schema.names))
        scan = stub.files.list_files(found.table, need.pushdown if need else everything)
        if scan is None:
            return self._bind_scan(found, need)
        return self.planner.native.bind_files(self.planner.context, found, scan, self.activity)

    def _bind_scan(self, found: FoundTable, need: ScanNeed | None = None) -> BoundTable:
        dataset = ScanDataset(found.path, found.table, found.connector, self.activity)
        if need is not None:
            dataset.hint = replace(need.pushdown, filter=need.unhanded)
        dataset.pushdown_enabled = self.planner.settings.pushdown != "off"
        self.scans[found.path] = dataset
        return BoundTable(dataset)

    def bind(self, catalog: str, sql: str) -> BoundTable:
        """Bind a remote query; called by ``remote_query()`` while DataFusion plans."""
        remote = RemoteQuery(self.planner.catalogs.connector(catalog), sql)
        path = TablePath(catalog, "remote_query", f"query {len(sql)}")
        table = remote.load_table(TableName(path.schema, path.table))
        return BoundTable(ScanDataset(path, table, remote, self.activity))


def remote_query_function() -> TableFunction:
    """Return the table function ``remote_query``, which asks the statement being planned."""

    def remote_query(*arguments: object) -> BoundTable:
        binding = active_binding()
        if binding.remote_queries is None:
            raise InternalError("A remote query was asked for outside of a statement.")
        planning = binding.remote_queries
        try:
            return planning.bind(*literal_arguments(arguments))
        except IglooError as error:
            # DataFusion keeps the text of an error and loses its class.
            if isinstance(planning, _Planning):
                planning.activity.failed(error)
            raise

    return TableFunction("remote_query", remote_query)


def named_as_in(frame: DataFrame, view: View) -> DataFrame:
    """Return the query of ``view`` with the column names that the view gives it.

    Raises:
        UserError: there are more names than columns, or fewer.
    """
    if not view.columns:
        return frame
    names = frame.schema().names
    if len(view.columns) != len(names):
        raise UserError(
            f'The view "{view.path}" has {len(names)} columns and {len(view.columns)} names.'
        )
    from datafusion import col

    pairs = zip(names, view.columns, strict=True)
    return frame.select(*(col(quote_identifier(old)).alias(new) for old, new in pairs))


def _memory_scan(found: FoundTable) -> PlannedScan:
    return PlannedScan(
        path=found.path,
        columns=tuple(found.table.schema.names),
        version=found.table.version,
        row_count=found.table.row_count,
    )
