"""``igloo demo`` from an empty folder, again, interrupted, moved, twice at once."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import duckdb
import pytest

from igloo.demo.question import QUESTION
from igloo.demo.tables import SCALE
from igloo.testing.tpch import make_parquet

FILES = ("parquet/lineitem.parquet", "warehouse/catalog.db", "source/orders.parquet")
LIMIT_S = 120


@pytest.fixture(scope="module")
def expected(tmp_path_factory):
    """The revenues in their order, computed by DuckDB from files of its own."""
    tables = ("customer", "orders", "lineitem", "part", "supplier")
    files = make_parquet(tmp_path_factory.mktemp("judge"), SCALE, tables)
    sql = re.sub(r"\w+\.\w+\.(\w+)( +AS )", r"\1\2", QUESTION)
    with duckdb.connect() as judge:
        for name, path in files.items():
            judge.execute(f"CREATE VIEW {name} AS FROM read_parquet('{path}')")
        return judge.execute(sql).fetchall()


@contextlib.contextmanager
def empty_folder():
    """A folder that the server's own user can reach; pytest's are closed to it when root tests.

    Where it cannot, the server keeps its data elsewhere, and nobody would remove it after the test.
    """
    with tempfile.TemporaryDirectory(prefix="igloo demo ") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture
def folder():
    with empty_folder() as path:
        yield path


@pytest.fixture(scope="module")
def first():
    """The first run in an empty folder whose own configuration is broken."""
    with empty_folder() as folder:
        (folder / "igloo.toml").write_text("nonsense = [")
        yield folder, run_demo(folder)


def test_the_first_run_answers_right(first, expected):
    _, done = first
    assert done.returncode == 0, done.stderr
    assert answers(done.stdout) == shown(expected)
    assert len(expected) == 10


def test_it_shows_the_statement_and_what_each_source_did(first):
    _, done = first
    for line in QUESTION.splitlines():
        assert line.rstrip() in done.stdout
    work = done.stdout.partition("What each source did")[2]
    assert re.search(r"pg .*SELECT.*orders", work)
    assert re.search(r"files .*1 of 1 files", work)
    # Two of five makers, and all suppliers.
    assert re.search(r"lake .*3 of 6 files", work)
    assert re.search(r"10 rows in \d+\.\d+ s", work)
    assert sources(work).keys() == {"pg", "files", "lake"}
    assert all(0 < rows < size for rows, size in sources(work).values())


def test_progress_is_not_part_of_the_answer(first):
    _, done = first
    assert "Prepared" in done.stderr
    assert "Prepared" not in done.stdout


def test_a_second_run_makes_nothing_anew(first, expected):
    folder, _ = first
    before = {name: (folder / ".demo" / name).stat().st_mtime_ns for name in FILES}
    done = run_demo(folder)
    assert done.returncode == 0, done.stderr
    assert answers(done.stdout) == shown(expected)
    assert {name: (folder / ".demo" / name).stat().st_mtime_ns for name in FILES} == before


def test_what_it_proposes_to_try_works(first):
    folder, done = first
    (folder / "igloo.toml").unlink(missing_ok=True)
    lines = done.stdout.partition("Try next")[2].splitlines()[1:]
    export, *commands = [line.strip() for line in lines if line.strip()]
    assert len(commands) == 3
    for command in commands:
        tried = subprocess.run(
            ["/bin/sh", "-c", f"{export}; {command}"],
            cwd=folder,
            check=False,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
        )
        assert tried.returncode == 0, (command, tried.stderr)
        assert tried.stdout.strip()


@pytest.mark.parametrize(
    ("moment", "number", "code"),
    [
        ("source", signal.SIGINT, 130),
        ("source/orders.parquet", signal.SIGKILL, -signal.SIGKILL),
        ("warehouse/catalog.db", signal.SIGKILL, -signal.SIGKILL),
    ],
)
def test_an_interrupted_first_run_does_not_spoil_the_next(number, code, moment, folder, expected):
    interrupted = start_demo(folder)
    wait_until((folder / ".demo" / moment).exists, interrupted)
    interrupted.send_signal(number)
    _, told = interrupted.communicate(timeout=LIMIT_S)
    assert interrupted.returncode == code
    assert "Traceback" not in told
    done = run_demo(folder)
    assert done.returncode == 0, done.stderr
    assert answers(done.stdout) == shown(expected)


def test_two_at_once_take_turns(folder, expected):
    both = [start_demo(folder), start_demo(folder)]
    for process in both:
        output, told = process.communicate(timeout=LIMIT_S)
        assert process.returncode == 0, told
        assert answers(output) == shown(expected)


def test_a_folder_that_was_moved_is_made_anew(first, folder, expected):
    former, _ = first
    subprocess.run(["cp", "-a", former / ".demo", folder / ".demo"], check=True)
    done = run_demo(folder)
    assert done.returncode == 0, done.stderr
    assert answers(done.stdout) == shown(expected)


def test_a_folder_of_somebody_else_is_left_alone(folder):
    mine = folder / ".demo" / "parquet" / "mine.txt"
    mine.parent.mkdir(parents=True)
    mine.write_text("mine")
    done = run_demo(folder)
    assert done.returncode == 1
    assert "is not the demo's" in done.stderr
    assert mine.read_text() == "mine"


def start_demo(folder):
    return subprocess.Popen(
        [sys.executable, "-m", "igloo", "demo"],
        cwd=folder,
        env={**os.environ, "COLUMNS": "200"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run_demo(folder):
    process = start_demo(Path(folder))
    output, told = process.communicate(timeout=LIMIT_S)
    return subprocess.CompletedProcess(process.args, process.returncode, output, told)


def wait_until(condition, process):
    deadline = time.monotonic() + LIMIT_S
    while not condition():
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < deadline
        time.sleep(0.005)


def answers(output):
    """The cells of the printed answer."""
    table = output.partition("The answer")[2].partition("What each source did")[0]
    rows = [re.split(r"\s*[│|┃]\s*", line.strip())[1:-1] for line in table.splitlines()]
    return [tuple(row) for row in rows if row and row[0].isupper()]


def shown(rows):
    return [(s, m, f"{items:,}", f"{n:,}", f"{revenue:,.2f}") for s, m, items, n, revenue in rows]


def sources(work):
    """Rows that each source sent, beside the rows that its tables hold."""
    sizes = {"pg": 165_000, "files": 600_573, "lake": 21_001}
    found = re.findall(
        r"[│|]\s*(pg|files|lake)\s*[│|].*[│|]\s*([\d,]+)\s*[│|]\s*[\d,]+\s*[│|]", work
    )
    return {name: (int(rows.replace(",", "")), sizes[name]) for name, rows in found}
