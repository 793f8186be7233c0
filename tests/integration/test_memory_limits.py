"""Queries over more data than the memory limit: sorted by spilling, streamed without holding."""

import json
import os
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from igloo.errors import OutOfMemory

LIMIT_BYTES = 150_000_000
ROWS = 3_000_000
TEXT_BYTES = 150
#: What a process takes that has run its first query; measured at 300 MB.
BASELINE_BYTES = 350_000_000

SCRIPT = """
import json, sys
import igloo

def peak():
    # Not ru_maxrss: Linux starts that of a child at the size of its parent.
    with open("/proc/self/status") as status:
        (line,) = (line for line in status if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024

settings, sql = json.loads(sys.argv[1]), sys.argv[2]
rows, in_order, last = 0, True, None
with igloo.connect(settings=settings) as db:
    db.sql("SELECT 1").fetchall()
    before = peak()
    try:
        for batch in db.sql(sql):
            keys = batch.column(0)
            for key in (keys[0].as_py(), keys[-1].as_py()):
                in_order = in_order and (last is None or last <= key)
                last = key
            rows += batch.num_rows
        failure = None
    except igloo.IglooError as error:
        failure = error.code
print(json.dumps({"rows": rows, "in_order": in_order, "failure": failure,
                  "grown": peak() - before, "peak": peak()}))
"""


@pytest.fixture(scope="module")
def big(tmp_path_factory):
    """Write a Parquet file whose rows take more memory than the limit; return its path."""
    path = tmp_path_factory.mktemp("big") / "big.parquet"
    generator = np.random.default_rng(7)
    schema = pa.schema([("k", pa.int64()), ("s", pa.string())])
    size = 0
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for start in range(0, ROWS, 100_000):
            keys = generator.integers(0, 2**60, 100_000)
            texts = [f"{start + i:0{TEXT_BYTES}d}" for i in range(100_000)]
            table = pa.table({"k": keys, "s": texts}, schema=schema)
            size += table.nbytes
            writer.write_table(table, row_group_size=50_000)
    assert size > 3 * LIMIT_BYTES
    return path


@pytest.fixture
def configured(big, tmp_path):
    """Give a folder whose igloo.toml has the catalog ``big``."""
    text = f'[catalogs.big]\nconnector = "files"\npath = "{big.parent}"\n'
    (tmp_path / "igloo.toml").write_text(text)
    return tmp_path


def run(folder, settings, sql):
    limit = {"igloo.memory_limit": f"{LIMIT_BYTES}B", **settings}
    # As a process has it that reads files alone, whatever the tests' own process was given.
    environment = {k: v for k, v in os.environ.items() if k != "TOKIO_WORKER_THREADS"}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, json.dumps(limit), sql],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


# Two sorts share the limit, and merging takes a batch of every file that each has written: at
# 150 MB one of them now and then finds too little left.
@pytest.mark.parametrize(
    ("partitions", "batch_rows", "limit_bytes"),
    [(1, 8192, LIMIT_BYTES), (2, 1024, 5 * LIMIT_BYTES // 3)],
)
def test_a_sort_of_more_than_the_limit_spills_and_ends(
    configured, partitions, batch_rows, limit_bytes
):
    told = run(
        configured,
        {
            "igloo.target_partitions": partitions,
            "igloo.batch_rows": batch_rows,
            "igloo.memory_limit": f"{limit_bytes}B",
        },
        "SELECT k, s FROM big.main.big ORDER BY k",
    )
    assert told["failure"] is None
    assert (told["rows"], told["in_order"]) == (ROWS, True)
    assert told["peak"] < BASELINE_BYTES + 2 * limit_bytes


def test_a_stream_of_more_than_the_limit_holds_little(configured):
    told = run(configured, {"igloo.target_partitions": 2}, "SELECT k, s FROM big.main.big")
    assert (told["failure"], told["rows"]) == (None, ROWS)
    # Readers' buffers and paged-in code, which do not grow with the table: 180 MB for 250 MB of
    # rows, 225 MB for 1 GB. The limit is on operators; a plain scan has none.
    assert told["grown"] < 2 * LIMIT_BYTES


def test_what_cannot_spill_fails_with_a_limit_and_not_the_process(configured):
    told = run(
        configured,
        {"igloo.memory_limit": "20MB", "igloo.target_partitions": 1},
        "SELECT 1, array_agg(s) FROM big.main.big",
    )
    assert (told["failure"], told["rows"]) == (OutOfMemory.code, 0)
