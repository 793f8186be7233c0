"""Igloo and its judges, with the same tables in each."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import adbc_driver_postgresql.dbapi as driver
import duckdb
import pyarrow.parquet as pq

import igloo
from fuzz.spelling import FORMS, Speller

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    import pyarrow as pa

    from fuzz.tables import TableData
    from fuzz.tree import Query

SOURCES = ("memory", "parquet", "postgres")
MODES = ("full", "scan", "off")
#: A judge that has not answered until then does not judge.
JUDGE_LIMIT_MS = 10_000
#: Rows are few: what takes so long has stopped.
IGLOO_LIMIT = "30s"


class Rejected(Exception):
    """An engine does not take a statement; its words say why."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Where Igloo finds each table, and how much it leaves to the source."""

    sources: Mapping[str, str]
    mode: str = "full"

    def __str__(self) -> str:
        places = ", ".join(f"{table} in {source}" for table, source in self.sources.items())
        return f"{places}, igloo.pushdown = {self.mode}"


class Engines:
    """Igloo, PostgreSQL and DuckDB; one set of tables at a time."""

    def __init__(self, uri: str, folder: Path) -> None:
        self.folder = folder
        self.number = 0
        self.laid: tuple[TableData, ...] = ()
        #: What tests make of a statement before Igloo gets it, to see that it is noticed.
        self.planted: Callable[[Query], Query] = lambda query: query
        self.judge = driver.connect(uri, autocommit=True)
        self._tell(f"SET statement_timeout = {JUDGE_LIMIT_MS}", "SET jit = off")
        self.duck = duckdb.connect()
        self.duck.execute("SET integer_division = true")
        self.duck.execute("SET default_null_order = 'nulls_last_on_asc_first_on_desc'")
        self.db = igloo.connect(settings={"timeout": IGLOO_LIMIT})
        self.db.sql(f"CREATE CATALOG pg USING postgres WITH (uri = '{uri}')")

    def close(self) -> None:
        self._remove()
        self.db.close()
        self.judge.close()
        self.duck.close()

    @property
    def schema(self) -> str:
        """The PostgreSQL schema of the tables; a new one for each set, so that nothing is stale."""
        return f"fuzz_{os.getpid()}_{self.number}"

    def lay(self, tables: Sequence[TableData]) -> None:
        """Lay the tables into every engine and source, instead of those before."""
        if self.laid == tuple(tables):
            return
        self._remove()
        self.number += 1
        self.laid = tuple(tables)
        self._tell(f"CREATE SCHEMA {self.schema}", f"SET search_path = {self.schema}")
        for table in tables:
            for statement in filter(None, (table.create(), table.insert())):
                self._tell(statement)
                self.duck.execute(statement)
            self.db.register(table.name, table.arrow())
            self._write(table)
        self.db.sql(f"CREATE CATALOG files USING files WITH (path = '{self._files}')")

    @property
    def _files(self) -> Path:
        return self.folder / str(self.number)

    def _write(self, table: TableData) -> None:
        """Write two files of small row groups where there are rows enough."""
        folder = self._files / table.name
        folder.mkdir(parents=True)
        rows = table.arrow()
        halves = [rows.slice(0, 4), rows.slice(4)] if rows.num_rows > 4 else [rows]
        for number, half in enumerate(halves):
            pq.write_table(half, folder / f"part-{number}.parquet", row_group_size=3)

    def _remove(self) -> None:
        for table in self.laid:
            self.db.unregister(table.name)
            self.duck.execute(f"DROP TABLE {table.name}")
        if self.laid:
            self.db.sql("DROP CATALOG files")
            shutil.rmtree(self._files)
            self._tell("SET search_path = public", f"DROP SCHEMA {self.schema} CASCADE")
        self.laid = ()

    def _tell(self, *statements: str) -> None:
        with self.judge.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)

    # -- asking ------------------------------------------------------------------------------------

    def spell(self, query: Query, layout: Layout) -> str:
        """Return the statement as Igloo gets it."""
        names = {table.name: self._name(table.name, layout) for table in self.laid}
        return Speller(FORMS["igloo"], names).query(self.planted(query))

    def _name(self, table: str, layout: Layout) -> str:
        source = layout.sources.get(table, "memory")
        if source == "postgres":
            return f"pg.{self.schema}.{table}"
        return f"files.main.{table}" if source == "parquet" else f"memory.public.{table}"

    def ask_igloo(self, query: Query, layout: Layout) -> tuple[list[tuple[Any, ...]], pa.Schema]:
        """Return rows and schema.

        Raises:
            Rejected: Igloo said in its own words that it does not do this.
        """
        self.db.sql(f"SET igloo.pushdown = {layout.mode}")
        try:
            result = self.db.sql(self.spell(query, layout))
            return result.fetchall(), result.schema
        except igloo.errors.UserError as error:
            raise Rejected(f"{type(error).__name__}: {error}") from error

    def ask_postgres(self, query: Query) -> list[tuple[Any, ...]]:
        with self.judge.cursor() as cursor:
            try:
                cursor.execute(Speller(FORMS["postgres"]).query(query))
                table = cursor.fetch_arrow_table()
            except driver.Error as error:
                raise Rejected(str(error)) from error
        return rows_of(table)

    def ask_duckdb(self, query: Query) -> list[tuple[Any, ...]]:
        try:
            return self.duck.execute(Speller(FORMS["duckdb"]).query(query)).fetchall()
        except duckdb.Error as error:
            raise Rejected(str(error)) from error


def rows_of(table: pa.Table) -> list[tuple[Any, ...]]:
    """Return the rows; ``numeric`` is text in this driver."""
    columns = []
    for column in table.columns:
        type_ = column.type
        stored = column.cast(type_.storage_type) if hasattr(type_, "storage_type") else column
        columns.append(stored.to_pylist())
    return list(zip(*columns, strict=True)) if columns else []
