"""Runs the demo: makes the tables, asks the question, tells what happened."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import igloo
from igloo.demo.question import QUESTION
from igloo.demo.report import Progress, Report
from igloo.demo.tables import DemoFolder, make_tables, open_folder
from igloo.names import quote_literal
from igloo.testing.servers import PostgresServer

if TYPE_CHECKING:
    from collections.abc import Sequence


def run_demo(output: TextIO = sys.stdout, folder: Path = Path(".demo")) -> int:
    """Ask one question of PostgreSQL, Parquet and Iceberg, and print all that came of it.

    The first run makes TPC-H tables at scale 0.1 and takes some seconds; later runs find them.

    Args:
        output: gets the answer; progress goes to standard error.
        folder: keeps the tables; some 150 MB.

    Returns:
        0, the exit code of success.

    Raises:
        IglooError: a table cannot be made or the question cannot be answered.
    """
    progress = Progress(sys.stderr)
    report = Report(output)
    with open_folder(folder) as place:
        server = PostgresServer(place.postgres)
        with progress.step("PostgreSQL itself"):
            server.start()
        try:
            make_tables(place, server, progress.step)
            _ask(place, server, report)
        finally:
            server.stop()
    return 0


def _ask(place: DemoFolder, server: PostgresServer, report: Report) -> None:
    # A configuration of its own: what the caller has set up must not change the demo.
    with igloo.connect(str(place.configuration)) as db:
        for statement in _catalogs(place, server):
            db.sql(statement)
        report.show_sources(place, server)
        report.show_question(QUESTION)
        result = db.sql(QUESTION)
        rows = result.to_arrow()
        report.show_rows(rows)
        report.show_work(result.stats)
        report.show_next(place)


def _catalogs(place: DemoFolder, server: PostgresServer) -> Sequence[str]:
    return (
        f"CREATE CATALOG pg USING postgres WITH (uri = {quote_literal(server.uri)})",
        f"CREATE CATALOG files USING files WITH (path = {quote_literal(str(place.parquet))})",
        (
            "CREATE CATALOG lake USING iceberg WITH (type = 'sql', "
            f"uri = {quote_literal(f'sqlite:///{place.warehouse}/catalog.db')}, "
            f"warehouse = {quote_literal(str(place.warehouse))})"
        ),
    )
