"""EXPLAIN: what Igloo will do, one node a line, two spaces a level."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa

from igloo.connectors.predicates import (
    And,
    Column,
    Comparison,
    InList,
    IsNull,
    Like,
    Not,
    Or,
    conjuncts,
)
from igloo.names import quote_if_needed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from igloo.connectors.predicates import Predicate, Term
    from igloo.engine.execution.activity import PlannedScan

SCHEMA = pa.schema([pa.field("plan_type", pa.string()), pa.field("plan", pa.string())])
#: Longer lists are shown by their length.
_VALUES_SHOWN = 5


def explain_igloo(scans: Sequence[PlannedScan], warnings: Sequence[str], *, partitions: int) -> str:
    """Return the text of ``igloo_plan``."""
    lines = ["Cache: bypass, reason=no cache"]
    lines += [f"Warning: {warning}" for warning in warnings]
    lines.append(f"Local: engine=datafusion, partitions={partitions}")
    for scan in scans:
        lines += [f"  {line}" for line in _scan_lines(scan)]
    return "\n".join(lines)


def _scan_lines(scan: PlannedScan) -> Iterator[str]:
    rows = "" if scan.row_count is None else f", rows=~{scan.row_count:.0f}"
    if scan.sql:
        for sql in scan.sql:
            # Spaces stay: they may stand in a literal.
            shown = " ".join(sql.splitlines())
            yield f"RemoteScan: catalog={scan.path.catalog}{rows}, sql={shown}"
    elif scan.files_total is not None:
        snapshot = "" if scan.version is None else f", snapshot={scan.version}"
        files = f"files={scan.files_planned} of {scan.files_total}"
        yield f"LakeScan: table={scan.path}{snapshot}{rows}, {files}, path={scan.read_path}"
    else:
        yield f"MemoryScan: table={scan.path}{rows}"
    reason = "not exact in the source" if scan.pushdown_enabled else "igloo.pushdown is off"
    for term in conjuncts(scan.residual):
        yield (
            f"  NotPushed: catalog={scan.path.catalog}, operator=filter, "
            f"reason={reason}, applied here: {show_predicate(term)}"
        )


def show_predicate(predicate: Predicate) -> str:
    """Return a predicate as SQL to read, long lists shortened."""
    match predicate:
        case Comparison(left, operator, right):
            return f"{_show_term(left)} {operator.value} {_show_term(right)}"
        case InList(column, values):
            if len(values) > _VALUES_SHOWN:
                return f"{_show_term(column)} IN ($keys[{len(values)}])"
            shown = ", ".join(_show_value(value) for value in values)
            return f"{_show_term(column)} IN ({shown})"
        case Like(column, pattern):
            return f"{_show_term(column)} LIKE {_show_value(pa.scalar(pattern))}"
        case IsNull(column):
            return f"{_show_term(column)} IS NULL"
        case Not(operand):
            return f"NOT ({show_predicate(operand)})"
        case And(operands):
            return " AND ".join(f"({show_predicate(operand)})" for operand in operands)
        case Or(operands):
            return " OR ".join(f"({show_predicate(operand)})" for operand in operands)


def _show_term(term: Term) -> str:
    return quote_if_needed(term.name) if isinstance(term, Column) else _show_value(term.value)


def _show_value(value: pa.Scalar[Any]) -> str:
    shown = value.as_py()
    if shown is None:
        return "NULL"
    text = str(shown).replace("'", "''")
    return text if isinstance(shown, int | float) else f"'{' '.join(text.split())}'"
