"""The limits in force: memory, processors, and disk for what queries spill."""

from __future__ import annotations

import os
import shutil
import tempfile
from typing import TYPE_CHECKING

from igloo.cli.doctor.findings import Finding, Status
from igloo.config import machine

if TYPE_CHECKING:
    from collections.abc import Iterator

    from igloo.config.settings import Settings

AREA = "limits"
#: With less room than this, the first large sort fails.
_FREE_BYTES_MIN = 10**9


def limits(settings: Settings) -> Iterator[Finding]:
    """Yield what is found."""
    yield _memory(settings)
    yield _processors(settings)
    yield _disk(settings)


def _memory(settings: Settings) -> Finding:
    limit, whole = settings.memory_limit_bytes, machine.memory_bytes()
    origin = settings.origin("memory_limit")
    text = f"queries may hold {size(limit)} of {size(whole)} (igloo.memory_limit, {origin})"
    if limit > whole:
        hint = "Lower igloo.memory_limit: the system ends a process that takes more than there is."
        return Finding(AREA, "memory", Status.WARNING, text, hint)
    return Finding(AREA, "memory", Status.OK, text)


def _processors(settings: Settings) -> Finding:
    count = machine.processor_count()
    parts = settings.target_partitions
    text = f"{count}; a query is worked on in {parts} parts at once (igloo.target_partitions)"
    return Finding(AREA, "processors", Status.OK, text)


def _disk(settings: Settings) -> Finding:
    # DataFusion goes where the variable points; Python would silently look elsewhere.
    folder = os.environ.get("TMPDIR") or ""
    hint = "Point the variable TMPDIR at a folder that can be written, with room for spilled data."
    try:
        folder = folder or tempfile.gettempdir()
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"igloo")
        free = shutil.disk_usage(folder).free
    except OSError as error:
        place = folder or "no folder for temporary files"
        text = f"{place} cannot be written: {error.strerror}."
        return Finding(AREA, "temporary files", Status.BROKEN, text, hint)
    allowed = size(settings.limits_spill_bytes)
    text = f"{folder} can be written, {size(free)} free; queries may spill {allowed} there"
    if free < _FREE_BYTES_MIN:
        return Finding(AREA, "temporary files", Status.WARNING, text, hint)
    return Finding(AREA, "temporary files", Status.OK, f"{text} (igloo.limits.spill_bytes)")


def size(number: int) -> str:
    """Return bytes for people: ``4.1 GB``."""
    for unit, factor in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if number >= factor:
            return f"{number / factor:,.1f} {unit}"
    return f"{number} bytes"
