"""Options of the ``iceberg`` connector."""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003 - option types are read at run time
from dataclasses import dataclass, field

from igloo.config.secrets import Secret  # noqa: TC001 - option types are read at run time
from igloo.connectors.options import Location, Options, option


@dataclass(frozen=True, slots=True, kw_only=True)
class IcebergOptions(Options):
    """What ``CREATE CATALOG … USING iceberg WITH (…)`` takes."""

    type: str | None = option(
        "Kind of catalog; without it, a warehouse folder that holds catalog.db is an sql catalog, "
        "any other warehouse folder a folder catalog.",
        default=None,
        choices=("sql", "rest", "glue", "hive", "folder"),
    )
    uri: Secret | None = option(  # noqa: RUF009 - a field
        "Where the catalog is: a database URL for sql, an http address for rest.", default=None
    )
    warehouse: Location | None = option(  # noqa: RUF009 - a field
        "Folder of the tables; for rest, the warehouse's name.", default=None
    )
    credential: Secret | None = option(  # noqa: RUF009 - a field
        "Client id and secret of a rest catalog.", default=None
    )
    token: Secret | None = option(  # noqa: RUF009 - a field
        "Bearer token of a rest catalog.", default=None
    )
    catalog_name: str | None = option(
        "The catalog's name inside an sql catalog's database; needed where it holds several.",
        default=None,
    )
    storage: Mapping[str, str] = field(
        default_factory=dict,
        metadata={"help": "Access to object storage.", "choices": ()},
    )
