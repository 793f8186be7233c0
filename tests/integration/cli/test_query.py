import io
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from conftest import MILLION  # isort: skip


def test_rows_go_to_a_pipe_as_csv_and_nothing_else_does(igloo):
    outcome = igloo("query", "select 1 as a, 'x' as b union all select 2, null order by a")
    assert (outcome.code, outcome.text, outcome.err) == (0, "a,b\n1,x\n2,\n", "")


def test_a_script_prints_each_result_and_stops_at_the_first_error(igloo):
    outcome = igloo(
        "query",
        "create table t as select 1 as a; select a from t; select nope from t; select 3 as c",
    )
    assert outcome.code == 1
    assert outcome.text.endswith("a\n1\n")
    assert "c\n3" not in outcome.text
    assert outcome.error.startswith('error: There is no column "nope"')


def test_results_of_a_script_are_separated_by_an_empty_line(igloo):
    outcome = igloo("query", "select 1 as a; select 2 as b;")
    assert (outcome.code, outcome.text) == (0, "a\n1\n\nb\n2\n")


def test_sql_comes_from_a_file_or_from_standard_input(igloo):
    path = igloo.write("question.sql", "\ufeff-- a comment\nselect 'é' as a;\n")
    assert igloo("query", "-f", path).text == "a\né\n"
    assert igloo("query", "-f", "-", stdin="select 'ß' as a".encode()).text == "a\nß\n"


def test_an_empty_script_is_done_at_once(igloo):
    outcome = igloo("query", "-f", "-", stdin=b" -- nothing\n;;")
    assert (outcome.code, outcome.text) == (0, "")


@pytest.mark.parametrize("chosen", ["arrow", "parquet", "json", "ndjson"])
def test_every_format_carries_the_same_million_rows(igloo, chosen):
    outcome = igloo("query", MILLION + "select v, v % 7 as w from n", "--format", chosen)
    assert outcome.code == 0
    readers = {
        "arrow": lambda out: pa.ipc.open_stream(out).read_all(),
        "parquet": lambda out: pq.read_table(io.BytesIO(out)),
        "json": lambda out: pa.Table.from_pylist(json.loads(out)),
        "ndjson": lambda out: pa.Table.from_pylist([json.loads(row) for row in out.splitlines()]),
    }
    rows = readers[chosen](outcome.out)
    assert sorted(rows["v"].to_pylist()) == list(range(10**6))
    assert all(v % 7 == w for v, w in zip(*(rows[c].to_pylist() for c in "vw"), strict=True))


def test_a_table_in_a_pipe_shows_its_first_rows_and_says_so(igloo):
    outcome = igloo("query", MILLION + "select v from n", "--format", "table", "--max-rows", "3")
    assert outcome.code == 0
    assert len(outcome.text.splitlines()) == 5
    assert outcome.error.startswith("note: Only the first 3 rows are shown")


def test_a_flag_sets_a_setting_above_all_else(igloo):
    igloo.write("igloo.toml", 'timezone = "Asia/Tokyo"\n')
    outcome = igloo("query", "show settings", "--set", "timezone=Europe/Rome")
    assert "igloo.timezone,Europe/Rome,UTC,flag," in outcome.text


def test_a_query_that_runs_too_long_fails_with_its_limit(igloo):
    outcome = igloo(
        "query",
        MILLION + "select count(distinct a.v * b.v) from n a join n b on a.v % 1000 = b.v % 1000",
        "--set",
        "timeout=300ms",
    )
    assert outcome.code == 1
    assert "igloo.timeout" in outcome.error


def test_verbose_adds_the_code_and_the_traceback(igloo):
    outcome = igloo("query", "select nope", "--verbose")
    assert outcome.code == 1
    assert "  code: column_not_found\n" in outcome.err
    assert "Traceback" in outcome.err
    assert outcome.out == b""


@pytest.mark.parametrize(
    "sql",
    ["selec 1", "select * from nowhere", "select '\0'", "set igloo.timout = '5s'",
     "create catalog x using postgrs with (uri = 'x')", "drop catalog nope"],
)  # fmt: skip
def test_a_wrong_statement_is_one_line_and_code_one(igloo, sql):
    outcome = igloo("query", "-f", "-", stdin=sql.encode())
    assert outcome.code == 1
    assert outcome.error.startswith("error: ")
    assert outcome.out == b""


def test_explain_shows_each_plan_under_its_name(igloo):
    outcome = igloo("explain", "select 1 as a")
    assert outcome.code == 0
    assert outcome.err == ""
    names = [line for line in outcome.text.splitlines() if not line.startswith("  ")]
    assert names == ["igloo_plan", "logical_plan", "physical_plan"]
    analyzed = igloo("explain", "--analyze", "select 1 as a")
    assert "analyzed_plan\n" in analyzed.text


def test_catalogs_are_listed_with_where_they_are_configured(igloo):
    igloo.write("igloo.toml", '[catalogs.lake]\nconnector = "files"\npath = "."\n')
    igloo.environment["DATABASE_URL"] = "postgresql://me:hunter2@nowhere.invalid/x"
    outcome = igloo("catalogs")
    assert outcome.code == 0
    assert "lake,files,igloo.toml:1" in outcome.text
    assert "postgres,postgres,environment DATABASE_URL" in outcome.text
    assert "hunter2" not in outcome.text + outcome.err
