"""Statements as values: Igloo's own, and those that DataFusion answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

#: A name as written, one part each; unquoted parts are folded to lower case.
Name = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Query:
    """Anything that returns rows and changes nothing."""

    text: str


@dataclass(frozen=True, slots=True)
class CreateCatalog:
    """``CREATE [OR REPLACE] CATALOG [IF NOT EXISTS] name USING connector WITH (…)``."""

    name: str
    connector: str
    options: Mapping[str, str]
    or_replace: bool = False
    if_not_exists: bool = False


@dataclass(frozen=True, slots=True)
class DropCatalog:
    """``DROP CATALOG [IF EXISTS] name``."""

    name: str
    if_exists: bool = False


@dataclass(frozen=True, slots=True)
class ShowCatalogs:
    """``SHOW CATALOGS``."""


@dataclass(frozen=True, slots=True)
class ShowSchemas:
    """``SHOW SCHEMAS [FROM catalog]``."""

    catalog: str | None = None


@dataclass(frozen=True, slots=True)
class ShowTables:
    """``SHOW TABLES [FROM catalog[.schema]]``."""

    name: Name = ()


@dataclass(frozen=True, slots=True)
class ShowSettings:
    """``SHOW SETTINGS`` or ``SHOW igloo.name``."""

    name: str | None = None


@dataclass(frozen=True, slots=True)
class Describe:
    """``DESCRIBE table``."""

    name: Name


@dataclass(frozen=True, slots=True)
class Explain:
    """``EXPLAIN [ANALYZE] query``."""

    text: str
    analyze: bool = False


@dataclass(frozen=True, slots=True)
class SetSetting:
    """``SET [SESSION] igloo.name = value``; None stands for DEFAULT."""

    name: str
    value: str | None


@dataclass(frozen=True, slots=True)
class ResetSetting:
    """``RESET igloo.name`` or ``RESET ALL``."""

    name: str | None = None


@dataclass(frozen=True, slots=True)
class Use:
    """``USE catalog[.schema]``."""

    name: Name


@dataclass(frozen=True, slots=True)
class CreateView:
    """``CREATE [OR REPLACE] VIEW [IF NOT EXISTS] name [(columns)] AS query``."""

    name: Name
    text: str
    columns: tuple[str, ...] = ()
    or_replace: bool = False
    if_not_exists: bool = False


@dataclass(frozen=True, slots=True)
class DropView:
    """``DROP VIEW [IF EXISTS] name``."""

    name: Name
    if_exists: bool = False


@dataclass(frozen=True, slots=True)
class CreateTable:
    """``CREATE TABLE [IF NOT EXISTS] name (columns)``; ``definition`` is the text in brackets."""

    name: Name
    definition: str
    or_replace: bool = False
    if_not_exists: bool = False


@dataclass(frozen=True, slots=True)
class CreateTableAs:
    """``CREATE TABLE [IF NOT EXISTS] name AS query``."""

    name: Name
    text: str
    or_replace: bool = False
    if_not_exists: bool = False


@dataclass(frozen=True, slots=True)
class CreateExternalTable:
    """``CREATE EXTERNAL TABLE name STORED AS format LOCATION 'path' [OPTIONS (…)]``."""

    name: Name
    format: str
    location: str
    options: Mapping[str, str]
    or_replace: bool = False
    if_not_exists: bool = False


@dataclass(frozen=True, slots=True)
class DropTable:
    """``DROP TABLE [IF EXISTS] name``."""

    name: Name
    if_exists: bool = False


@dataclass(frozen=True, slots=True)
class Insert:
    """``INSERT INTO name …``; DataFusion plans the rows from the whole text."""

    name: Name
    text: str


@dataclass(frozen=True, slots=True)
class CopyTo:
    """``COPY query TO 'path' …``; DataFusion writes the files."""

    text: str
    location: str


@dataclass(frozen=True, slots=True)
class RefreshTable:
    """``REFRESH TABLE name``: forget what is remembered of it."""

    name: Name


Statement = (
    Query
    | CreateCatalog
    | DropCatalog
    | ShowCatalogs
    | ShowSchemas
    | ShowTables
    | ShowSettings
    | Describe
    | Explain
    | SetSetting
    | ResetSetting
    | Use
    | CreateView
    | DropView
    | CreateTable
    | CreateTableAs
    | CreateExternalTable
    | DropTable
    | Insert
    | CopyTo
    | RefreshTable
)
