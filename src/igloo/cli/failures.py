"""Errors as the command shows them: one line, and the exit code that goes with it."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING

from igloo.cli.safe_text import printable
from igloo.config.redaction import redact_uri
from igloo.errors import IglooError, QueryCancelled

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TextIO

FAILED = 1
MISUSED = 2
INTERRUPTED = 130


class CommandError(Exception):
    """What the command itself, and not a query, fails with."""


class Misuse(CommandError):
    """Wrong flags, or configuration that is invalid or cannot be read."""


class CannotWrite(CommandError):
    """Standard output takes no more, e.g. because the disk is full."""


def show_error(error: BaseException, stream: TextIO, *, is_verbose: bool) -> None:
    """Write the error as one line; with ``is_verbose`` also code, context and traceback."""
    stream.write(f"error: {_one_line(error)}\n")
    if is_verbose:
        stream.writelines(f"  {line}\n" for line in _details(error))


def exit_code(error: BaseException) -> int:
    """Return what the process ends with."""
    if isinstance(error, Misuse):
        return MISUSED
    return INTERRUPTED if isinstance(error, QueryCancelled) else FAILED


def _one_line(error: BaseException) -> str:
    if isinstance(error, IglooError):
        text = f"{error.message} {error.hint}"
    elif isinstance(error, CommandError):
        text = str(error)
    else:
        text = f"Igloo failed in a way it should not: {type(error).__name__}: {error}. "
        text += "Please report it with what --verbose prints."
    return printable(redact_uri(" ".join(text.split())))


def _details(error: BaseException) -> Iterator[str]:
    shown = error.__cause__ if isinstance(error, Misuse) and error.__cause__ else error
    if isinstance(shown, IglooError):
        yield f"code: {shown.code}"
        yield f"retryable: {'yes' if shown.retryable else 'no'}"
        for name, value in sorted(shown.context.items()):
            yield printable(redact_uri(f"{name}: {value}"))
    for line in "".join(traceback.format_exception(shown)).rstrip("\n").split("\n"):
        yield printable(redact_uri(line))
