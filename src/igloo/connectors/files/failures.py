"""Turns what reading a file may raise into Igloo's errors, which name the file."""

from __future__ import annotations

import contextlib
import lzma
from typing import TYPE_CHECKING

import pyarrow as pa

from igloo.errors import (
    IglooError,
    SourceDataError,
    SourceError,
    SourceRefused,
    SourceUnavailable,
    UnsupportedType,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

#: A driver may quote a whole row.
_REASON_CHARACTERS_MAX = 300


@contextlib.contextmanager
def naming_file(path: str, format_name: str) -> Iterator[None]:
    """Raise failures of the block as errors that name ``path``.

    Args:
        path: the file that is read.
        format_name: what it is read as.

    Raises:
        SourceUnavailable: it is not there, or the disk fails.
        SourceRefused: it must not be read.
        SourceDataError: it does not hold what its format promises.
        UnsupportedType: it holds a type that cannot be read.
    """
    try:
        yield
    except IglooError:
        raise
    except NotImplementedError as error:
        raise UnsupportedType(
            f'The file "{path}" cannot be read as {format_name}: {_reason(error)}.', path=path
        ) from error
    except OSError as error:
        raise _os_failure(path, format_name, error) from error
    except (pa.ArrowException, ValueError, EOFError, lzma.LZMAError, MemoryError) as error:
        raise unreadable(path, format_name, _reason(error)) from error


def unreadable(
    path: str, format_name: str, reason: str, hint: str = "Mend the file or move it elsewhere."
) -> SourceDataError:
    """Return the error for a file that does not hold what its format promises."""
    return SourceDataError(
        f'The file "{path}" cannot be read as {format_name}: {reason}.',
        hint=hint,
        path=path,
    )


def missing(path: str) -> SourceUnavailable:
    """Return the error for a path that is not there."""
    return SourceUnavailable(
        f'The path "{path}" does not exist.', hint="Check the option path.", path=path
    )


@contextlib.contextmanager
def naming_folder(path: str) -> Iterator[None]:
    """Raise failures to look into a folder as errors that name ``path``.

    Raises:
        SourceUnavailable: it is not there, or the disk fails.
        SourceRefused: it must not be read.
    """
    try:
        yield
    except FileNotFoundError as error:
        raise missing(path) from error
    except OSError as error:
        raise _os_failure(path, "", error) from error


def _os_failure(path: str, format_name: str, error: OSError) -> SourceError:
    if isinstance(error, FileNotFoundError):
        return missing(path)
    if isinstance(error, PermissionError):
        return SourceRefused(
            f'The path "{path}" must not be read: permission denied.',
            hint="Give the user that runs Igloo the right to read it.",
            path=path,
        )
    if error.errno is None and format_name:  # Arrow and zlib say "corrupt" with an OSError
        return unreadable(path, format_name, _reason(error))
    return SourceUnavailable(f'The path "{path}" cannot be read: {_reason(error)}.', path=path)


def _reason(error: BaseException) -> str:
    text = " ".join(str(error).split()).rstrip(".") or type(error).__name__
    short = text[:_REASON_CHARACTERS_MAX]
    return short if short == text else f"{short}…"
