"""The coordinator in this process, and what a worker is told."""

import dataclasses

import pytest

import igloo
from igloo import Coordinator, WorkerConfig
from igloo.errors import InvalidSetting, InvalidValue, NotSupported


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_statements_run_without_listening():
    with Coordinator("127.0.0.1:50051") as coordinator:
        coordinator.execute_sql("CREATE TABLE t AS SELECT 1 AS a UNION ALL SELECT 2")
        result = coordinator.execute_sql("SELECT a FROM t WHERE a > $1", [1])
        assert isinstance(result, igloo.Result)
        assert result.fetchall() == [(2,)]
    with pytest.raises(InvalidValue, match="closed"):
        coordinator.execute_sql("SELECT 1")
    coordinator.close()


def test_settings_and_configuration_hold(tmp_path):
    (tmp_path / "other.toml").write_text("batch_rows = 100\n")
    with Coordinator(config=tmp_path / "other.toml", settings={"timezone": "+02:00"}) as both:
        rows = {row[0]: row[1] for row in both.execute_sql("SHOW SETTINGS").fetchall()}
    assert (rows["igloo.batch_rows"], rows["igloo.timezone"]) == ("100", "+02:00")
    with pytest.raises(InvalidSetting, match="Did you mean"):
        Coordinator(settings={"timezon": "UTC"})


def test_listening_is_refused_clearly_in_this_version():
    with Coordinator() as coordinator, pytest.raises(NotSupported, match=r"127\.0\.0\.1:50051"):
        coordinator.start()


@pytest.mark.parametrize(
    "address", ["", "host", "host:", ":50051", "host:99999", "host:x", "grpc://host:1", "::1:5"]
)
def test_what_is_no_address_is_refused(address):
    for make in (Coordinator, WorkerConfig):
        with pytest.raises(InvalidSetting, match="is not an address"):
            make(address)


@pytest.mark.parametrize("address", ["localhost:0", "10.0.0.1:50051", "[::1]:50051"])
def test_addresses_of_every_kind_are_taken(address):
    assert WorkerConfig(address).coordinator == address


def test_a_worker_s_defaults_leave_everything_to_the_machine():
    config = WorkerConfig()
    assert (config.coordinator, config.cores, config.memory_bytes) == (
        "127.0.0.1:50051",
        None,
        None,
    )
    assert (dict(config.labels), config.catalogs) == ({}, None)


@pytest.mark.parametrize("name", ["cores", "memory_bytes"])
@pytest.mark.parametrize("value", [0, -1, 1.5, "2", True])
def test_a_worker_cannot_offer_nonsense(name, value):
    with pytest.raises(InvalidSetting, match=name):
        WorkerConfig(**{name: value})


def test_a_worker_s_configuration_cannot_change():
    labels, catalogs = {"zone": "a"}, ["pg"]
    config = WorkerConfig(labels=labels, catalogs=catalogs)
    labels["zone"] = "b"
    catalogs.append("lake")
    assert (dict(config.labels), config.catalogs) == ({"zone": "a"}, ("pg",))
    with pytest.raises(dataclasses.FrozenInstanceError):
        config.cores = 2
    with pytest.raises(InvalidSetting, match=r'\["pg"\]'):
        WorkerConfig(catalogs="pg")
