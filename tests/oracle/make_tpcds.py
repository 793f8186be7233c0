"""Writes the tables and queries of TPC-DS; runs in an environment that has the generator.

No release of DuckDB 2 has its ``tpcds`` extension, so this program is started with an older DuckDB,
and shares nothing with the tests but the files that it writes.

    python make_tpcds.py FOLDER SCALE

It writes ``TABLE.parquet`` for each table, and ``queries.json``: the 99 texts in their order.
"""

import importlib.util
import json
import sys
from pathlib import Path

import duckdb


def write_tpcds(folder, scale):
    """Write the tables at this scale, and the queries."""
    config = {"allow_unsigned_extensions": "false"}
    with duckdb.connect(config=config) as connection:
        connection.execute(f"LOAD '{extension()}'")
        connection.execute(f"CALL dsdgen(sf = {scale})")
        for (table,) in connection.execute("SHOW TABLES").fetchall():
            connection.execute(f"COPY {table} TO '{folder / table}.parquet' (FORMAT parquet)")
        queries = connection.execute("SELECT query FROM tpcds_queries() ORDER BY query_nr")
        texts = [text for (text,) in queries.fetchall()]
        (folder / "queries.json").write_text(json.dumps(texts), "utf-8")


def extension():
    """Return the path of the extension, which its package carries for one version of DuckDB."""
    package = importlib.util.find_spec("duckdb_extension_tpcds")
    (found,) = Path(package.origin).parent.rglob("tpcds.duckdb_extension")
    return found


if __name__ == "__main__":
    write_tpcds(Path(sys.argv[1]), float(sys.argv[2]))
