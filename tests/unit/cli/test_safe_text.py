import pytest

from igloo.cli.safe_text import printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("日本語 é ß 🎉", "日本語 é ß 🎉"),
        ("a\nb\rc\td", "a\\nb\\rc\\td"),
        ("\x1b[31mred\x1b]0;title\x07", "\\x1b[31mred\\x1b]0;title\\x07"),
        ("\x9b31m", "\\x9b31m"),
        ("\x00\x7f", "\\x00\\x7f"),
        ("abc\u202edef", "abc\\u202edef"),
        ("\u2066x\u2069\ufeff", "\\u2066x\\u2069\\ufeff"),
        ("line\u2028end", "line\\u2028end"),
        ("\U000e0041", "\\U000e0041"),
        ("👩\u200d💻", "👩\u200d💻"),
        ("a\u00a0b", "a\u00a0b"),
    ],
)
def test_only_control_and_format_characters_become_escapes(text, shown):
    assert printable(text) == shown


def test_characters_may_be_kept():
    assert printable("a\n\x1b", keep="\n") == "a\n\\x1b"
