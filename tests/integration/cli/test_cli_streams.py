import signal
import subprocess
import time
from pathlib import Path

import pytest

from conftest import LIMIT_S, MILLION  # isort: skip

#: Ten million rows, a gigabyte as text: no pipe holds them.
#: The promise is one second on a machine that is not busy.
AT_ONCE_S = 3.0
MANY = MILLION + "select n.v, repeat('x', 100) as t from n cross join d"


@pytest.mark.parametrize("chosen", ["csv", "arrow", "parquet"])
def test_a_reader_that_leaves_ends_the_command_quietly(igloo, chosen):
    with igloo.start("query", MANY, "--format", chosen) as process:
        assert process.stdout.read(1)
        process.stdout.close()
        lines = process.stderr.read().decode().splitlines()
        code = process.wait(LIMIT_S)
    assert code == 0
    assert [line for line in lines if not line.startswith("warning: ")] == []


@pytest.mark.parametrize("chosen", ["csv", "parquet"])
def test_a_full_disk_is_told_in_one_line(igloo, chosen):
    if not Path("/dev/full").exists():
        pytest.skip("this system has no device that is full")
    with Path("/dev/full").open("wb") as full:
        outcome = igloo.process("query", "select 1 as a", "--format", chosen, stdout=full)
    assert outcome.code == 1
    assert outcome.error == "error: Standard output cannot be written: No space left on device."


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_a_query_within_a_second_and_leaves_no_file(igloo, number, code):
    with igloo.start("query", MANY) as process:
        assert process.stdout.read(1)
        process.send_signal(number)
        started_s = time.monotonic()
        process.wait(LIMIT_S)
        elapsed_s = time.monotonic() - started_s
        process.stdout.close()
        told = process.stderr.read().decode().splitlines()[-1]
    assert (process.returncode, told) == (code, "error: Interrupted.")
    assert elapsed_s < AT_ONCE_S
    assert list(igloo.temporary.iterdir()) == []


def test_what_queries_spill_is_gone_when_the_command_ends(igloo):
    with igloo.start(
        "query", MANY + " order by t, v desc", "--set", "memory_limit=100MB",
        "--set", "target_partitions=1", stdout=subprocess.DEVNULL,
    ) as process:  # fmt: skip
        spilled = False
        while process.poll() is None and not spilled:
            spilled = any(path.is_file() for path in igloo.temporary.rglob("*"))
        process.send_signal(signal.SIGINT)
        process.wait(LIMIT_S)
    assert spilled
    assert list(igloo.temporary.iterdir()) == []


def test_people_see_a_table_and_a_summary(igloo):
    code, drawn = igloo.on_terminal("query", "select 7 as a, 'x' || chr(27) || '[2J' as b")
    assert code == 0
    assert " a | b\r\n---+-" in drawn
    assert " 7 | x\\x1b[2J\r\n" in drawn
    assert "1 row" in drawn
    assert "\x1b[2J" not in drawn


@pytest.mark.parametrize("chosen", ["arrow", "parquet"])
def test_bytes_are_refused_on_a_terminal(igloo, chosen):
    code, drawn = igloo.on_terminal("query", "select 1", "--format", chosen)
    assert code == 2
    assert "standard output is a terminal" in drawn


def test_a_long_query_shows_its_progress_until_ctrl_c(igloo):
    code, drawn = igloo.on_terminal(
        "query", MANY + " order by t, v desc", until=b" s, 0 rows", press=True
    )
    assert code == 130
    assert drawn.rstrip().endswith("error: Interrupted.")
    # The cursor that the progress line hid is back.
    assert drawn.rfind("\x1b[?25h") > drawn.rfind("\x1b[?25l")
