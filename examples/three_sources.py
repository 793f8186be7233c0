"""One statement over PostgreSQL, Parquet and Iceberg.

Needs DATABASE_URL: a PostgreSQL in which a table may be made; it is dropped at the end.
"""

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import adbc_driver_postgresql.dbapi as postgres
import pyarrow as pa
import pyarrow.parquet as pq
from pyiceberg.catalog.sql import SqlCatalog

import igloo

CUSTOMERS = pa.table({"id": [1, 2, 3], "name": ["Ada", "Grace", "Annie"]})
ORDERS = pa.table({"customer": [1, 1, 2, 3], "product": [10, 30, 10, 20], "pieces": [2, 1, 5, 1]})
PRODUCTS = pa.table({"id": [10, 20, 30], "title": ["lamp", "desk", "chair"], "price": [20, 90, 40]})

QUESTION = """
SELECT c.name, sum(o.pieces * p.price) AS revenue
FROM pg.public.igloo_example AS c
JOIN files.main.orders AS o ON o.customer = c.id
JOIN lake.store.products AS p ON p.id = o.product
WHERE c.id <= 2
GROUP BY c.name
ORDER BY revenue DESC
"""


@contextlib.contextmanager
def customers_in_postgres(uri: str) -> Iterator[None]:
    """Make the table in PostgreSQL, and drop it at the end."""
    with postgres.connect(uri, autocommit=True) as connection, connection.cursor() as cursor:
        cursor.adbc_ingest("igloo_example", CUSTOMERS, mode="replace")
        yield
        cursor.execute("DROP TABLE igloo_example")


def orders_in_parquet(folder: Path) -> None:
    """Write the Parquet file."""
    folder.mkdir()
    pq.write_table(ORDERS, folder / "orders.parquet")


def products_in_iceberg(warehouse: Path) -> None:
    """Make the Iceberg table, in a catalog on SQLite."""
    warehouse.mkdir()
    place = {"uri": f"sqlite:///{warehouse}/catalog.db", "warehouse": f"file://{warehouse}"}
    catalog = SqlCatalog("shop", **place)
    catalog.create_namespace("store")
    catalog.create_table("store.products", schema=PRODUCTS.schema).append(PRODUCTS)
    catalog.close()


def ask(folder: Path) -> None:
    """Name the three catalogs and ask."""
    with igloo.connect() as db:
        db.sql("CREATE CATALOG pg USING postgres WITH (uri = '${env:DATABASE_URL}')")
        db.sql(f"CREATE CATALOG files USING files WITH (path = '{folder}/files')")
        db.sql(f"CREATE CATALOG lake USING iceberg WITH (warehouse = '{folder}/warehouse')")
        result = db.sql(QUESTION)
        for name, revenue in result.fetchall():
            print(f"{name:<6} {revenue:>4}")
        for catalog, source in sorted(result.stats.sources.items()):
            print(f"{catalog} sent {source.rows} rows")


def main() -> None:
    """Run the story."""
    with tempfile.TemporaryDirectory() as name, customers_in_postgres(os.environ["DATABASE_URL"]):
        folder = Path(name)
        orders_in_parquet(folder / "files")
        products_in_iceberg(folder / "warehouse")
        ask(folder)


if __name__ == "__main__":
    main()
