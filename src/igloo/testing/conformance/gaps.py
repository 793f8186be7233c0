"""Gaps: what a connector does not do, said aloud, each with a reason.

A gap turns a test into a strict expected failure: it must fail, and with the error that was named.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """One test that is expected to fail.

    Attributes:
        kind: ``not_done``, ``not_able`` or ``not_meant``.
        reason: why, one sentence.
        raises: the exception that the test must fail with.
    """

    kind: str
    reason: str
    raises: type[BaseException] | tuple[type[BaseException], ...] = AssertionError

    def __post_init__(self) -> None:
        if not self.reason.strip():
            raise ValueError("a gap needs a reason")


_Raises = type[BaseException] | tuple[type[BaseException], ...]


def not_done(reason: str, raises: _Raises = AssertionError) -> Gap:
    """Return a gap of the connector's own: it could, and does not yet."""
    return Gap(kind="not_done", reason=reason, raises=raises)


def not_able(reason: str, issue: str, raises: _Raises = AssertionError) -> Gap:
    """Return a gap of the source's or the driver's; ``issue`` says where that is written."""
    return Gap(kind="not_able", reason=f"{reason} ({issue})", raises=raises)


def not_meant(reason: str, raises: _Raises = AssertionError) -> Gap:
    """Return a gap that will stay: the source has no such thing."""
    return Gap(kind="not_meant", reason=reason, raises=raises)
