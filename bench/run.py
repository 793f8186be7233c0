"""Runs the benchmarks, prints them side by side, keeps the figures: ``make bench``."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import Any

from rich.console import Console

from imports import measure_imports, show_imports
from joins import measure_joins, show_joins
from results import keep, machine
from tpch import measure_tpch, show_tpch

NAMES = ("imports", "joins", "tpch")
CACHE = Path(__file__).resolve().parent.parent / ".cache" / "bench"


def main() -> int:
    """Measure what was asked for; with ``--strict``, 1 when a target is not met."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=NAMES, action="append", help="run this one alone")
    parser.add_argument("--scale", type=float, default=1.0, help="TPC-H scale factor")
    parser.add_argument("--rounds", type=int, default=6, help="rounds after the warm-up")
    parser.add_argument("--strict", action="store_true", help="fail when a target is not met")
    chosen = parser.parse_args()
    names = chosen.only or NAMES
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 110)
    folder = Path(os.environ.get("IGLOO_BENCH_DIR") or CACHE)

    size = machine()
    console.print(f"{size['cores']} cores, {size['memory_gib']} GiB, {size['architecture']}")
    figures: dict[str, Any] = {}
    met = []
    if "imports" in names:
        figures["imports"] = measure_imports(console)
        met.append(show_imports(figures["imports"], console))
    if "joins" in names:
        figures["joins"] = measure_joins(chosen.rounds, console)
        met.append(show_joins(figures["joins"], console))
    if "tpch" in names:
        figures["tpch"] = measure_tpch(folder, chosen.scale, chosen.rounds, console)
        met.append(show_tpch(figures["tpch"], console))
    console.print(f"Kept in bench/results/{keep(figures).name}")
    return 1 if chosen.strict and not all(met) else 0


if __name__ == "__main__":
    sys.exit(main())
