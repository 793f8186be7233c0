"""What is left out is left out for a reason that still holds, and the rest is what it was."""

import itertools
from pathlib import Path

import pytest

from fuzz.campaign import trials
from fuzz.shapes import KNOWN_WRONG, REFUSED
from fuzz.spelling import PLAIN
from fuzz.tree import size, walk

PAGE = Path(__file__).parents[2] / "docs/reference/sql-differences.md"
COUNT = 1000


@pytest.fixture(scope="module")
def some():
    return list(itertools.islice(trials("shapes"), COUNT))


@pytest.mark.parametrize("shape", KNOWN_WRONG, ids=lambda shape: shape.name)
def test_a_shape_is_left_out_as_long_as_its_wrong_answer_is_documented(shape):
    """A test of the page fails when such an answer is right, so that its row goes."""
    known = PAGE.read_text(encoding="utf-8").partition("## Known wrong answers")[2]
    assert shape.documented in known, f"cured: take {shape.name!r} out of KNOWN_WRONG"


@pytest.mark.parametrize("shape", [*KNOWN_WRONG, *REFUSED], ids=lambda shape: shape.name)
def test_a_shape_is_met(some, shape):
    """A shape that is met no more would leave out nothing, and nobody would notice."""
    assert any(map(shape.is_in, (q for _, trial, _ in some for q in trial.check.queries())))


def test_most_statements_have_no_shape_that_is_left_out(some):
    assert sum(not reason for _, _, reason in some) > COUNT * 0.4


def test_the_same_seed_gives_the_same_statements(some):
    again = list(itertools.islice(trials("shapes"), 50))
    assert again == some[:50]
    other = itertools.islice(trials("other"), 50)
    assert not {text_of(each) for each in other} & {text_of(each) for each in some[:50]}


def text_of(named_trial):
    return ";".join(map(PLAIN.query, named_trial[1].check.queries()))


def test_every_node_of_a_tree_is_walked_once(some):
    for _, trial, _ in some[:50]:
        paths = [path for path, _ in walk(trial.check)]
        assert len(paths) == len(set(paths)) >= size(trial.check)
