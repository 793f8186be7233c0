import threading

import pytest

from igloo.cancel import CancelToken
from igloo.errors import QueryCancelled, QueryTimeout


def test_a_new_token_lets_the_query_go_on():
    token = CancelToken()
    token.raise_if_cancelled()
    assert not token.is_cancelled
    assert token.reason is None


def test_a_cancelled_token_raises_query_cancelled():
    token = CancelToken()
    token.cancel()
    assert token.is_cancelled
    with pytest.raises(QueryCancelled):
        token.raise_if_cancelled()


def test_the_first_reason_stays():
    token, first = CancelToken(), QueryTimeout("Too long.")
    token.cancel(first)
    token.cancel(QueryCancelled("Later."))
    token.cancel()
    assert token.reason is first
    with pytest.raises(QueryTimeout):
        token.raise_if_cancelled()


def test_callbacks_are_called_once_while_their_block_runs():
    token, calls = CancelToken(), []
    with token.on_cancel(lambda: calls.append("a")), token.on_cancel(lambda: calls.append("b")):
        assert calls == []
        token.cancel()
        token.cancel()
    assert calls == ["a", "b"]


def test_a_callback_is_forgotten_when_its_block_ends():
    token, calls = CancelToken(), []
    with token.on_cancel(lambda: calls.append("gone")):
        pass
    token.cancel()
    assert calls == []


def test_a_callback_is_forgotten_when_its_block_raises():
    token, calls = CancelToken(), []
    with pytest.raises(ValueError, match="x"), token.on_cancel(lambda: calls.append("gone")):
        raise ValueError("x")
    token.cancel()
    assert calls == []


def test_a_callback_that_comes_too_late_is_called_at_once():
    token, calls = CancelToken(), []
    token.cancel()
    with token.on_cancel(lambda: calls.append("late")):
        assert calls == ["late"]
    assert calls == ["late"]


def test_a_callback_that_fails_keeps_no_other_from_being_told():
    def fail():
        raise ConnectionError("gone already")

    token, calls = CancelToken(), []
    with token.on_cancel(fail), token.on_cancel(lambda: calls.append("told")):
        token.cancel()
    assert calls == ["told"]


def test_a_callback_may_ask_the_token():
    token, seen = CancelToken(), []
    with token.on_cancel(lambda: seen.append(token.is_cancelled)):
        token.cancel()
    assert seen == [True]


def test_a_callback_may_register_another():
    token, calls = CancelToken(), []

    def register():
        with token.on_cancel(lambda: calls.append("inner")):
            calls.append("outer")

    with token.on_cancel(register):
        token.cancel()
    assert calls == ["inner", "outer"]


def test_many_threads_cancel_once():
    token, calls, start = CancelToken(), [], threading.Barrier(8)

    def cancel():
        start.wait()
        token.cancel()

    with token.on_cancel(lambda: calls.append("called")):
        threads = [threading.Thread(target=cancel) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert calls == ["called"]
