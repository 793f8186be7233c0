"""The folder tree is the architecture: arrows, sizes and public names, checked by machine."""

from __future__ import annotations

import ast
import importlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import igloo

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src" / "igloo"

FILE_LINES_MAX = 500
FUNCTION_LINES_MAX = 60

#: What was larger than the limit when the limit came. An entry may shrink or go, never grow.
LARGE_FILES: dict[str, int] = {}
LARGE_FUNCTIONS: dict[str, int] = {}

#: One bad import each: the file that gets it, the import, the contract that must break.
VIOLATIONS = {
    "a connector imports the engine": (
        "connectors/memory.py",
        "from igloo.engine import engine",
        "rooms: arrows point down",
    ),
    "the engine imports the command line": (
        "engine/engine.py",
        "from igloo.cli import main",
        "rooms: arrows point down",
    ),
    "a bottom room imports its sibling": (
        "names.py",
        "from igloo import errors",
        "rooms: arrows point down",
    ),
    "the product imports the demo": (
        "runtime.py",
        "from igloo import demo",
        "rooms: arrows point down",
    ),
    "a lazy import counts too": (
        "config/secrets.py",
        "def later():\n    from igloo.connectors import registry\n    return registry",
        "rooms: arrows point down",
    ),
    "a room that is in no layer": (
        "attic.py",
        '"""A room that nobody placed."""',
        "rooms: arrows point down",
    ),
    "execution imports the planner": (
        "engine/execution/scan.py",
        "from igloo.engine.planner import parse",
        "engine: door, then planner, then execution, then catalog",
    ),
    "one connector imports another": (
        "connectors/postgres/connector.py",
        "from igloo.connectors import memory",
        "connectors do not know one another",
    ),
    "the command line imports the test suite": (
        "cli/main.py",
        "from igloo.testing import servers",
        "the product does not know its test suite",
    ),
}

#: Costs time or memory to load, so nothing loads it that does not use it.
HEAVY = (
    "adbc_driver_postgresql",
    "datafusion",
    "pandas",
    "pyarrow",
    "pyiceberg",
    "sqlglot",
    "prompt_toolkit",
    "rich",
)


def test_every_import_rule_is_kept():
    done = lint_imports(ROOT)
    assert done.returncode == 0, done.stdout
    assert "BROKEN" not in done.stdout


@pytest.mark.parametrize("violation", VIOLATIONS)
def test_a_planted_violation_breaks_its_rule(violation, tmp_path):
    file, planted, contract = VIOLATIONS[violation]
    shutil.copytree(SOURCE, tmp_path / "src" / "igloo", ignore=shutil.ignore_patterns("*.pyc"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    target = tmp_path / "src" / "igloo" / file
    if file != "attic.py":
        assert target.exists()
    with target.open("a") as source:
        source.write(f"\n\n{planted}\n")
    done = lint_imports(tmp_path)
    assert done.returncode != 0
    assert [line for line in done.stdout.splitlines() if line.endswith(("KEPT", "BROKEN"))] != []
    assert f"{contract} BROKEN" in done.stdout


def test_no_file_is_too_large():
    sizes = {name: len(text.splitlines()) for name, text in sources()}
    too_large = {name: size for name, size in sizes.items() if size > FILE_LINES_MAX}
    assert_ratchet(too_large, LARGE_FILES)


def test_no_function_is_too_large():
    too_large = {
        f"{name}::{function.name}": size
        for name, text in sources()
        for function in functions(ast.parse(text))
        if (size := lines_of(function)) > FUNCTION_LINES_MAX
    }
    assert_ratchet(too_large, LARGE_FUNCTIONS)


def test_a_ratchet_turns_one_way():
    assert_ratchet({"a": 600}, {"a": 600})
    for found, known in (({"a": 601}, {"a": 600}), ({"a": 600}, {}), ({}, {"a": 600})):
        with pytest.raises(AssertionError):
            assert_ratchet(found, known)


def test_every_public_name_is_there():
    assert list(igloo.__all__) == sorted(igloo.__all__)
    missing = [name for name in igloo.__all__ if not hasattr(igloo, name)]
    assert missing == []
    assert "connect" in igloo.__all__
    assert set(igloo.__all__) <= set(dir(igloo))


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="conect"):
        _ = igloo.conect


@pytest.mark.parametrize(
    ("module", "names"),
    [
        ("igloo.join", ["IcebergConfig", "JoinConfig", "JoinEngine", "JoinType"]),
        ("igloo.demo", ["run_demo"]),
        ("igloo.testing.conformance", ["ConnectorConformance"]),
    ],
)
def test_promised_names_stay_where_they_are(module, names):
    found = importlib.import_module(module)
    assert [name for name in names if not hasattr(found, name)] == []


def test_importing_igloo_loads_nothing_heavy():
    assert loaded_by("import igloo") & {*HEAVY, "typer"} == set()


def test_the_command_line_starts_without_engine_demo_and_drivers():
    loaded = loaded_by("import igloo.cli.main")
    assert loaded & {"adbc_driver_postgresql", "datafusion", "pandas", "pyiceberg"} == set()
    assert loaded & {"igloo.demo", "igloo.testing"} == set()


def loaded_by(statement):
    script = f"import sys; {statement}; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True, cwd="/"
    )
    return set(done.stdout.split())


def lint_imports(root):
    """Run import-linter on the tree below ``root``, not on the one that is installed."""
    command = [sys.executable, str(Path(sys.executable).parent / "lint-imports"), "--no-cache"]
    return subprocess.run(
        command,
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root / "src"), "COLUMNS": "200"},
        check=False,
        capture_output=True,
        text=True,
    )


def sources():
    for path in sorted(SOURCE.rglob("*.py")):
        yield str(path.relative_to(SOURCE)), path.read_text("utf-8")


def functions(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def lines_of(function):
    """Lines from ``def`` to the end, without the docstring: documentation is never too long."""
    total = function.end_lineno - function.lineno + 1
    first = function.body[0]
    if ast.get_docstring(function) is not None:
        total -= first.end_lineno - first.lineno + 1
    return total


def assert_ratchet(found, known):
    grown = {name: size for name, size in found.items() if size > known.get(name, 0)}
    assert grown == {}, "make these smaller"
    assert set(known) <= set(found), "these have shrunk below the limit: remove their entries"
