"""Through the engine: what a source takes changes no answer, and the plan says what it took."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import igloo
from igloo.connectors.contract import HoldsArrow, ListsFiles, Operator, Pushdown
from igloo.connectors.predicates import And, Column, Like
from igloo.names import quote_identifier
from igloo.testing.conformance import tables as samples
from igloo.testing.conformance.hooks import ConformanceHooks
from igloo.testing.conformance.predicate_cases import Literals
from igloo.testing.conformance.reading import assert_rows_among, assert_same_rows, keep

if TYPE_CHECKING:
    from collections.abc import Callable

    from igloo.connectors.contract import Connector, Table
    from igloo.connectors.predicates import Predicate

#: How much may be pushed, from nothing to all that is proven.
_LEVELS = ("off", "scan", "full")
#: Conditions as SQL, the columns that they read, and what they mean.
_CONDITIONS: dict[str, tuple[tuple[str, ...], Callable[[Literals], Predicate]]] = {
    "id < 30": (("id",), lambda x: x.compare("id", "<", 30)),
    "id >= 30 AND id <> 40": (
        ("id",),
        lambda x: And((x.compare("id", ">=", 30), x.compare("id", "<>", 40))),
    ),
    "name = 'a'": (("name",), lambda x: x.compare("name", "=", "a")),
    "name < 'a'": (("name",), lambda x: x.compare("name", "<", "a")),
    "name LIKE 'a%'": (("name",), lambda _: Like(Column("name"), "a%")),
}


class EngineTests(ConformanceHooks):
    """Statements over the table of facts."""

    def test_the_engine_answers_the_same_however_much_is_pushed(self, make: Any) -> None:
        connector = make({samples.FACTS: self.facts()})
        with _connected(connector) as db:
            for level in _LEVELS:
                db.sql(f"SET igloo.pushdown = '{level}'")
                self._check_answers(db, _quoted(connector), level)

    def test_the_plan_says_what_the_source_leaves(self, make: Any) -> None:
        connector = make({samples.FACTS: self.facts()})
        table = self.table(connector, samples.FACTS)
        is_claimed = Operator.FILTER in connector.capabilities.operators
        with _connected(connector) as db:
            for condition, predicate in self._conditions(self.stored(self.facts())).items():
                plan = _plan(db, f"SELECT id FROM {_quoted(connector)} WHERE {condition}")  # noqa: S608 - our own
                offered = Pushdown(columns=("id",), filter=predicate)
                if isinstance(predicate, Like) or _is_native(connector, table, offered):
                    continue  # the engine applies these in any case
                is_left = connector.plan_scan(table, offered).residual is not None
                says_left = "operator=filter" in plan
                assert says_left == is_left, (
                    f"{condition}: left is {is_left}, and the plan says\n{plan}"
                )
                assert says_left or is_claimed, f"FILTER is not claimed, yet {condition} is taken"

    def _check_answers(self, db: igloo.Connection, source: str, level: str) -> None:
        whole = self.stored(self.facts())
        for condition, predicate in self._conditions(whole).items():
            wanted, told = keep(whole, predicate), f"{condition}, pushdown {level}"
            sql = f"SELECT * FROM {source} WHERE {condition}"  # noqa: S608 - our own
            assert_same_rows(db.sql(sql).to_arrow(), wanted, told)
            limited = db.sql(f"{sql} LIMIT 2").to_arrow()
            assert_rows_among(limited, wanted, f"{told}, LIMIT 2")
            assert limited.num_rows == min(2, wanted.num_rows), f"{told}, LIMIT 2"
        counted = db.sql(f"SELECT count(*) FROM {source}").fetchall()  # noqa: S608 - our own
        assert counted == [(samples.FACTS_ROWS,)], f"count(*), pushdown {level}"
        assert len(db.sql(f"SELECT id FROM {source} LIMIT 7").fetchall()) == 7  # noqa: S608 - our own

    def _conditions(self, whole: Any) -> dict[str, Predicate]:
        literals, present = Literals(whole.schema), set(whole.column_names)
        return {
            condition: build(literals)
            for condition, (reads, build) in _CONDITIONS.items()
            if present.issuperset(reads)
        }


def _connected(connector: Connector) -> igloo.Connection:
    """Return a connection that has ``connector`` as a catalog, and closes it at its end."""
    db = igloo.connect()
    db._engine.catalogs.build_in(connector)  # noqa: SLF001 - no statement makes this catalog
    return db


def _quoted(connector: Connector) -> str:
    parts = (connector.catalog, connector.default_schema, samples.FACTS)
    return ".".join(map(quote_identifier, parts))


def _is_native(connector: Connector, table: Table, offered: Pushdown) -> bool:
    """Return whether the engine reads the table itself, without asking for a scan."""
    if isinstance(connector, ListsFiles) and connector.list_files(table, offered) is not None:
        return True
    return isinstance(connector, HoldsArrow) and connector.arrow_table(table) is not None


def _plan(db: igloo.Connection, sql: str) -> str:
    rows = dict(db.sql(f"EXPLAIN {sql}").fetchall())
    return str(rows["igloo_plan"])
