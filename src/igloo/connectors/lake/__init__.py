"""Table formats over files: Iceberg."""
