"""Tab: hands candidates to the line editor, and never keeps it waiting."""

from __future__ import annotations

import asyncio
import re
import time
from typing import TYPE_CHECKING

from prompt_toolkit.application import get_app
from prompt_toolkit.completion import Completer, Completion, PathCompleter
from prompt_toolkit.document import Document

from igloo.cli.render import Format
from igloo.cli.safe_text import printable
from igloo.cli.shell import shortcuts
from igloo.cli.shell.candidates import Candidate, candidates
from igloo.cli.shell.entered import shortcut_of
from igloo.cli.shell.names import LIMIT_S, KnownNames, Look
from igloo.cli.shell.scope import Scope, scope_at

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterable, Iterator

    from prompt_toolkit.completion import CompleteEvent

_LOOK_UP_S = 0.05


class ShellCompleter(Completer):
    """Completes SQL and shortcuts."""

    def __init__(self, names: KnownNames) -> None:
        self._names = names

    def get_completions(
        self, document: Document, complete_event: CompleteEvent
    ) -> Iterable[Completion]:
        """Return what is known at this moment."""
        return _completions(document, complete_event, Look(self._names))

    async def get_completions_async(
        self, document: Document, complete_event: CompleteEvent
    ) -> AsyncGenerator[Completion, None]:
        """Yield what is known once the sources have answered, or their time is over.

        This waits on the editor's loop, so that keys are handled meanwhile; the first one ends it.
        """
        loop = asyncio.get_running_loop()
        ends_at_s = time.monotonic() + LIMIT_S
        while True:
            look = Look(self._names)
            # Functions are listed by DataFusion, which takes a moment to load.
            found = await loop.run_in_executor(
                None, list, _completions(document, complete_event, look)
            )
            if not look.is_waiting or time.monotonic() > ends_at_s:
                break
            await asyncio.sleep(_LOOK_UP_S)
            if get_app().current_buffer.document != document:
                return
        for completion in found:
            yield completion


def _completions(document: Document, event: CompleteEvent, names: Look) -> Iterator[Completion]:
    shortcut = _shortcut_before(document)
    if shortcut is not None:
        yield from _of_shortcut(*shortcut, event, names)
    else:
        yield from _of_scope(scope_at(document.text, document.cursor_position), names)


def _of_scope(scope: Scope, names: Look) -> Iterator[Completion]:
    for candidate in candidates(scope, names):
        yield _completion(candidate, scope.typed)


def _of_shortcut(
    name: str, argument: str | None, event: CompleteEvent, names: Look
) -> Iterator[Completion]:
    if argument is None:
        for shortcut in shortcuts.SHORTCUTS:
            if shortcut.name.startswith(name):
                yield _completion(Candidate(shortcut.name, shortcut.meaning), name)
        return
    completes = shortcuts.BY_NAME[name].completes if name in shortcuts.BY_NAME else ""
    match completes:
        case shortcuts.FILES:
            yield from _files(argument, event)
        case shortcuts.SWITCH:
            yield from _words(argument, ("on", "off"))
        case shortcuts.FORMATS:
            yield from _words(argument, [str(f) for f in Format if not f.is_binary])
        case shortcuts.TABLES:
            yield from _of_scope(scope_at(f"DESCRIBE {argument}", len(argument) + 9), names)
        case shortcuts.PLACES:
            yield from _of_scope(scope_at(f"USE {argument}", len(argument) + 4), names)


def _shortcut_before(document: Document) -> tuple[str, str | None] | None:
    """Return the shortcut that is typed, and what follows it so far; None for SQL."""
    text = document.text_before_cursor
    if shortcut_of(text) is None or not text.lstrip().startswith("\\"):
        return None
    match = re.match(r"\s*(\\\S*)(?:\s+(.*))?\Z", text, re.DOTALL)
    return (match[1], match[2]) if match else None


def _completion(candidate: Candidate, typed: str) -> Completion:
    return Completion(
        candidate.text,
        start_position=-len(typed),
        # Names come from elsewhere.
        display=printable(candidate.text),
        display_meta=candidate.meaning,
    )


def _words(argument: str, words: Iterable[str]) -> Iterator[Completion]:
    for word in words:
        if word.startswith(argument):
            yield Completion(word, start_position=-len(argument))


def _files(argument: str, event: CompleteEvent) -> Iterator[Completion]:
    completer = PathCompleter(expanduser=True)
    yield from completer.get_completions(Document(argument, len(argument)), event)
