"""Rows and bytes that DataFusion's own scans read, from the metrics of the plan that ran."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from datafusion.plan import ExecutionPlan

_FIRST_FILE = re.compile(r"file_groups=\{[^\[]*\[\[(?P<path>.*?)(?::\d+\.\.\d+)?(?:, |\]|\.\.\.)")


def count_native_reads(
    plan: ExecutionPlan, catalogs_by_file: Mapping[str, str]
) -> dict[str, tuple[int, int]]:
    """Return rows and bytes that scans of files read so far, by catalog.

    Args:
        plan: the physical plan that runs or ran.
        catalogs_by_file: the catalog of each file, by ``file_key`` of its path.
    """
    counts: dict[str, tuple[int, int]] = {}
    for text, rows, size_bytes in _scans(plan):
        match = _FIRST_FILE.search(text)
        catalog = catalogs_by_file.get(file_key(match["path"])) if match else None
        if catalog is not None:
            known_rows, known_bytes = counts.get(catalog, (0, 0))
            counts[catalog] = (known_rows + rows, known_bytes + size_bytes)
    return counts


def file_key(path: str) -> str:
    """Return a path as a plan shows it: no scheme, no bucket, no leading slash, no escapes."""
    without_scheme = re.sub(r"^[a-z0-9]+://[^/]*", "", path)
    return unquote(without_scheme).lstrip("/")


def _scans(plan: ExecutionPlan) -> Iterator[tuple[str, int, int]]:
    # No recursion: plans grow higher than Python's stack.
    waiting = [plan]
    while waiting:
        plan = waiting.pop()
        waiting += plan.children()
        text = plan.display()
        metrics = plan.metrics() if text.startswith("DataSourceExec") else None
        if metrics is not None:
            scanned = sum(_bytes(m.value) for m in metrics.metrics() if m.name == "bytes_scanned")
            yield text, metrics.output_rows or 0, scanned


def _bytes(value: object) -> int:
    return value if isinstance(value, int) else 0
