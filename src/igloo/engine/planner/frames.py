"""Plans made from DataFusion expressions instead of SQL text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from datafusion import col
from datafusion.catalog import Table as BoundTable

from igloo.connectors.contract import ListsFiles, Pushdown
from igloo.engine.execution.failures import translate_failure
from igloo.engine.execution.scan import ScanDataset, StubDataset
from igloo.engine.planner.pushdown import read_needs
from igloo.names import quote_identifier

if TYPE_CHECKING:
    from collections.abc import Sequence

    from datafusion import DataFrame, Expr, SessionContext

    from igloo.engine.catalog.resolve import FoundTable
    from igloo.engine.execution.activity import Activity
    from igloo.engine.execution.tables import NativeTables


JoinKind = Literal["inner", "left", "right", "full"]


class FrameBinder:
    """Makes DataFrames over found tables, each read with no more than its filters need."""

    def __init__(self, context: SessionContext, native: NativeTables, activity: Activity) -> None:
        self._context = context
        self._native = native
        self._activity = activity

    def bind(self, found: FoundTable, filters: Sequence[Expr]) -> DataFrame:
        """Return the table's rows that satisfy all filters, which name its bare columns.

        Raises:
            ColumnNotFound: a filter names no column of the table.
            TypeMismatch: a filter compares what cannot be compared.
        """
        self._activity.read(found.path, found.table.version)
        connector = found.connector
        if isinstance(connector, ListsFiles):
            need = self._need(found, filters)
            scan = connector.list_files(found.table, need)
            if scan is not None:
                bound = self._native.bind_files(self._context, found, scan, self._activity)
                return _filtered(self._context.read_table(bound), filters)
        dataset = ScanDataset(found.path, found.table, connector, self._activity)
        return _filtered(self._context.read_table(BoundTable(dataset)), filters)

    def _need(self, found: FoundTable, filters: Sequence[Expr]) -> Pushdown:
        """Let DataFusion type and simplify the filters over an empty stand-in, and read them."""
        everything = Pushdown(columns=tuple(found.table.schema.names))
        if not filters:
            return everything
        stub = self._context.read_table(BoundTable(StubDataset(found.table.schema)))
        frame = _filtered(stub, filters)
        try:
            needs = read_needs(frame.optimized_logical_plan())
        except Exception as error:
            raise translate_failure(error) from error
        return next((need.pushdown for need in needs.values()), everything)


def _filtered(frame: DataFrame, filters: Sequence[Expr]) -> DataFrame:
    try:
        return frame.filter(*filters) if filters else frame
    except Exception as error:
        raise translate_failure(error) from error


def join_frames(
    left: DataFrame,
    right: DataFrame,
    *,
    kind: JoinKind,
    keys: Sequence[tuple[str, str]],
    outputs: Sequence[tuple[str, str]],
) -> DataFrame:
    """Return an equality join with chosen output columns.

    Args:
        left: the left side; its columns are ``l0``, ``l1`` … in ``outputs``.
        right: the right side; its columns are ``r0``, ``r1`` …
        kind: ``inner``, ``left``, ``right`` or ``full``.
        keys: pairs of column names that have to be equal; NULL equals nothing.
        outputs: (internal name, name in the result), in the result's order.
    """
    left_names, right_names = left.schema().names, right.schema().names
    joined: DataFrame = _numbered(left, "l").join(
        _numbered(right, "r"),
        how=kind,
        left_on=[f"l{left_names.index(a)}" for a, _ in keys],
        right_on=[f"r{right_names.index(b)}" for _, b in keys],
        coalesce_duplicate_keys=False,
    )
    selected: DataFrame = joined.select(*(col(internal).alias(name) for internal, name in outputs))
    return selected


def _numbered(frame: DataFrame, prefix: str) -> DataFrame:
    names = frame.schema().names
    numbered = (col(quote_identifier(n)).alias(f"{prefix}{i}") for i, n in enumerate(names))
    return frame.select(*numbered)
