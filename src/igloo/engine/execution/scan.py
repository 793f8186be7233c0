"""The bridge between a connector's scan and DataFusion.

DataFusion reads foreign rows through one class only, ``pyarrow.dataset.Dataset``. It hands a
dataset the columns and the part of the filter that it can express, and from then on counts that
filter as applied exactly. So whatever a connector leaves over is applied here.

The order of calls, for each scan of a plan: while planning, ``scanner(columns, filter)`` and then
``get_fragments(filter)``, on the thread that plans; while running, ``scanner(...).to_batches()`` of
each fragment, whose batches DataFusion's threads take from a thread of ours.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.dataset as ds

from igloo.connectors.contract import HasStatistics, Pushdown
from igloo.connectors.predicates import columns_of, conjoin, conjuncts, keep_true
from igloo.engine.execution.activity import PlannedScan
from igloo.engine.execution.arrow_filter import ArrowFilter, read_arrow_filter
from igloo.engine.execution.read_ahead import ReadAhead
from igloo.errors import IglooError, InternalError, SourceError

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence

    import pyarrow.compute as pc

    from igloo.cancel import CancelToken
    from igloo.connectors.contract import Connector, Scan, Split, Table
    from igloo.connectors.predicates import Predicate
    from igloo.engine.execution.activity import Activity
    from igloo.names import TablePath


class ScanDataset(ds.Dataset):
    """One table of one statement, as DataFusion sees it.

    ``hint`` is filter and limit that the optimized plan shows but DataFusion does not hand over,
    such as LIKE; it is offered to the source, and DataFusion applies it again itself.
    """

    def __init__(
        self, path: TablePath, table: Table, connector: Connector, activity: Activity
    ) -> None:
        # Dataset's own constructor wants a C++ dataset; only the methods below are ever called.
        self._path = path
        self._table = table
        self._connector = connector
        self._activity = activity
        self._columns: tuple[str, ...] = tuple(table.schema.names)
        self.hint = Pushdown(columns=())
        self.pushdown_enabled = True

    @property
    def schema(self) -> pa.Schema:
        """The table's schema."""
        return self._table.schema

    def scanner(  # type: ignore[override] # DataFusion asks for no more than this
        self, columns: Sequence[str] | None = None, **_options: Any
    ) -> _ProjectedSchema:
        """Answer which schema a scan of ``columns`` has."""
        names = self._table.schema.names if columns is None else columns
        self._columns = tuple(names)
        return _ProjectedSchema(_cut(self._table.schema, self._columns))

    def get_fragments(self, filter: pc.Expression | None = None) -> list[_Fragment]:  # noqa: A002 - DataFusion's name
        """Plan the scan: one fragment a split."""
        try:
            return self._fragments(filter)
        except IglooError as error:
            self._activity.failed(error)
            raise

    def _fragments(self, handed_filter: pc.Expression | None) -> list[_Fragment]:
        schema = self._table.schema
        handed = (
            ArrowFilter(None) if handed_filter is None else read_arrow_filter(handed_filter, schema)
        )
        columns = (*self._columns, *sorted(handed.expression_columns - set(self._columns)))
        scan = self._plan(columns, handed)
        hinted = set(conjuncts(self.hint.filter)) - set(conjuncts(handed.predicate))
        residual = conjoin(t for t in conjuncts(scan.residual) if t not in hinted)
        self._activity.planned(
            PlannedScan(
                path=self._path,
                columns=columns,
                sql=scan.sql,
                residual=residual,
                offered=handed.predicate,
                files_planned=scan.files_planned,
                files_total=scan.files_total,
                read_path="" if scan.files_total is None else "slow",
                version=self._table.version,
                row_count=self._row_count(),
                pushdown_enabled=self.pushdown_enabled,
            )
        )
        leftover = _Leftover(residual, handed.expressions, self._columns)
        return [_Fragment(self, split, leftover) for split in scan.splits]

    def _row_count(self) -> float | None:
        known = self._table.row_count
        if known is not None or not self._activity.wants_estimates:
            return known
        if not isinstance(self._connector, HasStatistics):
            return None
        try:
            return self._connector.statistics(self._table).row_count
        except IglooError:
            # A plan without an estimate is still a plan.
            return None

    def _plan(self, columns: tuple[str, ...], handed: ArrowFilter) -> Scan:
        """Offer everything; leave out the limit where Igloo itself still has to filter."""
        if not self.pushdown_enabled:
            filter_columns = columns_of(handed.predicate) - set(columns)
            everything = Pushdown(columns=(*columns, *sorted(filter_columns)))
            scan = self._connector.plan_scan(self._table, everything)
            return replace(scan, residual=handed.predicate)
        limit = None if handed.expressions else self.hint.limit
        offer = Pushdown(
            columns=columns,
            filter=conjoin((*conjuncts(handed.predicate), *conjuncts(self.hint.filter))),
            limit=limit,
        )
        return self._connector.plan_scan(self._table, offer)

    def read(self, split: Split, leftover: _Leftover) -> Iterator[pa.RecordBatch]:
        """Yield the rows of a split, with what the source left over applied."""
        ahead = ReadAhead(lambda token: self._rows(split, leftover, token), self._activity.token)
        self._activity.reading(ahead.stop)
        return ahead.batches()

    def _rows(
        self, split: Split, leftover: _Leftover, token: CancelToken
    ) -> Generator[pa.RecordBatch]:
        reader = None
        try:
            token.raise_if_cancelled()
            with self._connector.read_split(split, token) as reader:
                expected = _cut(self._table.schema, split.columns)
                _check_schema(reader.schema, expected, self._path)
                for batch in reader:
                    token.raise_if_cancelled()
                    self._activity.received(self._path.catalog, batch.num_rows, batch.nbytes)
                    kept = leftover.apply(batch)
                    if kept.num_rows:
                        yield kept
        except Exception as error:
            if token.is_cancelled:
                # What a source says when it is stopped is not why the query failed.
                raise token.failure() from None
            failure = error if isinstance(error, IglooError) else _unexpected(error, self._path)
            self._activity.failed(failure)
            raise failure from error
        finally:
            # A reader lets go of its source when it is dropped, and an error that is kept somewhere
            # keeps this frame.
            del reader


@dataclass(frozen=True, slots=True)
class _Leftover:
    """What a source did not do: rows to leave out, and columns that only that needed."""

    residual: Predicate | None
    expressions: tuple[pc.Expression, ...]
    columns: tuple[str, ...]

    def apply(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        kept = batch if self.residual is None else keep_true(batch, self.residual)
        for expression in self.expressions:
            kept = kept.filter(expression)
        return kept.select(list(self.columns))


class _ProjectedSchema:
    def __init__(self, projected_schema: pa.Schema) -> None:
        self.projected_schema = projected_schema


class _Fragment:
    """One split, in the shape of a pyarrow Fragment."""

    def __init__(
        self,
        dataset: ScanDataset,
        split: Split,
        leftover: _Leftover,
    ) -> None:
        self._dataset = dataset
        self._split = split
        self._leftover = leftover

    def scanner(self, *_schema: Any, **_options: Any) -> _FragmentScanner:
        return _FragmentScanner(self)

    def to_batches(self) -> Iterator[pa.RecordBatch]:
        return self._dataset.read(self._split, self._leftover)

    @property
    def schema(self) -> pa.Schema:
        return _cut(self._dataset.schema, self._leftover.columns)


class _FragmentScanner:
    def __init__(self, fragment: _Fragment) -> None:
        self._fragment = fragment
        self.projected_schema = fragment.schema

    def to_batches(self) -> Iterator[pa.RecordBatch]:
        return self._fragment.to_batches()


class StubDataset(ds.Dataset):
    """A table without rows, for the planning pass that only asks what a scan will need."""

    def __init__(self, schema: pa.Schema) -> None:
        self._schema = schema

    @property
    def schema(self) -> pa.Schema:
        """The table's schema."""
        return self._schema


def _cut(schema: pa.Schema, columns: Sequence[str]) -> pa.Schema:
    return pa.schema([schema.field(name) for name in columns])


def _check_schema(found: pa.Schema, expected: pa.Schema, path: TablePath) -> None:
    if not found.equals(expected):
        raise InternalError(
            f"The connector of {path} returned columns that were not planned.",
            catalog=path.catalog,
        )


def _unexpected(error: Exception, path: TablePath) -> IglooError:
    """A connector let a foreign exception out: Igloo's bug, told with its place."""
    return SourceError(
        f"Reading {path} failed: {error}", catalog=path.catalog, driver=type(error).__name__
    )
