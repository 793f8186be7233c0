"""A finding as text that anyone can run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fuzz.spelling import PLAIN

if TYPE_CHECKING:
    from fuzz.checks import Trial


def script(trial: Trial) -> str:
    """Return the statements that make the tables, and those whose answers are wrong."""
    lines = []
    for table in trial.tables:
        lines += [statement for statement in (table.create(), table.insert()) if statement]
    lines += map(PLAIN.query, trial.check.queries())
    return "".join(f"{line};\n" for line in lines)
