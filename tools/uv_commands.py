"""Runs the uv of this environment from the root of the checkout."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).resolve().parent.parent


def run_uv(*arguments: str, environment: Mapping[str, str] | None = None) -> str:
    """Return uv's standard output.

    Raises:
        subprocess.CalledProcessError: it failed; ``stderr`` says why.
    """
    # A check never fetches a Python of its own.
    variables = {**os.environ, "UV_PYTHON_DOWNLOADS": "never", **(environment or {})}
    variables.pop("VIRTUAL_ENV", None)
    done = subprocess.run(
        [sys.executable, "-m", "uv", *arguments],
        cwd=ROOT,
        env=variables,
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout


def export_constraints(folder: Path) -> Path:
    """Write the locked versions of everything that an installed Igloo may need."""
    path = folder / "constraints.txt"
    run_uv(
        *("export", "--quiet", "--frozen", "--all-extras", "--no-default-groups"),
        *("--no-emit-project", "--no-hashes", "--no-annotate", "--no-header"),
        *("--output-file", str(path)),
    )
    return path
