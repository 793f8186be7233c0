"""The file that keeps catalogs and views."""

import json
import threading
from pathlib import Path

import pytest

from igloo.config.load import CatalogConfig
from igloo.engine.catalog.store import CatalogStore, check_secrets_are_references
from igloo.engine.catalog.views import View
from igloo.errors import InvalidSetting
from igloo.names import TablePath


def catalog(name, connector="files", **options):
    return CatalogConfig(
        name=name, connector=connector, options=options, origin="SQL", base=Path("/base")
    )


def view(name, text="SELECT 1", columns=()):
    return View(
        path=TablePath("memory", "public", name),
        text=text,
        columns=columns,
        catalog="memory",
        schema="public",
    )


@pytest.fixture
def path(tmp_path):
    return tmp_path / "deep" / "catalogs.json"


def test_what_is_put_is_there_after_opening_again(path):
    store = CatalogStore(path)
    store.put_catalog(catalog("a", path="x"))
    store.put_catalog(catalog("b", path="${env:HERE}"))
    store.put_view(view("v", 'SELECT "é"', ("x", "Y")))
    again = CatalogStore(path)
    assert [(c.name, dict(c.options), c.base) for c in again.catalogs()] == [
        ("a", {"path": "x"}, Path("/base")),
        ("b", {"path": "${env:HERE}"}, Path("/base")),
    ]
    assert again.catalogs()[0].origin == "catalog store catalogs.json"
    assert again.views() == (view("v", 'SELECT "é"', ("x", "Y")),)


def test_putting_a_name_again_replaces_it(path):
    store = CatalogStore(path)
    for value in ("1", "2"):
        store.put_catalog(catalog("a", path=value))
        store.put_view(view("v", f"SELECT {value}"))
    again = CatalogStore(path)
    assert [c.options["path"] for c in again.catalogs()] == ["2"]
    assert [v.text for v in again.views()] == ["SELECT 2"]


def test_what_is_removed_stays_away(path):
    store = CatalogStore(path)
    store.put_catalog(catalog("a", path="x"))
    store.put_view(view("v"))
    store.remove_catalog("a")
    store.remove_view(view("v").path)
    store.remove_catalog("never there")
    again = CatalogStore(path)
    assert (again.catalogs(), again.views()) == ((), ())


def test_opening_alone_writes_nothing(path):
    CatalogStore(path)
    assert not path.exists()


@pytest.mark.parametrize("version", [2, 99, "1", None])
def test_another_format_is_refused_and_left_alone(path, version):
    path.parent.mkdir()
    text = json.dumps({"igloo_catalog_store": version, "catalogs": [], "views": []})
    path.write_text(text)
    with pytest.raises(InvalidSetting, match=r"format .* reads format 1"):
        CatalogStore(path)
    assert path.read_text() == text


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", "null", '{"other": 1}'])
def test_a_file_that_is_no_store_is_refused_and_left_alone(path, text):
    path.parent.mkdir()
    path.write_text(text)
    with pytest.raises(InvalidSetting, match="cannot be read"):
        CatalogStore(path)
    assert path.read_text() == text


def test_a_write_replaces_the_file_and_leaves_no_other(path):
    store = CatalogStore(path)
    store.put_catalog(catalog("a", path="1"))
    first = path.stat().st_ino
    store.put_catalog(catalog("a", path="2"))
    assert path.stat().st_ino != first
    assert [each.name for each in path.parent.iterdir()] == ["catalogs.json"]


def test_a_failed_write_keeps_the_old_file_and_the_old_memory(path):
    store = CatalogStore(path)
    store.put_catalog(catalog("a", path="1"))
    before = path.read_text()
    with pytest.raises(TypeError):
        store.put_catalog(catalog("b", path=object()))
    assert path.read_text() == before
    assert [c.name for c in store.catalogs()] == ["a"]


def test_a_place_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    store = CatalogStore(tmp_path / "file" / "catalogs.json")
    with pytest.raises(InvalidSetting, match="cannot be written"):
        store.put_view(view("v"))
    assert store.views() == ()


def test_threads_lose_nothing(path):
    store = CatalogStore(path)
    threads = [
        threading.Thread(target=store.put_catalog, args=(catalog(f"c{i}", path="x"),))
        for i in range(16)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {c.name for c in CatalogStore(path).catalogs()} == {f"c{i}" for i in range(16)}


@pytest.mark.parametrize(
    "options",
    [
        {"password": "swordfish"},
        {"uri": "postgresql://me:swordfish@host/db"},
    ],
)
def test_a_secret_written_out_is_refused_without_repeating_it(options):
    with pytest.raises(InvalidSetting) as caught:
        check_secrets_are_references(catalog("pg", "postgres", **options))
    assert "swordfish" not in str(caught.value)


@pytest.mark.parametrize(
    "options",
    [
        {"password": "${env:PASSWORD}"},
        {"uri": "postgresql://me:${env:PASSWORD}@host/db"},
        {"uri": "postgresql://me@host/db"},
        {"host": "h", "user": "u"},
    ],
)
def test_references_and_plain_options_are_kept(options):
    check_secrets_are_references(catalog("pg", "postgres", **options))
