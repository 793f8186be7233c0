"""Whether the engine answers, and each catalog: all at once, each within its time."""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future, wait
from typing import TYPE_CHECKING

from igloo.cli.doctor.findings import Finding, Status, failure
from igloo.cli.progress import count
from igloo.names import quote_identifier

if TYPE_CHECKING:
    from collections.abc import Iterator

    from igloo.cli.statements import Connection

AREA = "catalogs"
ENGINE_AREA = "engine"
_BUILT_IN = "built in"


def engine_answers(connection: Connection) -> Finding:
    """Return whether a statement runs at all."""
    started_s = time.monotonic()
    try:
        with connection.sql("SELECT 1") as result:
            result.fetchall()
    except Exception as error:  # noqa: BLE001 - that is what is asked
        return failure(ENGINE_AREA, "statements", error)
    return Finding(
        ENGINE_AREA, "statements", Status.OK, f"SELECT 1 answered in {_since(started_s)}"
    )


def reachable(connection: Connection, *, limit_s: float) -> Iterator[Finding]:
    """Yield how each catalog answers, in the order of their names."""
    with connection.sql("SHOW CATALOGS") as result:
        rows = [row for row in result.fetchall() if row[2] != _BUILT_IN]
    if not rows:
        text = "none is configured"
        hint = "Write one into igloo.toml, or make one with CREATE CATALOG."
        yield Finding(AREA, "all", Status.OK, text, hint)
    asked = [(_subject(row), _ask(connection, str(row[0]), _subject(row))) for row in rows]
    wait([future for _, future in asked], limit_s)
    for subject, future in asked:
        if future.done():
            yield future.result()
        else:
            text = f"It did not answer within {limit_s:g} s."
            hint = "Check its address and the network between; --timeout gives it longer."
            yield Finding(AREA, subject, Status.BROKEN, text, hint)


def _subject(row: tuple[object, ...]) -> str:
    name, connector, origin = row
    return f"{name} ({connector}, {origin})"


def _ask(connection: Connection, catalog: str, subject: str) -> Future[Finding]:
    """Ask on a thread of its own, which nobody waits for when its time is over."""
    outcome: Future[Finding] = Future()

    def run() -> None:
        outcome.set_result(_answer(connection, catalog, subject))

    threading.Thread(target=run, name="igloo-doctor", daemon=True).start()
    return outcome


def _answer(connection: Connection, catalog: str, subject: str) -> Finding:
    started_s = time.monotonic()
    name = quote_identifier(catalog)
    try:
        schemas = _first_column(connection, f"SHOW SCHEMAS FROM {name}")
        schema = next((s for s in ("public", "main") if s in schemas), "".join(schemas[:1]))
        tables: list[str] = []
        if schema:
            statement = f"SHOW TABLES FROM {name}.{quote_identifier(schema)}"
            tables = _first_column(connection, statement)
    except Exception as error:  # noqa: BLE001 - that is what is asked
        return failure(AREA, subject, error)
    text = f"answers in {_since(started_s)}: {count(len(schemas), 'schema')}"
    if not schema:
        hint = "Check what it points to, and what its user may see."
        return Finding(AREA, subject, Status.WARNING, text, hint)
    text += f", {count(len(tables), 'table')} in {schema}"
    if not tables and len(schemas) == 1:
        hint = "Check what it points to, and what its user may see."
        return Finding(AREA, subject, Status.WARNING, text, hint)
    return Finding(AREA, subject, Status.OK, text)


def _first_column(connection: Connection, statement: str) -> list[str]:
    with connection.sql(statement) as result:
        return [str(row[0]) for row in result.fetchall()]


def _since(started_s: float) -> str:
    return f"{(time.monotonic() - started_s) * 1000:,.0f} ms"
