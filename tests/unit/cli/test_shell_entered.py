import pytest

from igloo.cli.shell.entered import is_whole, shortcut_of, statements_of
from igloo.cli.shell.scan import open_sign, scan


@pytest.mark.parametrize(
    "text",
    ["", " \n", "select 1;", "select 1; -- done", "select 1; select 2;\n", "\\d", "quit", "exit;",
     "-- nothing", "select\n\\q", "help", "select '\x00"],
)  # fmt: skip
def test_enter_runs_what_is_whole(text):
    assert is_whole(text)


@pytest.mark.parametrize(
    "text",
    ["select 1", "select ';", "select 1 -- ;", "select 1 /* ;", 'select ";', "select 1; select 2",
     "select $$;"],
)  # fmt: skip
def test_enter_goes_on_while_something_is_open(text):
    assert not is_whole(text)


@pytest.mark.parametrize(
    ("text", "shortcut"),
    [(" \\d x ", "\\d x"), ("quit;", "\\q"), ("EXIT", "\\q"), ("help", "\\?"), ("select 1;", None),
     ("select 'a\n\\q", "\\q"), ("select '\\q'", None)],
)  # fmt: skip
def test_shortcuts_are_told_from_sql(text, shortcut):
    assert shortcut_of(text) == shortcut


def test_a_text_may_hold_several_statements():
    assert statements_of("select ';'; ; select 2;") == ("select ';'", "select 2")


@pytest.mark.parametrize("text", ["", "select 'it''s' \"x\" 1.5e3 /* a */ -- b\n ; é ☃", "'", '"'])
def test_pieces_together_are_the_text(text):
    assert "".join(piece.text for piece in scan(text)) == text


@pytest.mark.parametrize(
    ("text", "sign"),
    [("", ""), ("'a", "'"), ("'a''", "'"), ("'a'", ""), ('"a', '"'), ("/* a", "*"), ("-- '", "")],
)
def test_the_open_quote_is_known(text, sign):
    assert open_sign(text) == sign
