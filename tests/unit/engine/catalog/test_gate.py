"""What statements may name of the machine that a served engine runs on."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from igloo.config.load import load_config
from igloo.config.secrets import Secret
from igloo.connectors.options import Location, Options, option
from igloo.engine.catalog.gate import OPEN, Gate
from igloo.engine.engine import Engine
from igloo.errors import AccessDenied


@pytest.fixture
def places(tmp_path, monkeypatch):
    """Make a root with data, a secret beside it, and links between them."""
    root, outside = tmp_path / "root", tmp_path / "outside"
    for folder in (root / "in", outside):
        folder.mkdir(parents=True)
    (root / "in" / "a.csv").write_text("x\n1\n")
    (outside / "secret.csv").write_text("x\n2\n")
    (root / "out").symlink_to(outside)
    (outside / "back").symlink_to(root / "in")
    monkeypatch.chdir(root)
    return root, outside


@pytest.fixture
def gate(places):
    root, _ = places
    return Gate(
        data_roots=(str(root), "s3://bucket/open"),
        write_roots=(str(root / "in"),),
        http_hosts=frozenset({"data.example", "data.example:8080"}),
    )


@pytest.mark.parametrize(
    "written",
    [
        "{root}/in/a.csv", "{root}", "in/a.csv", "./in/../in/a.csv", "file://{root}/in/a.csv",
        "{root}/in/*.csv", "in/**", "{root}/in/new.csv", "{outside}/back/a.csv",
        "s3://bucket/open/a.parquet", "s3://bucket/open",
        "http://data.example/a.csv", "https://user@DATA.example:8080/a.csv",
    ],
)  # fmt: skip
def test_what_lies_below_a_root_may_be_read(gate, places, written):
    gate.check_read(Location(written.format(root=places[0], outside=places[1])))


@pytest.mark.parametrize(
    "written",
    [
        "{outside}/secret.csv", "/etc/passwd", "/", "../outside/secret.csv", "out/secret.csv",
        "{root}/out", "{root}/*/secret.csv", "{root}/**", "{root}/../*", "{root}x/a.csv",
        "in/*/../../../outside/secret.csv", "file:///etc/passwd", "FILE:///etc/passwd",
        "file://localhost/etc/passwd", "file://{root}/%2e%2e/outside/secret.csv", "~/x.csv",
        "s3://bucket/opener/a", "s3://bucket/open/../other", "s3://bucket/open/%2e%2e/other",
        "s3://other/open/a", "gs://bucket/open/a", "http://other.example/a", "https://data.example:1/a",
        "http://data.example.evil/a", "http://data.example@evil.example/a",
    ],
)  # fmt: skip
def test_what_lies_elsewhere_may_not(gate, places, written):
    place = Location(written.format(root=places[0], outside=places[1]))
    with pytest.raises(AccessDenied):
        gate.check_read(place)
    OPEN.check_read(place)


def test_writing_has_roots_of_its_own(gate, places):
    gate.check_write(Location("in/b.parquet"))
    for written in ("b.parquet", "out/b.parquet", "in/../b.parquet"):
        with pytest.raises(AccessDenied, match="may not write"):
            gate.check_write(Location(written))


@dataclass(frozen=True, slots=True, kw_only=True)
class SomeOptions(Options):
    path: Path | None = option("A path.", default=None)  # noqa: RUF009 - a field
    place: Location | None = option("A place.", default=None)  # noqa: RUF009 - a field
    uri: Secret | None = option("An address.", default=None)  # noqa: RUF009 - a field
    host: str | None = option("A host.", default=None)
    user: str | None = option("No address.", default=None)


def refused(gate, **given):
    try:
        gate.check_options(SomeOptions(**given))
    except AccessDenied:
        return True
    return False


def test_the_places_in_options_are_checked(gate, places):
    root, outside = places
    assert not refused(gate, path=root / "in", place=Location("in"), user="/etc/passwd")
    assert refused(gate, path=outside)
    assert refused(gate, place=Location("out/secret.csv"))
    assert not refused(gate, uri=Secret(f"sqlite:///{root}/catalog.db"))
    assert refused(gate, uri=Secret("sqlite:////etc/passwd"))
    assert refused(gate, uri=Secret("sqlite:///../outside/secret.csv"))
    assert not refused(gate, uri=Secret("https://data.example/catalog"))
    assert refused(gate, uri=Secret("https://other.example/catalog"))


@pytest.mark.parametrize(
    "host",
    [
        "169.254.169.254", "2852039166", "0xa9fea9fe", "0251.0376.0251.0376", "fe80::1", "[fe80::1]",
        "::ffff:169.254.169.254", "metadata.google.internal", "Metadata.Google.Internal.",
        "100.100.100.200", "fd00:ec2::254",
    ],
)  # fmt: skip
def test_addresses_that_give_away_credentials_are_refused(host):
    gate = Gate(data_roots=("/",), http_hosts=frozenset({host, f"[{host}]"}))
    assert refused(gate, host=host)
    in_url = f"[{host}]" if ":" in host and not host.startswith("[") else host
    assert refused(gate, uri=Secret(f"http://{in_url}/latest"))
    assert refused(gate, uri=Secret(f"postgresql://user:secret@{in_url}:5432/db"))


def test_databases_elsewhere_can_be_reached(gate):
    assert not refused(gate, host="db.internal")
    assert not refused(gate, host="10.0.0.5", uri=Secret("postgresql://u:p@10.0.0.5/db"))


@pytest.mark.parametrize("text", ["${env:HOME}", "${file:/etc/passwd}", "a${file:x}b"])
def test_statements_may_not_refer_to_secrets_of_the_server(gate, text):
    with pytest.raises(AccessDenied, match="password"):
        gate.check_references({"password": text})
    OPEN.check_references({"password": text})
    Gate(secrets=True).check_references({"password": text})


class TestStatements:
    """Every statement that names a place asks the gate."""

    @pytest.fixture
    def run(self, gate):
        engine = Engine(load_config(), gate)
        session = engine.open_session()
        yield lambda text: engine.run(session, text).fetchall()
        engine.close()

    @pytest.mark.parametrize(
        "sql",
        [
            "CREATE EXTERNAL TABLE t STORED AS CSV LOCATION '{outside}/secret.csv'",
            "CREATE EXTERNAL TABLE t STORED AS CSV LOCATION 'out/secret.csv'",
            "CREATE CATALOG c USING files WITH (path = '{outside}')",
            "CREATE CATALOG c USING iceberg WITH (type = 'folder', warehouse = '{outside}')",
            "CREATE CATALOG c USING iceberg WITH (uri = 'sqlite:///{outside}/c.db', warehouse = 'in')",
            "CREATE CATALOG c USING iceberg WITH (type = 'rest', uri = 'http://169.254.169.254/')",
            "CREATE CATALOG c USING postgres WITH (uri = 'postgresql://u@169.254.169.254/db')",
            "CREATE CATALOG c USING postgres WITH (host = 'db', user = 'u', password = '${{env:HOME}}')",
            "COPY (SELECT 1 AS a) TO '{outside}/b.parquet'",
            "COPY (SELECT 1 AS a) TO 'out/b.csv' STORED AS CSV",
            "COPY (SELECT 1 AS a) TO 'file://{outside}/b.parquet'",
        ],
    )
    def test_places_outside_are_refused(self, run, places, sql):
        with pytest.raises(AccessDenied):
            run(sql.format(root=places[0], outside=places[1]))
        assert sorted(path.name for path in places[1].iterdir()) == ["back", "secret.csv"]
        assert [row[0] for row in run("SHOW CATALOGS")] == ["memory", "system"]

    def test_places_inside_work(self, run, places):
        run("CREATE EXTERNAL TABLE t STORED AS CSV LOCATION 'in/a.csv'")
        run("CREATE CATALOG c USING files WITH (path = 'in')")
        assert run("SELECT t.x, a.x FROM t, c.main.a") == [(1, 1)]
        run("COPY (SELECT 1 AS a) TO 'in/b.parquet'")
        assert run("SELECT * FROM c.main.b") == [(1,)]

    @pytest.mark.parametrize(
        "sql",
        [
            "SELECT * FROM '{outside}/secret.csv'",
            'SELECT * FROM "{outside}/secret.csv"',
            "EXPLAIN ANALYZE COPY (SELECT 1) TO '{outside}/b.csv'",
            "SET datafusion.catalog.location = '{outside}'",
        ],
    )
    def test_no_other_statement_reaches_a_file(self, run, places, sql):
        with pytest.raises(Exception, match=r"\S"):
            run(sql.format(root=places[0], outside=places[1]))
        assert sorted(path.name for path in places[1].iterdir()) == ["back", "secret.csv"]

    def test_a_kept_catalog_is_asked_again(self, places, gate):
        root, outside = places
        config = load_config(overrides={"igloo.catalog_store": str(root / "store.json")})
        engine = Engine(config)
        engine.run(engine.open_session(), f"CREATE CATALOG c USING files WITH (path = '{outside}')")
        engine.close()
        served = Engine(config, gate)
        with pytest.raises(AccessDenied):
            served.run(served.open_session(), "SELECT * FROM c.main.secret")
        served.close()
