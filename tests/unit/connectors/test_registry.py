import sys

import pytest

from igloo.connectors.files import FilesConnector
from igloo.connectors.registry import connector_names, load_connector
from igloo.errors import InternalError, InvalidSetting, MissingDependency


@pytest.fixture
def plugin(tmp_path, monkeypatch):
    """Install a distribution that offers one connector, made of the given code."""

    def install(code, name="plugged"):
        (tmp_path / f"{name}_module.py").write_text(code)
        described = tmp_path / f"{name}-1.0.dist-info"
        described.mkdir()
        (described / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        (described / "entry_points.txt").write_text(
            f"[igloo.connectors]\n{name} = {name}_module:Plugged\n"
        )
        monkeypatch.syspath_prepend(str(tmp_path))
        monkeypatch.delitem(sys.modules, f"{name}_module", raising=False)
        return name

    return install


def test_the_shipped_connectors_are_named_and_sorted():
    names = connector_names()
    assert list(names) == sorted(names)
    assert {"files", "iceberg", "memory", "postgres"} <= set(names)


def test_a_connector_is_loaded_by_its_name():
    assert load_connector("files") is FilesConnector


def test_a_name_that_is_nearly_right_is_corrected():
    with pytest.raises(InvalidSetting, match='There is no connector "postgre"') as caught:
        load_connector("postgre")
    assert caught.value.hint == 'Did you mean "postgres"?'


def test_a_connector_of_another_distribution_is_found(plugin):
    name = plugin("from igloo.connectors.files import FilesConnector as Plugged\n")
    assert name in connector_names()
    assert load_connector(name) is FilesConnector


def test_a_package_that_is_missing_is_named_with_the_command_that_installs_it(plugin):
    name = plugin("import no_such_driver_at_all\n")
    with pytest.raises(
        MissingDependency, match='"plugged" needs the package "no_such_driver'
    ) as caught:
        load_connector(name)
    assert caught.value.hint == "Run: pip install 'no_such_driver_at_all'"


def test_a_shipped_connector_names_its_extra():
    from igloo.connectors.registry import missing_dependency

    error = missing_dependency("postgres", "adbc_driver_postgresql")
    assert error.hint == "Run: pip install 'igloo-sql[postgres]'"


def test_a_part_of_igloo_that_is_missing_is_no_missing_package(plugin):
    name = plugin("import igloo.no_such_room\n")
    with pytest.raises(InternalError, match=r"igloo\.no_such_room"):
        load_connector(name)


def test_what_is_not_a_connector_is_refused(plugin):
    name = plugin("class Plugged: pass\n")
    with pytest.raises(InternalError, match="is not a Connector"):
        load_connector(name)
