"""Catalogs and views that outlive a connection: one JSON file, replaced as a whole.

Format 1: ``{"igloo_catalog_store": 1, "catalogs": […], "views": […]}``. Options hold references to
secrets, never the secrets.
"""

from __future__ import annotations

import json
import os
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from igloo.config.load import CatalogConfig
from igloo.config.redaction import redact_option
from igloo.connectors.options import secret_options
from igloo.connectors.registry import load_connector
from igloo.engine.catalog.views import View
from igloo.errors import InvalidSetting
from igloo.names import TablePath

if TYPE_CHECKING:
    from collections.abc import Callable

FORMAT = 1
_FORMAT_KEY = "igloo_catalog_store"


class CatalogStore:
    """The file behind ``igloo.catalog_store``. One process writes it at a time; thread-safe."""

    def __init__(self, path: Path) -> None:
        """Open the file, or start an empty store where there is none.

        Raises:
            InvalidSetting: the file cannot be read, is not a catalog store, or is newer than this
                version of Igloo.
        """
        self.path = path
        self._lock = threading.Lock()
        self._content: dict[str, Any] = {_FORMAT_KEY: FORMAT, "catalogs": [], "views": []}
        if path.exists():
            self._content = _read(path)

    def catalogs(self) -> tuple[CatalogConfig, ...]:
        """Return the catalogs kept."""
        return tuple(
            CatalogConfig(
                name=entry["name"],
                connector=entry["connector"],
                options=dict(entry["options"]),
                origin=f"catalog store {self.path.name}",
                base=Path(entry["base"]) if entry["base"] else None,
            )
            for entry in self._content["catalogs"]
        )

    def views(self) -> tuple[View, ...]:
        """Return the views kept."""
        return tuple(
            View(
                path=TablePath(*entry["path"]),
                text=entry["text"],
                columns=tuple(entry["columns"]),
                catalog=entry["catalog"],
                schema=entry["schema"],
            )
            for entry in self._content["views"]
        )

    def put_catalog(self, config: CatalogConfig) -> None:
        """Keep a catalog, replacing one of its name."""
        entry = {
            "name": config.name,
            "connector": config.connector,
            "options": dict(config.options),
            "base": str(config.base) if config.base else None,
        }
        self._replace("catalogs", lambda other: other["name"] == config.name, entry)

    def remove_catalog(self, name: str) -> None:
        """Forget a catalog."""
        self._replace("catalogs", lambda other: other["name"] == name, None)

    def put_view(self, view: View) -> None:
        """Keep a view, replacing one of its name."""
        path = [view.path.catalog, view.path.schema, view.path.table]
        entry = {
            "path": path,
            "text": view.text,
            "columns": list(view.columns),
            "catalog": view.catalog,
            "schema": view.schema,
        }
        self._replace("views", lambda other: other["path"] == path, entry)

    def remove_view(self, path: TablePath) -> None:
        """Forget a view."""
        parts = [path.catalog, path.schema, path.table]
        self._replace("views", lambda other: other["path"] == parts, None)

    def _replace(
        self,
        kind: str,
        is_old: Callable[[dict[str, Any]], bool],
        entry: dict[str, Any] | None,
    ) -> None:
        with self._lock:
            kept = [other for other in self._content[kind] if not is_old(other)]
            content = {**self._content, kind: kept if entry is None else [*kept, entry]}
            _write(self.path, content)
            self._content = content


def check_secrets_are_references(config: CatalogConfig) -> None:
    """Check that no option holds a secret itself, which would then lie in the file.

    Raises:
        InvalidSetting: names the first option that does.
    """
    secrets = secret_options(load_connector(config.connector).options_type)
    for name, value in config.options.items():
        # An address is mostly no secret; only a password in it is.
        hidden = redact_option("password" if name in secrets - {"uri"} else name, value)
        if hidden != value:
            raise InvalidSetting(
                f'The option "{name}" of the catalog "{config.name}" holds a secret, which the '
                "catalog store does not keep.",
                hint="Write it as ${env:NAME} or ${file:PATH}.",
                option=name,
                catalog=config.name,
            )


def _read(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text())
        version = content[_FORMAT_KEY]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InvalidSetting(
            f'The catalog store "{path}" cannot be read: {error}.',
            hint="Mend or remove the file, or point igloo.catalog_store elsewhere.",
        ) from error
    if version != FORMAT:
        raise InvalidSetting(
            f'The catalog store "{path}" has format {version}; this Igloo reads format {FORMAT}.',
            hint="Use the version of Igloo that wrote it, or a newer one.",
        )
    return dict(content)


def _write(path: Path, content: dict[str, Any]) -> None:
    """Replace the file in one step, so that a crash leaves the old one or the new one."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name)
        with os.fdopen(handle, "w") as file:
            json.dump(content, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except OSError as error:
        raise InvalidSetting(
            f'The catalog store "{path}" cannot be written: {error.strerror}.',
            hint="Check the folder's permissions.",
        ) from error
