"""The line editor: keys, colours and prompts."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from prompt_toolkit import PromptSession
from prompt_toolkit.application import get_app
from prompt_toolkit.filters import Condition
from prompt_toolkit.formatted_text import FormattedText
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.lexers import Lexer
from prompt_toolkit.output import ColorDepth, create_output
from prompt_toolkit.styles import Style

from igloo.cli.colours import shows_colours
from igloo.cli.shell.entered import is_whole
from igloo.cli.shell.scan import Kind, open_sign, scan
from igloo.cli.shell.words import COLOURED

if TYPE_CHECKING:
    from collections.abc import Callable

    from prompt_toolkit.completion import Completer
    from prompt_toolkit.document import Document
    from prompt_toolkit.formatted_text import StyleAndTextTuples
    from prompt_toolkit.history import History

#: The terminal's own colours, so that they fit light and dark ones.
_STYLE = Style.from_dict(
    {
        "prompt": "bold",
        "place": "ansicyan",
        "keyword": "ansiblue bold",
        "text": "ansigreen",
        "number": "ansimagenta",
        "comment": "ansibrightblack italic",
        "completion-menu": "bg:default fg:default noinherit",
        "completion-menu.completion": "bg:default fg:default",
        "completion-menu.completion.current": "reverse",
        "completion-menu.meta.completion": "bg:default fg:ansibrightblack",
        "completion-menu.meta.completion.current": "reverse",
    }
)
_CLASSES = {Kind.TEXT: "class:text", Kind.NUMBER: "class:number", Kind.COMMENT: "class:comment"}
_MENU_LINES = 6


class Editor:
    """Reads what the user types."""

    def __init__(self, *, history: History, completer: Completer) -> None:
        # Where results go to a file or a program, the terminal is behind standard error.
        stream = sys.stdout if sys.stdout.isatty() else sys.stderr
        self._session: PromptSession[str] = PromptSession(
            multiline=True,
            history=history,
            completer=completer,
            complete_while_typing=False,
            key_bindings=_keys(),
            lexer=_SqlLexer(),
            style=_STYLE,
            prompt_continuation=self._continuation,
            enable_open_in_editor=True,
            enable_suspend=True,
            tempfile_suffix=".sql",
            reserve_space_for_menu=_MENU_LINES,
            color_depth=None if shows_colours(stream) else ColorDepth.DEPTH_1_BIT,
            output=create_output(stream),
        )

    @property
    def typed(self) -> str:
        """What stood in the editor last."""
        return self._session.default_buffer.text

    def read(self, place: str, *, edited: str | None = None) -> str:
        """Return what the user types.

        Args:
            place: where names start, for the prompt; empty for the usual place.
            edited: a text to open in the user's editor first.

        Raises:
            EOFError: Ctrl-D was pressed.
            KeyboardInterrupt: Ctrl-C was pressed.
        """
        shown = [("class:prompt", "igloo")]
        if place:
            shown.append(("class:place", f" {place}"))
        return self._session.prompt(
            FormattedText([*shown, ("class:prompt", "> ")]),
            default=edited or "",
            pre_run=None if edited is None else _open_in_editor,
        )

    def _continuation(self, width: int, line_number: int, wraps: int) -> FormattedText:
        """Return the prompt of a further line; it tells of a quote that is still open."""
        if wraps:
            return FormattedText([("", " " * width)])
        lines = self._session.default_buffer.text.split("\n")
        sign = open_sign("\n".join(lines[:line_number])) or "-"
        return FormattedText([("class:prompt", f"{sign}> ".rjust(width))])


def _open_in_editor() -> None:
    get_app().current_buffer.open_in_editor()


def _keys() -> KeyBindings:
    keys = KeyBindings()

    @keys.add("enter", filter=_is_editing)
    def _(event: KeyPressEvent) -> None:
        buffer = event.current_buffer
        state = buffer.complete_state
        if state is not None and state.current_completion is not None:
            # Enter takes what is chosen in the menu; the next one runs the statement.
            buffer.complete_state = None
        elif is_whole(buffer.text):
            buffer.validate_and_handle()
        else:
            buffer.newline(copy_margin=False)

    @keys.add("escape", "enter", filter=_is_editing)
    def _(event: KeyPressEvent) -> None:
        event.current_buffer.newline(copy_margin=False)

    return keys


@Condition
def _is_editing() -> bool:
    """Return whether keys go to the statement, and not to a search in the history."""
    return bool(get_app().layout.current_buffer is not None) and not get_app().layout.is_searching


class _SqlLexer(Lexer):
    """Colours keywords, texts, numbers and comments."""

    def lex_document(self, document: Document) -> Callable[[int], StyleAndTextTuples]:
        """Return a function that returns the coloured pieces of a line."""
        lines: list[StyleAndTextTuples] = [[]]
        for piece in scan(document.text):
            style = _CLASSES.get(piece.kind, "")
            if piece.kind is Kind.WORD and piece.text.upper() in COLOURED:
                style = "class:keyword"
            for number, part in enumerate(piece.text.split("\n")):
                if number:
                    lines.append([])
                lines[-1].append((style, part))
        return lambda number: lines[number] if number < len(lines) else []
