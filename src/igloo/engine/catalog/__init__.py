"""What can be named in SQL: catalogs, views, system tables."""
