import threading
from typing import ClassVar

import pytest

from igloo.cli.shell import words
from igloo.cli.shell.candidates import candidates
from igloo.cli.shell.names import LIMIT_S, KnownNames, Look
from igloo.cli.shell.scope import scope_at
from igloo.engine.planner.parse import _PARSERS


class Names:
    """Two catalogs, as a test wants them."""

    place = ("memory", "public")
    known: ClassVar = {
        "memory": {"public": ["people", "Odd Table"]},
        "pg": {"public": ["orders"], "hr": ["staff"]},
    }

    def catalogs(self):
        return sorted(self.known)

    def schemas(self, catalog):
        return sorted(self.known.get(catalog, {}))

    def tables(self, catalog, schema):
        return self.known.get(catalog, {}).get(schema, [])

    def columns(self, table):
        return {"people": ["id", "name", "order"], "orders": ["id", "total"]}.get(table[-1], [])


def offered(text):
    before, _, after = text.partition("|")
    return [c.text for c in candidates(scope_at(before + after, len(before)), Names())]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("select * from |", ["people", '"Odd Table"', "memory", "pg", "public"]),
        ("select * from PE|", ["people"]),
        ('select * from "O|', ['"Odd Table"']),
        ("select * from pg.|", ["orders", "hr", "public"]),
        ("select * from pg.hr.|", ["staff"]),
        ("select * from public.p|", ["people"]),
        ("select * from people, pg.o|", ["orders"]),
        ("select * from people p join pg.public.o|", ["orders"]),
        ("select p.| from people p", ["id", "name", '"order"']),
        ("select | from pg.orders where x", ["id", "total", "orders"]),
        ("select people.na| from people", ["name"]),
        ("select pg.public.orders.t| from pg.public.orders", ["total"]),
        ("with mine as (select 1) select * from mi|", ["mine"]),
        ("insert into pe|", ["people"]),
        ("describe pg.hr.s|", ["staff"]),
        ("use pg.|", ["hr", "public"]),
        ("show tables from p|", ["pg", "public"]),
        ("drop catalog p|", ["pg"]),
        ("set igloo.pushd|", ["pushdown"]),
        ("set igl| = 5", [f"{name}" for name in words.setting_names()]),
        ("set igloo.pushdown = |", ["full", "scan", "off"]),
        ("set session igloo.pushdown to s|", ["scan"]),
        ("show se|", ["settings"]),
        ("create ca|", ["catalog"]),
        ("create catalog x using f|", ["files"]),
        ("select 'from |", []),
        ("select 1 -- from |", []),
        ("select 1 from people where a = 1; sel|", ["select"]),
        ("select x from t gr|", ["group by", "greatest", "grouping"]),
        ("GROUP |", ["BY"]),
    ],
)
def test_what_fits_the_place_is_offered(text, expected):
    found = offered(text)
    assert found[: len(expected)] == expected
    if "select | " not in text:
        assert found == expected


def test_a_word_that_every_statement_starts_with_is_known():
    known = {*words.STARTS, "DESC"}
    assert [word for word in _PARSERS if word not in known] == []


def test_functions_are_those_of_datafusion_and_ours():
    assert {"sum", "upper", "remote_query"} <= set(words.function_names())
    assert offered("select upp| from people") == ["upper"]


class Source:
    """A connection that answers when the test lets it."""

    current_schema = ("memory", "public")

    def __init__(self):
        self.asked = []
        self.may_answer = threading.Event()
        self.error = None

    def sql(self, text):
        import igloo

        self.asked.append(text)
        assert self.may_answer.wait(30)
        if self.error is not None:
            raise self.error
        return igloo.connect().sql("SELECT 'a' AS name")


@pytest.fixture
def source():
    made = Source()
    yield made
    made.may_answer.set()


def wait_for(condition):
    waiting = threading.Event()
    for _ in range(3000):
        if condition():
            return
        waiting.wait(0.01)
    raise AssertionError("it did not come to that")


def test_a_question_is_asked_once_behind_the_back_and_remembered(source):
    known = KnownNames(source)
    look = Look(known)
    assert (look.catalogs(), look.is_waiting) == ((), True)
    assert Look(known).catalogs() == ()
    source.may_answer.set()
    wait_for(lambda: Look(known).catalogs() == ("a",))
    look = Look(known)
    assert (look.catalogs(), look.is_waiting) == (("a",), False)
    assert source.asked == ["SHOW CATALOGS"]
    known.forget()
    assert Look(known).catalogs() == ()
    wait_for(lambda: Look(known).catalogs() == ("a",))


def test_a_source_that_fails_is_silent_and_left_alone_for_a_while(source):
    now_s = [0.0]
    known = KnownNames(source, clock_s=lambda: now_s[0])
    source.error = OSError("it burns")
    source.may_answer.set()
    Look(known).schemas("pg")

    def is_answered():
        look = Look(known)
        return look.schemas("pg") == () and not look.is_waiting

    wait_for(is_answered)
    assert len(source.asked) == 1
    now_s[0] += 60
    Look(known).schemas("pg")
    wait_for(lambda: len(source.asked) == 2)


def test_a_source_that_is_stuck_is_waited_for_no_longer_and_asked_no_more(source):
    now_s = [0.0]
    known = KnownNames(source, clock_s=lambda: now_s[0])
    look = Look(known)
    look.schemas("dead")
    assert look.is_waiting
    now_s[0] += LIMIT_S
    look = Look(known)
    assert (look.schemas("dead"), look.is_waiting) == ((), False)
    assert (look.tables("dead", "public"), look.is_waiting) == ((), False)
    # Another catalog is asked all the same.
    look.schemas("alive")
    assert look.is_waiting
    wait_for(lambda: len(source.asked) == 2)
    assert not [text for text in source.asked if "TABLES" in text]
