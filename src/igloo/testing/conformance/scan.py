"""Reading: every row once, only the asked columns, and splits that stand alone."""

from __future__ import annotations

import concurrent.futures
import io
import pickle
import random
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from igloo.connectors.contract import HoldsArrow, Pushdown, Split
from igloo.testing.conformance import tables as samples
from igloo.testing.conformance.hooks import ConformanceHooks
from igloo.testing.conformance.reading import (
    ask,
    assert_same_rows,
    read_split,
    read_table,
)

if TYPE_CHECKING:
    from igloo.connectors.contract import Connector

#: A split travels to workers by the thousand.
_SPLIT_BYTES_MAX = 64 * 1024
_ELSEWHERE_TIMEOUT_S = 60


class ScanTests(ConformanceHooks):
    """Scans without a filter or limit."""

    @pytest.mark.parametrize("name", [samples.FACTS, samples.EMPTY, samples.LARGE])
    def test_every_row_is_read_once(self, connector: Connector, name: str) -> None:
        wanted = {
            samples.FACTS: self.facts(),
            samples.EMPTY: self.facts().slice(0, 0),
            samples.LARGE: self.large(),
        }
        found = read_table(connector, self.table(connector, name))
        assert_same_rows(found, self.stored(wanted[name]))

    def test_each_column_can_be_read_alone(self, connector: Connector) -> None:
        table, wanted = self.table(connector, samples.FACTS), self.stored(self.facts())
        for column in table.schema.names:
            answer = ask(connector, table, (column,))
            assert_same_rows(answer.result, wanted.select([column]), f"column {column}")

    def test_columns_come_in_the_asked_order(self, connector: Connector) -> None:
        table, wanted = self.table(connector, samples.FACTS), self.stored(self.facts())
        names = list(table.schema.names)
        for seed in range(5):
            random.Random(seed).shuffle(names)  # noqa: S311 - not for secrets
            chosen = tuple(names[: max(1, len(names) - seed)])
            answer = ask(connector, table, chosen)
            assert answer.rows.column_names == list(chosen)
            assert_same_rows(answer.result, wanted.select(list(chosen)), f"columns {chosen}")

    @pytest.mark.parametrize("name", [samples.FACTS, samples.EMPTY, samples.LARGE])
    def test_no_columns_still_give_every_row(self, connector: Connector, name: str) -> None:
        rows = {samples.EMPTY: 0, samples.FACTS: samples.FACTS_ROWS}.get(
            name, self.large_table_rows
        )
        answer = ask(connector, self.table(connector, name), ())
        assert answer.result.num_rows == rows, "batches without columns must still count rows"

    def test_planning_twice_gives_the_same_rows(self, connector: Connector) -> None:
        table = self.table(connector, samples.FACTS)
        first, second = read_table(connector, table), read_table(connector, table)
        assert_same_rows(second, first)

    @pytest.mark.parametrize("name", [samples.FACTS, samples.LARGE])
    def test_splits_are_small_and_survive_pickling(self, connector: Connector, name: str) -> None:
        splits = _splits(self, connector, name)
        pickled = [pickle.dumps(split) for split in splits]
        assert max(map(len, pickled)) <= _SPLIT_BYTES_MAX, "a split must be small: it travels"
        unpickled: list[Split] = [pickle.loads(data) for data in pickled]  # noqa: S301 - our own
        assert [s.columns for s in unpickled] == [s.columns for s in splits]
        found = pa.concat_tables([read_split(connector, split) for split in unpickled])
        assert_same_rows(found, self.stored(_wanted(self, name)), "after pickling")

    @pytest.mark.parametrize("name", [samples.FACTS, samples.LARGE])
    def test_splits_are_read_in_any_order(self, connector: Connector, name: str) -> None:
        splits = list(_splits(self, connector, name))
        random.Random(1).shuffle(splits)  # noqa: S311 - not for secrets
        found = pa.concat_tables([read_split(connector, split) for split in splits])
        assert_same_rows(found, self.stored(_wanted(self, name)), "in another order")

    def test_a_split_can_be_read_twice(self, connector: Connector) -> None:
        for split in _splits(self, connector, samples.FACTS):
            assert_same_rows(read_split(connector, split), read_split(connector, split))

    def test_splits_are_read_by_several_threads_at_once(self, connector: Connector) -> None:
        splits = _splits(self, connector, samples.FACTS)
        with concurrent.futures.ThreadPoolExecutor(8) as threads:
            whole = [threads.submit(_read_all, connector, splits) for _ in range(8)]
            for found in whole:
                assert_same_rows(found.result(), self.stored(self.facts()), "in a thread")

    def test_splits_are_read_in_another_process(self, connector: Connector) -> None:
        splits = _splits(self, connector, samples.FACTS)
        work = (type(connector), connector.catalog, connector.options, splits)
        ran = subprocess.run(
            [sys.executable, "-m", "igloo.testing.conformance.elsewhere"],
            input=pickle.dumps(work),
            capture_output=True,
            timeout=_ELSEWHERE_TIMEOUT_S,
            check=False,
        )
        assert ran.returncode == 0, f"the other process failed:\n{ran.stderr.decode()[-2000:]}"
        found = pa.ipc.open_stream(io.BytesIO(ran.stdout)).read_all()
        assert_same_rows(found, self.stored(self.facts()), "in another process")

    def test_held_tables_are_what_the_splits_give(self, connector: Connector) -> None:
        table = self.table(connector, samples.FACTS)
        held = connector.arrow_table(table) if isinstance(connector, HoldsArrow) else None
        found = read_table(connector, table)
        if held is not None:
            assert held.schema.equals(table.schema)
            found = held
        assert_same_rows(found, self.stored(self.facts()))


def _wanted(suite: ScanTests, name: str) -> pa.Table:
    return suite.facts() if name == samples.FACTS else suite.large()


def _splits(suite: ScanTests, connector: Connector, name: str) -> tuple[Split, ...]:
    table = suite.table(connector, name)
    pushdown = Pushdown(columns=tuple(table.schema.names))
    return connector.plan_scan(table, pushdown).splits


def _read_all(connector: Connector, splits: Any) -> pa.Table:
    return pa.concat_tables([read_split(connector, split) for split in splits])
