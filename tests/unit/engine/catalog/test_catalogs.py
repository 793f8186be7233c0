"""Catalogs by name: who may change them, and when they are opened."""

import pytest

from igloo.config.load import CatalogConfig
from igloo.connectors.memory import MemoryConnector
from igloo.connectors.options import Options
from igloo.engine.catalog.catalogs import Catalogs
from igloo.engine.catalog.store import CatalogStore
from igloo.errors import AlreadyExists, CatalogNotFound, InvalidSetting, InvalidValue


def config(name, connector="memory", origin="SQL", **options):
    return CatalogConfig(name=name, connector=connector, options=options, origin=origin, base=None)


@pytest.fixture
def catalogs():
    made = Catalogs({})
    yield made
    made.close()


def test_catalogs_are_listed_by_name_with_their_origin(catalogs):
    catalogs.build_in(MemoryConnector("memory", Options()))
    catalogs.configure(config("z", origin="igloo.toml:3"))
    catalogs.create(config("a"))
    assert catalogs.names() == ("a", "memory", "z")
    rows = [(row.name, row.connector, row.origin, row.is_open) for row in catalogs.rows()]
    assert rows == [
        ("a", "memory", "SQL", True),
        ("memory", "memory", "built in", True),
        ("z", "memory", "igloo.toml:3", False),
    ]


def test_a_configured_catalog_is_opened_at_first_use_and_once(catalogs):
    catalogs.configure(config("c", origin="igloo.toml:3"))
    first = catalogs.connector("c")
    assert catalogs.connector("c") is first
    assert catalogs.rows()[0].is_open


def test_a_bad_line_of_the_configuration_keeps_no_other_catalog_from_working(catalogs):
    catalogs.configure(config("bad", connector="no_such", origin="igloo.toml:1"))
    catalogs.configure(config("good", origin="igloo.toml:5"))
    assert catalogs.connector("good").kind == "memory"
    with pytest.raises(InvalidSetting, match="no_such"):
        catalogs.connector("bad")


def test_sql_makes_no_catalog_with_a_bad_option(catalogs):
    with pytest.raises(InvalidSetting, match="pathh"):
        catalogs.create(config("c", "files", pathh="x"))
    assert not catalogs.has("c")


def test_a_taken_name_is_refused_kept_or_replaced(catalogs):
    catalogs.create(config("c"))
    first = catalogs.connector("c")
    with pytest.raises(AlreadyExists, match="OR REPLACE"):
        catalogs.create(config("c"))
    catalogs.create(config("c"), if_not_exists=True)
    assert catalogs.connector("c") is first
    catalogs.create(config("c"), or_replace=True)
    assert catalogs.connector("c") is not first


def test_a_failed_replacement_leaves_the_old_catalog(catalogs):
    catalogs.create(config("c"))
    first = catalogs.connector("c")
    with pytest.raises(InvalidSetting):
        catalogs.create(config("c", "no_such"), or_replace=True)
    assert catalogs.connector("c") is first


def test_what_sql_did_not_make_sql_cannot_change(catalogs):
    catalogs.build_in(MemoryConnector("memory", Options()))
    catalogs.configure(config("managed", origin="igloo.toml:3"))
    with pytest.raises(InvalidValue, match=r"managed by igloo\.toml:3"):
        catalogs.drop("managed")
    with pytest.raises(InvalidValue, match=r"managed by igloo\.toml:3"):
        catalogs.create(config("managed"), or_replace=True)
    with pytest.raises(InvalidValue, match="built in"):
        catalogs.drop("memory")
    with pytest.raises(InvalidValue, match="built in"):
        catalogs.create(config("memory"), or_replace=True)
    catalogs.create(config("managed"), if_not_exists=True)
    assert catalogs.names() == ("managed", "memory")


def test_drop_tells_what_is_not_there_unless_told_not_to(catalogs):
    catalogs.create(config("sales"))
    with pytest.raises(CatalogNotFound, match='Did you mean "sales"'):
        catalogs.drop("sale")
    catalogs.drop("sale", if_exists=True)
    catalogs.drop("sales")
    with pytest.raises(CatalogNotFound):
        catalogs.connector("sales")


def test_a_store_brings_catalogs_back_and_they_may_be_dropped(tmp_path):
    path = tmp_path / "store.json"
    first = Catalogs({}, CatalogStore(path))
    first.create(config("a"))
    first.create(config("b"))
    first.close()
    second = Catalogs({}, CatalogStore(path))
    assert second.names() == ("a", "b")
    second.drop("a")
    second.close()
    assert Catalogs({}, CatalogStore(path)).names() == ("b",)


def test_the_configuration_beats_the_store(tmp_path):
    path = tmp_path / "store.json"
    first = Catalogs({}, CatalogStore(path))
    first.create(config("c"))
    first.close()
    second = Catalogs({}, CatalogStore(path))
    second.configure(config("c", origin="igloo.toml:1"))
    assert second.rows()[0].origin == "igloo.toml:1"
    with pytest.raises(InvalidValue, match=r"igloo\.toml:1"):
        second.drop("c")


def test_a_secret_is_not_written_to_the_store_and_the_catalog_not_made(tmp_path):
    path = tmp_path / "store.json"
    catalogs = Catalogs({}, CatalogStore(path))
    with pytest.raises(InvalidSetting, match=r"\$\{env:"):
        catalogs.create(config("pg", "postgres", uri="postgresql://me:swordfish@host/db"))
    assert not catalogs.has("pg")
    assert not path.exists()


def test_closing_keeps_the_names_and_may_be_repeated(catalogs):
    catalogs.create(config("c"))
    catalogs.close()
    catalogs.close()
    assert catalogs.names() == ("c",)
