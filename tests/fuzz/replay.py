"""A finding as text that anyone can run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fuzz.checks import examine
from fuzz.shrink import shrink
from fuzz.spelling import PLAIN

if TYPE_CHECKING:
    from fuzz.campaign import Finding
    from fuzz.checks import Trial
    from fuzz.engines import Engines


def script(trial: Trial) -> str:
    """Return the statements that make the tables, and those whose answers are wrong."""
    lines = []
    for table in trial.tables:
        lines += [statement for statement in (table.create(), table.insert()) if statement]
    lines += map(PLAIN.query, trial.check.queries())
    return "".join(f"{line};\n" for line in lines)


def smallest(engines: Engines, finding: Finding) -> Trial:
    """Return the smallest trial that differs as the finding does: by an error, or by rows."""
    is_error = finding.is_error
    return shrink(finding.trial, lambda trial: _differs(engines, trial, is_error=is_error))


def _differs(engines: Engines, trial: Trial, *, is_error: bool) -> bool:
    outcome = examine(engines, trial)
    return bool(outcome.told) and outcome.is_error == is_error


def explain(engines: Engines, finding: Finding) -> str:
    """Return what a person needs to see and to repeat a finding."""
    small = smallest(engines, finding)
    seed, _, number = finding.seed.rpartition("/")
    return (
        f"statement {number} of IGLOO_TEST_SEED={seed} is answered wrongly"
        f" ({type(small.check).__name__}; {small.layout}):"
        f" {examine(engines, small).told}\n\n{script(small)}"
    )
