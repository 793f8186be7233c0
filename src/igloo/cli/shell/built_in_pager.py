"""A small pager for machines without one: arrows scroll both ways, q leaves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prompt_toolkit.application import Application
from prompt_toolkit.data_structures import Point
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.layout import FormattedTextControl, HSplit, Layout, Window

from igloo.cli.table_format import text_width

if TYPE_CHECKING:
    from collections.abc import Sequence

_COLUMNS_A_STEP = 16


class View:
    """Which part of the lines is seen.

    Attributes:
        top: the first line below the head.
        left: the first column.
    """

    def __init__(self, lines: Sequence[str], *, head_lines: int) -> None:
        self.head, self.body = lines[:head_lines], lines[head_lines:]
        self.widest = max(map(text_width, lines), default=0)
        self.top = self.left = 0

    def move(self, *, down: int = 0, right: int = 0, height: int, width: int) -> None:
        """Scroll, staying inside of the text."""
        self.top = max(0, min(self.top + down, len(self.body) - height))
        self.left = max(0, min(self.left + right, self.widest - width))

    def shown(self, lines: Sequence[str]) -> str:
        """Return the lines from the first column that is seen."""
        return "\n".join(line[self.left :] for line in lines)

    def place(self, height: int) -> str:
        """Return the line at the bottom."""
        last = min(self.top + height, len(self.body))
        return f" lines {self.top + 1:,}-{last:,} of {len(self.body):,}; arrows scroll, q leaves "


def show(lines: Sequence[str], *, head_lines: int) -> None:
    """Show the lines on the whole terminal until q is pressed; the first ones stay at the top."""
    view = View(lines, head_lines=head_lines)
    keys = KeyBindings()
    _bind(keys, view)
    body = FormattedTextControl(lambda: view.shown(view.body[view.top :]), focusable=True)
    # A cursor on the first line keeps the window from scrolling by itself.
    body.get_cursor_position = lambda: Point(0, 0)
    head = FormattedTextControl(lambda: view.shown(view.head))
    application: Application[None] = Application(
        layout=Layout(
            HSplit(
                [
                    Window(head, height=head_lines, style="bold"),
                    Window(body, always_hide_cursor=True),
                    Window(
                        FormattedTextControl(lambda: view.place(_size(application, view)[0])),
                        height=1,
                        style="reverse",
                    ),
                ]
            )
        ),
        key_bindings=keys,
        full_screen=True,
    )
    application.run()


def _size(application: Application[None], view: View) -> tuple[int, int]:
    """Return the lines and columns that rows have."""
    size = application.output.get_size()
    return max(1, size.rows - len(view.head) - 1), size.columns


def _bind(keys: KeyBindings, view: View) -> None:
    def scroll(names: Sequence[str], down: float = 0, right: int = 0) -> None:
        def pressed(event: KeyPressEvent) -> None:
            height, width = _size(event.app, view)
            # Between -1 and 1 stands a part of the screen, beyond it lines.
            lines = int(down * height) if -1 < down < 1 else int(down)
            view.move(down=lines, right=right, height=height, width=width)

        for name in names:
            keys.add(name)(pressed)

    everything = len(view.body)
    scroll(["down", "j", "enter"], down=1)
    scroll(["up", "k"], down=-1)
    scroll(["pagedown", " ", "f"], down=0.9)
    scroll(["pageup", "b"], down=-0.9)
    scroll(["home", "g"], down=-everything - 1)
    scroll(["end", "G"], down=everything + 1)
    scroll(["right", "l"], right=_COLUMNS_A_STEP)
    scroll(["left", "h"], right=-_COLUMNS_A_STEP)

    @keys.add("q")
    @keys.add("Q")
    @keys.add("c-c")
    @keys.add("c-d")
    def _(event: KeyPressEvent) -> None:
        event.app.exit()
