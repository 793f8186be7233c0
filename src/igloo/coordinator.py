"""The coordinator, which takes statements for a cluster, and what a worker of it is told."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Self

from igloo.errors import InvalidSetting, NotSupported

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from types import TracebackType

    from igloo.engine.planner.parameters import Parameters
    from igloo.result import Result

__all__ = ["Coordinator", "WorkerConfig"]

ADDRESS = "127.0.0.1:50051"
_PORT_MAX = 65_535


class Coordinator:
    """One engine under an address. Also a context manager.

    It runs statements in this process. This version does not listen yet.
    """

    def __init__(
        self,
        address: str = ADDRESS,
        *,
        config: str | Path | None = None,
        settings: Mapping[str, object] | None = None,
    ) -> None:
        """Open the engine; no source is dialled.

        Args:
            address: host and port that clients will reach it at, such as ``127.0.0.1:50051``.
            config: an igloo.toml; None for the one in the current folder.
            settings: values by name, with or without ``igloo.``; they beat every file.

        Raises:
            InvalidSetting: the address, the file or a setting is wrong.
        """
        from igloo.runtime import connect

        check_address(address)
        self.address = address
        self._connection = connect(config=config, settings=settings)

    def start(self) -> None:
        """Listen at the address.

        Raises:
            NotSupported: this version has no server.
        """
        raise NotSupported(
            f'Listening at "{self.address}" is not possible in this version.',
            hint="execute_sql() runs statements in this process.",
        )

    def execute_sql(self, sql: str, params: Parameters = None) -> Result:
        """Run one statement in this process.

        Args:
            sql: one statement; a ``;`` at its end is allowed.
            params: a list or tuple for ``?`` and ``$1 …``, a dict for ``$name``.

        Raises:
            IglooError: the statement, or a source it needs, is wrong.
        """
        return self._connection.sql(sql, params)

    def close(self) -> None:
        """Stop what runs and give back every connection. Safe to call twice."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


@dataclass(frozen=True, slots=True)
class WorkerConfig:
    """What a worker brings to a cluster. Wrong values raise ``InvalidSetting``.

    Attributes:
        coordinator: host and port of the coordinator.
        cores: processors that it offers; all of the machine's if None.
        memory_bytes: memory that it offers; the limit of this machine's settings if None.
        labels: facts to place work by, such as ``{"zone": "a"}``.
        catalogs: names of the catalogs that it may read; all of them if None.
    """

    coordinator: str = ADDRESS
    cores: int | None = None
    memory_bytes: int | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    catalogs: Sequence[str] | None = None

    def __post_init__(self) -> None:
        """Check the values, and keep copies that nobody else can change."""
        check_address(self.coordinator)
        for name in ("cores", "memory_bytes"):
            value = getattr(self, name)
            is_number = isinstance(value, int) and not isinstance(value, bool)
            if value is not None and not (is_number and value > 0):
                raise InvalidSetting(
                    f"A worker cannot offer {name} = {value!r}.",
                    hint="Give a whole number above 0, or None for what the machine has.",
                )
        if isinstance(self.catalogs, str):
            raise InvalidSetting(
                f'A worker\'s catalogs are a list of names, not "{self.catalogs}".',
                hint=f'Give ["{self.catalogs}"].',
            )
        object.__setattr__(self, "labels", MappingProxyType(dict(self.labels)))
        if self.catalogs is not None:
            object.__setattr__(self, "catalogs", tuple(self.catalogs))


def check_address(address: str) -> None:
    """Check that ``address`` is a host and a port.

    Raises:
        InvalidSetting: it is not.
    """
    host, separator, port = address.rpartition(":")
    is_port = port.isascii() and port.isdigit() and int(port) <= _PORT_MAX
    is_host = bool(host) and "/" not in host and (":" not in host or host[0] + host[-1] == "[]")
    if not (separator and is_port and is_host):
        raise InvalidSetting(
            f'"{address}" is not an address.',
            hint='Give a host and a port, such as "127.0.0.1:50051" or "[::1]:50051".',
        )
