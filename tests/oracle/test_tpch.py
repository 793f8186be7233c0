"""TPC-H, all 22 queries, wherever the tables lie, judged by DuckDB over the same Parquet files.

Whole numbers, decimals, dates and text have to be equal, digit for digit. One thing differs by
definition: DuckDB divides decimals, and averages them, in binary floating point, while Igloo stays
decimal and cuts the quotient at the scale of its type. Where the judge answers with a float,
Igloo's decimal may be off by one unit of its own last digit, and by no more. Where both are floats,
the order of a sum shows: they may differ by one part in 10^12.
"""

from __future__ import annotations

import re
from collections import Counter
from decimal import Decimal
from itertools import pairwise

import duckdb
import pytest

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
    for rows, expected in (
        ([row], [(1, Decimal("2.5001"), "a", None)]),
        ([row], [(1, Decimal("2.50"), "A", None)]),
        ([row], [(1, Decimal("2.50"), "a", 0)]),
        ([row], [row, row]),
        ([row, row], [row]),
        ([(Decimal("0.333331"),)], [(1 / 3,)]),
        ([(None,)], [(0.5,)]),
        ([(0.3000000001,)], [(0.3,)]),
    ):
        with pytest.raises(AssertionError):
            assert_same_rows(rows, expected)
    with pytest.raises(AssertionError):
        assert_ordered([(1, "b"), (1, "a")], ["n", "t"], (("n", True), ("t", False)))


def assert_same_rows(rows, expected):
    """The same rows as often, in any order; floats of the judge within Igloo's last digit."""
    assert len(rows) == len(expected)
    inexact = [i for i in range(len(expected[0])) if any(isinstance(r[i], float) for r in expected)]
    exact = [i for i in range(len(expected[0])) if i not in inexact]

    def exact_part(row):
        return tuple(row[i] for i in exact)

    assert Counter(map(exact_part, rows)) == Counter(map(exact_part, expected))
    if not inexact:
        return
    # The other columns tell the rows apart, so each float has its one counterpart.
    assert len(set(map(exact_part, expected))) == len(expected)
    counterpart = {exact_part(row): row for row in expected}
    for row in rows:
        for i in inexact:
            assert_within_last_digit(row[i], counterpart[exact_part(row)][i])


def assert_within_last_digit(value, expected):
    assert (value is None) == (expected is None)
    if value is None:
        return
    if isinstance(value, float):
        assert value == pytest.approx(expected, rel=1e-12, abs=0)
        return
    assert isinstance(value, Decimal)
    unit = Decimal(1).scaleb(value.as_tuple().exponent)
    # A float carries about 15 digits; what lies below them is not the judge's word.
    noise = abs(Decimal(expected)) * Decimal("1e-15")
    assert abs(value - Decimal(expected)) <= unit + noise, (value, expected)


def assert_ordered(rows, names, order):
    """Each row stands at or after the one before, by the columns that the query orders by."""
    places = [(names.index(name), descending) for name, descending in order]
    for before, after in pairwise(rows):
        for place, descending in places:
            if before[place] == after[place]:
                continue
            assert (before[place] > after[place]) == descending, (before, after)
            break
