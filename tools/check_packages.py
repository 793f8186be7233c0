"""The wheel and the sdist build, install into a clean environment, and answer a query there.

The wheel is installed without extras, so that a source whose driver is missing must say which
extra to install; the sdist is installed with all of them.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import tempfile
import time
import zipfile
from pathlib import Path

from uv_commands import export_constraints, run_uv

IMPORTS = (
    "import igloo; db = igloo.connect(); print(db.sql('SELECT 40 + 2').fetchall()); db.close()"
)
MISSING = "CREATE CATALOG lake USING iceberg WITH (type = 'sql', warehouse = '{folder}')"


class CheckFailed(Exception):
    """A package is not what it must be."""


def expect(condition: object, message: str) -> None:
    """Stop with the message unless the condition holds."""
    if not condition:
        raise CheckFailed(message)


def build(folder: Path) -> tuple[Path, Path]:
    """Return the paths of the wheel and the sdist; the wheel is built from the sdist."""
    run_uv("build", "--quiet", "--out-dir", str(folder))
    (wheel,) = folder.glob("*.whl")
    (sdist,) = folder.glob("*.tar.gz")
    return wheel, sdist


def check_contents(wheel: Path, sdist: Path) -> None:
    """What has to be in the packages is there, and nothing of the checkout's own is."""
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    expect("igloo/py.typed" in names, "The wheel has no py.typed.")
    expect(any(n.endswith("licenses/LICENSE") for n in names), "The wheel has no LICENSE.")
    expect(any(n.endswith("q22.sql") for n in names), "The wheel lacks the TPC-H queries.")
    strangers = [n for n in names if not n.startswith(("igloo/", "igloo_sql-"))]
    expect(not strangers, f"The wheel installs foreign files: {strangers[:5]}.")
    with tarfile.open(sdist) as archive:
        members = {name.partition("/")[2] for name in archive.getnames()}
    for needed in ("pyproject.toml", "LICENSE", "README.md", "tests/test_architecture.py"):
        expect(needed in members, f"The sdist lacks {needed}.")
    hidden = [m for m in members if m.startswith((".venv", ".demo", ".cache", ".env"))]
    expect(not [h for h in hidden if h != ".env.example"], f"The sdist holds {hidden[:5]}.")


def install(package: str, environment: Path, constraints: Path) -> Path:
    """Install into a new environment and return its Python."""
    run_uv("venv", "--quiet", "--python", sys.executable, str(environment))
    python = environment / "bin" / "python"
    run_uv(
        *("pip", "install", "--quiet", "--python", str(python)),
        *("--constraint", str(constraints), package),
    )
    return python


def run(python: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run that Python in an empty folder that nothing of this checkout reaches."""
    variables = {k: v for k, v in os.environ.items() if not k.startswith(("IGLOO_", "PYTHON"))}
    variables.pop("DATABASE_URL", None)
    return subprocess.run(
        [str(python), *arguments],
        cwd=python.parent.parent,
        env=variables,
        check=False,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=120,
    )


def check_installed(python: Path) -> None:
    """The library answers and so does the command."""
    answer = run(python, "-c", IMPORTS)
    expect(answer.stdout.strip() == "[(42,)]", f"import igloo: {answer.stdout}{answer.stderr}")
    command = python.parent / "igloo"
    for start in ((str(command),), (str(python), "-m", "igloo")):
        arguments = (*start[1:],) if start[0] == str(python) else ("-c", _EXECUTE, *start)
        version = run(python, *arguments, "--version")
        expect("0." in version.stdout, f"igloo --version: {version.stdout}{version.stderr}")
        rows = run(python, *arguments, "query", "SELECT 1 AS one", "--format", "csv")
        expect(rows.stdout.split() == ["one", "1"], f"igloo query: {rows.stdout}{rows.stderr}")


#: Runs the console script itself, its first line included.
_EXECUTE = "import subprocess, sys; sys.exit(subprocess.run(sys.argv[1:]).returncode)"


def check_hint(python: Path) -> None:
    """Without the extra, the source says what to install, in one line and with exit code 1."""
    statement = MISSING.format(folder=python.parent)
    script = f"{statement}; SHOW TABLES FROM lake.main"
    answer = run(python, "-m", "igloo", "query", script)
    hint = "pip install 'igloo-sql[iceberg]'"
    expect(
        answer.returncode == 1 and hint in answer.stderr and "Traceback" not in answer.stderr,
        f"A missing extra must exit 1 with {hint!r}: {answer.returncode} {answer.stderr}",
    )


def main() -> int:
    """Build, install twice, and run."""
    started = time.monotonic()
    try:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            constraints = export_constraints(folder)
            wheel, sdist = build(folder / "dist")
            check_contents(wheel, sdist)
            core = install(str(wheel), folder / "core", constraints)
            check_installed(core)
            check_hint(core)
            check_installed(install(f"{sdist}[all]", folder / "all", constraints))
    except CheckFailed as failure:
        print(f"packages: {failure}", file=sys.stderr)
        return 1
    except subprocess.CalledProcessError as error:
        print(f"packages: {' '.join(error.cmd[2:])}\n{error.stderr}", file=sys.stderr)
        return 1
    print(f"Packages: built, installed and asked ({time.monotonic() - started:.1f} s)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
