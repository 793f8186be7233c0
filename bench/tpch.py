"""TPC-H over Parquet: Igloo, bare DataFusion and DuckDB, query by query in turns."""

from __future__ import annotations

from contextlib import ExitStack
from statistics import median
from typing import TYPE_CHECKING, Any

from rich.table import Table

from igloo.testing.tpch.tables import QUERY_NUMBERS, make_parquet
from measure import Worker

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

ENGINES = ("igloo", "datafusion", "duckdb")
TOTAL_RATIO_MAX = 1.03
MEMORY_RATIO_MAX = 1.1


def measure_tpch(folder: Path, scale: float, rounds: int, console: Console) -> dict[str, Any]:
    """Return seconds for each engine and query, and each engine's peak memory."""
    tables = folder / f"tpch-{scale:g}"
    with console.status("Making TPC-H tables …"):
        make_parquet(tables, scale)
    seconds: dict[str, dict[int, list[float]]] = {
        engine: {number: [] for number in QUERY_NUMBERS} for engine in ENGINES
    }
    peaks = dict.fromkeys(ENGINES, 0)
    with ExitStack() as stack:
        workers = {
            engine: stack.enter_context(Worker("tpch_engine.py", engine, str(tables)))
            for engine in ENGINES
        }
        for turn in range(rounds + 1):
            # Who comes second on a query finds a busier machine, so each comes first in turn.
            first = turn % len(ENGINES)
            order = ENGINES[first:] + ENGINES[:first]
            with console.status(f"TPC-H, round {turn} of {rounds} …"):
                for number in QUERY_NUMBERS:
                    rows = set()
                    for engine in order:
                        answer = workers[engine].ask(number=number)
                        rows.add(answer["rows"])
                        peaks[engine] = answer["peak_bytes"]
                        if turn:  # the first round warms up
                            seconds[engine][number].append(answer["seconds"])
                    if len(rows) != 1:
                        raise SystemExit(f"Query {number}: the engines disagree: {rows} rows.")
    medians = {e: {n: median(s) for n, s in by_query.items()} for e, by_query in seconds.items()}
    totals = {engine: sum(by_query.values()) for engine, by_query in medians.items()}
    return {
        "scale": scale,
        "rounds": rounds,
        "median_s": medians,
        "total_s": totals,
        "peak_bytes": peaks,
        "total_ratio": totals["igloo"] / totals["datafusion"],
        "memory_ratio": peaks["igloo"] / peaks["datafusion"],
    }


def show_tpch(result: dict[str, Any], console: Console) -> bool:
    """Print the figures side by side, and return whether the targets are met."""
    table = Table(title=f"TPC-H, scale {result['scale']:g}, Parquet; median ms")
    for heading in ("query", *ENGINES, "igloo / datafusion", "igloo / duckdb"):
        table.add_column(heading, justify="right")
    medians = result["median_s"]
    for number in QUERY_NUMBERS:
        table.add_row(f"Q{number}", *_cells(*(medians[e][number] * 1000 for e in ENGINES)))
    table.add_section()
    table.add_row("total", *_cells(*(result["total_s"][e] * 1000 for e in ENGINES)))
    table.add_row("peak MB", *_cells(*(result["peak_bytes"][e] / 1e6 for e in ENGINES)))
    console.print(table)
    is_met = result["total_ratio"] <= TOTAL_RATIO_MAX and result["memory_ratio"] <= MEMORY_RATIO_MAX
    console.print(
        f"Igloo against bare DataFusion: time {result['total_ratio']:.3f}x"
        f" (target {TOTAL_RATIO_MAX}x), memory {result['memory_ratio']:.3f}x"
        f" (target {MEMORY_RATIO_MAX}x): {'met' if is_met else 'NOT MET'}"
    )
    return is_met


def _cells(igloo: float, datafusion: float, duckdb: float) -> list[str]:
    figures = [f"{value:.1f}" for value in (igloo, datafusion, duckdb)]
    return [*figures, f"{igloo / datafusion:.2f}x", f"{igloo / duckdb:.2f}x"]
