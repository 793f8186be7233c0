"""How the benchmarks measure: processes of their own, memory, medians."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any, Self

HERE = Path(__file__).resolve().parent
_STATUS = Path("/proc/self/status")
_CLEAR_REFS = Path("/proc/self/clear_refs")


def peak_memory_bytes() -> int:
    """Return the largest resident size of this process so far."""
    if _STATUS.exists():
        return _status_bytes("VmHWM")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def forget_peak() -> int:
    """Let the peak start again from the present size, and return that size.

    Where the system cannot (not Linux), the peak so far is returned: what is added to it later is
    then at most what was really added.
    """
    try:
        _CLEAR_REFS.write_text("5")
        return _status_bytes("VmRSS")
    except OSError:
        return peak_memory_bytes()


def code_bytes() -> int:
    """Return the resident bytes of mapped files: the libraries' own code, shared by processes."""
    return _status_bytes("RssFile") if _STATUS.exists() else 0


def _status_bytes(name: str) -> int:
    for line in _STATUS.read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024
    raise LookupError(name)


class Worker:
    """A warm process that does what it is asked, one JSON line at a time; a context manager."""

    def __init__(self, script: str, *arguments: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(HERE / script), *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, **question: Any) -> dict[str, Any]:
        """Send one question and wait for its answer."""
        if self._process.stdin is None or self._process.stdout is None:
            raise RuntimeError("The worker has no pipes.")
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"The worker died: {self._process.args!r}.")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._process.wait(60)


def answer_questions(answer: Any) -> None:
    """Be a worker: answer each line of standard input with ``answer(**question)``."""
    for line in sys.stdin:
        print(json.dumps(answer(**json.loads(line))), flush=True)
