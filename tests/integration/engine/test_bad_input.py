"""Bad input: one clear line, the right class, no secret, and a session that goes on."""

import os
import socket
import uuid
from urllib.parse import quote, urlsplit

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import igloo
from igloo.errors import (
    CatalogNotFound,
    ColumnNotFound,
    IglooError,
    InvalidSetting,
    LimitExceeded,
    SchemaNotFound,
    SourceDataError,
    SourceError,
    SourceRefused,
    SourceUnavailable,
    SqlSyntaxError,
    TableNotFound,
    TypeMismatch,
    UnsupportedType,
    UserError,
)

HUSH = "hush-5c1e"


@pytest.fixture
def plain(tmp_path, monkeypatch):
    """Give an engine without any catalog, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    with igloo.connect() as connection:
        yield connection


def failure_of(db, *statements):
    """Run statements up to the first that fails; check how it fails and that the rest goes on."""
    with pytest.raises(IglooError) as caught:  # noqa: PT012 - any of them may fail
        for statement in statements:
            db.sql(statement).fetchall()
    told = str(caught.value)
    assert "\n" not in told
    assert told.endswith((".", "?", "!", "'", ")")), told
    for leaked in ("Traceback", "PyErr", "DataFusion error", "Exception", HUSH):
        assert leaked not in told, told
    assert db.sql("SELECT 1").fetchall() == [(1,)]
    return caught.value


@pytest.mark.parametrize(
    ("sql", "kind", "told"),
    [
        ("SELECT * FROM nowhere", TableNotFound, '"nowhere"'),
        ("SELECT * FROM pg.public.nowhere", TableNotFound, "pg.public.nowhere"),
        ("SELECT * FROM hive.nowhere", TableNotFound, "hive.nowhere"),
        ("SELECT * FROM ice.ns.nowhere", TableNotFound, "ice.ns.nowhere"),
        ("SELECT * FROM nowhere.public.t", CatalogNotFound, '"nowhere"'),
        ("SELECT * FROM ice.nowhere.t", UserError, "nowhere"),
        ("SELECT nope FROM mem", ColumnNotFound, '"nope"'),
        ("SELECT nope FROM hive.t", ColumnNotFound, '"nope"'),
        ("SELECT id FROM ice.ns.t WHERE nope = 1", ColumnNotFound, '"nope"'),
        ("SELECT nope() FROM mem", UserError, "nope"),
        ("SELECT * FROM mem WHERE s + 1 = day", TypeMismatch, "types"),
        ("SELEC 1", SqlSyntaxError, "SELEC"),
        ("SELECT 1 +", SqlSyntaxError, "line 1|cannot be read"),
        ("SELECT 'a", SqlSyntaxError, "does not end"),
        ("SELECT \x00 1", SqlSyntaxError, "NUL byte"),
        ("SHOW TABLES FROM ice.nowhere", SchemaNotFound, "nowhere"),
        ("CREATE CATALOG c USING postgress", InvalidSetting, '"postgres"'),
        ("CREATE CATALOG c USING postgres WITH (hst = 'x')", InvalidSetting, '"host"'),
        (
            "CREATE CATALOG c USING postgres WITH (port = 'many', host = 'h')",
            InvalidSetting,
            "port",
        ),
        ("CREATE CATALOG c USING files", InvalidSetting, "path"),
        (
            "CREATE CATALOG c USING postgres WITH (password = '${env:NOWHERE}')",
            InvalidSetting,
            "NOWH",
        ),
        (
            "CREATE CATALOG c USING postgres WITH (password = '${file:none}')",
            InvalidSetting,
            "none",
        ),
        ("CREATE CATALOG pg USING files WITH (path = '/')", UserError, '"pg"'),
        ("DROP CATALOG nowhere", CatalogNotFound, '"nowhere"'),
        ("DROP CATALOG memory", UserError, "built in"),
        ("SELECT * FROM remote_query('pg', 'SELECT 1 +')", IglooError, "syntax"),
        ("SELECT * FROM remote_query('pg', 'DROP TABLE x')", UserError, "DROP"),
        ("SELECT * FROM remote_query('hive', 'SELECT 1')", UserError, "hive"),
        ("SELECT * FROM remote_query('nowhere', 'SELECT 1')", CatalogNotFound, "nowhere"),
        ("SELECT * FROM remote_query('pg')", UserError, "remote_query"),
        ("SELECT " + "(" * 200 + "1" + ")" * 200, LimitExceeded, "nesting_depth"),
        ("SELECT '" + "x" * 1_000_000 + "'", LimitExceeded, "statement_bytes"),
        ("SELECT " + "+".join(["1"] * 10_000), LimitExceeded, "expression_terms"),
        ("SELECT 1 WHERE " + " OR ".join(["1 = 2"] * 10_000), LimitExceeded, "expression_terms"),
        (" UNION ALL ".join(["SELECT 1"] * 10_000), LimitExceeded, "expression_terms"),
    ],
)
def test_a_bad_statement_is_told_in_one_line(db, sql, kind, told):
    error = failure_of(db, sql)
    assert isinstance(error, kind), repr(error)
    assert any(part in str(error) for part in told.split("|")), error


def test_a_name_or_value_that_no_utf8_can_hold_is_told(db):
    failure_of(db, "SELECT '\ud800'")


def test_a_wrong_password_is_told_and_not_repeated(plain, postgres_uri):
    parts = urlsplit(postgres_uri)
    uri = f"postgresql://{parts.username}:{quote(HUSH)}@{parts.hostname}:{parts.port}/postgres"
    error = failure_of(
        plain, f"CREATE CATALOG pg USING postgres WITH (uri = '{uri}')", "SELECT * FROM pg.t"
    )
    assert isinstance(error, SourceRefused)
    assert error.context["catalog"] == "pg"
    assert str(parts.port) in str(error)


def test_a_host_that_does_not_listen_is_told(plain):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        error = failure_of(
            plain,
            "CREATE CATALOG pg USING postgres WITH (host = '127.0.0.1', user = 'u',"
            f" port = '{port}', password = '{HUSH}', connect_timeout = '2s')",
            "SELECT * FROM pg.public.t",
        )
    assert isinstance(error, SourceUnavailable)
    assert (error.retryable, error.context["catalog"]) == (True, "pg")
    assert str(port) in str(error)


def test_a_host_that_nobody_knows_is_told(plain):
    error = failure_of(
        plain,
        "CREATE CATALOG pg USING postgres WITH (host = 'nowhere.invalid', user = 'u',"
        " connect_timeout = '2s')",
        "SHOW TABLES FROM pg.public",
    )
    assert isinstance(error, SourceUnavailable)
    assert "nowhere.invalid" in str(error)


def test_a_source_that_is_down_leaves_the_others(plain, tmp_path):
    plain.sql(
        "CREATE CATALOG down USING postgres WITH (host = '127.0.0.1', port = '1', user = 'u')"
    )
    pq.write_table(pa.table({"a": [1]}), tmp_path / "t.parquet")
    plain.sql(f"CREATE CATALOG up USING files WITH (path = '{tmp_path}')")
    assert plain.sql("SELECT a FROM up.t").fetchall() == [(1,)]
    error = failure_of(plain, "SELECT * FROM up.t JOIN down.public.t USING (a)")
    assert error.context["catalog"] == "down"


# -- files ---------------------------------------------------------------------------------------


@pytest.fixture
def lake(plain, tmp_path):
    """Give a function that makes the catalog ``lake`` over a folder of the given files."""

    def make(**files):
        folder = tmp_path / "lake"
        folder.mkdir()
        for name, content in files.items():
            path = folder / name.replace("__", "/")
            path.parent.mkdir(exist_ok=True)
            if isinstance(content, bytes):
                path.with_suffix(".parquet").write_bytes(content)
            elif content is None:
                path.mkdir()
            else:
                pq.write_table(content, path.with_suffix(".parquet"))
        plain.sql(f"CREATE CATALOG lake USING files WITH (path = '{folder}')")
        return folder

    return make


def parquet_bytes(table):
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink)
    return sink.getvalue().to_pybytes()


BIG = pa.table({"a": list(range(10_000)), "s": [os.urandom(8).hex() for _ in range(10_000)]})


@pytest.mark.parametrize(
    "spoil",
    [
        lambda content: b"",
        lambda content: b"not parquet at all",
        lambda content: content[: len(content) // 2],
        lambda content: content[:-20],
        lambda content: content[:-8] + b"\xff\xff\xff\x7f" + content[-4:],
        lambda content: content[:4] + bytes(len(content) // 2) + content[4 + len(content) // 2 :],
    ],
)
def test_a_corrupt_parquet_file_is_told_with_its_path(plain, lake, spoil):
    lake(t=spoil(parquet_bytes(BIG)))
    error = failure_of(plain, "SELECT sum(a), max(s) FROM lake.t")
    assert isinstance(error, SourceError), repr(error)


def test_one_corrupt_file_among_good_ones_is_told(plain, lake):
    lake(t__good=BIG, t__bad=b"PAR1 and nothing else PAR1")
    error = failure_of(plain, "SELECT sum(a) FROM lake.t")
    assert isinstance(error, SourceDataError), repr(error)
    assert "bad.parquet" in str(error)


def test_a_file_that_goes_away_between_planning_and_reading_is_told(plain, lake):
    folder = lake(t=BIG)
    result = plain.sql("SELECT sum(a) FROM lake.t")
    (folder / "t.parquet").unlink()
    with pytest.raises((SourceError, TableNotFound)):
        result.fetchall()
    assert isinstance(failure_of(plain, "SELECT sum(a) FROM lake.t"), TableNotFound | SourceError)


def test_an_empty_folder_has_no_tables_and_says_so(plain, lake):
    lake()
    assert plain.sql("SHOW TABLES FROM lake").fetchall() == []
    assert isinstance(failure_of(plain, "SELECT * FROM lake.t"), TableNotFound)


def test_a_folder_that_is_not_there_is_told_when_asked(plain, tmp_path):
    plain.sql(f"CREATE CATALOG lake USING files WITH (path = '{tmp_path / 'none'}')")
    error = failure_of(plain, "SELECT * FROM lake.t")
    assert isinstance(error, SourceError | UserError)
    assert "none" in str(error)


def test_files_whose_types_do_not_agree_are_told(plain, lake):
    lake(t__a=pa.table({"a": [1]}), t__b=pa.table({"a": ["x"]}))
    error = failure_of(plain, "SELECT * FROM lake.t")
    assert '"a"' in str(error) or "a" in str(error)
    assert isinstance(error, SourceDataError | UserError), repr(error)


def test_a_type_that_cannot_be_carried_is_told_with_its_column(plain, postgres_uri, ask):
    table = f"odd_{uuid.uuid4().hex[:8]}"
    ask(f"CREATE TABLE {table} (id int, price money)")
    try:
        error = failure_of(
            plain,
            f"CREATE CATALOG pg USING postgres WITH (uri = '{postgres_uri}')",
            f"SELECT * FROM pg.public.{table}",
        )
    finally:
        ask(f"DROP TABLE {table}")
    assert isinstance(error, UnsupportedType)
    assert "price" in str(error)
    assert "money" in str(error)
