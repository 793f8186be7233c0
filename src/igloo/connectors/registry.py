"""Finds connectors by name, and loads one only when it is asked for."""

from __future__ import annotations

from importlib.metadata import entry_points, metadata
from typing import TYPE_CHECKING

from igloo.errors import InternalError, InvalidSetting, MissingDependency, did_you_mean

if TYPE_CHECKING:
    from igloo.connectors.contract import Connector

GROUP = "igloo.connectors"
#: The distribution's own name, so that hints stay true if it is ever renamed.
DISTRIBUTION = "igloo-sql"


def connector_names() -> tuple[str, ...]:
    """Return the names of the connectors that are installed, sorted."""
    return tuple(sorted({point.name for point in entry_points(group=GROUP)}))


def load_connector(name: str) -> type[Connector]:
    """Return the connector class of that name.

    Raises:
        InvalidSetting: no connector has that name.
        MissingDependency: a package that it needs is not installed.
    """
    from igloo.connectors.contract import Connector

    points = [point for point in entry_points(group=GROUP) if point.name == name]
    if not points:
        raise InvalidSetting(
            f'There is no connector "{name}".', hint=did_you_mean(name, connector_names())
        )
    try:
        loaded = points[0].load()
    except ModuleNotFoundError as error:
        missing = error.name or "a package"
        if missing.partition(".")[0] == "igloo":
            raise InternalError(
                f'The connector "{name}" lacks its own part "{missing}".'
            ) from error
        raise missing_dependency(name, missing) from error
    if not (isinstance(loaded, type) and issubclass(loaded, Connector)):
        raise InternalError(f'The entry point "{name}" is not a Connector: {loaded!r}.')
    return loaded


def missing_dependency(connector: str, package: str) -> MissingDependency:
    """Return the error that says what to install: Igloo's extra of that name, if there is one."""
    distribution = metadata(DISTRIBUTION)
    has_extra = connector in (distribution.get_all("Provides-Extra") or ())
    wanted = f"{distribution['Name']}[{connector}]" if has_extra else package
    return MissingDependency(
        f'The connector "{connector}" needs the package "{package}".',
        hint=f"Run: pip install '{wanted}'",
    )
