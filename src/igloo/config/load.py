"""Reads the configuration: defaults < igloo.toml < IGLOO_* (.env, then the process) < flags."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from igloo.config.files import ConfigFile, read_config_file
from igloo.config.settings import FLAG, Settings
from igloo.config.sources import (
    SOURCE_VARIABLES,
    CatalogConfig,
    environment_notes,
    implied_catalogs,
    resolved_variables,
)
from igloo.config.variables import Environment, read_environment
from igloo.errors import InvalidSetting, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["CatalogConfig", "Config", "load_config"]

FILE_NAME = "igloo.toml"
ENV_FILE_NAME = ".env"


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """What the operator decided.

    Attributes:
        settings: values in force, with their origins.
        catalogs: catalogs by configuration, those of igloo.toml first.
        environment: variables that references may name. Secrets: never print it.
        notes: what is set and has no effect, one sentence each.
        file: the igloo.toml that was read, if there is one.
    """

    settings: Settings
    catalogs: tuple[CatalogConfig, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    notes: tuple[str, ...] = ()
    file: Path | None = None


def load_config(
    *,
    path: Path | None = None,
    folder: Path | None = None,
    environment: Mapping[str, str] | None = None,
    overrides: Mapping[str, object] | None = None,
    overrides_origin: str = FLAG,
) -> Config:
    """Read the configuration once.

    Args:
        path: an igloo.toml that has to exist; the .env beside it is read.
        folder: without ``path``, the folder whose igloo.toml and .env are read if they exist; the
            working folder if None. Parents are not searched.
        environment: the process's variables; those of this process if None.
        overrides: settings that beat all else, by name.
        overrides_origin: what the overrides are called as an origin.

    Raises:
        InvalidSetting: a file cannot be read, or something in it, in a variable or in an override
            is unknown or not allowed; the message names the place.
    """
    here = Path.cwd()
    file = _config_file(path, folder or here)
    home = (file.parent if file else folder or here).absolute()
    process = os.environ if environment is None else environment
    variables = read_environment(process, home / ENV_FILE_NAME, here)

    written = ConfigFile(settings=(), catalogs=())
    if file is not None:
        written = read_config_file(file.absolute(), str(path) if path else FILE_NAME)
    settings = _with_file(Settings.defaults(), written, home)
    settings = _with_variables(settings, variables)
    for name, value in (overrides or {}).items():
        settings = settings.with_value(name, value, origin=overrides_origin)

    named = {catalog.name for catalog in written.catalogs}
    implied = tuple(c for c in implied_catalogs(variables) if c.name not in named)
    return Config(
        settings=settings,
        catalogs=(*written.catalogs, *implied),
        environment=resolved_variables(variables),
        notes=environment_notes(variables),
        file=file.absolute() if file else None,
    )


def _config_file(path: Path | None, folder: Path) -> Path | None:
    if path is not None:
        return path
    default = folder / FILE_NAME
    return default if default.exists() else None


def _with_file(settings: Settings, written: ConfigFile, base: Path) -> Settings:
    seen: dict[str, str] = {}
    for setting in written.settings:
        full = _declared_name(setting.name, setting.origin)
        if full in seen:
            raise InvalidSetting(
                f'{setting.origin}: The setting "{full}" stands at {seen[full]} already.',
                hint="Keep one of the two.",
                setting=full,
            )
        seen[full] = setting.origin
        settings = settings.with_value(full, setting.value, origin=setting.origin, base=base)
    return settings


def _declared_name(name: str, origin: str) -> str:
    try:
        return Settings.declaration(name).name
    except InvalidSetting as error:
        section = name.partition(".")[0]
        close = did_you_mean(section, ["catalogs"]) if "." in name else ""
        hint = close if close.startswith("Did") else error.hint
        raise InvalidSetting(
            f'{origin}: There is no setting "{name}".', hint=hint, setting=name, origin=origin
        ) from None


def _with_variables(settings: Settings, variables: Environment) -> Settings:
    for variable, name in variables.settings(SOURCE_VARIABLES):
        settings = settings.with_value(
            name,
            variables.get(variable),
            origin=variables.origin(variable),
            base=variables.folder(variable),
        )
    return settings
