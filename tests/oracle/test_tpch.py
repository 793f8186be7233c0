"""TPC-H, all 22 queries, wherever the tables lie, judged by DuckDB over the same Parquet files."""

from __future__ import annotations

import re
from decimal import Decimal

import duckdb
import pytest
from same_rows import assert_ordered, assert_same_rows

import igloo
from igloo.testing.servers import PostgresServer
from igloo.testing.tpch import (
    QUERY_NUMBERS,
    TABLES,
    load_iceberg,
    load_postgres,
    make_parquet,
    query,
)

SCALE = 0.1

#: Where each table lies; ``mixed`` makes most joins cross two or three sources.
LAYOUTS = {
    "parquet": dict.fromkeys(TABLES, "files.main"),
    "postgres": dict.fromkeys(TABLES, "pg.public"),
    "iceberg": dict.fromkeys(TABLES, "lake.tpch"),
    "mixed": {
        "region": "lake.tpch",
        "nation": "pg.public",
        "supplier": "lake.tpch",
        "customer": "pg.public",
        "part": "lake.tpch",
        "partsupp": "files.main",
        "orders": "pg.public",
        "lineitem": "files.main",
    },
}

#: The output columns that each query orders by, and whether they go down.
ORDER = {
    1: (("l_returnflag", False), ("l_linestatus", False)),
    2: (("s_acctbal", True), ("n_name", False), ("s_name", False), ("p_partkey", False)),
    3: (("revenue", True), ("o_orderdate", False)),
    4: (("o_orderpriority", False),),
    5: (("revenue", True),),
    7: (("supp_nation", False), ("cust_nation", False), ("l_year", False)),
    8: (("o_year", False),),
    9: (("nation", False), ("o_year", True)),
    10: (("revenue", True),),
    11: (("value", True),),
    12: (("l_shipmode", False),),
    13: (("custdist", True), ("c_count", True)),
    15: (("s_suppkey", False),),
    16: (("supplier_cnt", True), ("p_brand", False), ("p_type", False), ("p_size", False)),
    18: (("o_totalprice", True), ("o_orderdate", False)),
    20: (("s_name", False),),
    21: (("numwait", True), ("s_name", False)),
    22: (("cntrycode", False),),
}


@pytest.fixture(scope="session")
def tpch_files(tmp_path_factory):
    return make_parquet(tmp_path_factory.mktemp("tpch"), SCALE)


@pytest.fixture(scope="session")
def judge(tpch_files):
    """Answer a query by DuckDB: column names and rows."""
    answers = {}
    with duckdb.connect() as connection:
        for table, path in tpch_files.items():
            connection.execute(f"CREATE VIEW {table} AS FROM read_parquet('{path}')")

        def answer(number):
            if number not in answers:
                cursor = connection.execute(query(number))
                names = [column[0] for column in cursor.description]
                answers[number] = (names, cursor.fetchall())
            return answers[number]

        yield answer


@pytest.fixture(scope="session")
def tpch_sources(tpch_files, tmp_path_factory):
    """The statements that make the three catalogs, every table being in each of them."""
    folder = next(iter(tpch_files.values())).parent
    warehouse = tmp_path_factory.mktemp("warehouse")
    load_iceberg(warehouse, tpch_files)
    with PostgresServer() as server:
        load_postgres(server.uri, tpch_files)
        yield (
            f"CREATE CATALOG files USING files WITH (path = '{folder}')",
            f"CREATE CATALOG pg USING postgres WITH (uri = '{server.uri}')",
            (
                "CREATE CATALOG lake USING iceberg WITH (type = 'sql', "
                f"uri = 'sqlite:///{warehouse}/catalog.db', warehouse = '{warehouse}')"
            ),
        )


@pytest.fixture(scope="session")
def databases(tpch_sources):
    """A connection for each layout, in which the eight names of TPC-H stand for its tables."""
    connections = {}
    for layout, places in LAYOUTS.items():
        connection = connections[layout] = igloo.connect()
        for statement in tpch_sources:
            connection.sql(statement)
        for table, place in places.items():
            connection.sql(f"CREATE VIEW {table} AS SELECT * FROM {place}.{table}")
    yield connections
    for connection in connections.values():
        connection.close()


@pytest.mark.parametrize("number", QUERY_NUMBERS)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_answers_every_query_as_the_judge_does(layout, number, databases, judge):
    names, expected = judge(number)
    result = databases[layout].sql(query(number))
    rows = result.fetchall()
    assert result.schema.names == names
    assert expected, "a query without rows proves nothing"
    assert_same_rows(rows, expected)
    assert_ordered(rows, names, ORDER.get(number, ()))


def test_every_ordered_query_states_its_order():
    ends_ordered = re.compile(r"order by [^()]*\Z", re.IGNORECASE)
    assert {n for n in QUERY_NUMBERS if ends_ordered.search(query(n))} == set(ORDER)


def test_the_comparison_sees_each_kind_of_difference():
    row = (1, Decimal("2.50"), "a", None)
    assert_same_rows([row], [(1, Decimal("2.5000"), "a", None)])
    assert_same_rows([(Decimal("0.333333"),)], [(1 / 3,)])
    assert_same_rows([(0.1 + 0.2,)], [(0.3,)])
    assert_same_rows([(1, 0.5), (1, None), (2, 0.5)], [(2, 0.5), (1, None), (1, 0.5)])
    assert_same_rows([(Decimal("0.333331"),)], [(1 / 3,)], units=3)
    for rows, expected in (
        ([row], [(1, Decimal("2.5001"), "a", None)]),
        ([row], [(1, Decimal("2.50"), "A", None)]),
        ([row], [(1, Decimal("2.50"), "a", 0)]),
        ([row], [row, row]),
        ([row, row], [row]),
        ([(Decimal("0.333331"),)], [(1 / 3,)]),
        ([(Decimal("0.333333"),)] * 2, [(1 / 3,), (0.4,)]),
        ([(None,)], [(0.5,)]),
        ([(0.3000000001,)], [(0.3,)]),
    ):
        with pytest.raises(AssertionError):
            assert_same_rows(rows, expected)
    with pytest.raises(AssertionError):
        assert_ordered([(1, "b"), (1, "a")], ["n", "t"], (("n", True), ("t", False)))
