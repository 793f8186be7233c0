"""What the demo prints."""

from __future__ import annotations

import contextlib
import shlex
import sys
import time
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from rich.console import Console
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa

    from igloo.demo.tables import DemoFolder
    from igloo.result import QueryStats, SourceStats
    from igloo.testing.servers import PostgresServer

#: A step that was quicker is not worth a line.
_SLOW_S = 0.25


class Progress:
    """Tells which slow step runs, and how long it took."""

    def __init__(self, output: TextIO) -> None:
        self._console = Console(file=output, highlight=False)

    @contextlib.contextmanager
    def step(self, text: str) -> Iterator[None]:
        """Show ``text`` while the block runs; a spinner on a terminal, a line elsewhere."""
        started = time.monotonic()
        with self._console.status(Text(f"Preparing {text} …")):
            yield
        elapsed = time.monotonic() - started
        if elapsed >= _SLOW_S:
            self._console.print(Text(f"Prepared {text}: {elapsed:.1f} s"), soft_wrap=True)


class Report:
    """Prints the demo's parts in their order."""

    def __init__(self, output: TextIO) -> None:
        self._console = Console(file=output, highlight=False)

    def show_sources(self, place: DemoFolder, server: PostgresServer) -> None:
        """Name the three systems and what lies in each."""
        table = Table("catalog", "system", "tables", title="Three systems", title_justify="left")
        table.add_row("pg", f"PostgreSQL, {server.host}:{server.port}", "customer, orders")
        table.add_row("files", f"Parquet, {place.parquet}", "lineitem")
        table.add_row("lake", f"Iceberg, {place.warehouse}", "part, supplier")
        self._console.print(table)

    def show_question(self, sql: str) -> None:
        """Print the statement."""
        self._console.print()
        self._console.print(Text("One statement over all of them", style="italic"))
        self._console.print(Syntax(sql, "sql", background_color="default"), soft_wrap=True)

    def show_rows(self, rows: pa.Table) -> None:
        """Print the answer."""
        table = Table(title="The answer", title_justify="left")
        records = [tuple(record.values()) for record in rows.to_pylist()]
        for name, value in zip(rows.schema.names, records[0], strict=True):
            table.add_column(name, justify="left" if isinstance(value, str) else "right")
        for record in records:
            table.add_row(*map(_shown, record))
        self._console.print()
        self._console.print(table)

    def show_work(self, stats: QueryStats) -> None:
        """Print what each source was asked, what it sent, and the time."""
        table = Table(
            "catalog", "asked", title="What each source did", title_justify="left", show_lines=True
        )
        table.add_column("rows", justify="right")
        table.add_column("bytes", justify="right")
        for catalog, source in sorted(stats.sources.items()):
            table.add_row(catalog, Text(_asked(source)), f"{source.rows:,}", f"{source.bytes:,}")
        self._console.print()
        self._console.print(table)
        self._console.print(
            Text(f"{stats.rows} rows in {stats.elapsed_ms / 1000:.2f} s", style="bold")
        )

    def show_next(self, place: DemoFolder) -> None:
        """Say what to try; each line can be pasted."""
        parquet, warehouse = (shlex.quote(str(p)) for p in (place.parquet, place.warehouse))
        command = _command()
        prefix = f"IGLOO_PARQUET_PATH={parquet} IGLOO_ICEBERG_WAREHOUSE={warehouse}"
        questions = {
            "query": "SELECT p_mfgr, count(*) FROM iceberg.shop.part GROUP BY 1",
            "explain": "SELECT max(l_shipdate) FROM parquet.main.lineitem",
        }
        lines = (
            "",
            "Try next (the tables stay where they are; PostgreSQL has been stopped):",
            f"  export {prefix}",
            f"  {command} catalogs",
            *(f'  {command} {word} "{sql}"' for word, sql in questions.items()),
        )
        for line in lines:
            self._console.print(Text(line), soft_wrap=True)


def _asked(source: SourceStats) -> str:
    lines = list(source.sql)
    if source.files_planned is not None:
        lines.append(f"{source.files_planned} of {source.files_total} files")
    return "\n".join(lines)


def _command() -> str:
    """Return how to call Igloo from here: the command stands beside this Python."""
    command = Path(sys.executable).parent / "igloo"
    if command.is_relative_to(Path.cwd()):
        command = command.relative_to(Path.cwd())
    return shlex.quote(str(command))


def _shown(value: object) -> str:
    if isinstance(value, Decimal):
        return f"{value:,.2f}"
    return f"{value:,}" if isinstance(value, int) else str(value)
