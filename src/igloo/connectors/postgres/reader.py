"""Streams a statement's rows, every value exact or refused."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from igloo.connectors.postgres.errors import DRIVER_ERRORS, statement_error
from igloo.connectors.postgres.lease import Lease, borrow
from igloo.connectors.sql.types import arrow_schema
from igloo.errors import SourceDataError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from igloo.cancel import CancelToken
    from igloo.connectors.postgres.errors import Site
    from igloo.connectors.postgres.pool import Pool
    from igloo.connectors.postgres.scan import ReadPlan
    from igloo.connectors.postgres.session import Session
    from igloo.connectors.sql.types import SqlColumn
    from igloo.errors import IglooError

_COUNT_BATCH_ROWS = 65_536
#: The first day and microsecond that PostgreSQL has, from 1970; the driver lets infinities, and
#: years that Arrow lacks, wrap around to before them.
_FIRST_DAY = -2_440_588
_FIRST_MICROSECOND = -210_866_803_200_000_000
_DAY_US = 86_400_000_000


def open_reader(  # noqa: PLR0913 - what is read, where, and for whom
    pool: Pool,
    site: Site,
    plan: ReadPlan,
    cancel: CancelToken,
    *,
    is_users: bool = False,
    reuses_session: bool = True,
) -> pa.RecordBatchReader:
    """Run a planned statement and stream its rows in the planned schema.

    The connection goes back when the last batch was read, an error was raised, or the reader is
    dropped.
    """

    def wrap(error: BaseException) -> IglooError:
        return statement_error(error, site, what=f'"{plan.label}"', is_users=is_users)

    def start(session: Session) -> _Rows:
        batches = session.execute(plan.statement, use_copy=plan.uses_copy)
        _check_wire(batches.schema, plan, site)
        return _Rows(batches, plan, site)

    lease, rows = borrow(pool, cancel, start, wrap)
    stream = _Stream(lease, rows, cancel, wrap, reuses_session=reuses_session)
    return pa.RecordBatchReader.from_batches(arrow_schema(plan.columns), stream)


class _Stream:
    """An iterator of batches that gives its lease back however it ends."""

    def __init__(
        self,
        lease: Lease,
        rows: _Rows,
        cancel: CancelToken,
        wrap: Callable[[BaseException], IglooError],
        *,
        reuses_session: bool,
    ) -> None:
        self._reuses_session = reuses_session
        self._rows = rows
        self._cancel = cancel
        self._wrap = wrap
        self._finish = weakref.finalize(self, lease.finish, reusable=False)
        self._finish.atexit = False
        self._lease = lease

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        return self

    def __next__(self) -> pa.RecordBatch:
        try:
            self._cancel.raise_if_cancelled()
            return next(self._rows)
        except StopIteration:
            self._lease.finish(reusable=self._reuses_session)
            raise
        except DRIVER_ERRORS as error:
            self._lease.finish(reusable=False)
            self._cancel.raise_if_cancelled()
            raise self._wrap(error) from error
        except BaseException:
            self._lease.finish(reusable=False)
            raise


class _Rows:
    """Turns the driver's batches into the planned ones."""

    def __init__(self, batches: Any, plan: ReadPlan, site: Site) -> None:
        self._batches = batches
        self._plan = plan
        self._site = site
        self._schema = arrow_schema(plan.columns)
        #: Rows still to be given when only their number is read; None before it is known.
        self._rows_left: int | None = None

    def __next__(self) -> pa.RecordBatch:
        if self._plan.is_count:
            return self._counted()
        batch: pa.RecordBatch = self._batches.read_next_batch()
        if self._plan.has_array_guard:
            self._refuse_dimensions(batch.column(batch.num_columns - 1))
        arrays = [
            self._exact(batch.column(index), column)
            for index, column in enumerate(self._plan.columns)
        ]
        return pa.RecordBatch.from_arrays(arrays, schema=self._schema)

    def _counted(self) -> pa.RecordBatch:
        if self._rows_left is None:
            self._rows_left = int(self._batches.read_next_batch().column(0)[0].as_py())
        rows = min(self._rows_left, _COUNT_BATCH_ROWS)
        if rows == 0:
            raise StopIteration
        self._rows_left -= rows
        return pa.record_batch({"rows": pa.nulls(rows)}).select([])

    def _refuse_dimensions(self, names: Any) -> None:
        if names.null_count < len(names):
            name = pc.drop_null(names)[0].as_py()
            raise self._refused(name, "an array of several dimensions, which Arrow cannot hold")

    def _exact(self, array: Any, column: SqlColumn) -> Any:
        if array.null_count and not column.nullable:
            raise self._refused(column.name, "NULL, though it was declared NOT NULL when planned")
        if column.type != column.wire_type:
            try:
                array = pc.cast(array, column.type)
            except pa.ArrowInvalid as error:
                reason = f"a value that {column.type} cannot hold: {error}"
                raise self._refused(column.name, reason) from error
        unfit = _unfit(array)
        if unfit is not None:
            raise self._refused(column.name, unfit)
        return array

    def _refused(self, name: str, holds: str) -> SourceDataError:
        return SourceDataError(
            f'Column "{name}" of "{self._plan.label}" holds {holds}.',
            hint="Filter such rows out, leave the column out, or cast it with remote_query().",
            catalog=self._site.catalog,
            column=name,
        )


def _check_wire(schema: pa.Schema, plan: ReadPlan, site: Site) -> None:
    """Compare what the driver is about to send with what was planned."""
    expected = [column.wire_type for column in plan.columns]
    expected += [pa.string()] if plan.has_array_guard else []
    if plan.is_count:
        expected = [pa.int64()]
    if list(schema.types) != expected:
        raise SourceDataError(
            f'"{plan.label}" is no longer as it was when the query was planned.',
            hint="Run the statement again.",
            catalog=site.catalog,
        )


def _unfit(array: Any) -> str | None:
    """Return which values of ``array`` Arrow cannot hold though the driver sent them, or None."""
    type_ = array.type
    if pa.types.is_list(type_):
        return _unfit(array.flatten())
    if pa.types.is_date(type_):
        lowest = pc.min(array.view(pa.int32())).as_py()
        is_fit = lowest is None or lowest >= _FIRST_DAY
        return None if is_fit else "an infinite date, which Arrow cannot hold"
    if pa.types.is_timestamp(type_):
        lowest = pc.min(array.view(pa.int64())).as_py()
        is_fit = lowest is None or lowest >= _FIRST_MICROSECOND
        return None if is_fit else "an infinite timestamp or one after the year 294246"
    if pa.types.is_time(type_):
        highest = pc.max(array.view(pa.int64())).as_py()
        is_fit = highest is None or highest < _DAY_US
        return None if is_fit else "the time 24:00, which Arrow cannot hold"
    return None
