"""Numbers in JSON: a type that holds all of them exactly, or a refusal."""

import pytest

import igloo
from igloo.errors import SourceDataError


@pytest.fixture
def read(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def values(*texts):
        (tmp_path / "t.json").write_text("".join(f'{{"a":{text}}}\n' for text in texts))
        with igloo.connect() as db:
            db.sql("CREATE EXTERNAL TABLE t STORED AS JSON LOCATION 't.json'")
            return [row[0] for row in db.sql("SELECT a FROM t").fetchall()]

    return values


def test_whole_numbers_and_fractions_meet_as_floats_while_these_hold_them(read):
    assert read("9007199254740992", "0.5", "-9007199254740992") == [2.0**53, 0.5, -(2.0**53)]
    assert read("0.25", "0.5", "1") == [0.25, 0.5, 1.0]


@pytest.mark.parametrize(
    "texts",
    [
        ("9007199254740993", "0.5"), ("0.5", "-9007199254740993"), ("12345678901234567890", "0.1"),
        ("0.5", "1", "9007199254740993", "0.5"), ("1.5", "2.5", "9007199254740993"),
    ],
)  # fmt: skip
def test_whole_numbers_that_a_float_would_round_are_refused(read, texts):
    with pytest.raises(SourceDataError, match="whole numbers up to"):
        read(*texts)


def test_whole_numbers_alone_may_be_long(read):
    assert read("9007199254740993", "1") == [9007199254740993, 1]
