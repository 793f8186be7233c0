import io

import pyarrow as pa
import pytest

from igloo.cli.colours import Colour, painted
from igloo.cli.expanded_format import expanded_lines
from igloo.cli.shell import pager
from igloo.cli.shell.built_in_pager import View
from igloo.cli.shell.display import duration
from igloo.cli.table_format import read_cells


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_rows_stand_one_below_the_other_whole():
    table = pa.table({"id": [1, None], "a longer name": ["x" * 2000, "two\nlines"]})
    cells = read_cells(table.schema, table.to_batches(), rows_max=10)
    assert list(expanded_lines(cells)) == [
        "-- row 1 -----------------------",
        "id            | 1",
        f"a longer name | {'x' * 2000}",
        "-- row 2 -----------------------",
        "id            | NULL",
        "a longer name | two\\nlines",
    ]


def test_times_are_told_as_people_read_them():
    assert [duration(ms) for ms in (0.2, 12.4, 999.4, 1234, 65_000)] == [
        "0 ms", "12 ms", "999 ms", "1.23 s", "65.00 s",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("variables", "is_coloured"),
    [({}, True), ({"NO_COLOR": "1"}, False), ({"NO_COLOR": ""}, True), ({"TERM": "dumb"}, False)],
)
def test_colours_are_for_terminals_that_want_them(variables, is_coloured, monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert (painted("x", Colour.RED, Terminal()) != "x") is is_coloured
    assert painted("x", Colour.RED, io.StringIO()) == "x"


def test_the_users_pager_is_taken_before_less_and_the_built_in_one(monkeypatch):
    assert pager.pager_command({"PAGER": "more -d 'x y'"}) == ["more", "-d", "x y"]
    monkeypatch.setattr("shutil.which", lambda _: "/usr/bin/less")
    assert pager.pager_command({"PAGER": " "}) == ["less"]
    assert pager.pager_command({"PAGER": "un'closed"}) == ["less"]
    monkeypatch.setattr("shutil.which", lambda _: None)
    assert pager.pager_command({}) == []


def test_what_fits_is_not_paged(monkeypatch):
    monkeypatch.setenv("COLUMNS", "10")
    monkeypatch.setenv("LINES", "8")
    assert pager.fits(["x" * 10] * 5, wraps=False)
    assert not pager.fits(["x"] * 6, wraps=False)
    assert not pager.fits(["x" * 11], wraps=False)
    assert pager.fits(["x" * 11], wraps=True)
    assert not pager.fits(["x" * 11] * 3, wraps=True)


def test_the_built_in_pager_stays_inside_of_the_text():
    view = View(["head", "----", *map(str, range(100)), "wide" * 10], head_lines=2)
    size = {"height": 10, "width": 20}
    view.move(down=5, right=8, **size)
    assert (view.top, view.left) == (5, 8)
    view.move(down=1000, right=1000, **size)
    assert (view.top, view.left) == (91, 20)
    assert view.place(10) == " lines 92-101 of 101; arrows scroll, q leaves "
    view.move(down=-1000, right=-1000, **size)
    assert (view.top, view.left) == (0, 0)
    assert view.shown(["abc"]) == "abc"
