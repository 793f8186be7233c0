"""Pushdown never changes an answer: each random query gives the rows that memory gives.

Set ``IGLOO_TEST_SEED`` and ``IGLOO_TEST_QUERIES`` to hunt with other and more queries.
"""

import os
from collections import Counter

import pytest
from awkward_rows import SCHEMA
from random_sql import RandomSql

from igloo.errors import UserError

SEED = os.environ.get("IGLOO_TEST_SEED", "1")
QUERIES = int(os.environ.get("IGLOO_TEST_QUERIES", "90"))
COLUMNS = ", ".join(SCHEMA.names)
MODES = ("full", "scan", "off")
HOLE = "@table"


def rows_of(db, sql, parameters=None):
    """Return the rows as a bag; -0.0 and 0.0 are one value, NaN is itself."""
    rows = db.sql(sql, parameters).fetchall()
    return Counter(repr(row).replace("-0.0", "0.0") for row in rows)


def outcome(db, sql, parameters=None):
    """Return the rows, or the class of the error."""
    try:
        return rows_of(db, sql, parameters)
    except UserError as error:
        return type(error).__name__


def check_everywhere(db, tables, sql, parameters=None):
    """Check that a query gives the same rows over every source in every mode."""
    db.sql("RESET igloo.pushdown")
    expected = outcome(db, sql.replace(HOLE, "mem"), parameters)
    for source, table in tables.items():
        for mode in MODES:
            db.sql(f"SET igloo.pushdown = {mode}")
            found = outcome(db, sql.replace(HOLE, table), parameters)
            assert found == expected, f"{source}, pushdown {mode}, {parameters}: {sql}"
    return expected


def test_every_source_holds_the_same_rows_and_types(db, tables):
    sql = f"SELECT {COLUMNS} FROM {HOLE}"
    expected = db.sql(sql.replace(HOLE, "mem"))
    for table in tables.values():
        assert db.sql(sql.replace(HOLE, table)).schema.equals(expected.schema)
    assert sum(check_everywhere(db, tables, sql).values()) == 60


@pytest.mark.parametrize("part", range(3))
def test_random_queries_give_the_rows_that_memory_gives(db, tables, part):
    answered = 0
    for number in range(part, QUERIES, 3):
        random_sql = RandomSql(f"{SEED}/{number}")
        sql = random_sql.query(HOLE).replace("SELECT *", f"SELECT {COLUMNS}", 1)
        answered += isinstance(check_everywhere(db, tables, sql), Counter)
    assert answered > QUERIES / 3 * 0.7


def test_random_limits_give_as_many_rows_as_there_are(db, tables):
    for number in range(QUERIES // 2):
        whole, limited = RandomSql(f"limits {SEED}/{number}").limited(HOLE)
        db.sql("RESET igloo.pushdown")
        everything = outcome(db, whole.replace(HOLE, "mem"))
        if isinstance(everything, str):
            continue
        limit = int(limited.rsplit(" ", 1)[1])
        for source, table in tables.items():
            found = rows_of(db, limited.replace(HOLE, table))
            told = f"{source}, seed {SEED}/{number}: {limited}"
            assert sum(found.values()) == min(limit, sum(everything.values())), told
            assert not found - everything, told


# -- shapes in which one table is scanned several times, with different needs ----------------------


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT id FROM @table WHERE k = 0 UNION ALL SELECT id FROM @table WHERE k = 1",
        "SELECT id FROM @table WHERE i > 0 UNION ALL SELECT id FROM @table",
        "SELECT id FROM @table WHERE s LIKE 'a%' UNION ALL SELECT id FROM @table WHERE s LIKE 'A%'",
        "SELECT x.id, y.s FROM @table x JOIN @table y ON x.id = y.id WHERE x.k = 0 AND y.b",
        "SELECT x.id FROM @table x LEFT JOIN @table y ON x.id = y.id AND y.k = 2 WHERE y.id IS NULL",
        "SELECT id FROM @table WHERE k = 1 AND id IN (SELECT id FROM @table WHERE b)",
        "SELECT id FROM @table x WHERE EXISTS (SELECT 1 FROM @table y WHERE y.i = x.k AND y.k = 2)",
        "SELECT id FROM @table WHERE k = (SELECT min(k) FROM @table WHERE i > 0)",
        "SELECT (SELECT count(*) FROM @table WHERE k = 0) x, (SELECT count(*) FROM @table WHERE b) y",
        "SELECT id FROM @table WHERE k NOT IN (SELECT k FROM @table WHERE i = 7 AND k > 0)",
        (
            "WITH c AS (SELECT * FROM @table) SELECT count(*) FROM c WHERE k = 0"
            " UNION ALL SELECT count(*) FROM c WHERE k = 1"
        ),
        (
            "(SELECT id FROM @table WHERE k = 0 ORDER BY id LIMIT 3) UNION ALL"
            " (SELECT id FROM @table WHERE k = 1 ORDER BY id DESC LIMIT 3)"
        ),
        "SELECT count(*) FROM (SELECT id FROM @table LIMIT 4) a, (SELECT id FROM @table LIMIT 5) b",
        "SELECT id FROM @table WHERE k = 0 INTERSECT SELECT id FROM @table WHERE b",
        "SELECT count(*) FROM (SELECT * FROM @table LIMIT 7) q WHERE q.id >= 0",
        "SELECT id FROM (SELECT * FROM @table ORDER BY id LIMIT 7 OFFSET 3) q WHERE k = 1",
        "SELECT count(*) FROM @table WHERE b OR s IS NULL LIMIT 1",
    ],
)
def test_several_scans_of_one_table_lose_no_row(db, tables, sql):
    assert isinstance(check_everywhere(db, tables, sql), Counter)


@pytest.mark.parametrize(
    ("condition", "parameters"),
    [
        ("i = $1 AND s LIKE 'a%'", [None]),
        ("i = $1 OR b", [None]),
        ("i IN ($1, 7) AND b IS NOT NULL", [None]),
        ("NULL AND abs(f) = 1", None),
        ("b AND (SELECT count(*) FROM @table WHERE i IN (NULL, -1)) > 0", None),
    ],
)
def test_a_filter_that_holds_a_bare_null_is_answered(db, tables, condition, parameters):
    sql = f"SELECT id FROM {HOLE} WHERE {condition}"
    assert isinstance(check_everywhere(db, tables, sql, parameters), Counter)


@pytest.mark.parametrize("condition", ["s ILIKE 'A_'", "s NOT ILIKE 'a%'", "NOT (s ILIKE 'É%')"])
def test_a_match_that_ignores_case_is_not_pushed_as_one_that_does_not(db, tables, condition):
    assert check_everywhere(db, tables, f"SELECT id FROM {HOLE} WHERE {condition}")


def test_a_filter_with_common_parts_keeps_the_partition_column(db, tables):
    """Such a filter keeps DataFusion from computing the file's name inside of the scan."""
    sql = f"SELECT DISTINCT k, b FROM {HOLE} WHERE big NOT BETWEEN -9223372036854775808 AND 1e18"
    assert check_everywhere(db, tables, sql)


def test_a_long_list_of_conditions_is_answered(db, tables):
    many = " OR ".join(f"(i = {n} AND s <> '{n}')" for n in range(300))
    assert check_everywhere(db, tables, f"SELECT id FROM {HOLE} WHERE {many}")


def test_views_over_filtered_tables_are_filtered_once_more(db, tables):
    db.sql("SET igloo.pushdown = off")
    expected = rows_of(db, "SELECT id FROM mem WHERE b AND i > 0 AND s LIKE 'a%'")
    for source, table in tables.items():
        db.sql(f"CREATE VIEW v_{source} AS SELECT * FROM {table} WHERE b AND i > 0")
    for mode in MODES:
        db.sql(f"SET igloo.pushdown = {mode}")
        for source, table in tables.items():
            view = f"v_{source}"
            assert rows_of(db, f"SELECT id FROM {view} WHERE s LIKE 'a%'") == expected
            both = f"SELECT id FROM {view} UNION ALL SELECT id FROM {table} WHERE NOT b"
            mem = "SELECT id FROM mem WHERE b AND i > 0 UNION ALL SELECT id FROM mem WHERE NOT b"
            assert rows_of(db, both) == rows_of(db, mem)


def test_the_same_table_under_two_spellings_is_one_table(db, tables):
    short = tables["pg"].replace("pg.public.", "pg_")
    sql = f"SELECT x.id FROM {tables['pg']} x JOIN {short} y ON x.id = y.id WHERE x.k = 0 AND y.b"
    assert rows_of(db, sql) == rows_of(db, "SELECT id FROM mem WHERE k = 0 AND b")


def test_tables_of_several_sources_join_exactly(db, tables):
    sql = (
        "SELECT a.id, b.s, c.f, d.k FROM {pg} a JOIN {hive} b ON a.id = b.id"
        " LEFT JOIN {one} c ON c.id = b.id AND c.b JOIN {ice} d ON d.id = a.id WHERE a.k < 2"
    )
    expected = rows_of(db, sql.format(**dict.fromkeys(tables, "mem")))
    for mode in MODES:
        db.sql(f"SET igloo.pushdown = {mode}")
        assert rows_of(db, sql.format(**tables)) == expected


def test_full_pushdown_asks_the_source_for_less(db, tables):
    sql = f"SELECT id FROM {tables['pg']} WHERE id = 7"
    sent = {}
    for mode in MODES:
        db.sql(f"SET igloo.pushdown = {mode}")
        result = db.sql(sql)
        assert result.fetchall() == [(7,)]
        sent[mode] = result.stats.sources["pg"].rows
    assert sent == {"full": 1, "scan": 1, "off": 60}


def test_a_filter_on_the_partition_opens_fewer_files(db, tables):
    result = db.sql(f"SELECT count(*) FROM {tables['hive']} WHERE k = 2")
    assert result.fetchall() == [(20,)]
    hive = result.stats.sources["hive"]
    assert (hive.files_planned, hive.files_total) == (1, 4)
