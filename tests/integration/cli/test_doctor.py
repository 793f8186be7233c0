import json
import socket
import subprocess
import sys

import adbc_driver_postgresql.dbapi as driver
import pytest

from terminal import Terminal  # isort: skip

GOOD = '[catalogs.{}]\nconnector = "files"\npath = "data"\n'


@pytest.fixture
def data(igloo):
    (igloo.folder / "data").mkdir()
    (igloo.folder / "data" / "people.csv").write_text("id,name\n1,Ada\n")


@pytest.fixture
def silent():
    """Give the port of a server that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0), backlog=20) as server:
        yield server.getsockname()[1]


def report_of(igloo, *arguments):
    """Return the exit code, and the findings by subject."""
    outcome = igloo("doctor", "--format", "json", *arguments)
    report = json.loads(outcome.text)
    assert outcome.err == ""
    found = {finding["subject"]: finding for finding in report["findings"]}
    assert len(found) == len(report["findings"])
    return outcome.code, report["status"], found


def test_a_sound_installation_is_all_ok(igloo, data, postgres_uri):
    with driver.connect(postgres_uri, autocommit=True) as connection:
        with connection.cursor() as cursor:
            cursor.execute("CREATE TABLE IF NOT EXISTS doctor_looks (a int)")
        igloo.write("igloo.toml", f'timeout = "5m"\n{GOOD.format("lake")}')
        igloo.write(".env", f"IGLOO_POSTGRES_URI={postgres_uri}\n")
        code, status, found = report_of(igloo)
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE doctor_looks")
    assert (code, status) == (0, "ok")
    assert {finding["status"] for finding in found.values()} == {"ok"}
    for subject, text in (
        ("igloo", "Python 3."),
        ("datafusion", "55.0."),
        ("pyarrow", "26."),
        ("extra postgres", "adbc-driver-postgresql 1."),
        ("connector iceberg", "loads"),
        ("igloo.toml", "read from"),
        (".env", "read from"),
        ("igloo.timeout", "5m (igloo.toml:1)"),
        ("memory", "igloo.memory_limit, default"),
        ("processors", "parts at once"),
        ("temporary files", "can be written"),
        ("statements", "answered in"),
        ("lake (files, igloo.toml:2)", "1 table in main"),
        ("postgres (postgres, .env)", "in public"),
    ):
        assert text in found[subject]["text"], subject


def test_what_is_wrong_is_told_with_what_to_do_and_without_secrets(igloo, data, silent):
    with socket.create_server(("127.0.0.1", 0)) as closed:
        refused = closed.getsockname()[1]
    uri = "postgresql://me:hunter2@127.0.0.1:{}/x"
    igloo.write(
        "igloo.toml",
        GOOD.format("good")
        + '[catalogs.typo]\nconnector = "file"\n'
        + '[catalogs.option]\nconnector = "files"\npth = "."\n'
        + '[catalogs.gone]\nconnector = "files"\npath = "nowhere"\n'
        + '[catalogs.secret]\nconnector = "postgres"\nuri = "${env:NOT_SET_ANYWHERE}"\n'
        + f'[catalogs.refused]\nconnector = "postgres"\nuri = "{uri.format(refused)}"\n'
        + f'[catalogs.silent]\nconnector = "postgres"\nuri = "{uri.format(silent)}"\n'
        + f'[catalogs.silent_too]\nconnector = "postgres"\nuri = "{uri.format(silent)}"\n',
    )
    igloo.environment |= {
        "DATABASE_URL": "mysql://me:hunter2@db/x",
        "TMPDIR": str(igloo.folder / "no such folder"),
    }
    code, status, found = report_of(igloo, "--timeout", "2", "--set", "memory_limit=100TB")
    assert (code, status) == (1, "broken")
    by_name = {subject.partition(" ")[0]: finding for subject, finding in found.items()}
    for name, status, text, hint in (
        ("good", "ok", "1 table", ""),
        ("typo", "broken", 'no connector "file"', 'Did you mean "files"?'),
        ("option", "broken", '"pth"', 'Did you mean "path"?'),
        ("gone", "broken", "nowhere", ""),
        ("secret", "broken", '"NOT_SET_ANYWHERE" is not set', ""),
        ("refused", "broken", "Cannot connect", "Check host and port"),
        ("silent", "broken", "did not answer within 2 s", "--timeout gives it longer"),
        ("silent_too", "broken", "did not answer within 2 s", "--timeout gives it longer"),
        ("DATABASE_URL", "warning", "makes no catalog", "another program"),
        ("memory", "warning", "queries may hold 100,000.0 GB", "Lower igloo.memory_limit"),
        ("temporary", "broken", "cannot be written: No such file", "TMPDIR"),
    ):
        finding = by_name[name]
        assert finding["status"] == status, finding
        assert text in finding["text"], finding
        assert hint in finding["hint"], finding
    assert "hunter2" not in str(found)


def test_a_configuration_that_cannot_be_read_is_broken(igloo):
    igloo.write("igloo.toml", '\ntimout = "5s"\n')
    code, _, found = report_of(igloo)
    assert code == 1
    finding = found["settings and catalogs"]
    assert (finding["area"], finding["status"]) == ("configuration", "broken")
    assert finding["text"].startswith('igloo.toml:2: There is no setting "timout"')
    assert finding["hint"] == 'Did you mean "igloo.timeout"?'
    assert found["memory"]["status"] == "ok"


def test_an_empty_source_and_no_source_are_told_apart(igloo):
    code, _, found = report_of(igloo)
    assert (code, found["all"]["text"]) == (0, "none is configured")
    (igloo.folder / "data").mkdir()
    igloo.write("igloo.toml", GOOD.format("lake"))
    code, status, found = report_of(igloo)
    assert (code, status) == (0, "warning")
    assert "0 tables in main" in found["lake (files, igloo.toml:1)"]["text"]


def test_a_missing_package_is_told_with_the_extra_to_install(igloo):
    code = (
        "import sys; sys.modules['pyiceberg'] = None; sys.modules['pyiceberg.catalog'] = None\n"
        "from igloo.cli.main import main\n"
        "sys.exit(main(['doctor', '--format', 'json']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        check=False,
        cwd=igloo.folder,
        env=igloo.environment,
        capture_output=True,
    )
    found = {f["subject"]: f for f in json.loads(done.stdout)["findings"]}
    assert done.returncode == 0
    assert found["connector iceberg"]["status"] == "warning"
    assert found["connector iceberg"]["hint"] == "Run: pip install 'igloo-sql[iceberg]'"
    assert found["connector postgres"]["status"] == "ok"


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--connect", "grpc://localhost:1"], 1, "is not possible in this version"),
        (["--connect", "http://x"], 2, 'Cannot connect to "http://x"'),
        (["--set", "timout=5s"], 2, 'Did you mean "igloo.timeout"?'),
        (["--set", "timeout"], 2, "--set takes name=value"),
        (["--timeout", "0"], 2, "Invalid value for '--timeout'"),
    ],
)
def test_misuse_is_refused_as_query_does(igloo, arguments, code, message):
    outcome = igloo("doctor", *arguments)
    assert outcome.code == code
    assert message in outcome.error
    assert outcome.out == b""


def test_people_see_colours_and_a_verdict(igloo, data):
    igloo.write("igloo.toml", GOOD.format("lake"))
    igloo.environment.pop("NO_COLOR", None)
    options = {"folder": igloo.folder, "environment": igloo.environment, "columns": 200}
    with Terminal(["doctor"], lines=60, **options) as terminal:
        assert terminal.wait_for_end() == 0
        assert terminal.colours
        assert "Nothing is broken, 0 warnings." in terminal.text
        assert "\n  ok       lake (files, igloo.toml:1): answers in " in terminal.text
