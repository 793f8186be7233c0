"""Every setting of Igloo: its name, type, default and meaning, and the values in force."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, cast

from igloo.config import machine
from igloo.config.declared import SETTINGS, Setting
from igloo.config.parsing import parse_value
from igloo.config.secrets import MASK
from igloo.errors import InvalidSetting, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["PREFIX", "SETTINGS", "Setting", "SettingRow", "Settings"]

PREFIX = "igloo."
DEFAULT = "default"
SESSION = "session"
FLAG = "flag"
#: Origins that the user has just typed: naming them would say nothing.
_UNNAMED = frozenset({DEFAULT, SESSION, FLAG})

_BY_NAME: Mapping[str, Setting] = MappingProxyType({setting.name: setting for setting in SETTINGS})


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingRow:
    """One line of ``SHOW SETTINGS``: everything as text, a secret as dots."""

    name: str
    value: str
    default: str
    origin: str
    description: str


@dataclass(frozen=True, slots=True)
class _Value:
    text: str
    typed: object
    origin: str


@dataclass(frozen=True, slots=True)
class Settings:
    """The values in force, each with where it came from. Immutable: a change makes a new one."""

    _configured: Mapping[str, _Value] = field(repr=False)
    _session: Mapping[str, _Value] = field(default_factory=dict, repr=False)

    @staticmethod
    def defaults() -> Settings:
        """Return the settings of a connection that nobody configured."""
        return Settings(
            {setting.name: _parsed(setting, setting.default, DEFAULT, None) for setting in SETTINGS}
        )

    @staticmethod
    def declaration(name: str) -> Setting:
        """Return what is declared for ``name``, with or without the prefix ``igloo.``.

        Raises:
            InvalidSetting: there is no such setting.
        """
        full = name.strip().lower()
        full = full if full.startswith(PREFIX) else PREFIX + full
        if full not in _BY_NAME:
            raise InvalidSetting(
                f'There is no setting "{name}".', hint=did_you_mean(full, _BY_NAME), setting=name
            )
        return _BY_NAME[full]

    def with_value(
        self, name: str, value: object, *, origin: str, base: Path | None = None
    ) -> Settings:
        """Return settings in which ``name`` has ``value``.

        Args:
            name: with or without the prefix ``igloo.``.
            value: text, parsed as the setting's type; or an int, bool, Path, or None where the
                setting may be absent.
            origin: where the value comes from. ``session`` marks a change by SET, which RESET
                takes back; everything else is configuration.
            base: folder that a relative path starts from; the working folder if None.

        Raises:
            InvalidSetting: no such setting, a value it cannot have, or one SET may not change.
        """
        setting = self.declaration(name)
        if origin == SESSION and not setting.session:
            raise InvalidSetting(
                f'The setting "{setting.name}" is fixed when the connection opens.',
                hint="Set it in igloo.toml, in the environment, or when connecting.",
                setting=setting.name,
            )
        parsed = _parsed(setting, value, origin, base)
        if origin == SESSION:
            return Settings(self._configured, {**self._session, setting.name: parsed})
        return Settings({**self._configured, setting.name: parsed}, self._session)

    def without(self, name: str) -> Settings:
        """Return settings in which ``name`` is again what configuration said (RESET).

        Raises:
            InvalidSetting: there is no such setting.
        """
        full = self.declaration(name).name
        return Settings(self._configured, {k: v for k, v in self._session.items() if k != full})

    def get(self, name: str) -> object:
        """Return the typed value: str, int, float seconds, int bytes, Path, or None.

        Raises:
            InvalidSetting: there is no such setting.
        """
        return self._value(self.declaration(name).name).typed

    def origin(self, name: str) -> str:
        """Return where the value of ``name`` comes from, e.g. ``igloo.toml:12``."""
        return self._value(self.declaration(name).name).origin

    def rows(self) -> tuple[SettingRow, ...]:
        """Return one row for each setting, in order of name."""
        return tuple(self._row(setting) for setting in sorted(SETTINGS, key=lambda s: s.name))

    def _row(self, setting: Setting) -> SettingRow:
        value = self._value(setting.name)
        return SettingRow(
            name=setting.name,
            value=MASK if setting.secret and value.text else value.text,
            default=setting.default or "",
            origin=value.origin,
            description=setting.description,
        )

    def _value(self, full_name: str) -> _Value:
        return self._session.get(full_name) or self._configured[full_name]

    def _text(self, name: str) -> str:
        return cast("str", self.get(name))

    def _number(self, name: str) -> int:
        return cast("int", self.get(name))

    @property
    def pushdown(self) -> Literal["full", "scan", "off"]:
        """How much work may be sent to sources."""
        return cast("Literal['full', 'scan', 'off']", self.get("pushdown"))

    @property
    def rewrites(self) -> bool:
        """Whether statements are rewritten around wrong rows."""
        return self._text("rewrites") == "on"

    @property
    def freshness(self) -> str:
        """How old a remembered answer may be; ``bounded(…)`` as it was written."""
        return self._text("freshness")

    @property
    def session_token(self) -> str:
        """The token that freshness ``session`` waits for; empty when there is none."""
        return self._text("session_token")

    @property
    def execution(self) -> str:
        """Where queries run."""
        return self._text("execution")

    @property
    def timeout_s(self) -> float | None:
        """Seconds after which a query is stopped; None for no limit."""
        return cast("float", self.get("timeout")) or None

    @property
    def memory_limit_bytes(self) -> int:
        """Bytes that the operators of all queries of a connection may hold."""
        return self._number("memory_limit")

    @property
    def timezone(self) -> str:
        """IANA name or offset of the session's time zone."""
        return self._text("timezone")

    @property
    def batch_rows(self) -> int:
        """Rows in one batch at most."""
        return self._number("batch_rows")

    @property
    def target_partitions(self) -> int:
        """How many parts a query is worked on at once; at least one."""
        return self._number("target_partitions") or _processors()

    @property
    def catalog_store(self) -> Path | None:
        """Where catalogs and views made by SQL are kept; None to forget them at close."""
        return cast("Path | None", self.get("catalog_store"))

    @property
    def limits_cross_join_rows(self) -> int:
        """Pairs of rows above which a join that cannot be cancelled is refused."""
        return self._number("limits.cross_join_rows")

    @property
    def limits_statement_bytes(self) -> int:
        """Bytes of the longest statement."""
        return self._number("limits.statement_bytes")

    @property
    def limits_nesting_depth(self) -> int:
        """Levels of the deepest statement."""
        return self._number("limits.nesting_depth")

    @property
    def limits_expression_terms(self) -> int:
        """Operators in the longest chain."""
        return self._number("limits.expression_terms")

    @property
    def limits_result_rows_kept(self) -> int | None:
        """Rows that a whole conversion may keep; None for no limit."""
        return self._number("limits.result_rows_kept") or None

    @property
    def limits_query_history(self) -> int:
        """Finished queries that ``system.queries`` remembers."""
        return self._number("limits.query_history")

    @property
    def limits_spill_bytes(self) -> int:
        """Bytes of temporary files that all queries of a connection may hold."""
        return self._number("limits.spill_bytes")


@cache
def _processors() -> int:
    """Return the processors of this process, which are read from many files, once."""
    return machine.processor_count()


def _parsed(setting: Setting, value: object, origin: str, base: Path | None) -> _Value:
    try:
        text, typed = parse_value(setting, value, base=base)
    except ValueError as error:
        shown = MASK if setting.secret else value
        place = "" if origin in _UNNAMED else f"{origin}: "
        raise InvalidSetting(
            f'{place}The setting "{setting.name}" cannot be "{shown}": {error}.',
            hint=f"Allowed: {', '.join(setting.choices)}." if setting.choices else "",
            setting=setting.name,
            origin=origin,
        ) from None
    return _Value(text, typed, origin)
