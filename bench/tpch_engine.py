"""One engine in a process of its own: ``tpch_engine.py igloo|datafusion|duckdb FOLDER``."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from igloo.testing.tpch.tables import TABLES, query
from measure import answer_questions, peak_memory_bytes

if TYPE_CHECKING:
    from collections.abc import Callable

    Run = Callable[[str], Any]


def igloo_engine(folder: Path) -> Run:
    """Igloo, the files being the current catalog."""
    import igloo

    db = igloo.connect()
    db.sql(f"CREATE CATALOG tpch USING files WITH (path = '{folder}')")
    db.sql("USE tpch.main")
    return lambda sql: db.sql(sql).to_arrow()


def datafusion_engine(folder: Path) -> Run:
    """DataFusion as it comes, nothing set."""
    from datafusion import SessionContext

    context = SessionContext()
    for table in TABLES:
        context.register_parquet(table, str(folder / f"{table}.parquet"))
    return lambda sql: context.sql(sql).to_arrow_table()


def duckdb_engine(folder: Path) -> Run:
    """DuckDB as it comes, over the same files."""
    import duckdb

    connection = duckdb.connect()
    for table in TABLES:
        path = folder / f"{table}.parquet"
        connection.execute(f"CREATE VIEW {table} AS FROM read_parquet('{path}')")
    return lambda sql: connection.sql(sql).to_arrow_table()


ENGINES = {"igloo": igloo_engine, "datafusion": datafusion_engine, "duckdb": duckdb_engine}


def main(name: str, folder: str) -> None:
    """Run the queries that are asked for and time each."""
    run = ENGINES[name](Path(folder))

    def answer(number: int) -> dict[str, float]:
        started = time.perf_counter()
        rows = run(query(number))
        seconds = time.perf_counter() - started
        return {"seconds": seconds, "rows": len(rows), "peak_bytes": peak_memory_bytes()}

    answer_questions(answer)


if __name__ == "__main__":
    main(*sys.argv[1:])
