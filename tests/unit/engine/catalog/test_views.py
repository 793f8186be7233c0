"""Views by path."""

import pytest

from igloo.engine.catalog.store import CatalogStore
from igloo.engine.catalog.views import View, Views
from igloo.errors import AlreadyExists, TableNotFound
from igloo.names import TablePath


def view(name, text="SELECT 1", schema="public"):
    return View(
        path=TablePath("memory", schema, name),
        text=text,
        columns=(),
        catalog="memory",
        schema="public",
    )


def make(views, *made, or_replace=False, if_not_exists=False):
    for each in made:
        views.create(each, or_replace=or_replace, if_not_exists=if_not_exists)


def test_views_are_found_by_their_exact_path():
    views = Views()
    make(views, view("v"), view("V", "SELECT 2"), view("v", "SELECT 3", "s"))
    assert views.get(view("v").path) == view("v")
    assert views.get(view("V").path).text == "SELECT 2"
    assert views.get(view("w").path) is None
    assert views.names("memory", "public") == ("V", "v")
    assert views.schemas("memory") == {"public", "s"}
    assert views.schemas("other") == frozenset()


def test_a_taken_name_is_refused_kept_or_replaced():
    views = Views()
    make(views, view("v"))
    with pytest.raises(AlreadyExists, match="OR REPLACE"):
        make(views, view("v", "SELECT 2"))
    make(views, view("v", "SELECT 2"), if_not_exists=True)
    assert views.get(view("v").path).text == "SELECT 1"
    make(views, view("v", "SELECT 2"), or_replace=True)
    assert views.get(view("v").path).text == "SELECT 2"


def test_a_dropped_view_is_gone():
    views = Views()
    make(views, view("v"))
    views.drop(view("v").path, if_exists=False)
    assert views.get(view("v").path) is None
    views.drop(view("v").path, if_exists=True)
    with pytest.raises(TableNotFound, match="v"):
        views.drop(view("v").path, if_exists=False)


def test_a_store_keeps_what_was_made_and_forgets_what_was_dropped(tmp_path):
    path = tmp_path / "store.json"
    views = Views(CatalogStore(path))
    make(views, view("kept"), view("dropped"))
    views.drop(view("dropped").path, if_exists=False)
    assert Views(CatalogStore(path)).names("memory", "public") == ("kept",)


def test_a_view_that_cannot_be_kept_is_not_made(tmp_path):
    (tmp_path / "file").write_text("")
    views = Views(CatalogStore(tmp_path / "file" / "store.json"))
    with pytest.raises(Exception, match="cannot be written"):
        make(views, view("v"))
    assert views.get(view("v").path) is None
