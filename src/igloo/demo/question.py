"""The statement that the demo runs, and where its five tables lie."""

from __future__ import annotations

#: Schema and table of each table that the demo makes, by catalog.
POSTGRES_TABLES = ("customer", "orders")
PARQUET_TABLES = ("lineitem",)
ICEBERG_TABLES = ("part", "supplier")

#: Namespace of the Iceberg tables.
NAMESPACE = "shop"

#: The files of ``part`` are kept apart by maker, so that a filter on it leaves files unread.
ICEBERG_PARTITIONS = {"part": "p_mfgr"}

QUESTION = """\
SELECT c.c_mktsegment                                AS segment,
       p.p_mfgr                                      AS maker,
       count(*)                                      AS items,
       count(DISTINCT s.s_suppkey)                   AS suppliers,
       sum(l.l_extendedprice * (1 - l.l_discount))   AS revenue
FROM pg.public.customer AS c                                        -- PostgreSQL
JOIN pg.public.orders   AS o ON o.o_custkey = c.c_custkey           -- PostgreSQL
JOIN files.main.lineitem AS l ON l.l_orderkey = o.o_orderkey        -- Parquet
JOIN lake.shop.part     AS p ON p.p_partkey = l.l_partkey           -- Iceberg
JOIN lake.shop.supplier AS s ON s.s_suppkey = l.l_suppkey           -- Iceberg
WHERE o.o_orderdate >= DATE '1995-01-01'
  AND o.o_orderdate < DATE '1996-01-01'
  AND p.p_mfgr IN ('Manufacturer#1', 'Manufacturer#2')
  AND s.s_acctbal > 0
GROUP BY c.c_mktsegment, p.p_mfgr
ORDER BY revenue DESC"""
