"""A line on the terminal for whatever takes longer than a second."""

from __future__ import annotations

import sys
import threading
import time
from typing import TYPE_CHECKING, Self, TextIO

if TYPE_CHECKING:
    from types import TracebackType

    from rich.status import Status
    from rich.text import Text

    from igloo.result import QueryStats, Result

DELAY_S = 1.0


class Progress:
    """Shows elapsed time, rows and sources on standard error while a statement runs.

    Nothing is drawn before a second has passed, nor when standard error is no terminal.
    """

    def __init__(self, stream: TextIO | None = None, *, delay_s: float = DELAY_S) -> None:
        self._stream = stream or sys.stderr
        self._delay_s = delay_s
        self._lock = threading.Lock()
        self._timer: threading.Timer | None = None
        self._status: Status | None = None
        self._result: Result | None = None
        self._started_s = 0.0

    def start(self) -> None:
        """Begin to wait for a statement."""
        self.stop()
        if not self._stream.isatty():
            return
        with self._lock:
            self._started_s = time.monotonic()
            self._timer = threading.Timer(self._delay_s, self._show)
            self._timer.daemon = True
            self._timer.start()

    def follow(self, result: Result) -> None:
        """Tell of the rows of ``result`` from now on."""
        self._result = result

    def tell(self, line: str) -> None:
        """Write a line for people, above the progress if there is some."""
        with self._lock:
            if self._status is None:
                self._stream.write(f"{line}\n")
                return
            from rich.text import Text

            self._status.console.print(Text(line), soft_wrap=True)

    def stop(self) -> None:
        """Clear the line, if there is one."""
        # Whoever comes second waits: the process may end once both have returned.
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
            if self._status is not None:
                self._status.stop()
            self._timer = self._status = self._result = None

    def _show(self) -> None:
        from rich.console import Console
        from rich.status import Status

        status = Status(self, console=Console(file=self._stream))
        with self._lock:
            if self._timer is not threading.current_thread():
                return
            self._status = status
            status.start()

    def __rich__(self) -> Text:
        """Return the line as it is at this moment; rich asks several times a second."""
        from rich.text import Text

        result = self._result
        elapsed_s = time.monotonic() - self._started_s
        return Text(describe(elapsed_s, result.stats if result else None))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


def describe(elapsed_s: float, stats: QueryStats | None) -> str:
    """Return e.g. ``3.1 s, 20 rows (pg: 1,200 rows; lake: 7 of 84 files, 90 rows)``."""
    text = f"{elapsed_s:,.1f} s"
    if stats is None:
        return text
    return f"{text}, {count(stats.rows, 'row')}{describe_sources(stats)}"


def describe_sources(stats: QueryStats) -> str:
    """Return e.g. `` (pg: 1,200 rows)``, or nothing when no source was asked."""
    sources = []
    for catalog, source in stats.sources.items():
        files = ""
        if source.files_planned is not None and source.files_total is not None:
            files = f"{source.files_planned:,} of {count(source.files_total, 'file')}, "
        sources.append(f"{catalog}: {files}{count(source.rows, 'row')}")
    return f" ({'; '.join(sources)})" if sources else ""


def count(number: int, noun: str) -> str:
    """Return e.g. ``1 row`` or ``1,200 rows``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
