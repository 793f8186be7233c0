"""Catalogs that configuration names: written in igloo.toml, or implied by the environment."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from igloo.config.redaction import redact_option

if TYPE_CHECKING:
    from collections.abc import Mapping

    from igloo.config.variables import Environment

#: Variables that imply a catalog or a feed, and what each is for.
SOURCE_VARIABLES: Mapping[str, str] = {
    "IGLOO_POSTGRES_URI": "catalog postgres: a URL, or host=… user=… keywords",
    "IGLOO_MYSQL_URI": "catalog mysql: a URL",
    "IGLOO_PARQUET_PATH": "catalog parquet: a file, folder or glob",
    "IGLOO_ICEBERG_WAREHOUSE": "catalog iceberg: a warehouse folder",
    "IGLOO_CDC_PATH": "a folder of change-log files that the cache follows",
}
DATABASE_URL = "DATABASE_URL"

_POSTGRES_SCHEME = re.compile(
    r"(?P<scheme>postgres|postgresql)(?P<driver>\+[\w.-]+)?://", re.IGNORECASE
)
_ANY_SCHEME = re.compile(r"(?P<scheme>[a-z][a-z0-9+.-]*):", re.IGNORECASE)
_URL = re.compile(r"[a-z][a-z0-9+.-]+://", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogConfig:
    """A catalog as it was written.

    Attributes:
        name: its name in SQL.
        connector: name of its connector; whether that exists is found out when it is loaded.
        options: as written, references such as ``${env:NAME}`` not resolved.
        origin: where it is written, e.g. ``igloo.toml:7``.
        base: folder that its relative paths start from; the working folder if None.
    """

    name: str
    connector: str
    options: Mapping[str, str] = field(repr=False)
    origin: str
    base: Path | None = None

    def shown_options(self) -> dict[str, str]:
        """Return the options as people may see them: secrets as dots."""
        return {name: redact_option(name, text) for name, text in sorted(self.options.items())}


def implied_catalogs(environment: Environment) -> tuple[CatalogConfig, ...]:
    """Return the catalogs that variables imply, holding references only."""
    found = [_postgres(environment)]
    found.append(_referring(environment, "IGLOO_MYSQL_URI", "mysql", "mysql", "uri"))
    found.append(_referring(environment, "IGLOO_PARQUET_PATH", "parquet", "files", "path"))
    found.append(_iceberg(environment))
    return tuple(catalog for catalog in found if catalog is not None)


def environment_notes(environment: Environment) -> tuple[str, ...]:
    """Return what is set and has no effect, one sentence each, without values."""
    notes = []
    url = environment.get(DATABASE_URL)
    shadowed = bool(environment.get("IGLOO_POSTGRES_URI"))
    if url and not shadowed and not _POSTGRES_SCHEME.match(url):
        scheme = _ANY_SCHEME.match(url)
        named = f'its scheme is "{scheme["scheme"]}"' if scheme else "it is not a URL"
        notes.append(
            f"{DATABASE_URL} ({environment.origin(DATABASE_URL)}) makes no catalog: {named}, "
            "not postgres or postgresql."
        )
    if environment.get("IGLOO_CDC_PATH"):
        notes.append(
            f"IGLOO_CDC_PATH ({environment.origin('IGLOO_CDC_PATH')}) has no effect: "
            "this version keeps no results that a change could make stale."
        )
    return tuple(notes)


def resolved_variables(environment: Environment) -> dict[str, str]:
    """Return the variables that references may name, as connectors take them.

    A database URL loses its ``+driver``, and Igloo's own paths become absolute, each from the
    folder of the pen it was written with: so a reference alone says all, and no value is stored.
    """
    values = dict(environment.values)
    for name in (DATABASE_URL, "IGLOO_POSTGRES_URI"):
        if name in values:
            values[name] = _POSTGRES_SCHEME.sub(
                lambda m: f"{m['scheme']}://", values[name], count=1
            )
    for name in ("IGLOO_PARQUET_PATH", "IGLOO_ICEBERG_WAREHOUSE", "IGLOO_CDC_PATH"):
        if values.get(name):
            values[name] = _absolute(values[name], environment.folder(name))
    return values


def _postgres(environment: Environment) -> CatalogConfig | None:
    if environment.get("IGLOO_POSTGRES_URI"):
        return _referring(environment, "IGLOO_POSTGRES_URI", "postgres", "postgres", "uri")
    if _POSTGRES_SCHEME.match(environment.get(DATABASE_URL)):
        return _referring(environment, DATABASE_URL, "postgres", "postgres", "uri")
    return None


def _iceberg(environment: Environment) -> CatalogConfig | None:
    variable = "IGLOO_ICEBERG_WAREHOUSE"
    catalog = _referring(environment, variable, "iceberg", "iceberg", "warehouse")
    if catalog is None:
        return None
    warehouse = _absolute(environment.get(variable), environment.folder(variable))
    options = {**catalog.options, "type": "folder"}
    if Path(warehouse, "catalog.db").is_file():
        options |= {"type": "sql", "uri": f"sqlite:///${{env:{variable}}}/catalog.db"}
    return CatalogConfig(
        name=catalog.name, connector=catalog.connector, options=options, origin=catalog.origin
    )


def _referring(
    environment: Environment, variable: str, name: str, connector: str, option: str
) -> CatalogConfig | None:
    if not environment.get(variable):
        return None
    return CatalogConfig(
        name=name,
        connector=connector,
        options={option: f"${{env:{variable}}}"},
        origin=environment.origin(variable),
    )


def _absolute(text: str, folder: Path) -> str:
    if text.lower().startswith("file://"):
        return unquote(urlsplit(text).path)
    return text if _URL.match(text) else str(folder / Path(text).expanduser())
