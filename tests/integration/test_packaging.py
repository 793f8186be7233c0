"""From a fresh checkout to an installed Igloo, and what the packages promise."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from igloo.connectors.registry import DISTRIBUTION, connector_names, load_connector

ROOT = Path(__file__).resolve().parent.parent.parent

#: An interpreter as Debian ships it: no ensurepip, and so no venv.
WITHOUT_ENSUREPIP = """#!/bin/sh
case "$*" in
"-m venv "*) echo "ensurepip is not available" >&2; exit 1 ;;
*"import ensurepip"*) exit 1 ;;
esac
exec "{python}" "$@"
"""

#: An interpreter that is too old.
PYTHON_3_10 = """#!/bin/sh
exec "{python}" -c "import sys; sys.version_info = (3, 10, 12); exec(sys.argv[1])" "$2"
"""


@pytest.fixture
def place():
    """A folder that other users can reach too, as the demo's server has to when root tests."""
    with tempfile.TemporaryDirectory(prefix="igloo-packaging-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture
def checkout(place):
    """A copy of what git keeps that the installation needs, in a folder with an odd name."""
    folder = place / "a folder's ünï name"
    folder.mkdir()
    for name in ("Makefile", "pyproject.toml", "uv.lock", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder)
    for name in ("src", "tools"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


@pytest.fixture
def interpreter(place):
    """Write a program that stands for Python and return its path."""

    def write(script):
        path = place / "python-stand-in"
        path.write_text(script.format(python=base_python()))
        path.chmod(0o755)
        return path

    return write


def test_bare_make_lists_every_word():
    words = re.search(r"^\.PHONY: help (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    shown = run(["make"], ROOT).stdout
    assert [
        w for w in words.group(1).split() if not re.search(rf"^make {w} ", shown, re.MULTILINE)
    ] == []


def test_a_checkout_shows_the_demo_without_ensurepip(checkout, interpreter):
    environment = {"PYTHON": str(interpreter(WITHOUT_ENSUREPIP)), "VIRTUAL_ENV": "/nowhere"}
    first = run(["make", "demo"], checkout, environment)
    assert first.returncode == 0, first.stderr
    assert "virtualenv" in first.stderr
    assert re.search(r"10 rows in \d", first.stdout)
    inside = run(
        [".venv/bin/python", "-c", "import igloo, sys; print(igloo.__file__, sys.prefix)"], checkout
    )
    assert str(checkout / "src" / "igloo") in inside.stdout
    assert str(checkout / ".venv") in inside.stdout

    # The second run does not so much as look at an interpreter.
    again = run(["make", "setup-demo"], checkout, {"PYTHON": "/nowhere/python3"})
    assert (again.returncode, again.stdout, again.stderr) == (0, "", "")

    # A stopped installation is taken up again.
    (checkout / ".venv" / "installed-demo").unlink()
    shutil.rmtree(next((checkout / ".venv").glob("lib/python*/site-packages/sqlglot")))
    repaired = run(["make", "setup-demo"], checkout, {"PYTHON": "/nowhere/python3"})
    assert repaired.returncode == 0, repaired.stderr


def test_an_old_python_is_refused_in_one_line(checkout, interpreter):
    done = run(["make", "setup-demo"], checkout, {"PYTHON": str(interpreter(PYTHON_3_10))})
    assert done.returncode != 0
    assert "is Python 3.10; Igloo needs 3.11 or newer" in done.stderr
    assert not (checkout / ".venv").exists()


def test_a_missing_python_is_told_in_one_line(checkout):
    done = run(["make", "setup-demo"], checkout, {"PYTHON": "/nowhere/python3"})
    assert done.returncode != 0
    assert 'there is no "/nowhere/python3"' in done.stderr


def test_every_connector_loads_under_its_own_name():
    kinds = {name: load_connector(name).kind for name in connector_names()}
    assert kinds == {name: name for name in kinds}
    assert {"memory", "files", "postgres", "iceberg"} <= set(kinds)


def test_every_source_extra_is_part_of_all():
    project = pyproject()["project"]
    assert project["name"] == DISTRIBUTION
    extras = project["optional-dependencies"]
    (everything,) = extras["all"]
    inside = set(re.fullmatch(rf"{DISTRIBUTION}\[(.*)\]", everything).group(1).split(","))
    assert inside == set(extras) - {"all", "demo"}
    needed = {"postgres", "iceberg"}
    assert needed <= set(extras)


def test_the_console_script_is_installed():
    (script,) = entry_points(group="console_scripts", name="igloo")
    assert callable(script.load())


def test_the_lock_file_names_no_index_of_this_machine():
    lock = tomllib.loads((ROOT / "uv.lock").read_text())
    sources = {tuple(package["source"].items()) for package in lock["package"]}
    own = (("editable", "."),)
    assert own in sources
    (registry,) = sources - {own}
    assert registry[0][0] == "registry"
    assert registry[0][1].startswith("https://")
    files = [
        file["url"]
        for package in lock["package"]
        for file in [*package.get("wheels", []), *filter(None, [package.get("sdist")])]
    ]
    assert len({url.split("/")[2] for url in files}) == 1


def base_python():
    """The interpreter that this environment was made from."""
    return Path(sys.base_prefix) / "bin" / "python3"


def pyproject():
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def run(command, folder, environment=None):
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("MAKE", "PYTHON"))}
    return subprocess.run(
        command,
        cwd=folder,
        env={**inherited, **(environment or {})},
        check=False,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )
