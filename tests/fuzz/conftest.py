"""Igloo and its judges, for every test of this folder."""

import pytest

from fuzz.engines import Engines


@pytest.fixture
def engines(postgres_uri, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    given = Engines(postgres_uri, tmp_path / "files")
    yield given
    given.close()
