import io
import os
import pty
import select
import signal
import subprocess
import sys
import time
from dataclasses import dataclass

import pytest

from igloo.cli.main import main

#: Rows enough that no run ends before a test has looked at it.
DIGITS = "d(v) as (values (0),(1),(2),(3),(4),(5),(6),(7),(8),(9))"
MILLION = (
    f"with {DIGITS}, n as (select a.v + 10*b.v + 100*c.v + 1000*e.v + 10000*f.v + 100000*g.v as v "
    "from d a cross join d b cross join d c cross join d e cross join d f cross join d g) "
)
LIMIT_S = 60


@dataclass(frozen=True)
class Outcome:
    """How one run of the command ended."""

    code: int
    out: bytes
    err: str

    @property
    def text(self):
        return self.out.decode()

    @property
    def error(self):
        """The one line on standard error."""
        lines = [line for line in self.err.splitlines() if not line.startswith("warning: ")]
        assert len(lines) == 1, self.err
        return lines[0]


class Command:
    """Runs ``igloo`` in a folder of its own, in an environment without settings."""

    def __init__(self, folder):
        self.folder = folder
        self.environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("IGLOO_") and name not in {"DATABASE_URL", "TMPDIR"}
        }
        self.environment["TERM"] = "xterm"
        self.temporary = folder / "tmp"
        self.temporary.mkdir()
        self.environment["TMPDIR"] = str(self.temporary)

    def write(self, name, text):
        path = self.folder / name
        path.write_text(text)
        return path

    def start(self, *arguments, **streams):
        return subprocess.Popen(
            [sys.executable, "-m", "igloo", *map(str, arguments)],
            cwd=self.folder,
            env=self.environment,
            **{"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
            | streams,
        )

    def __call__(self, *arguments, stdin=b""):
        """Run in this process, which saves importing everything each time."""
        streams = {name: io.TextIOWrapper(io.BytesIO(), "utf-8") for name in ("stdout", "stderr")}
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(self.folder)
            for name in {*os.environ} - {*self.environment}:
                patch.delenv(name)
            for name, value in self.environment.items():
                patch.setenv(name, value)
            patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
            for name, stream in streams.items():
                patch.setattr(sys, name, stream)
            code = main([str(argument) for argument in arguments])
        for stream in streams.values():
            stream.flush()
        out, err = (stream.buffer.getvalue() for stream in streams.values())
        return Outcome(code, out, err.decode())

    def process(self, *arguments, **streams):
        """Run in a process of its own, to its end."""
        with self.start(*arguments, **streams) as process:
            out, err = process.communicate(timeout=LIMIT_S)
        return Outcome(process.returncode, out or b"", (err or b"").decode())

    def on_terminal(self, *arguments, until=None, press=None, columns=80):
        """Run with all streams on a terminal; returns the exit code and all that was drawn.

        With ``until``, waits for that text and then presses Ctrl-C if ``press`` says so.
        """
        leader, follower = pty.openpty()
        environment = self.environment | {"COLUMNS": str(columns)}
        process = subprocess.Popen(
            [sys.executable, "-m", "igloo", *arguments],
            cwd=self.folder,
            env=environment,
            stdin=follower,
            stdout=follower,
            stderr=follower,
            start_new_session=True,
        )
        os.close(follower)
        drawn = b""
        ends_at = time.monotonic() + LIMIT_S
        while time.monotonic() < ends_at:
            if not select.select([leader], [], [], 0.1)[0]:
                continue
            try:
                part = os.read(leader, 65536)
            except OSError:
                break
            if not part:
                break
            drawn += part
            if until is not None and until in drawn:
                until = None
                if press:
                    process.send_signal(signal.SIGINT)
        code = process.wait(LIMIT_S)
        os.close(leader)
        return code, drawn.decode()


@pytest.fixture
def igloo(tmp_path):
    return Command(tmp_path)
