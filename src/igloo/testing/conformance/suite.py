"""The class that authors subclass: the hooks, and all tests that every connector takes."""

from __future__ import annotations

from igloo.testing.conformance.engine import EngineTests
from igloo.testing.conformance.failures import FailureTests
from igloo.testing.conformance.honesty import HonestyTests
from igloo.testing.conformance.metadata import MetadataTests
from igloo.testing.conformance.pushdown import PushdownTests
from igloo.testing.conformance.resources import ResourceTests
from igloo.testing.conformance.scan import ScanTests
from igloo.testing.conformance.types import TypeTests


class ConnectorConformance(
    MetadataTests,
    TypeTests,
    ScanTests,
    PushdownTests,
    EngineTests,
    FailureTests,
    ResourceTests,
    HonestyTests,
):
    """Subclass it, and give ``make_connector``; the other hooks have defaults."""
