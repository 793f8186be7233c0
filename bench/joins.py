"""Small joins through ``igloo.join``: 1,000 rows of Parquet with 1,000 rows of Iceberg."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
from rich.table import Table

from measure import HERE

if TYPE_CHECKING:
    from rich.console import Console

ROWS = 1_000
HEADINGS = (
    "join", "rows", "first ms", "median ms", "added MB", "of it code MB", "later MB", "target",
)  # fmt: skip
KINDS = ("inner", "left", "filtered")
SECONDS_MAX = 0.1
ADDED_BYTES_MAX = 50_000_000


def measure_joins(rounds: int, console: Console) -> dict[str, Any]:
    """Return time and added memory of each kind of join, the worst process of all rounds."""
    figures: dict[str, list[dict[str, float]]] = {kind: [] for kind in KINDS}
    with tempfile.TemporaryDirectory() as name, console.status("Small joins …"):
        parquet, warehouse = make_tables(Path(name))
        for _ in range(rounds):
            for kind in KINDS:
                command = [sys.executable, str(HERE / "join_process.py"), kind]
                done = subprocess.run(
                    [*command, str(parquet), str(warehouse)],
                    check=True,
                    stdout=subprocess.PIPE,
                    text=True,
                )
                figures[kind].append(json.loads(done.stdout))
    return {
        kind: {name: max(run[name] for run in runs) for name in runs[0]}
        for kind, runs in figures.items()
    }


def make_tables(folder: Path) -> tuple[Path, Path]:
    """Write orders as Parquet and customers as Iceberg; four of five orders have a customer."""
    from pyiceberg.catalog.sql import SqlCatalog

    numbers = list(range(ROWS))
    orders = pa.table(
        {
            "order_id": numbers,
            "customer_id": [n * 5 // 4 for n in numbers],
            "amount": [(n * 37) % ROWS for n in numbers],
        }
    )
    customers = pa.table(
        {
            "customer_id": numbers,
            "name": [f"customer {n}" for n in numbers],
            "region": [("US", "EU", "APAC")[n % 3] for n in numbers],
        }
    )
    parquet = folder / "orders.parquet"
    pq.write_table(orders, parquet)
    warehouse = folder / "warehouse"
    warehouse.mkdir()
    catalog = SqlCatalog(
        "bench", uri=f"sqlite:///{warehouse / 'catalog.db'}", warehouse=f"file://{warehouse}"
    )
    catalog.create_namespace("bench")
    catalog.create_table("bench.customers", customers.schema).append(customers)
    catalog.close()
    return parquet, warehouse


def show_joins(result: dict[str, Any], console: Console) -> bool:
    """Print the figures, and return whether each join meets its target."""
    table = Table(title=f"Parquet-Iceberg joins of {ROWS:,} rows through igloo.join")
    for heading in HEADINGS:
        table.add_column(heading, justify="left" if heading == "join" else "right")
    all_met = True
    for kind, figures in result.items():
        is_met = figures["median_s"] < SECONDS_MAX and figures["added_bytes"] < ADDED_BYTES_MAX
        all_met = all_met and is_met
        table.add_row(
            kind,
            str(figures["rows"]),
            f"{figures['first_s'] * 1000:.1f}",
            f"{figures['median_s'] * 1000:.1f}",
            f"{figures['added_bytes'] / 1e6:.1f}",
            f"{figures['code_bytes'] / 1e6:.1f}",
            f"{figures['warm_added_bytes'] / 1e6:.1f}",
            "met" if is_met else "NOT MET",
        )
    console.print(table)
    console.print(
        f"Target: median under {SECONDS_MAX * 1000:.0f} ms, under {ADDED_BYTES_MAX / 1e6:.0f} MB"
        " added by the first join of a process (a part of it is the libraries' own code, paged in;"
        " later: what twenty more joins add)"
    )
    return all_met
