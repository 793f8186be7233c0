"""What an author tells the suite about a source, and the tables that the suite makes of it."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, ClassVar, cast

import pyarrow as pa
import pytest

from igloo.names import TableName
from igloo.testing.conformance import tables as samples

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from igloo.connectors.contract import Connector, Table
    from igloo.testing.conformance.gaps import Gap


class ConformanceHooks:
    """The questions that the suite asks of an author.

    Attributes:
        gaps: expected failures, by the test's name, or its name and ``[case]``.
        large_table_rows: rows of the table that streaming and cancelling are tried on; each has
            about 260 bytes. More than one batch of the source.
        settle_s: how long a source may take to notice that a reader is gone.
        secrets: texts in the connector's options that must never be printed.
        source_types: classes of the driver's objects whose methods are calls to the source.
        source_failures: what those calls raise when the source fails, one of each class.
        type_cases: further cases of types, or others in place of those that the suite has; by
            name, the type and its values.
    """

    gaps: ClassVar[Mapping[str, Gap]] = {}
    large_table_rows: ClassVar[int] = 200_000
    settle_s: ClassVar[float] = 10.0
    secrets: ClassVar[tuple[str, ...]] = ()
    source_types: ClassVar[tuple[type, ...]] = ()
    source_failures: ClassVar[Sequence[Exception]] = (OSError("the source failed"),)
    type_cases: ClassVar[Mapping[str, tuple[pa.DataType, tuple[Any, ...]]]] = {}

    def make_connector(self, tables: dict[str, pa.Table]) -> Connector:
        """Return a new connector to a source that has exactly ``tables`` in its default schema.

        Each call is a source of its own. The suite closes the connector; what else has to be
        cleaned up is the author's to do, for instance in a fixture.
        """
        raise NotImplementedError

    def store_type(self, type_: pa.DataType) -> pa.DataType | None:
        """Return the type that a column of ``type_`` comes back as, exactly.

        None means that such a column cannot be stored, or is refused with ``UnsupportedType``.
        """
        return type_

    def can_store(self, type_: pa.DataType, value: object) -> bool:
        """Return whether a column of ``type_`` can hold ``value`` (never None)."""
        del type_, value
        return True

    def break_source(self, connector: Connector, table: Table) -> None:
        """Make every later read of ``table`` fail, as the source itself may fail."""
        raise NotImplementedError("give break_source, or declare a gap")

    def source_calls(self) -> Sequence[tuple[Any, str]]:
        """Return the driver's functions through which all that is asked of the source goes.

        Each is an owner and a name, such as ``(pyarrow, "OSFile")``. The suite lets one call of
        them fail after the other, with each of ``source_failures``. What they return is watched,
        too, if it is one of ``source_types``.
        """
        raise NotImplementedError("give source_calls, or declare a gap")

    def reopen(self, connector: Connector) -> Connector:
        """Return a new connector to the source of ``connector``, which has kept nothing yet."""
        return type(connector)(connector.catalog, connector.options)

    def unreachable_connector(self) -> Connector:
        """Return a connector whose source is not there: a closed port, a missing folder."""
        raise NotImplementedError("give unreachable_connector, or declare a gap")

    def open_connections(self, connector: Connector) -> int | None:
        """Return how many connections or files the source has open for ``connector``.

        None if the source cannot tell; the suite then counts this process's files and threads.
        """
        del connector
        return None

    # What follows is the suite's own.

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        unknown = [name for name in cls.gaps if not hasattr(cls, name.partition("[")[0])]
        if unknown:
            raise TypeError(f"{cls.__name__}.gaps names tests that do not exist: {unknown}")

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Leave parameters to the classes that have some."""

    @pytest.fixture(autouse=True)
    def _declared_gap(self, request: pytest.FixtureRequest) -> None:
        name = request.node.name
        gap = self.gaps.get(name) or self.gaps.get(name.partition("[")[0])
        if gap is not None:
            reason = f"{gap.kind}: {gap.reason}"
            request.applymarker(pytest.mark.xfail(strict=True, raises=gap.raises, reason=reason))

    @pytest.fixture
    def connector(self, request: pytest.FixtureRequest) -> Connector:
        """Give the class's shared connector to the sample tables; nobody writes to it."""
        node = request.node.getparent(pytest.Class)
        assert node is not None
        shared: Connector | None = getattr(node, "igloo_connector", None)
        if shared is None:
            shared = self.make_connector(
                {
                    samples.FACTS: self.facts(),
                    samples.EMPTY: self.facts().slice(0, 0),
                    samples.LARGE: self.large(),
                }
            )
            node.igloo_connector = shared
            node.addfinalizer(shared.close)
        return shared

    @pytest.fixture
    def make(self) -> Iterator[Any]:
        """Give a function that makes a connector to tables of the test's own."""
        made: list[Connector] = []

        def make(tables: dict[str, pa.Table]) -> Connector:
            connector = self.make_connector(tables)
            made.append(connector)
            return connector

        yield make
        for connector in made:
            connector.close()

    def table(self, connector: Connector, name: str) -> Table:
        """Load a table of the default schema."""
        return connector.load_table(TableName(connector.default_schema, name))

    def facts(self) -> pa.Table:
        """Return the table of facts as it was put into the source."""
        made: pa.Table = _facts(cast("Any", type(self)))
        return made

    def large(self) -> pa.Table:
        """Return the large table as it was put into the source."""
        return _large(self.large_table_rows)

    def stored(self, table: pa.Table) -> pa.Table:
        """Return ``table`` as it has to come back: each column with the type it is stored as."""
        fields = []
        for name, type_ in zip(table.column_names, table.schema.types, strict=True):
            stored = self.store_type(type_)
            assert stored is not None, f"the source cannot store {type_}"
            fields.append(pa.field(name, stored))
        return table.cast(pa.schema(fields))


@functools.cache
def _facts(cls: Any) -> pa.Table:
    hooks = cls()
    return samples.facts(hooks.store_type, hooks.can_store)


@functools.cache
def _large(rows: int) -> pa.Table:
    return samples.large(rows)
