"""Threads that read a partition, and how they are stopped."""

import queue
import threading

import pytest

from igloo.engine.execution.partition_reader import PartitionReader

LIMIT_S = 20


@pytest.fixture
def given():
    return queue.Queue()


def start(execute, given):
    def give(item):
        given.put(item)
        return True

    reader = PartitionReader(execute, give)
    reader.start()
    return reader


def test_every_batch_is_given_and_then_the_end(given):
    start(lambda: iter(["a", "b"]), given)
    assert [given.get(timeout=LIMIT_S) for _ in range(3)] == ["a", "b", None]


def test_an_error_is_given(given):
    def execute():
        yield "a"
        raise ValueError("broken")

    start(execute, given)
    assert given.get(timeout=LIMIT_S) == "a"
    assert isinstance(given.get(timeout=LIMIT_S), ValueError)


def test_an_error_before_the_first_batch_is_given(given):
    def execute():
        raise ValueError("broken")

    start(execute, given)
    assert isinstance(given.get(timeout=LIMIT_S), ValueError)


def test_a_reader_that_computes_is_stopped(given):
    running, left = threading.Event(), threading.Event()

    def execute():
        # What DataFusion's bindings do while they wait for a batch.
        try:
            while True:
                running.set()
                exec("pass")
        finally:
            left.set()
        yield

    reader = start(execute, given)
    assert running.wait(LIMIT_S)
    reader.stop()
    reader.stop()
    assert left.wait(LIMIT_S)
    assert given.empty()


def test_a_reader_is_not_stopped_while_it_gives():
    giving, go_on, asked = threading.Event(), threading.Event(), []
    ended = threading.Event()

    def execute():
        try:
            for number in range(3):
                asked.append(number)
                yield number
                exec("pass")
        finally:
            ended.set()

    def give(_item):
        giving.set()
        assert go_on.wait(LIMIT_S)
        return True

    reader = PartitionReader(execute, give)
    reader.start()
    assert giving.wait(LIMIT_S)
    reader.stop()
    go_on.set()
    assert ended.wait(LIMIT_S)
    assert asked == [0]


def test_only_datafusion_s_line_of_python_is_left(given):
    """Other code on the thread, a finalizer say, is never interrupted."""
    running, finished = threading.Event(), threading.Event()

    def innocent():
        running.set()
        assert go_on.wait(LIMIT_S)
        [str(number) for number in range(1000)]
        finished.set()

    def execute():
        innocent()
        yield "a"

    go_on = threading.Event()
    reader = start(execute, given)
    assert running.wait(LIMIT_S)
    reader.stop()
    go_on.set()
    assert finished.wait(LIMIT_S)


def test_a_reader_that_nobody_listens_to_ends():
    asked = []
    ended = threading.Event()

    def execute():
        try:
            for number in range(3):
                asked.append(number)
                yield number
        finally:
            ended.set()

    PartitionReader(execute, lambda _item: False).start()
    assert ended.wait(LIMIT_S)
    assert asked == [0]
