"""Streams a statement's rows, every value exact or refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa

from igloo.connectors.sql.types import arrow_schema
from igloo.connectors.sqlite.database import opened
from igloo.connectors.sqlite.values import MisfitError, arrow_array
from igloo.errors import SourceDataError

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Sequence

    from igloo.cancel import CancelToken
    from igloo.connectors.sqlite.database import Site
    from igloo.connectors.sqlite.scan import ReadPlan

_BATCH_ROWS = 8_192
_BATCH_BYTES = 8 * 1024 * 1024
#: Rows between two looks at how much has come: a row may hold a text of any length.
_STEP_ROWS = 256
_COUNT_BATCH_ROWS = 65_536


def open_reader(
    site: Site, plan: ReadPlan, cancel: CancelToken, *, is_users: bool = False
) -> pa.RecordBatchReader:
    """Return a reader of a planned statement's rows. The statement runs when it is first read."""
    schema = arrow_schema(plan.columns)
    return pa.RecordBatchReader.from_batches(schema, _batches(site, plan, cancel, is_users))


def _batches(
    site: Site,
    plan: ReadPlan,
    cancel: CancelToken,
    is_users: bool,  # noqa: FBT001 - handed on
) -> Iterator[pa.RecordBatch]:
    what = f'"{plan.label}"'
    with opened(site, cancel, what=what, is_users=is_users, is_read_only=is_users) as session:
        if is_users:
            from igloo.connectors.sqlite.remote_sql import only_reads

            only_reads(session)
        rows = _Rows(session.execute(plan.statement), plan, site)
        batches = rows.counted() if plan.is_count else rows.batches()
        for batch in batches:
            cancel.raise_if_cancelled()
            yield batch
        cancel.raise_if_cancelled()


class _Rows:
    """The rows of one statement."""

    def __init__(self, cursor: sqlite3.Cursor, plan: ReadPlan, site: Site) -> None:
        self._cursor = cursor
        self._plan = plan
        self._site = site
        self._schema = arrow_schema(plan.columns)

    def counted(self) -> Iterator[pa.RecordBatch]:
        """Yield as many rows without columns as the statement counted."""
        left, *misfit = self._cursor.fetchone()
        self._refuse_misfits(misfit)
        while left:
            rows = min(left, _COUNT_BATCH_ROWS)
            yield pa.record_batch({"rows": pa.nulls(rows)}).select([])
            left -= rows

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Yield the rows."""
        while (batch := self._next_batch()) is not None:
            yield batch

    def _next_batch(self) -> pa.RecordBatch | None:
        rows = self._fetch()
        if not rows:
            return None
        columns: list[Sequence[Any]] = list(zip(*rows, strict=True))
        if self._plan.has_misfit:
            self._refuse_misfits(columns.pop())
        arrays = [self._exact(index, column) for index, column in enumerate(columns)]
        return pa.RecordBatch.from_arrays(arrays, schema=self._schema)

    def _fetch(self) -> list[tuple[Any, ...]]:
        rows: list[tuple[Any, ...]] = []
        size = 0
        while len(rows) < _BATCH_ROWS and size < _BATCH_BYTES:
            step = self._cursor.fetchmany(_STEP_ROWS)
            rows += step
            size += sum(len(v) for row in step for v in row if isinstance(v, str | bytes))
            if len(step) < _STEP_ROWS:
                break
        return rows

    def _exact(self, index: int, values: Sequence[Any]) -> pa.Array[Any]:
        column = self._plan.columns[index]
        try:
            array = arrow_array(values, column.type)
        except MisfitError as misfit:
            raise self._refused(column.name, f"{misfit}, which is no {column.type}") from misfit
        if array.null_count and not column.nullable:
            raise self._refused(column.name, "NULL, though it was declared NOT NULL when planned")
        return array

    def _refuse_misfits(self, names: Sequence[str | None]) -> None:
        name = next((name for name in names if name is not None), None)
        if name is not None:
            raise self._refused(name, "a value that its declared type does not have")

    def _refused(self, name: str, holds: str) -> SourceDataError:
        return SourceDataError(
            f'Column "{name}" of "{self._plan.label}" holds {holds}.',
            hint="Correct it in the source, or cast the column with remote_query().",
            catalog=self._site.catalog,
            column=name,
        )
