import signal
import threading

import pytest

from igloo.cli.interrupt import Interrupted, Terminated, run_interruptibly


def test_the_exit_code_comes_back_from_the_work():
    assert run_interruptibly(lambda _: 7) == 7


def test_an_error_comes_back_from_the_work():
    def work(_):
        raise ValueError("x")

    with pytest.raises(ValueError, match="x"):
        run_interruptibly(work)


def test_ctrl_c_reaches_work_that_waits_and_tells_it_to_stop():
    stopped = threading.Event()

    def work(token):
        with token.on_cancel(stopped.set):
            signal.raise_signal(signal.SIGINT)
            assert stopped.wait(10)
        return 0

    with pytest.raises(Interrupted):
        run_interruptibly(work)
    assert stopped.is_set()


def test_ctrl_c_returns_although_the_work_never_does():
    release = threading.Event()

    def work(_):
        signal.raise_signal(signal.SIGINT)
        release.wait(60)
        return 0

    try:
        with pytest.raises(Interrupted):
            run_interruptibly(work)
    finally:
        release.set()


def test_the_exit_code_says_what_stopped_the_work():
    assert Interrupted(KeyboardInterrupt()).exit_code == 130
    assert Interrupted(Terminated(signal.SIGTERM)).exit_code == 143
