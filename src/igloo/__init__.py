"""Igloo: one SQL question over many systems, answered right, fresh and fast."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from igloo import errors
    from igloo.coordinator import Coordinator, WorkerConfig
    from igloo.errors import IglooError
    from igloo.result import QueryStats, Result, SourceStats
    from igloo.runtime import Connection, connect

#: Where each public name lives; loaded when first used, so that ``import igloo`` costs nothing.
_HOMES = {
    "Connection": "igloo.runtime",
    "Coordinator": "igloo.coordinator",
    "IglooError": "igloo.errors",
    "QueryStats": "igloo.result",
    "Result": "igloo.result",
    "SourceStats": "igloo.result",
    "WorkerConfig": "igloo.coordinator",
    "connect": "igloo.runtime",
}

__all__ = [
    "Connection",
    "Coordinator",
    "IglooError",
    "QueryStats",
    "Result",
    "SourceStats",
    "WorkerConfig",
    "__version__",
    "connect",
    "errors",
]


def __getattr__(name: str) -> Any:
    import importlib

    if name == "__version__":
        from importlib.metadata import version

        return version("igloo-sql")
    if name == "errors":
        return importlib.import_module("igloo.errors")
    if name in _HOMES:
        value = getattr(importlib.import_module(_HOMES[name]), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'igloo' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
