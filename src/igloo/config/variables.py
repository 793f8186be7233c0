"""The environment: the process's own variables over those of a .env file, origins remembered."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from igloo.errors import InvalidSetting, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

PREFIX = "IGLOO_"
#: Variables of Igloo's tests, benchmarks and demo, which are not settings.
_RESERVED = ("IGLOO_TEST_", "IGLOO_BENCH_", "IGLOO_DEMO_")
#: Kubernetes puts these into every container beside a service that is named "igloo".
_SERVICE_LINK = re.compile(r"IGLOO_(?:SERVICE_HOST|SERVICE_PORT\w*|PORT|PORT_\d+_(?:TCP|UDP)\w*)\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """Variables with their origins.

    Attributes:
        values: every variable by name.
        file: the .env file that was read, if there is one.
        from_file: names whose value comes from that file.
        working_folder: where relative paths of the process's own variables start.
    """

    values: Mapping[str, str] = field(repr=False)
    file: Path | None
    from_file: frozenset[str]
    working_folder: Path

    def get(self, name: str) -> str:
        """Return the value, or the empty string when it is not set."""
        return self.values.get(name, "")

    def origin(self, name: str) -> str:
        """Return ``.env`` or ``environment NAME``."""
        return ".env" if name in self.from_file else f"environment {name}"

    def folder(self, name: str) -> Path:
        """Return the folder that a relative path in this variable starts from."""
        if name in self.from_file and self.file is not None:
            return self.file.parent
        return self.working_folder

    def settings(self, known: Iterable[str]) -> Iterator[tuple[str, str]]:
        """Yield each variable that is a setting with the setting's name, sorted.

        Args:
            known: variables of Igloo's that are not settings.

        Raises:
            InvalidSetting: a variable starts with ``IGLOO_`` and is neither.
        """
        from igloo.config.declared import SETTINGS

        by_variable = {variable_name(setting.name): setting.name for setting in SETTINGS}
        others = frozenset(known)
        for name in sorted(self.values):
            if not name.startswith(PREFIX) or name in others or _is_reserved(name):
                continue
            if name not in by_variable:
                raise InvalidSetting(
                    f"{self.origin(name)}: There is no setting of the name {name}.",
                    hint=did_you_mean(name, {*by_variable, *others}),
                    setting=name,
                )
            yield name, by_variable[name]


def variable_name(setting: str) -> str:
    """Return the variable of a setting: ``IGLOO_LIMITS__SPILL_BYTES``."""
    return PREFIX + setting.removeprefix("igloo.").upper().replace(".", "__")


def read_environment(process: Mapping[str, str], file: Path, working_folder: Path) -> Environment:
    """Return the process's variables over those of ``file``, which need not exist.

    Raises:
        InvalidSetting: the file cannot be read or has a line that is no assignment.
    """
    # A folder of that name is a virtual environment, not a file of ours.
    exists = file.exists() and not file.is_dir()
    written = _read_file(file) if exists else {}
    return Environment(
        values={**written, **process},
        file=file if exists else None,
        from_file=frozenset(written) - frozenset(process),
        working_folder=working_folder,
    )


def _read_file(file: Path) -> dict[str, str]:
    from io import StringIO

    from dotenv.parser import parse_stream

    from igloo.config.files import read_text

    found: dict[str, str] = {}
    # dotenv_values would expand $NAME from this process's variables, and passwords hold "$".
    for binding in parse_stream(StringIO(read_text(file, str(file)))):
        if binding.error:
            raise InvalidSetting(
                f"{file}:{binding.original.line}: This line is not NAME=value.",
                hint="Quote values that hold spaces, # or line ends.",
            )
        if binding.key is not None and binding.value is not None:
            found[binding.key] = binding.value
    return found


def _is_reserved(name: str) -> bool:
    return name.startswith(_RESERVED) or _SERVICE_LINK.match(name) is not None
