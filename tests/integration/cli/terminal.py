"""A terminal with a screen that can be looked at, and a program that runs on it."""

import codecs
import contextlib
import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time

import pyte

LIMIT_S = 30

#: What a terminal sends for a key.
KEYS = {
    "enter": "\r",
    "tab": "\t",
    "ctrl-c": "\x03",
    "ctrl-d": "\x04",
    "up": "\x1b[A",
    "left": "\x1b[D",
    "right": "\x1b[C",
    "alt-enter": "\x1b\r",
}
_COLOUR = re.compile(
    r"\x1b\[(?:[\d;]*;)?(?:3[0-7]|4[0-7]|9[0-7]|10[0-7]|[34]8;[\d;]+)(?:;[\d;]*)?m"
)


#: Makes the terminal the one that Ctrl-C comes from, then becomes the program.
_TAKE_TERMINAL = (
    "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); "
    "os.execv(sys.argv[1], sys.argv[1:])"
)


class Terminal:
    """Runs ``igloo`` with all streams on a terminal, as a user at the keyboard would."""

    def __init__(self, arguments, *, folder, environment, columns=100, lines=30):
        self._leader, follower = pty.openpty()
        size = struct.pack("HHHH", lines, columns, 0, 0)
        fcntl.ioctl(follower, termios.TIOCSWINSZ, size)
        self._screen = pyte.HistoryScreen(columns, lines, history=10_000)
        # Programs ask where the cursor is, and a terminal answers.
        self._screen.write_process_input = self._send
        self._stream = pyte.Stream(self._screen)
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        #: All that was drawn, sequences included.
        self.drawn = ""
        self.process = subprocess.Popen(
            [sys.executable, "-c", _TAKE_TERMINAL, sys.executable, "-m", "igloo", *arguments],
            cwd=folder,
            env={**environment, "TERM": "xterm-256color"},
            stdin=follower,
            stdout=follower,
            stderr=follower,
            start_new_session=True,
        )
        os.close(follower)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        """End the program and take the terminal away; safe to call twice."""
        self.process.kill()
        self.process.wait()
        if self._leader >= 0:
            os.close(self._leader)
        self._leader = -1

    def _send(self, text):
        with contextlib.suppress(OSError):
            os.write(self._leader, text.encode())

    def type(self, text):
        """Type a text, then wait until it stands on the screen."""
        self._send(text)
        self.wait_for(text.strip())

    def press(self, *keys):
        """Press keys by name."""
        for key in keys:
            self._send(KEYS.get(key, key))

    def enter(self, text):
        """Type a text and press Enter."""
        self.type(text)
        self.press("enter")

    @property
    def text(self):
        """What stands on the screen, and what has left it at the top."""
        above = ["".join(line[i].data for i in sorted(line)) for line in self._screen.history.top]
        return "\n".join(line.rstrip() for line in [*above, *self._screen.display])

    @property
    def screen(self):
        """What stands on the screen."""
        return "\n".join(line.rstrip() for line in self._screen.display)

    @property
    def colours(self):
        """The sequences that were sent to colour something."""
        return _COLOUR.findall(self.drawn)

    def wait_until(self, condition, what):
        """Read what is drawn until the condition holds."""
        ends_at = time.monotonic() + LIMIT_S
        while not condition():
            assert time.monotonic() < ends_at, f"{what}; the screen:\n{self.text.rstrip()}"
            assert self._read(), f"{what}, but the program has ended; the screen:\n{self.text}"

    def wait_for(self, text, *, times=1):
        """Wait until a text stands on the screen or above it."""
        self.wait_until(lambda: self.text.count(text.rstrip()) >= times, f"waited for {text!r}")

    @property
    def prompts(self):
        """The prompts that were drawn, with what was typed behind each."""
        return re.findall(r"^igloo[^>\n]*>.*", self.text, re.MULTILINE)

    def wait_for_prompt(self, number):
        """Wait for the prompt that comes after this many others."""
        self.wait_until(lambda: len(self.prompts) > number, f"waited for prompt {number + 1}")

    def wait_for_end(self):
        """Wait until the program has ended, and return its exit code."""
        ends_at = time.monotonic() + LIMIT_S
        while self._read():
            assert time.monotonic() < ends_at, f"it does not end; the screen:\n{self.text}"
        return self.process.wait(LIMIT_S)

    def _read(self):
        """Draw what has come; return whether the program may draw more."""
        if not select.select([self._leader], [], [], 0.05)[0]:
            return self.process.poll() is None
        try:
            data = os.read(self._leader, 65536)
        except OSError:
            return False
        text = self._decoder.decode(data)
        self.drawn += text
        self._stream.feed(text)
        return bool(data)
