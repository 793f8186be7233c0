r"""The shortcuts of the shell: ``\d`` and its like, as people know them from psql."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from igloo.cli.failures import CommandError
from igloo.cli.render import Format
from igloo.cli.shell.display import TargetFile
from igloo.errors import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable

    from igloo.cli.shell.display import Display

#: What completion offers behind a shortcut.
TABLES, PLACES, FILES, SWITCH, FORMATS = "tables", "places", "files", "on or off", "formats"
_FORMATS_OF_SUFFIXES = {f".{chosen}": chosen for chosen in Format if chosen is not Format.TABLE}


class Leave(Exception):
    """The user has had enough."""


class Surroundings(Protocol):
    """What shortcuts act on."""

    display: Display

    def run(self, text: str) -> bool:
        """Run the statements of a text."""
        ...

    def edit(self) -> None:
        """Let the user edit the last statement next."""
        ...

    def tell(self, text: str) -> None:
        """Say something that is no result."""
        ...

    @property
    def place(self) -> str:
        """The current catalog and schema, as SQL names them."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortcut:
    """One shortcut.

    Attributes:
        name: what is typed.
        argument: what may follow, for people.
        meaning: what it does.
        act: does it; gets what follows the name.
        completes: what completion offers behind it.
    """

    name: str
    argument: str = ""
    meaning: str
    act: Callable[[Surroundings, str], None]
    completes: str = ""


def run_shortcut(text: str, shell: Surroundings) -> None:
    """Do what the shortcut says.

    Raises:
        Leave: it was the one that leaves.
        CommandError: there is none of that name, or what follows it is wrong.
        OSError: a file cannot be read or written.
    """
    name, _, argument = text.strip().partition(" ")
    # People end everything with a semicolon.
    name, argument = name.rstrip(";"), argument.strip().rstrip(";").strip()
    shortcut = BY_NAME.get(name)
    if shortcut is None:
        hint = did_you_mean(name, BY_NAME)
        hint = hint if hint.startswith("Did") else "\\? lists the shortcuts."
        raise CommandError(f'There is no shortcut "{name}". {hint}')
    if argument and not shortcut.argument:
        raise CommandError(f"{name} takes nothing behind it.")
    shortcut.act(shell, argument)


def _help(shell: Surroundings, _argument: str) -> None:
    rows = [(f"{s.name} {s.argument}".rstrip(), s.meaning) for s in SHORTCUTS]
    widest = max(len(shown) for shown, _ in rows)
    lines = [f"  {shown.ljust(widest)}  {meaning}" for shown, meaning in rows]
    shell.tell("\n".join([*lines, "", *_KEYS]))


_KEYS = (
    "  Enter       runs what ends with ; and else starts a new line",
    "  Alt-Enter   always starts a new line",
    "  Tab         completes; Ctrl-R searches what was typed before",
    "  Ctrl-C      stops the statement, or drops what is typed",
    "  Ctrl-D      leaves",
)


def _tables(shell: Surroundings, argument: str) -> None:
    shell.run(f"SHOW TABLES FROM {argument}" if argument else "SHOW TABLES")


def _describe(shell: Surroundings, argument: str) -> None:
    if argument:
        shell.run(f"DESCRIBE {argument}")
    else:
        _tables(shell, "")


def _schemas(shell: Surroundings, argument: str) -> None:
    shell.run(f"SHOW SCHEMAS FROM {argument}" if argument else "SHOW SCHEMAS")


def _catalogs(shell: Surroundings, _argument: str) -> None:
    shell.run("SHOW CATALOGS")


def _use(shell: Surroundings, argument: str) -> None:
    if argument and not shell.run(f"USE {argument}"):
        return
    shell.tell(f"Names start in {shell.place}.")


def _expanded(shell: Surroundings, argument: str) -> None:
    shell.display.is_expanded = _switched(argument, is_on=shell.display.is_expanded)
    shell.tell(f"Each column on a line of its own: {_word(shell.display.is_expanded)}.")


def _timing(shell: Surroundings, argument: str) -> None:
    shell.display.tells_time = _switched(argument, is_on=shell.display.tells_time)
    shell.tell(f"The time of statements: {_word(shell.display.tells_time)}.")


def _pager(shell: Surroundings, argument: str) -> None:
    shell.display.pages = _switched(argument, is_on=shell.display.pages)
    shell.tell(f"A pager for what does not fit: {_word(shell.display.pages)}.")


def _format(shell: Surroundings, argument: str) -> None:
    if argument:
        texts = [str(chosen) for chosen in Format if not chosen.is_binary]
        if argument not in texts:
            hint = did_you_mean(argument, texts)
            raise CommandError(f'There is no format "{argument}" for a terminal. {hint}')
        shell.display.format = Format(argument)
    shell.tell(f"Results are written as {shell.display.format}.")


def _read(shell: Surroundings, argument: str) -> None:
    if not argument:
        raise CommandError("\\i needs the name of a file.")
    try:
        text = _path(argument).read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        message = f'The file "{argument}" is not UTF-8 text at byte {error.start}.'
        raise CommandError(message) from error
    except OSError as error:
        message = f'The file "{argument}" cannot be read: {error.strerror}.'
        raise CommandError(message) from error
    shell.run(text)


def _write(shell: Surroundings, argument: str) -> None:
    if not argument:
        shell.display.redirect(None)
        shell.tell("Results are shown here.")
        return
    path = _path(argument)
    chosen = _FORMATS_OF_SUFFIXES.get(path.suffix.lower(), Format.CSV)
    try:
        target = TargetFile.create(path, chosen)
    except OSError as error:
        message = f'The file "{argument}" cannot be written: {error.strerror}.'
        raise CommandError(message) from error
    shell.display.redirect(target)
    shell.tell(f"Results go to {path} as {chosen}; \\o alone shows them here again.")


def _edit(shell: Surroundings, _argument: str) -> None:
    shell.edit()


def _leave(_shell: Surroundings, _argument: str) -> None:
    raise Leave


def _path(argument: str) -> Path:
    quoted = len(argument) > 1 and argument[0] == argument[-1] and argument[0] in "'\""
    return Path(argument[1:-1] if quoted else argument).expanduser()


def _switched(argument: str, *, is_on: bool) -> bool:
    if argument not in {"", "on", "off"}:
        raise CommandError(f'Say on or off, not "{argument}", or nothing to change it.')
    return argument == "on" if argument else not is_on


def _word(is_on: bool) -> str:  # noqa: FBT001 - one word for one value
    return "on" if is_on else "off"


SHORTCUTS = (
    Shortcut(name="\\?", meaning="lists the shortcuts and keys", act=_help),
    Shortcut(name="\\l", meaning="lists the catalogs", act=_catalogs),
    Shortcut(
        name="\\dn",
        argument="[CATALOG]",
        meaning="lists the schemas, here or of a catalog",
        act=_schemas,
        completes=PLACES,
    ),
    Shortcut(
        name="\\dt",
        argument="[PLACE]",
        meaning="lists the tables, here or of a catalog or schema",
        act=_tables,
        completes=PLACES,
    ),
    Shortcut(
        name="\\d",
        argument="[TABLE]",
        meaning="lists the columns of a table; alone, the tables here",
        act=_describe,
        completes=TABLES,
    ),
    Shortcut(
        name="\\c",
        argument="[PLACE]",
        meaning="lets names start in a catalog or schema; alone, tells where they do",
        act=_use,
        completes=PLACES,
    ),
    Shortcut(
        name="\\x",
        argument="[on|off]",
        meaning="writes each column on a line of its own",
        act=_expanded,
        completes=SWITCH,
    ),
    Shortcut(
        name="\\timing",
        argument="[on|off]",
        meaning="tells the time of each statement",
        act=_timing,
        completes=SWITCH,
    ),
    Shortcut(
        name="\\pager",
        argument="[on|off]",
        meaning="pages what does not fit the terminal",
        act=_pager,
        completes=SWITCH,
    ),
    Shortcut(
        name="\\format",
        argument="[NAME]",
        meaning="writes results as table, csv, json or ndjson",
        act=_format,
        completes=FORMATS,
    ),
    Shortcut(
        name="\\i",
        argument="FILE",
        meaning="runs the statements of a file, up to the first error",
        act=_read,
        completes=FILES,
    ),
    Shortcut(
        name="\\o",
        argument="[FILE]",
        meaning="sends results to a file, in the format of its ending; alone, back to here",
        act=_write,
        completes=FILES,
    ),
    Shortcut(name="\\e", meaning="opens the last statement in $EDITOR", act=_edit),
    Shortcut(name="\\q", meaning="leaves", act=_leave),
)
BY_NAME = {shortcut.name: shortcut for shortcut in SHORTCUTS}
