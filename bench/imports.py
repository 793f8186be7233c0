"""What ``import igloo`` adds to starting Python."""

from __future__ import annotations

import subprocess
import sys
import time
from statistics import median
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

RUNS = 20
ADDED_S_MAX = 0.15


def measure_imports(console: Console) -> dict[str, Any]:
    """Return the median seconds of both, taken in turns."""
    statements = {
        "python": "pass",
        "igloo": "import igloo",
        "connect": "import igloo; igloo.connect().close()",
    }
    seconds: dict[str, list[float]] = {name: [] for name in statements}
    with console.status("Starting Python …"):
        for turn in range(RUNS + 1):
            for name, statement in statements.items():
                started = time.perf_counter()
                subprocess.run([sys.executable, "-c", statement], check=True)
                if turn:  # the first one fills the caches
                    seconds[name].append(time.perf_counter() - started)
    medians = {name: median(values) for name, values in seconds.items()}
    return {
        "runs": RUNS,
        "median_s": medians,
        "added_s": medians["igloo"] - medians["python"],
    }


def show_imports(result: dict[str, Any], console: Console) -> bool:
    """Print the figures, and return whether the target is met."""
    is_met = bool(result["added_s"] < ADDED_S_MAX)
    medians = result["median_s"]
    console.print(
        f"Starting Python: {medians['python'] * 1000:.0f} ms; with import igloo:"
        f" {medians['igloo'] * 1000:.0f} ms; added {result['added_s'] * 1000:.0f} ms"
        f" (target under {ADDED_S_MAX * 1000:.0f} ms): {'met' if is_met else 'NOT MET'}"
    )
    console.print(
        f"The same with a first connect(): {medians['connect'] * 1000:.0f} ms (no target)"
    )
    return is_met
