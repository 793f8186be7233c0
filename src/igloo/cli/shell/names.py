"""What completion knows of catalogs, schemas, tables and columns; sources are asked behind it.

Nothing here waits for a source: a question returns what is known, and a thread asks for the rest.
A source that does not answer in time, or not at all, is silent: it has no names.
"""

from __future__ import annotations

import contextlib
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from igloo.names import quote_identifier

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from igloo.cli.statements import Connection

#: How long a source may take before completion gives up on it.
LIMIT_S = 3.0
#: How long names are taken to hold; older ones are shown and asked for again.
_FRESH_S = 60.0
#: How long a source that failed is left alone.
_LEFT_ALONE_S = 15.0
#: Threads that may wait for sources at once.
_QUESTIONS_MAX = 8

Names = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Known:
    """Names that a question brought, and until when they are taken as they are."""

    names: Names
    fresh_until_s: float


class KnownNames:
    """The names of one connection. Thread-safe."""

    def __init__(
        self, connection: Connection, *, clock_s: Callable[[], float] = time.monotonic
    ) -> None:
        self._connection = connection
        self._clock_s = clock_s
        self._lock = threading.Lock()
        self._known: dict[str, _Known] = {}
        #: Questions that wait for an answer: the catalog that is asked, and since when.
        self._asked: dict[str, tuple[str, float]] = {}
        self._generation = 0

    @property
    def place(self) -> tuple[str, str]:
        """The current catalog and schema."""
        return self._connection.current_schema

    def answer(self, question: str, catalog: str) -> tuple[Names, bool]:
        """Return the names that are known, and whether better ones may come in time."""
        with self._lock:
            now_s = self._clock_s()
            known = self._known.get(question)
            if known is None or known.fresh_until_s < now_s:
                self._ask(question, catalog, now_s)
            asked = self._asked.get(question)
            may_come = known is None and asked is not None and now_s - asked[1] < LIMIT_S
            return (known.names if known is not None else ()), may_come

    def forget(self) -> None:
        """Ask for everything anew, for a statement may have changed it."""
        with self._lock:
            self._generation += 1
            self._known.clear()

    def _ask(self, question: str, catalog: str, now_s: float) -> None:
        """Start a thread that asks, unless it would only wait behind others."""
        is_stuck = any(
            stuck == catalog and now_s - since_s >= LIMIT_S
            for stuck, since_s in self._asked.values()
        )
        if question in self._asked or is_stuck or len(self._asked) >= _QUESTIONS_MAX:
            return
        self._asked[question] = (catalog, now_s)
        threading.Thread(
            target=self._learn,
            args=(question, self._generation),
            name="igloo-completion",
            daemon=True,
        ).start()

    def _learn(self, question: str, generation: int) -> None:
        names: Names = ()
        fresh_s = _LEFT_ALONE_S
        # Whatever is wrong with the source, the user did not ask about it.
        with contextlib.suppress(Exception):
            with self._connection.sql(question) as result:
                column = result.to_arrow().column(0)
            names = tuple(str(name) for name in column.to_pylist())
            fresh_s = _FRESH_S
        with self._lock:
            self._asked.pop(question, None)
            if generation == self._generation:
                self._known[question] = _Known(names, self._clock_s() + fresh_s)


class Look:
    """One look at the names, which remembers whether something was missing.

    Attributes:
        is_waiting: whether a source was asked for something that it may still answer in time.
    """

    def __init__(self, known: KnownNames) -> None:
        self._known = known
        self.is_waiting = False

    @property
    def place(self) -> tuple[str, str]:
        """The current catalog and schema."""
        return self._known.place

    def catalogs(self) -> Names:
        """Return the catalogs."""
        return self._names("SHOW CATALOGS", "")

    def schemas(self, catalog: str) -> Names:
        """Return the schemas of a catalog."""
        return self._names(f"SHOW SCHEMAS FROM {quote_identifier(catalog)}", catalog)

    def tables(self, catalog: str, schema: str) -> Names:
        """Return the tables and views of a schema."""
        place = f"{quote_identifier(catalog)}.{quote_identifier(schema)}"
        return self._names(f"SHOW TABLES FROM {place}", catalog)

    def columns(self, table: Sequence[str]) -> Names:
        """Return the columns of a table that is named as SQL would name it."""
        name = ".".join(map(quote_identifier, table))
        # USE, which gives short names another meaning, makes everything forgotten.
        return self._names(f"DESCRIBE {name}", table[0] if len(table) > 1 else self.place[0])

    def _names(self, question: str, catalog: str) -> Names:
        names, may_come = self._known.answer(question, catalog)
        self.is_waiting = self.is_waiting or may_come
        return names
