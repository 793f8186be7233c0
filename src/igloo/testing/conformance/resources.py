"""Memory, connections and time: reading is a stream, and stops when it is told to."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from igloo.cancel import CancelToken
from igloo.connectors.contract import Connector, Pushdown, Split
from igloo.errors import IglooError, QueryCancelled, QueryTimeout
from igloo.testing.conformance import tables as samples
from igloo.testing.conformance.hooks import ConformanceHooks
from igloo.testing.conformance.reading import assert_same_rows, read_table

if TYPE_CHECKING:
    from collections.abc import Callable

#: The contract: a cancelled read ends within this time.
_CANCEL_S = 1.0
_ABANDONED_READERS = 4


class ResourceTests(ConformanceHooks):
    """Streaming, cancelling, closing."""

    def test_a_large_table_arrives_in_batches(self, connector: Connector) -> None:
        sizes, rows = [], 0
        for split in _splits(self, connector, samples.LARGE):
            for batch in connector.read_split(split, CancelToken()):
                sizes.append(batch.nbytes)
                assert batch.num_rows <= self.large_table_rows / 2, "one batch is half the table"
                rows += batch.num_rows
        assert rows == self.large_table_rows
        assert max(sizes) <= self.large().nbytes / 2

    def test_reading_a_large_table_takes_little_memory(self, connector: Connector) -> None:
        table_bytes = self.large().nbytes
        _drain(self, connector)  # what is kept on purpose is there from now on
        _return_unused_memory()
        process, arrow = _process_bytes(), pa.total_allocated_bytes()
        added = 0
        for split in _splits(self, connector, samples.LARGE):
            for _ in connector.read_split(split, CancelToken()):
                # Drivers have allocators of their own, and allocators keep what was given back.
                added = max(added, _process_bytes() - process, pa.total_allocated_bytes() - arrow)
        assert added < table_bytes / 2, f"reading {table_bytes} bytes took {added} bytes of memory"

    def test_a_read_that_is_cancelled_before_it_starts_raises(self, connector: Connector) -> None:
        cancel = CancelToken()
        cancel.cancel()
        with pytest.raises(QueryCancelled):
            _read_all(connector, _splits(self, connector, samples.LARGE), cancel)

    def test_a_read_that_is_cancelled_midway_stops_within_a_second(
        self, connector: Connector
    ) -> None:
        cancel = CancelToken()
        reader = connector.read_split(_splits(self, connector, samples.LARGE)[0], cancel)
        reader.read_next_batch()
        threading.Thread(target=cancel.cancel).start()
        _wait_until(lambda: cancel.is_cancelled, self.settle_s)
        started = time.monotonic()
        with pytest.raises(QueryCancelled):
            _exhaust(reader)
        took = time.monotonic() - started
        assert took < _CANCEL_S, f"it took {took:.1f} s to stop"

    def test_a_cancelled_read_ends_with_the_tokens_reason(self, connector: Connector) -> None:
        cancel = CancelToken()
        reader = connector.read_split(_splits(self, connector, samples.LARGE)[0], cancel)
        reader.read_next_batch()
        cancel.cancel(QueryTimeout("The query ran longer than 1 s."))
        with pytest.raises(QueryTimeout):
            _exhaust(reader)

    def test_the_connector_works_after_a_cancelled_read(self, connector: Connector) -> None:
        cancel = CancelToken()
        reader = connector.read_split(_splits(self, connector, samples.LARGE)[0], cancel)
        reader.read_next_batch()
        cancel.cancel()
        with pytest.raises(IglooError):
            _exhaust(reader)
        del reader
        found = read_table(connector, self.table(connector, samples.FACTS))
        assert_same_rows(found, self.stored(self.facts()))

    def test_abandoned_readers_leave_nothing_open(self, connector: Connector) -> None:
        self._assert_returns_to_rest(connector, lambda: _abandon(self, connector))

    def test_finished_readers_leave_nothing_open(self, connector: Connector) -> None:
        self._assert_returns_to_rest(connector, lambda: _drain(self, connector))

    def test_cancelled_readers_leave_nothing_open(self, connector: Connector) -> None:
        self._assert_returns_to_rest(connector, lambda: _cancel_midway(self, connector))

    def test_failed_loads_leave_nothing_open(self, connector: Connector) -> None:
        def fail() -> None:
            with pytest.raises(IglooError):
                self.table(connector, "no_such_table")

        self._assert_returns_to_rest(connector, fail)

    def test_closing_twice_is_safe(self, make: Any) -> None:
        connector = make({samples.FACTS: self.facts()})
        read_table(connector, self.table(connector, samples.FACTS))
        connector.close()
        connector.close()

    def test_closing_gives_everything_back(self, make: Any) -> None:
        first = make({samples.FACTS: self.facts()})
        read_table(first, self.table(first, samples.FACTS))
        first.close()
        before = self._open(first)
        second = make({samples.FACTS: self.facts()})
        read_table(second, self.table(second, samples.FACTS))
        second.close()
        _wait_until(lambda: self._open(second) <= before, self.settle_s)
        assert self._open(second) <= before, "a closed connector holds files or threads"

    def _open(self, connector: Connector) -> int:
        gc.collect()
        counted = self.open_connections(connector)
        return _open_files() + threading.active_count() if counted is None else counted

    def _assert_returns_to_rest(self, connector: Connector, work: Callable[[], object]) -> None:
        for _ in range(2):
            work()  # pools and worker threads start with the first use
        before = self._open(connector)
        for _ in range(_ABANDONED_READERS):
            work()
        _wait_until(lambda: self._open(connector) <= before, self.settle_s)
        after = self._open(connector)
        assert after <= before, f"{after} things are open, {before} were before"


def _splits(suite: ResourceTests, connector: Connector, name: str) -> tuple[Split, ...]:
    table = suite.table(connector, name)
    return connector.plan_scan(table, Pushdown(columns=tuple(table.schema.names))).splits


def _read_all(connector: Connector, splits: tuple[Split, ...], cancel: CancelToken) -> None:
    for split in splits:
        _exhaust(connector.read_split(split, cancel))


def _exhaust(reader: pa.RecordBatchReader) -> None:
    for _ in reader:
        pass


def _drain(suite: ResourceTests, connector: Connector) -> None:
    _read_all(connector, _splits(suite, connector, samples.LARGE), CancelToken())


def _abandon(suite: ResourceTests, connector: Connector) -> None:
    splits = _splits(suite, connector, samples.LARGE)
    connector.read_split(splits[0], CancelToken()).read_next_batch()


def _cancel_midway(suite: ResourceTests, connector: Connector) -> None:
    cancel = CancelToken()
    reader = connector.read_split(_splits(suite, connector, samples.LARGE)[0], cancel)
    reader.read_next_batch()
    cancel.cancel()
    with pytest.raises(QueryCancelled):
        _exhaust(reader)


def _open_files() -> int:
    for folder in (Path("/proc/self/fd"), Path("/dev/fd")):
        if folder.is_dir():
            return len(os.listdir(folder))  # noqa: PTH208 - iterdir would count itself twice
    raise NotImplementedError("give open_connections: this system does not list open files")


def _process_bytes() -> int:
    """Return the memory of this process, or 0 where the system does not say."""
    statm = Path("/proc/self/statm")
    if not statm.exists():
        return 0
    return int(statm.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _return_unused_memory() -> None:
    gc.collect()
    pa.default_memory_pool().release_unused()
    with contextlib.suppress(OSError, AttributeError):  # only glibc has malloc_trim
        ctypes.CDLL(None).malloc_trim(0)


def _wait_until(condition: Callable[[], bool], limit_s: float) -> None:
    """Wait until ``condition`` holds, but not longer than ``limit_s``."""
    deadline = time.monotonic() + limit_s
    pause = threading.Event()
    while not condition() and time.monotonic() < deadline:
        pause.wait(0.01)
