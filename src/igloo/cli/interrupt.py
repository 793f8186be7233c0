"""Ctrl-C: control returns within a second, whatever the work is waiting for."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING

from igloo.cancel import CancelToken

if TYPE_CHECKING:
    from collections.abc import Callable

#: What a cancelled query may take to close its sources before the process ends anyway.
GRACE_S = 0.6
_LOOK_UP_S = 0.1
#: Planning recurses; the main thread's usual stack, which threads get only where asked.
_STACK_BYTES = 16 * 2**20


def run_interruptibly(work: Callable[[CancelToken], int]) -> int:
    """Run ``work`` on a thread of its own and return its exit code.

    A driver that blocks in native code keeps the main thread from ever seeing Ctrl-C, so the main
    thread only waits here.

    Args:
        work: what to do; it hangs what Ctrl-C has to stop on the token.

    Raises:
        KeyboardInterrupt: Ctrl-C was pressed; the work was told, and given a moment to close.
    """
    token = CancelToken()
    outcome: Future[int] = Future()

    def run() -> None:
        try:
            outcome.set_result(work(token))
        except BaseException as error:  # noqa: BLE001 - raised again on the waiting thread
            outcome.set_exception(error)

    before = threading.stack_size(_STACK_BYTES)
    thread = threading.Thread(target=run, name="igloo-command", daemon=True)
    try:
        thread.start()
    finally:
        threading.stack_size(before)
    try:
        while thread.is_alive():
            # A signal that another thread takes wakes nobody here, so this looks up now and then.
            thread.join(_LOOK_UP_S)
        return outcome.result()
    except KeyboardInterrupt:
        # Telling a source to stop may block like the work itself.
        threading.Thread(target=token.cancel, name="igloo-cancel", daemon=True).start()
        thread.join(GRACE_S)
        raise
