"""Runs the corpus: what PostgreSQL answered, Igloo answers alike, apart from the known faults."""

import importlib.util
import sys
from pathlib import Path

import pytest

import igloo
from igloo import errors
from igloo.testing.servers import PostgresServer

FOLDER = Path(__file__).parent
# The module beside this file is no test, so pytest does not put it on the path.
sys.path.insert(0, str(FOLDER))

from slt_runner import read_records, run_record  # noqa: E402 - found only now

CORPUS = sorted((FOLDER / "corpus").glob("*.slt"))
KNOWN = sorted((FOLDER / "corpus" / "known").glob("*.slt"))
STATEMENTS_MIN = 3000


@pytest.fixture(scope="module")
def generator():
    path = FOLDER.parents[1] / "tools" / "generate_corpus.py"
    spec = importlib.util.spec_from_file_location("generate_corpus", path)
    module = importlib.util.module_from_spec(spec)
    # Its classes look for their module while they are made.
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def questions_of(path):
    return [record for record in read_records(path) if record.arguments != ("ok",)]


def complaints_about(path, folder):
    """Run the records of a file in one connection; return those that answer otherwise."""
    complaints = {}
    with igloo.connect(settings={"timezone": "UTC"}) as db:

        def run(sql):
            return [row for result in db.run_script(sql) for row in result.fetchall()]

        for record in read_records(path):
            try:
                run_record(record, run, errors, folder)
            except (AssertionError, errors.IglooError) as error:
                complaints[record.sql] = f"{record.place}: {error}"
    return complaints


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.stem)
def test_every_statement_is_answered_as_by_postgresql(path, tmp_path):
    complaints = complaints_about(path, tmp_path)
    assert not complaints, "\n".join([f"{len(complaints)} differ:", *complaints.values()][:20])


@pytest.mark.parametrize("path", KNOWN, ids=lambda path: path.stem)
def test_every_known_fault_is_still_one(path, tmp_path):
    complaints = complaints_about(path, tmp_path)
    cured = [record.place for record in questions_of(path) if record.sql not in complaints]
    assert cured == [], "run: .venv/bin/python tools/generate_corpus.py --prune"
    # What sets up the tables has to work, or nothing would be shown.
    assert len(complaints) == len(questions_of(path))


def test_the_files_are_what_the_generator_makes_of_topics_and_postgresql(generator):
    topics = generator.read_topics()
    lists = [generator.read_list(name) for name in generator.LISTS]
    with PostgresServer() as server:
        judge = generator.Postgres(server.uri)
        records = {topic.name: generator.judged(topic, judge) for topic in topics}
        judge.close()
    files = generator.corpus_files(topics, records, *lists)
    stale = [path.name for path, text in files.items() if path.read_text("utf-8") != text]
    assert stale == [], "run: .venv/bin/python tools/generate_corpus.py"
    assert {path for path in files if path.suffix == ".slt"} == {*CORPUS, *KNOWN}


def test_the_lists_name_statements_of_the_topics(generator):
    asked = {line.key for topic in generator.read_topics() for line in topic.questions}
    listed = [key for name in generator.LISTS for key in generator.read_list(name)]
    assert len(listed) == len(set(listed))
    assert [key for key in listed if key not in asked] == []


def test_there_are_many_statements_and_few_that_only_fail():
    records = [record for path in CORPUS for record in questions_of(path)]
    assert len(records) >= STATEMENTS_MIN
    failing = [record for record in records if record.kind == "statement"]
    assert len(failing) < len(records) / 20


def test_a_topic_gives_a_statement_for_each_combination(generator, tmp_path):
    path = tmp_path / "small.txt"
    path.write_text(
        "# Numbers.\n"
        "let n = 1; {2; 3}\n"
        "CREATE TABLE t (a int)\n"
        "SELECT {n} {+; -} a{2}\n"
        "  FROM t\n"
        "SELECT 1 + a{2} FROM t\n"
    )
    topic = generator.read_topic(path)
    assert [line.kind for line in topic.lines[:2]] == ["comment", "set-up"]
    expected = [f"SELECT {n} {op} a{{2}} FROM t" for n in (1, 2, 3) for op in "+-"]
    assert [line.key for line in topic.questions] == expected


@pytest.mark.parametrize(
    ("sql", "ordered"),
    [
        ("SELECT a FROM t ORDER BY a", True),
        ("SELECT a FROM t\n order  by (a) LIMIT 1", True),
        ("SELECT a FROM (SELECT a FROM t ORDER BY a) AS s", False),
        ("SELECT sum(a) OVER (ORDER BY a) FROM t", False),
        ("SELECT 'order by' FROM t", False),
    ],
)
def test_the_generator_sees_which_answers_are_ordered(generator, sql, ordered):
    assert generator._is_ordered(sql) == ordered


def test_pruning_takes_statements_out_of_a_list(generator, tmp_path, monkeypatch):
    monkeypatch.setattr(generator, "CORPUS", tmp_path)
    path = tmp_path / "known.txt"
    path.write_text("# One.\nSELECT 1\n\n# Two.\nSELECT 2\nSELECT 3\n")
    generator.prune("known.txt", {"SELECT 1", "SELECT 3"})
    assert path.read_text() == "# Two.\nSELECT 2\n"


def test_a_difference_is_noticed(generator, tmp_path):
    path = tmp_path / "small.txt"
    path.write_text("SELECT 1 AS v\nSELECT nope(1) AS v\nSELECT 2 AS v\n")
    topic = generator.read_topic(path)
    records = {line.key: f"query I rowsort\n{line.text}\n----\n1" for line in topic.questions}
    found = generator.differences(topic, records)
    assert set(found) == {"SELECT nope(1) AS v", "SELECT 2 AS v"}
    assert found["SELECT 2 AS v"] == "found ['2'], expected ['1']"
