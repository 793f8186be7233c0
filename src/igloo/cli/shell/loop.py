"""The shell itself: reads, runs, and goes on."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from igloo.cli.colours import Colour
from igloo.cli.failures import CommandError
from igloo.cli.interrupt import Interrupted, Terminated
from igloo.cli.shell.display import tell
from igloo.cli.shell.entered import shortcut_of, statements_of
from igloo.cli.shell.run import run_statement, tell_error
from igloo.cli.shell.shortcuts import Leave, run_shortcut
from igloo.errors import IglooError
from igloo.names import quote_if_needed

if TYPE_CHECKING:
    from igloo.cli.shell.display import Display
    from igloo.cli.shell.editor import Editor
    from igloo.cli.shell.names import KnownNames
    from igloo.cli.statements import Connection

#: Statements that may make names appear, vanish, or mean something else.
_CHANGE_NAMES = ("CREATE", "DROP", "REFRESH", "USE")


class Shell:
    """One user's session at a terminal."""

    def __init__(
        self,
        connection: Connection,
        editor: Editor,
        names: KnownNames,
        display: Display,
        *,
        is_verbose: bool,
    ) -> None:
        self.display = display
        self._connection = connection
        self._editor = editor
        self._names = names
        self._is_verbose = is_verbose
        self._start = connection.current_schema
        self._last = ""
        self._edits_next = False

    @property
    def place(self) -> str:
        """The current catalog and schema, as SQL names them."""
        return ".".join(map(quote_if_needed, self._connection.current_schema))

    def loop(self) -> None:
        """Read and run until the user leaves.

        Raises:
            Interrupted: the process is asked to end.
        """
        while True:
            try:
                text = self._read()
                self._handle(text)
            except (EOFError, Leave):
                return
            except Terminated as stop:
                raise Interrupted(stop) from None
            except KeyboardInterrupt:
                if not self._editor.typed.strip():
                    self.tell("Ctrl-D leaves; so does \\q.")

    def run(self, text: str) -> bool:
        """Run the statements of a text in turn, and return whether all came to their end."""
        try:
            statements = statements_of(text)
        except IglooError as error:
            tell_error(error, is_verbose=self._is_verbose)
            return False
        for statement in statements:
            is_done = run_statement(
                self._connection, statement, self.display, is_verbose=self._is_verbose
            )
            if statement.upper().startswith(_CHANGE_NAMES):
                self._names.forget()
            if not is_done:
                return False
        return True

    def edit(self) -> None:
        """Let the user edit the last statement next."""
        self._edits_next = True

    def tell(self, text: str) -> None:
        """Say something that is no result."""
        tell(text)

    def _read(self) -> str:
        is_edited, self._edits_next = self._edits_next, False
        place = "" if self._connection.current_schema == self._start else self.place
        return self._editor.read(place, edited=self._last if is_edited else None)

    def _handle(self, text: str) -> None:
        shortcut = shortcut_of(text)
        if shortcut is None:
            if text.strip():
                self._last = text
                self.run(text)
            return
        try:
            run_shortcut(shortcut, self)
        except CommandError as error:
            tell_error(error, is_verbose=self._is_verbose)


def greet(connection: Connection, version: str) -> None:
    """Say where the user is, and how to go on."""
    with connection.sql("SHOW CATALOGS") as result:
        names = [str(name) for name, _, origin in result.fetchall() if origin != "built in"]
    catalogs = f", with the catalogs {', '.join(names)}" if names else ""
    tell(f"Igloo {version}{catalogs}.", Colour.BOLD)
    tell("Statements end with ; and Tab completes. \\? lists shortcuts, Ctrl-D leaves.")
    sys.stderr.flush()
