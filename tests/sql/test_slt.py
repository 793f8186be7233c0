"""Runs every .slt file beside this one, each in a connection of its own."""

import sys
from pathlib import Path

import pytest

import igloo
from igloo import errors

FOLDER = Path(__file__).parent
# The module beside this file is no test, so pytest does not put it on the path.
sys.path.insert(0, str(FOLDER))

from slt_runner import read_records, run_record  # noqa: E402 - found only now

FILES = sorted(FOLDER.glob("*.slt"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_record_answers_as_written(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    records = read_records(path)
    assert records
    with igloo.connect() as db:

        def run(sql):
            return [row for result in db.run_script(sql) for row in result.fetchall()]

        for record in records:
            run_record(record, run, errors, tmp_path)


def test_there_are_files_to_run():
    assert len(FILES) >= 10


@pytest.mark.parametrize(
    ("text", "rows", "told"),
    [
        ("query I\nSELECT\n----\n1", [(2,)], "expected"),
        ("query I\nSELECT\n----\n1", [(1,), (1,)], "expected"),
        ("query I\nSELECT\n----\n1", [("1",)], "not of type I"),
        ("query I\nSELECT\n----\n1", [(True,)], "not of type I"),
        ("query II\nSELECT\n----\n1", [(1,)], "1 columns"),
        ("query I\nSELECT\n----\n1\n2", [(2,), (1,)], "expected"),
        ("statement error TableNotFound\nSELECT", [], "no error"),
        ("statement error TableNotFound\nSELECT", errors.InvalidValue("x"), "InvalidValue"),
        ("statement error InvalidValue why\nSELECT", errors.InvalidValue("x"), "'why' is not"),
    ],
)
def test_the_runner_notices_what_is_wrong(tmp_path, text, rows, told):
    path = tmp_path / "a.slt"
    path.write_text(text)
    (record,) = read_records(path)

    def run(_sql):
        if isinstance(rows, Exception):
            raise rows
        return rows

    with pytest.raises(AssertionError, match=told) as caught:
        run_record(record, run, errors, tmp_path)
    assert "a.slt:1" in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "statement",
        "statement fine\nSELECT",
        "query X\nSELECT\n----",
        "query I\nSELECT",
        "queryy I\n",
    ],
)
def test_the_runner_refuses_a_record_it_does_not_know(tmp_path, text):
    path = tmp_path / "a.slt"
    path.write_text(text)
    with pytest.raises(ValueError, match=r"a\.slt:1"):
        read_records(path)
