"""Splits that are read by threads of their own: nobody waits for a slow source."""

import threading

import pyarrow as pa
import pytest

from igloo.cancel import CancelToken
from igloo.engine.execution.read_ahead import ReadAhead
from igloo.errors import QueryCancelled, QueryTimeout, SourceError

SCHEMA = pa.schema([pa.field("x", pa.int64(), nullable=False)])
LIMIT_S = 20


def batch(*values):
    return pa.record_batch([pa.array(values, pa.int64())], schema=SCHEMA)


class Source:
    """Yields batches when it is let to, and notes what became of it."""

    def __init__(self, *batches, error=None):
        self.batches = batches
        self.error = error
        self.started = threading.Event()
        self.go_on = threading.Event()
        self.closed = threading.Event()
        self.read = 0
        self.token = None

    def __call__(self, token):
        self.token = token
        self.started.set()
        try:
            with token.on_cancel(self.go_on.set):
                assert self.go_on.wait(LIMIT_S)
            token.raise_if_cancelled()
            for each in self.batches:
                self.read += 1
                yield each
            if self.error is not None:
                raise self.error
        finally:
            self.closed.set()


@pytest.fixture
def query():
    return CancelToken()


def test_batches_come_in_order_and_then_end(query):
    source = Source(batch(1, 2), batch(3))
    source.go_on.set()
    rows = list(ReadAhead(source, query).batches())
    assert pa.Table.from_batches(rows).column("x").to_pylist() == [1, 2, 3]
    assert source.closed.wait(LIMIT_S)


def test_an_error_comes_after_the_rows_before_it(query):
    source = Source(batch(1), error=SourceError("Broken.", catalog="c"))
    source.go_on.set()
    batches = ReadAhead(source, query).batches()
    assert next(batches).num_rows == 1
    with pytest.raises(SourceError, match="Broken"):
        next(batches)


def test_no_more_than_two_batches_are_ahead(query):
    source = Source(*(batch(n) for n in range(10)))
    source.go_on.set()
    batches = ReadAhead(source, query).batches()
    next(batches)
    ahead = threading.Event()
    assert not ahead.wait(0.2)
    # One was taken, one waits, and one is in the hand of the thread.
    assert source.read <= 3
    batches.close()


@pytest.mark.parametrize("how", ["stop", "close"])
def test_a_split_that_nobody_needs_is_stopped(query, how):
    source = Source(batch(1), batch(2))
    source.go_on.set()
    ahead = ReadAhead(source, query)
    batches = ahead.batches()
    next(batches)
    ahead.stop() if how == "stop" else batches.close()
    assert source.closed.wait(LIMIT_S)
    assert isinstance(source.token.reason, QueryCancelled)
    assert not query.is_cancelled


def test_a_full_queue_does_not_keep_a_stopped_split(query):
    source = Source(*(batch(n) for n in range(10)))
    source.go_on.set()
    ahead = ReadAhead(source, query)
    batches = ahead.batches()
    next(batches)
    ahead.stop()
    assert source.closed.wait(LIMIT_S)


@pytest.mark.parametrize("how", ["stop", "cancel"])
def test_whoever_waits_for_a_batch_is_woken(query, how):
    source = Source(batch(1))
    ahead = ReadAhead(source, query)
    reason = QueryTimeout("Too long.")
    raised = []

    def wait():
        try:
            list(ahead.batches())
        except (QueryCancelled, QueryTimeout) as error:
            raised.append(error)

    thread = threading.Thread(target=wait, daemon=True)
    thread.start()
    assert source.started.wait(LIMIT_S)
    ahead.stop() if how == "stop" else query.cancel(reason)
    thread.join(LIMIT_S)
    assert source.closed.wait(LIMIT_S)
    assert [type(error) for error in raised] == [QueryCancelled if how == "stop" else QueryTimeout]
    assert str(source.token.reason) == str(raised[0])
