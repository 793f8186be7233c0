"""A session: where its names start, and what it has set."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from igloo.engine.catalog.resolve import START, Place

if TYPE_CHECKING:
    from igloo.config.settings import Settings


class Session:
    """The state between one user's statements. Thread-safe; a statement sees one state of it."""

    def __init__(self, settings: Settings) -> None:
        self._lock = threading.Lock()
        self._settings = settings
        self._place = START

    @property
    def settings(self) -> Settings:
        """The settings in force."""
        return self._settings

    @property
    def place(self) -> Place:
        """The current catalog and schema."""
        return self._place

    def set_value(self, name: str, value: str) -> None:
        """Change a setting for this session.

        Raises:
            InvalidSetting: there is no such setting, or it cannot have this value.
        """
        with self._lock:
            self._settings = self._settings.with_value(name, value, origin="session")

    def reset(self, name: str | None) -> None:
        """Put a setting back to what the configuration says; all of them for None.

        Raises:
            InvalidSetting: there is no such setting.
        """
        with self._lock:
            names = [row.name for row in self._settings.rows()] if name is None else [name]
            for each in names:
                self._settings = self._settings.without(each)

    def use(self, place: Place) -> None:
        """Change the current catalog and schema."""
        with self._lock:
            self._place = place
