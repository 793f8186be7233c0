"""What the doctor finds, and how it is written."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from igloo.cli.colours import Colour, painted
from igloo.cli.safe_text import printable
from igloo.config.redaction import redact_uri
from igloo.errors import IglooError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import TextIO


class Status(StrEnum):
    """How it is, from good to bad."""

    OK = "ok"
    WARNING = "warning"
    BROKEN = "broken"


_COLOURS = {
    Status.OK: Colour.GREEN,
    Status.WARNING: Colour.YELLOW,
    Status.BROKEN: Colour.RED,
}
_STATUS_WIDTH = max(map(len, Status)) + 2


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report.

    Attributes:
        area: what it belongs to.
        subject: what was looked at.
        status: how it is.
        text: what was found; one line, no secret.
        hint: what to do, or the empty string.
    """

    area: str
    subject: str
    status: Status
    text: str
    hint: str = ""

    def safe(self) -> Finding:
        """Return the finding as people may see it, whatever a source said."""
        return Finding(
            self.area,
            _safe(self.subject),
            self.status,
            _safe(self.text),
            _safe(self.hint),
        )


def failure(area: str, subject: str, error: BaseException) -> Finding:
    """Return the finding that something failed."""
    if isinstance(error, IglooError):
        return Finding(area, subject, Status.BROKEN, error.message, error.hint)
    return Finding(area, subject, Status.BROKEN, f"{type(error).__name__}: {error}")


def worst(findings: Sequence[Finding]) -> Status:
    """Return the worst status there is."""
    order = list(Status)
    return max((f.status for f in findings), key=order.index, default=Status.OK)


def as_json(findings: Sequence[Finding]) -> str:
    """Return the report for programs."""
    shown = [asdict(finding.safe()) for finding in findings]
    report = {"status": worst(findings), "findings": shown}
    return json.dumps(report, indent=2, ensure_ascii=False) + "\n"


def as_text(findings: Sequence[Finding], stream: TextIO) -> str:
    """Return the report for people."""
    return "\n".join([*_lines(findings, stream), "", _verdict(findings)]) + "\n"


def _lines(findings: Sequence[Finding], stream: TextIO) -> Iterator[str]:
    area = None
    for finding in map(Finding.safe, findings):
        if finding.area != area:
            if area is not None:
                yield ""
            yield painted(finding.area, Colour.BOLD, stream)
        area = finding.area
        status = painted(finding.status.ljust(_STATUS_WIDTH), _COLOURS[finding.status], stream)
        yield f"  {status}{finding.subject}: {finding.text}"
        if finding.hint:
            yield f"  {' ' * _STATUS_WIDTH}{finding.hint}"


def _verdict(findings: Sequence[Finding]) -> str:
    broken, warnings = (
        sum(finding.status is status for finding in findings)
        for status in (Status.BROKEN, Status.WARNING)
    )
    told = f"{warnings} warning{'' if warnings == 1 else 's'}"
    return f"{broken} broken, {told}." if broken else f"Nothing is broken, {told}."


def _safe(text: str) -> str:
    return printable(redact_uri(" ".join(text.split())))
