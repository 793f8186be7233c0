"""One Parquet-Iceberg join in a process of its own: ``join_process.py KIND PARQUET WAREHOUSE``."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from igloo.join import IcebergConfig, JoinConfig, JoinEngine, JoinType
from measure import code_bytes, forget_peak, peak_memory_bytes

if TYPE_CHECKING:
    from collections.abc import Callable

    import pyarrow as pa

WARM_RUNS = 20


def joins(parquet: str, warehouse: str) -> dict[str, Callable[[], list[pa.RecordBatch]]]:
    """Return each join, ready to run."""
    from datafusion import col, lit

    iceberg = IcebergConfig(
        catalog="sql",
        uri=f"sqlite:///{Path(warehouse) / 'catalog.db'}",
        warehouse=warehouse,
    )
    engine = JoinEngine(iceberg)
    engine.register_parquet_table("orders", parquet)
    engine.register_iceberg_table("customers", "bench", "customers")

    def config(kind: JoinType) -> JoinConfig:
        return JoinConfig(
            parquet_path=parquet,
            iceberg_config=iceberg,
            join_type=kind,
            join_keys=[("customer_id", "customer_id")],
        )

    return {
        "inner": lambda: engine.join_tables("orders", "customers", config(JoinType.INNER)),
        "left": lambda: engine.join_tables("orders", "customers", config(JoinType.LEFT)),
        "filtered": lambda: engine.join_tables_advanced(
            "orders",
            "customers",
            config(JoinType.INNER),
            parquet_filters=[col("amount") > lit(500)],
            iceberg_filters=[col("region") == lit("US")],
            projections=["order_id", "amount", "name"],
        ),
    }


def main(kind: str, parquet: str, warehouse: str) -> None:
    """Run the join once cold, measuring memory, then warm, measuring time."""
    join = joins(parquet, warehouse)[kind]
    before, code_before = forget_peak(), code_bytes()
    started = time.perf_counter()
    rows = sum(batch.num_rows for batch in join())
    first_s = time.perf_counter() - started
    code = code_bytes() - code_before
    added = peak_memory_bytes() - before
    warm = []
    warm_before = forget_peak()
    for _ in range(WARM_RUNS):
        started = time.perf_counter()
        join()
        warm.append(time.perf_counter() - started)
    figures = {
        "rows": rows,
        "first_s": first_s,
        "median_s": median(warm),
        "added_bytes": added,
        "code_bytes": code,
        "warm_added_bytes": peak_memory_bytes() - warm_before,
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main(*sys.argv[1:])
