"""The ``iceberg`` connector: Apache Iceberg tables, read without writing anything."""

from igloo.connectors.lake.iceberg.connector import IcebergConnector

__all__ = ["IcebergConnector"]
