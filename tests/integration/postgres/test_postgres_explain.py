"""What EXPLAIN shows of PostgreSQL: estimates, the statement as it is sent, and why not more."""

import adbc_driver_postgresql.dbapi as driver
import pytest

import igloo


@pytest.fixture
def db(postgres_uri, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with driver.connect(postgres_uri, autocommit=True) as connection, connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS public.explained")
        cursor.execute("CREATE TABLE public.explained AS SELECT g AS i, 'a  b' || g AS s "
                       "FROM generate_series(1, 1000) AS g")  # fmt: skip
        cursor.execute("ANALYZE public.explained")
        with igloo.connect() as opened:
            opened.sql(f"CREATE CATALOG pg USING postgres WITH (uri = '{postgres_uri}')")
            yield opened
        cursor.execute("DROP TABLE public.explained")


def plan(db, sql):
    return db.sql(f"EXPLAIN {sql}").fetchall()[0][1]


def test_the_server_s_estimate_is_shown(db):
    assert "RemoteScan: catalog=pg, rows=~1000, sql=SELECT" in plan(
        db, "SELECT i FROM pg.public.explained"
    )


def test_spaces_in_literals_stay(db):
    assert "a  b%" in plan(db, "SELECT i FROM pg.public.explained WHERE s LIKE 'a  b%'")


def test_scan_sends_filters_and_columns_only(db):
    sql = "SELECT i FROM pg.public.explained WHERE i > 5 LIMIT 3"
    assert "LIMIT 3" in plan(db, sql)
    db.sql("SET igloo.pushdown = scan")
    shown = plan(db, sql)
    assert "WHERE" in shown
    assert "LIMIT" not in shown
    assert len(db.sql(sql).fetchall()) == 3


def test_off_says_that_it_is_off(db):
    db.sql("SET igloo.pushdown = off")
    shown = plan(db, "SELECT i FROM pg.public.explained WHERE i > 5")
    assert "WHERE" not in shown
    assert "reason=igloo.pushdown is off" in shown
