"""What is installed: Igloo, what it stands on, its extras and connectors."""

from __future__ import annotations

import platform
import re
from importlib.metadata import PackageNotFoundError, metadata, version
from typing import TYPE_CHECKING

from igloo.cli.doctor.findings import Finding, Status, failure
from igloo.connectors.registry import DISTRIBUTION, connector_names, load_connector
from igloo.errors import MissingDependency

if TYPE_CHECKING:
    from collections.abc import Iterator

AREA = "installation"
_REQUIREMENT = re.compile(r"(?P<package>[\w.-]+)[^;]*(?:;.*extra == ['\"](?P<extra>[\w-]+)['\"])?")
#: Extras that only gather others.
_GATHERING = frozenset({"all"})


def installed() -> Iterator[Finding]:
    """Yield what is found; nothing is dialled."""
    system = f"{platform.system()} {platform.machine()}"
    yield Finding(
        AREA,
        "igloo",
        Status.OK,
        f"{version(DISTRIBUTION)}, Python {platform.python_version()}, {system}",
    )
    packages = _packages()
    yield from map(_needed, packages[""])
    for extra, names in packages.items():
        if extra and extra not in _GATHERING:
            yield _extra(extra, names)
    for name in connector_names():
        yield _connector(name)


def _packages() -> dict[str, list[str]]:
    """Return the packages of each extra by its name; those always needed by the empty one."""
    found: dict[str, list[str]] = {"": []}
    for requirement in metadata(DISTRIBUTION).get_all("Requires-Dist") or ():
        match = _REQUIREMENT.match(requirement)
        if match is not None:
            found.setdefault(match["extra"] or "", []).append(match["package"])
    return found


def _needed(package: str) -> Finding:
    try:
        return Finding(AREA, package, Status.OK, version(package))
    except PackageNotFoundError:
        name = metadata(DISTRIBUTION)["Name"]
        hint = f"Run: pip install --force-reinstall {name}"
        return Finding(AREA, package, Status.BROKEN, "is not installed.", hint)


def _extra(extra: str, packages: list[str]) -> Finding:
    versions, missing = [], []
    for package in packages:
        try:
            versions.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            missing.append(package)
    if not missing:
        return Finding(AREA, f"extra {extra}", Status.OK, ", ".join(versions))
    # Nobody needs every extra; the connectors below tell what does not work.
    return Finding(
        AREA,
        f"extra {extra}",
        Status.OK,
        f"not installed (lacks {', '.join(missing)})",
        f"To add it: pip install '{metadata(DISTRIBUTION)['Name']}[{extra}]'",
    )


def _connector(name: str) -> Finding:
    subject = f"connector {name}"
    try:
        load_connector(name)
    except MissingDependency as error:
        return Finding(AREA, subject, Status.WARNING, error.message, error.hint)
    except Exception as error:  # noqa: BLE001 - a package that is there and broken raises anything
        return failure(AREA, subject, error)
    return Finding(AREA, subject, Status.OK, "loads")
