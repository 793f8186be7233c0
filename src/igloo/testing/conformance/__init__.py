"""The tests that every connector inherits. They need pytest and nothing else.

A connector's author subclasses ``ConnectorConformance`` and says how tables get into the source::

    from igloo.testing.conformance import ConnectorConformance

    class TestMine(ConnectorConformance):
        def make_connector(self, tables):
            ...

A connector that accepts writes adds ``WritesConformance``, one that runs SQL ``SqlConformance``,
before it in the list of bases. What the source cannot do is declared in ``gaps``, each with its
reason; a gap that has closed fails the run.
"""

from __future__ import annotations

import pytest

# The suite's own asserts explain themselves only if pytest rewrites them before they are imported.
pytest.register_assert_rewrite(
    *(
        f"igloo.testing.conformance.{name}"
        for name in (
            "engine",
            "failures",
            "honesty",
            "metadata",
            "pushdown",
            "reading",
            "resources",
            "scan",
            "sql",
            "types",
            "writes",
        )
    )
)

from igloo.testing.conformance.gaps import (  # noqa: E402 - rewriting comes first
    Gap,
    not_able,
    not_done,
    not_meant,
)
from igloo.testing.conformance.sql import SqlConformance  # noqa: E402 - rewriting comes first
from igloo.testing.conformance.suite import (  # noqa: E402 - rewriting comes first
    ConnectorConformance,
)
from igloo.testing.conformance.writes import (  # noqa: E402 - rewriting comes first
    WritesConformance,
)

__all__ = [
    "ConnectorConformance",
    "Gap",
    "SqlConformance",
    "WritesConformance",
    "not_able",
    "not_done",
    "not_meant",
]
