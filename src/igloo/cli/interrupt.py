"""Ctrl-C: control returns within a second, whatever the work is waiting for."""

from __future__ import annotations

import signal
import threading
from concurrent.futures import Future, wait
from typing import TYPE_CHECKING, TypeVar

from igloo.cancel import CancelToken
from igloo.cli.failures import INTERRUPTED

if TYPE_CHECKING:
    from collections.abc import Callable

_T = TypeVar("_T")
#: What a cancelled query may take to close its sources before the process ends anyway.
GRACE_S = 0.6
_LOOK_UP_S = 0.1
#: Planning recurses; the main thread's usual stack, which threads get only where asked.
_STACK_BYTES = 16 * 2**20


class Terminated(KeyboardInterrupt):
    """A signal asked the process to end; its argument is the signal's number."""


class Interrupted(BaseException):
    """The work was stopped from outside; typer, which knows KeyboardInterrupt, lets it pass."""

    def __init__(self, interruption: KeyboardInterrupt) -> None:
        super().__init__("Interrupted.")
        is_signal = isinstance(interruption, Terminated)
        self.exit_code: int = 128 + interruption.args[0] if is_signal else INTERRUPTED


def stop_on_signals() -> None:
    """Make SIGTERM and SIGHUP stop the work in order, as Ctrl-C does."""

    def stop(number: int, _frame: object) -> None:
        raise Terminated(number)

    for number in (signal.SIGTERM, signal.SIGHUP):
        # What the caller wants ignored stays so: nohup.
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, stop)


def run_interruptibly(work: Callable[[CancelToken], _T]) -> _T:
    """Run ``work`` on a thread of its own and return what it returns.

    A driver that blocks in native code keeps the main thread from ever seeing Ctrl-C, so the main
    thread only waits here.

    Args:
        work: what to do; it hangs what Ctrl-C has to stop on the token.

    Raises:
        Interrupted: Ctrl-C was pressed; the work was told, and given a moment to close.
    """
    token = CancelToken()
    outcome: Future[_T] = Future()

    def run() -> None:
        try:
            outcome.set_result(work(token))
        except BaseException as error:  # noqa: BLE001 - raised again on the waiting thread
            outcome.set_exception(error)

    try:
        _start_thread(run)
        # A signal that another thread takes wakes nobody here, so this looks up now and then.
        while not wait([outcome], _LOOK_UP_S).done:
            pass
        return outcome.result()
    except KeyboardInterrupt as interruption:
        # Telling a source to stop may block like the work itself.
        threading.Thread(target=token.cancel, name="igloo-cancel", daemon=True).start()
        wait([outcome], GRACE_S)
        raise Interrupted(interruption) from None


def _start_thread(run: Callable[[], None]) -> None:
    before = threading.stack_size(_STACK_BYTES)
    try:
        threading.Thread(target=run, name="igloo-command", daemon=True).start()
    finally:
        threading.stack_size(before)
