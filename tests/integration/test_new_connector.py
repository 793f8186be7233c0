"""A new connector is green at once, in this repository and in a package of its own."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from doc_blocks import blocks_of

ROOT = Path(__file__).resolve().parent.parent.parent
NAME = "paper_trail"

PACKAGE = """
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "igloo-folder"
version = "0.1"

[project.entry-points."igloo.connectors"]
folder = "folder_connector:FolderConnector"

[tool.hatch.build.targets.wheel]
include = ["folder_connector.py"]
"""

ASK = """
import pyarrow as pa, igloo
with pa.ipc.new_file("parts.arrow", pa.schema([("id", pa.int64())])) as file:
    file.write_table(pa.table({"id": [1, 2]}))
with igloo.connect() as db:
    db.sql("CREATE CATALOG here USING folder WITH (path = '.')")
    print(db.sql("SELECT sum(id) FROM here.parts").fetchall())
"""


def run(*command, cwd, site=None):
    """Run a program; packages in ``site`` come before those of this environment."""
    variables = {k: v for k, v in os.environ.items() if not k.startswith(("IGLOO_", "PYTHON"))}
    if site is not None:
        variables["PYTHONPATH"] = os.pathsep.join([str(site), str(cwd / "tests")])
    return subprocess.run(
        [sys.executable, *map(str, command)],
        cwd=cwd, env=variables, capture_output=True, text=True, timeout=280, check=False,
    )  # fmt: skip


def install(package, site):
    done = run(
        "-m", "uv", "pip", "install", "--quiet", "--no-deps", "--target", site, package, cwd=ROOT
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture
def tree(tmp_path):
    """A copy of what is changed when a connector is added, and of what checks it."""
    folder = tmp_path / "tree"
    folder.mkdir()
    for name in ("src", "tests", "docs", "tools", "changelog.d"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for path in (
        *ROOT.glob("*.md"),
        *(ROOT / name for name in ("LICENSE", "Makefile", "pyproject.toml")),
    ):
        shutil.copy(path, folder)
    return folder


def test_a_new_connector_is_green_at_once(tree, tmp_path):
    site = tmp_path / "site"
    made = run("tools/new_connector.py", NAME, cwd=tree)
    assert made.returncode == 0, made.stderr
    files = [line for line in made.stdout.splitlines() if line.endswith(".py")]
    assert files == [f"src/igloo/connectors/{NAME}.py", f"tests/conformance/test_{NAME}.py"]
    install(tree, site)
    suite = f"tests/conformance/test_{NAME}.py"
    support = [
        "-p",
        "igloo.testing.conformance.report",
        "--conformance-report",
        "tests/conformance/support.json",
    ]
    for command in (
        ["-m", "ruff", "check", *files],
        ["-m", "ruff", "format", "--check", *files],
        ["-m", "mypy", "--follow-imports", "silent", "--no-incremental", files[0]],
        ["-m", "pytest", "-q", "-p", "no:cacheprovider", suite],
        ["-m", "pytest", "-q", "--collect-only", *support, "tests/conformance"],
        ["tools/generate_reference.py"],
        ["-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/test_docs.py", "tests/test_architecture.py",
         "-k", "stale or glossary or changelog or index or connector_has or import_rule or too_large"],
    ):  # fmt: skip
        done = run(*command, cwd=tree, site=site)
        assert done.returncode == 0, f"{command}\n{done.stdout[-3000:]}\n{done.stderr[-2000:]}"
    page = (tree / "docs" / "reference" / "connectors.md").read_text()
    assert f"| [`{NAME}`](#{NAME}) |" in page
    assert f"| `{NAME}` (paper trail) | all | all |" in page
    assert "| `path` | path | (required) | Folder of the Arrow files. |" in page


@pytest.mark.parametrize("name", ["", "Paper", "class", "postgres", "memory", "a-b"])
def test_a_name_that_cannot_be_is_refused_and_nothing_is_written(tree, name):
    before = {path: path.read_bytes() for path in tree.rglob("*") if path.is_file()}
    done = run("tools/new_connector.py", name, cwd=tree)
    assert done.returncode == 2
    assert done.stderr.startswith("new connector: ")
    assert {path: path.read_bytes() for path in tree.rglob("*") if path.is_file()} == before


def test_a_package_of_its_own_is_found_by_its_entry_point_and_passes_the_suite(tmp_path):
    package, site = tmp_path / "package", tmp_path / "site"
    package.mkdir()
    (package / "pyproject.toml").write_text(PACKAGE)
    blocks = blocks_of((ROOT / "CONTRIBUTING.md").read_text("utf-8"))
    for block in blocks:
        if "file" in block.directives:
            (package / block.directives["file"]).write_text(block.text)
    install(package, site)
    outside = tmp_path / "outside"
    outside.mkdir()
    asked = run("-c", ASK, cwd=outside, site=site)
    assert asked.stdout == "[(3,)]\n", asked.stderr
    (outside / "pytest.ini").write_text("[pytest]\n")
    (outside / "test_folder.py").write_text((package / "test_folder_connector.py").read_text())
    passed = run("-m", "pytest", "-q", "-p", "no:cacheprovider", cwd=outside, site=site)
    assert passed.returncode == 0, passed.stdout[-3000:]
