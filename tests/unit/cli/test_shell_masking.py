import pytest

from igloo.cli.shell.history import History, history_path
from igloo.cli.shell.masking import masked

WITH = "CREATE CATALOG pg USING postgres WITH"


@pytest.mark.parametrize(
    "statement",
    [
        f"{WITH} (host = 'db', password = 'hun''ter2')",
        f"{WITH} (uri = 'postgresql://me:hunter2@db/x')",
        f"{WITH} (uri = 'postgresql://me:hun''ter2@db/x')",
        f"{WITH} (uri = 'host=db password=hunter2')",
        f"{WITH} (pasword = 'hunter2')",
        f"{WITH} (password 'hunter2')",
        f"{WITH} ('password' 'hunter2')",
        f'{WITH} (password = "hunter2")',
        f"{WITH} (password = hunter2)",
        f"{WITH} (password = hunter2-hunter2)",
        f"{WITH} (password = $$hunter2$$)",
        f"{WITH} (password = E'hunter2')",
        f"{WITH} (host = 'h', password = 'a, hunter2)', port = 5432); SELECT 1;",
        f"{WITH} (path = 'https://me:hunter2@host/x')",
        f"{WITH} (storage.secret_access_key = 'hunter2')",
        "CREATE CATLOG pg USING postgres WITH (uri = 'postgresql://me:hun''ter2@db/x')",
        "CREATE CATLOG pg USING postgres WITH (password = 'hun''ter2')",
        "COPY t TO 's3://b/x' OPTIONS (secret_access_key 'hunter2')",
        "COPY (SELECT 1) TO 'https://me:hunter2@host/x'",
        "SELECT * FROM remote_query('pg', 'ALTER USER me PASSWORD ''hunter2''')",
        "\\i postgresql://me:hunter2@db/x",
    ],
)
def test_no_secret_is_kept(statement):
    kept = masked(statement)
    assert kept is not None
    assert "hun" not in kept
    assert "ter2" not in kept


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT a, 'b' FROM t WHERE c = 'd' -- why",
        "SET igloo.timeout = '5s';",
        f"{WITH} (uri = '${{env:PG}}', host = 'db', port = '5432', pool_size = 5)",
        "CREATE CATALOG lake USING files WITH (path = '/data', format = 'csv')",
        "CREATE EXTERNAL TABLE t STORED AS CSV LOCATION '/data/t.csv'",
        "\\d people",
    ],
)
def test_what_is_no_secret_is_kept_as_it_was_typed(statement):
    assert masked(statement) == statement


def test_the_history_is_the_users_own_and_leaves_out_what_starts_with_a_space(tmp_path):
    path = history_path({"XDG_STATE_HOME": str(tmp_path)})
    assert path == tmp_path / "igloo" / "history"
    assert history_path({"XDG_STATE_HOME": "relative"}).is_absolute()
    history = History(path)
    for text in ("SELECT 1;", " SELECT 2;", "SELECT\n3;", "SELECT 'open"):
        history.append_string(text)
    assert list(History(path).load_history_strings()) == ["SELECT\n3;", "SELECT 1;"]
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_a_history_that_has_grown_is_cut_to_its_newer_half(tmp_path, monkeypatch):
    monkeypatch.setattr("igloo.cli.shell.history._BYTES_MAX", 2000)
    history = History(tmp_path / "history")
    for number in range(100):
        history.store_string(f"SELECT {number};")
    kept = list(History(tmp_path / "history").load_history_strings())
    assert kept[0] == "SELECT 99;"
    assert 10 < len(kept) < 50
    assert (tmp_path / "history").stat().st_size <= 1000
