"""A plugin of pytest that writes down what each connector passed, and its gaps.

    pytest -p igloo.testing.conformance.report --conformance-report support.json tests

Nothing is written unless all tests ran as they should: a gap that has closed is a failure, too.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from igloo.testing.conformance.hooks import ConformanceHooks

if TYPE_CHECKING:
    from igloo.testing.conformance.gaps import Gap

_OPTION = "--conformance-report"
_SUITE = "igloo.testing.conformance."


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option."""
    parser.addoption(_OPTION, metavar="FILE", help="write what each connector passed to FILE")


def pytest_configure(config: pytest.Config) -> None:
    """Listen, if the option is given."""
    path = config.getoption(_OPTION)
    if path is not None:
        config.pluginmanager.register(_Report(Path(path)))


class _Report:
    """Gathers the tests of the suite, and writes them at the end."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._classes: dict[type[ConformanceHooks], list[pytest.Item]] = {}
        self._is_whole = True

    def pytest_deselected(self) -> None:
        self._is_whole = False

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        for item in session.items:
            cls = getattr(item, "cls", None)
            if isinstance(cls, type) and issubclass(cls, ConformanceHooks):
                self._classes.setdefault(cls, []).append(item)

    def pytest_sessionfinish(self, exitstatus: int) -> None:
        if self._is_whole and exitstatus == pytest.ExitCode.OK:
            entries = [_entry(cls, items) for cls, items in self._classes.items()]
            entries.sort(key=lambda entry: (entry["connector"], entry["variant"]))
            text = json.dumps(entries, indent=2, ensure_ascii=False)
            self._path.write_text(f"{text}\n", "utf-8")


def _entry(cls: type[ConformanceHooks], items: list[pytest.Item]) -> dict[str, Any]:
    gaps = {}
    for item in items:
        for name in (item.name, item.name.partition("[")[0]):
            if name in cls.gaps:
                gaps[name] = _gap(_area(cls, item), name, cls.gaps[name])
                break
    return {
        "connector": cls.__module__.rpartition(".")[2].removeprefix("test_"),
        "variant": re.sub(r"(?<=[a-z])(?=[A-Z])", " ", cls.__name__.removeprefix("Test")).lower(),
        "areas": sorted({_area(cls, item) for item in items}),
        "gaps": [gaps[name] for name in sorted(gaps)],
    }


def _gap(area: str, test: str, gap: Gap) -> dict[str, str]:
    return {"area": area, "test": test, "kind": gap.kind, "reason": gap.reason}


def _area(cls: type[ConformanceHooks], item: pytest.Item) -> str:
    """Return the part of the suite that a test belongs to; ``own`` for an author's own test."""
    test = item.name.partition("[")[0]
    homes = (base.__module__ for base in cls.__mro__ if test in vars(base))
    return next((home[len(_SUITE) :] for home in homes if home.startswith(_SUITE)), "own")
