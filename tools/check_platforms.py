"""Every extra resolves to wheels, at the locked versions, on each platform and Python we name.

Nothing is installed or run: the resolver answers for machines that are not here.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from pathlib import Path

from uv_commands import export_constraints, run_uv

PLATFORMS = ("x86_64-manylinux_2_28", "aarch64-manylinux_2_28", "aarch64-apple-darwin")
PYTHONS = ("3.11", "3.12", "3.13", "3.14")


def resolve(pair: tuple[str, str], constraints: Path) -> str:
    """Return what went wrong, or the empty string."""
    platform, python = pair
    # All extras at once: any fewer of them, at the same versions, resolve too.
    try:
        run_uv(
            *("pip", "compile", "pyproject.toml", "--quiet", "--all-extras"),
            *("--only-binary", ":all:", "--constraint", str(constraints)),
            *("--python-platform", platform, "--python-version", python),
        )
    except subprocess.CalledProcessError as error:
        return f"{platform}, Python {python}:\n{error.stderr.strip()}"
    return ""


def main() -> int:
    """Resolve for each pair and print those that fail."""
    started = time.monotonic()
    pairs = list(product(PLATFORMS, PYTHONS))
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(4) as pool:
        constraints = export_constraints(Path(folder))
        failures = [
            failure
            for failure in pool.map(lambda pair: resolve(pair, constraints), pairs)
            if failure
        ]
    for failure in failures:
        print(failure, file=sys.stderr)
    print(
        f"Wheels of all extras: {len(pairs) - len(failures)} of {len(pairs)} platforms and "
        f"Pythons resolve ({time.monotonic() - started:.1f} s)"
    )
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
