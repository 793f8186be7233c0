"""What this machine, or the container around this process, gives: memory and processors."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_CGROUP = Path("/sys/fs/cgroup")
_OWN_CGROUP = Path("/proc/self/cgroup")


def memory_bytes(*, cgroup: Path = _CGROUP, own_cgroup: Path = _OWN_CGROUP) -> int:
    """Return the bytes of memory this process may use at most: the machine's or its container's."""
    limits = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    for folder in _cgroup_folders(cgroup, own_cgroup):
        for name in ("memory.max", "memory.limit_in_bytes"):
            text = _read(folder / name)
            if text.isdigit() and int(text) > 0:
                limits.append(int(text))
    return min(limits)


def processor_count(*, cgroup: Path = _CGROUP, own_cgroup: Path = _OWN_CGROUP) -> int:
    """Return how many processors this process may keep busy, at least one."""
    affinity = getattr(os, "sched_getaffinity", None)
    counts = [len(affinity(0)) if affinity else os.cpu_count() or 1]
    for folder in _cgroup_folders(cgroup, own_cgroup):
        quota, _, period = _read(folder / "cpu.max").partition(" ")
        if quota.isdigit() and period.isdigit() and int(period) > 0:
            counts.append(-(-int(quota) // int(period)))
    return max(1, min(counts))


def _cgroup_folders(root: Path, own_cgroup: Path) -> Iterator[Path]:
    """Yield the folders whose limits hold for this process, innermost first.

    A container sees its own limits at the root; outside of one they stand along the path of the
    process's group, and every folder on that path limits it.
    """
    for line in _read(own_cgroup).splitlines():
        controllers, _, path = line.partition(":")[2].partition(":")
        start = root / "memory" if "memory" in controllers.split(",") else root
        parts = Path(path.lstrip("/"))
        for folder in (parts, *parts.parents):
            yield start / folder
    yield root
    yield root / "memory"


def _read(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""
