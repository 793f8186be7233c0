from typing import ClassVar

from igloo.connectors.memory import MemoryConnector
from igloo.names import TableName
from igloo.testing.conformance import ConnectorConformance, WritesConformance, not_meant


class TestMemory(WritesConformance, ConnectorConformance):
    gaps: ClassVar = {
        "test_splits_are_read_in_another_process": not_meant(
            "The rows lie in this process's memory and stay there."
        ),
        "test_an_unreachable_source_is_no_error_until_it_is_asked": not_meant(
            "There is no source outside of the process.", raises=NotImplementedError
        ),
        "test_an_unreachable_source_is_a_source_error": not_meant(
            "There is no source outside of the process.", raises=NotImplementedError
        ),
        "test_a_source_that_breaks_before_planning_raises_source_errors": not_meant(
            "A planned scan holds its rows; nothing outside can break them."
        ),
        "test_a_source_that_breaks_before_reading_raises_source_errors": not_meant(
            "A planned scan holds its rows; nothing outside can break them."
        ),
    }

    def make_connector(self, tables):
        connector = MemoryConnector("mem")
        for name, table in tables.items():
            connector.put(TableName("public", name), table)
        return connector

    def break_source(self, connector, table):
        connector.close()
