"""Runs the code blocks of a page of documentation, top to bottom, in a folder of its own.

A block's language says what is done with it: ``python`` and ``bash`` run, ``sql`` runs in one
connection for the page, ``output`` is what the block before it printed (``…`` stands for any text),
``text`` is a drawing. An HTML comment on the line before a block says more: ``file: NAME`` writes
it to a file, ``fails: X`` expects an error class or an exit code, ``not run: REASON`` skips it.
"""

import contextlib
import io
import os
import re
import subprocess
import sys
import traceback
from dataclasses import dataclass, field
from pathlib import Path

import igloo
from igloo.cli.table_format import write_table

#: The address that pages write; a real server's stands in for it.
WRITTEN_URI = "postgresql://me:secret@localhost:5432/shop"

_FENCE = re.compile(r"^```(?P<language>\w*)\s*$")
_DIRECTIVE = re.compile(r"^<!-- (?P<word>file|fails|not run): (?P<value>.+?) -->$")
_HEADING = re.compile(r"^(?P<level>#{1,6}) (?P<title>.+?)\s*$")
_LINK = re.compile(r"(?<!!)\[[^\]]+\]\((?P<target>[^)\s]+)\)|!\[[^\]]*\]\((?P<image>[^)\s]+)\)")


@dataclass(frozen=True, kw_only=True)
class Block:
    """One fenced block: its language, its text, where it starts, and what the comment says."""

    language: str
    text: str
    line: int
    directives: dict[str, str] = field(default_factory=dict)


def blocks_of(text):
    """Return the fenced blocks of a page."""
    blocks, opened, lines = [], None, text.splitlines()
    for number, line in enumerate(lines, 1):
        fence = _FENCE.match(line)
        if opened is None and fence:
            opened = number, fence["language"], _directives(lines[: number - 1])
        elif opened is not None and line == "```":
            start, language, directives = opened
            inner = "".join(f"{each}\n" for each in lines[start : number - 1])
            blocks.append(Block(language=language, text=inner, line=start, directives=directives))
            opened = None
    assert opened is None, f"a block does not end: line {opened}"
    return blocks


def _directives(before):
    found = {}
    for line in reversed(before):
        match = _DIRECTIVE.match(line)
        if match is None:
            break
        found[match["word"]] = match["value"]
    return found


def prose_of(text):
    """Return a page without its fenced blocks, line numbers kept."""
    kept, is_inside = [], False
    for line in text.splitlines():
        if _FENCE.match(line):
            is_inside = not is_inside
            line = ""  # noqa: PLW2901 - the fence itself is no prose
        kept.append("" if is_inside else line)
    return "\n".join(kept)


def headings_of(text):
    """Return the headings of a page."""
    return [m["title"] for line in prose_of(text).splitlines() if (m := _HEADING.match(line))]


def anchors_of(text):
    """Return the anchors that GitHub makes of a page's headings."""
    seen, anchors = {}, set()
    for title in headings_of(text):
        anchor = re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")
        count = seen.setdefault(anchor, 0)
        seen[anchor] += 1
        anchors.add(f"{anchor}-{count}" if count else anchor)
    return anchors


def links_of(text):
    """Return the targets of links and pictures outside of code."""
    prose = re.sub(r"`[^`\n]*`", "`code`", prose_of(text))
    return [m["target"] or m["image"] for m in _LINK.finditer(prose)]


class Page:
    """Runs blocks one after the other; what one leaves behind the next one finds."""

    def __init__(self, name, folder, postgres_uri):
        self._name = name
        self._folder = Path(folder)
        self._postgres_uri = postgres_uri
        self._names = {"__name__": "__page__"}
        self._connection = None
        self._printed = ""

    def run(self, blocks):
        """Run them all.

        Raises:
            AssertionError: a block fails, prints something else, or nothing is done with it.
        """
        try:
            for block in blocks:
                self._run_one(block)
        finally:
            if self._connection is not None:
                self._connection.close()

    def _run_one(self, block):
        text = block.text.replace(WRITTEN_URI, self._postgres_uri)
        place = f"{self._name}:{block.line}"
        if "not run" in block.directives or block.language == "text":
            return
        if "file" in block.directives:
            target = self._folder / block.directives["file"]
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text)
            return
        if block.language == "output":
            assert_matches(self._printed, text, place)
            return
        runs = {"python": self._python, "bash": self._bash, "sql": self._sql}
        assert block.language in runs, f"{place}: nothing is done with {block.language!r} blocks"
        expected = block.directives.get("fails")
        self._printed, failure = runs[block.language](text, block, place)
        told = f"{place}: {failure}\n{self._printed}"
        assert failure == expected, told

    def _python(self, text, block, _place):
        printed = io.StringIO()
        # Blank lines before it let a traceback name the line of the page.
        code = compile("\n" * block.line + text, self._name, "exec")
        try:
            with contextlib.redirect_stdout(printed):
                exec(code, self._names)
        except Exception as error:  # noqa: BLE001 - what a page raises is its output
            if "fails" not in block.directives:
                traceback.print_exc()
            return printed.getvalue() + f"{error}\n", type(error).__name__
        return printed.getvalue(), None

    def _bash(self, text, _block, _place):
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", text],
            cwd=self._folder,
            env={**os.environ, "PATH": path},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=60,
            check=False,
        )
        return done.stdout, str(done.returncode) if done.returncode else None

    def _sql(self, text, _block, _place):
        if self._connection is None:
            self._connection = igloo.connect()
        printed = _Printed()
        try:
            for result in self._connection.run_script(text):
                if len(result.schema):
                    write_table(result.schema, result, printed, rows_max=100, width=None)
        except igloo.IglooError as error:
            return f"{printed.text}error: {error}\n", type(error).__name__
        return printed.text, None


class _Printed:
    """Takes what the command line would write to a terminal."""

    is_terminal = False

    def __init__(self):
        self.text = ""

    def write(self, data):
        self.text += data.decode()

    def flush(self):
        pass


def assert_matches(printed, expected, place):
    """Compare output with what a page says; ``…`` stands for any text, trailing blanks for none."""
    found = "\n".join(line.rstrip() for line in printed.strip().splitlines())
    wanted = "\n".join(line.rstrip() for line in expected.strip().splitlines())
    pattern = ".*?".join(re.escape(part) for part in wanted.split("…"))
    told = f"{place}: the page says\n{wanted}\n--- it printed\n{found}"
    assert re.fullmatch(pattern, found, re.DOTALL), told
