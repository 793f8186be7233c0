"""Standard output, as the formats write to it."""

from __future__ import annotations

import io
import os
import sys
from typing import TYPE_CHECKING, Any, BinaryIO

from igloo.cli.failures import CannotWrite

if TYPE_CHECKING:
    from collections.abc import Callable


class Output(io.RawIOBase):
    """Counts and forwards bytes; pyarrow writes to it too, and wants to know where it stands.

    Attributes:
        is_terminal: whether a person looks at it.
        failure: why writing stopped, if it did. Libraries between hide the error that they met.
    """

    def __init__(
        self,
        stream: BinaryIO,
        *,
        is_terminal: bool,
        before_write: Callable[[], None] = lambda: None,
    ) -> None:
        self._stream = stream
        super().__init__()
        self._before_write = before_write
        self._written = 0
        self.is_terminal = is_terminal
        self.failure: OSError | None = None

    def before_write(self, call: Callable[[], None]) -> None:
        """Call ``call`` before each write, e.g. to clear a line that is drawn on the terminal."""
        self._before_write = call

    def write(self, data: Any) -> int:
        """Write all of ``data``."""
        self._before_write()
        try:
            self._stream.write(data)
        except OSError as error:
            self.failure = error
            raise
        self._written += len(data)
        return len(data)

    def flush(self) -> None:
        """Hand everything to the system."""
        try:
            self._stream.flush()
        except OSError as error:
            self.failure = error
            raise

    def tell(self) -> int:
        """Return how many bytes were written."""
        return self._written

    def writable(self) -> bool:
        """Return True: that is what it is for."""
        return True

    def readable(self) -> bool:
        """Return False."""
        return False

    def seekable(self) -> bool:
        """Return False: it may be a pipe."""
        return False

    def close(self) -> None:
        """Do nothing: the stream belongs to the process."""


def standard_output() -> Output:
    """Return this process's standard output."""
    return Output(sys.stdout.buffer, is_terminal=sys.stdout.isatty())


def until_reader_leaves(output: Output, work: Callable[[], int]) -> int:
    """Do the work, which writes to ``output``, and return its exit code.

    A reader that wants no more (``| head``) is success.

    Raises:
        CannotWrite: standard output takes no more, e.g. because the disk is full.
    """
    try:
        return work()
    except Exception as error:
        if output.failure is None:
            raise
        _forget_standard_output()
        if isinstance(output.failure, BrokenPipeError):
            return 0
        reason = output.failure.strerror
        raise CannotWrite(f"Standard output cannot be written: {reason}.") from error


def _forget_standard_output() -> None:
    """Point standard output at nothing, so that the flush at exit cannot fail again."""
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 1)
    os.close(nothing)
