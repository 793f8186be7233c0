import datetime as dt
import math
import os
import random
from decimal import Decimal

import adbc_driver_postgresql.dbapi as driver
import pyarrow as pa
import pytest

from igloo.cancel import CancelToken
from igloo.connectors.predicates import (
    And,
    Column,
    Comparison,
    ComparisonOperator,
    InList,
    IsNull,
    Like,
    Literal,
    Not,
    Or,
    to_arrow,
)

OP = ComparisonOperator
ROWS = 400
ROUNDS = 300
UTC = dt.UTC
NUMBERS = (0, 1, -1, 2, 100, 32767, -32768)
WIDE = (*NUMBERS, 2**31 - 1, -(2**31), 2**53 + 1, 2**63 - 1, -(2**63))
FLOATS = (0.0, -0.0, 1.0, -1.5, 0.1, 1e300, math.inf, -math.inf, math.nan)
TEXTS = (
    "",
    "a",
    "A",
    "ä",
    "b",
    "B",
    "ab",
    "a b",
    "a_b",
    "a%b",
    "a\\b",
    "it's",
    "🧊",
    "\n",
    "z" * 50,
)
DECIMALS = tuple(map(Decimal, ("0", "0.01", "-0.01", "1.10", "99999999.99", "-99999999.99")))
DAYS = tuple(
    dt.date(*d) for d in ((1970, 1, 1), (1969, 12, 31), (2024, 2, 29), (1, 1, 1), (9999, 12, 31))
)
TIMES = (dt.time.min, dt.time(12, 0, 0, 1), dt.time.max)
MOMENTS = tuple(
    dt.datetime(*m)  # noqa: DTZ001 - zones are added where they belong
    for m in (
        (1970, 1, 1),
        (1969, 12, 31, 23, 59, 59, 999_999),
        (2024, 3, 31, 2, 30),
        (9999, 12, 31),
    )
)
UUIDS = ("00000000-0000-0000-0000-000000000000", "550e8400-e29b-41d4-a716-446655440000", "ffffffff-ffff-ffff-ffff-ffffffffffff")  # fmt: skip
# Column: declared type, values that rows have, Arrow type of literals, values of literals.
COLUMNS = {
    "flag": ("bool", (True, False), pa.bool_(), (True, False)),
    "i2": ("int2", NUMBERS, pa.int64(), WIDE),
    "i4": ("int4", NUMBERS, pa.int32(), NUMBERS),
    "i8": ("int8", WIDE, pa.int64(), WIDE),
    "f4": ("float4", (0.0, -0.0, 1.0, 0.5, math.inf, math.nan), pa.float32(), (0.0, 0.5, math.nan)),
    "f8": ("float8", FLOATS, pa.float64(), FLOATS),
    "n": ("numeric(10, 2)", DECIMALS, pa.decimal128(10, 2), DECIMALS),
    "t": ("text", TEXTS, pa.string(), TEXTS),
    "v": ("varchar(60)", TEXTS, pa.string(), TEXTS),
    "c": ("char(60)", TEXTS, pa.string(), TEXTS),
    "en": ("text", TEXTS, pa.string(), TEXTS),
    "cc": ('text COLLATE "C"', TEXTS, pa.string(), TEXTS),
    "mood": ("mood", ("z", "a", "Z"), pa.string(), ("z", "a", "Z", "q")),
    "by": ("bytea", (b"", b"\x00", b"\xff", b"a"), pa.binary(), (b"", b"\x00\x00", b"a")),
    "d": ("date", DAYS, pa.date32(), DAYS),
    "ti": ("time", TIMES, pa.time64("us"), TIMES),
    "ts": ("timestamp", MOMENTS, pa.timestamp("us"), MOMENTS),
    "tz": ("timestamptz", tuple(m.replace(tzinfo=UTC) for m in MOMENTS), pa.timestamp("us", "UTC"), tuple(m.replace(tzinfo=UTC) for m in MOMENTS)),
    "u": ("uuid", UUIDS, pa.string(), (*UUIDS, "550E8400-E29B-41D4-A716-446655440000", "x")),
}  # fmt: skip
PATTERNS = ("", "%", "_", "a%", "%b", "A_B", "a\\_b", "a\\%b", "%\\\\%", "ä", "_%_", "a\\")


def _seed():
    given = os.environ.get("IGLOO_TEST_SEED")
    seed = int(given) if given else random.SystemRandom().randrange(2**32)
    print(f"IGLOO_TEST_SEED={seed}")
    return seed


def _sql_value(value):
    match value:
        case None:
            return "NULL"
        case bytes():
            return f"'\\x{value.hex()}'"
        case float():
            return f"'{value!r}'"
        case dt.datetime() if value.tzinfo is not None:
            return f"'{value.replace(tzinfo=None)}+00'"
        case _:
            return "'" + str(value).replace("'", "''") + "'"


@pytest.fixture
def random_table(source):
    seed = _seed()
    rng = random.Random(seed)
    declared = {name: column[0] for name, column in COLUMNS.items()}
    declared["en"] = f'text COLLATE "{_linguistic_collation(source)}"'
    source.run("CREATE TYPE mood AS ENUM ('z', 'a', 'Z')")
    listed = ", ".join(f"{name} {kind}" for name, kind in declared.items())
    source.run(f"CREATE TABLE t (id int, {listed})")
    rows = []
    for number in range(ROWS):
        values = [None if rng.random() < 0.15 else rng.choice(c[1]) for c in COLUMNS.values()]
        rows.append(f"({', '.join([str(number), *map(_sql_value, values)])})")
    source.run(f"INSERT INTO t VALUES {', '.join(rows)}")
    return rng


def _linguistic_collation(source):
    """Return a collation that sorts as people do; a plain one where the server's build has none."""
    for name in ("en-x-icu", "en_US.utf8", "pg_c_utf8"):
        try:
            source.ask(f"SELECT 'a' < 'B' COLLATE \"{name}\"")
        except driver.Error:
            continue
        return name
    return "C"


def _literal(rng, name):
    _, _, type_, values = COLUMNS[name]
    return pa.scalar(rng.choice(values), type_)


def _leaf(rng):
    name = rng.choice(list(COLUMNS))
    operator = rng.choice(list(OP))
    shape = rng.random()
    if name == "flag":
        operator = rng.choice((OP.EQUAL, OP.NOT_EQUAL))
    if shape < 0.15:
        return IsNull(Column(name))
    if shape < 0.3:
        values = tuple(_literal(rng, name) for _ in range(rng.randint(1, 4)))
        return InList(Column(name), values)
    if shape < 0.45:
        return Like(Column(rng.choice(("t", "v", "c", "en", "cc"))), rng.choice(PATTERNS))
    if shape < 0.55:
        left, right = rng.choice((("i2", "i4"), ("i4", "i8"), ("t", "v"), ("t", "cc"), ("v", "en")))
        return Comparison(Column(left), operator, Column(right))
    terms = (Column(name), operator, Literal(_literal(rng, name)))
    return Comparison(*(terms if rng.random() < 0.8 else reversed(terms)))


def _predicate(rng, depth=3):
    shape = rng.random()
    if depth == 0 or shape < 0.4:
        return _leaf(rng)
    if shape < 0.6:
        return Not(_predicate(rng, depth - 1))
    kind = And if shape < 0.8 else Or
    return kind(tuple(_predicate(rng, depth - 1) for _ in range(rng.randint(2, 3))))


def test_pushed_rows_and_residual_are_what_arrow_alone_gives(source, random_table):
    connector = source.connector()
    table = source.read(connector, "t")
    assert table.num_rows == ROWS
    pushed = 0
    for _ in range(ROUNDS):
        predicate = _predicate(random_table)
        wanted = table.filter(to_arrow(predicate, table.schema))["id"].to_pylist()
        scan = source.scan(connector, "t", ("id",), filter=predicate)
        found = source.read(connector, "t", ("id",), filter=predicate)["id"].to_pylist()
        assert sorted(found) == sorted(wanted), (predicate, scan.sql, scan.residual)
        pushed += scan.residual is None
        limited = source.read(connector, "t", ("id",), filter=predicate, limit=5)["id"].to_pylist()
        assert len(limited) == min(5, len(wanted)), (predicate, scan.sql)
        assert set(limited) <= set(wanted)
    assert pushed > ROUNDS / 2, "most of what is generated can be pushed"


def test_every_kind_of_column_is_compared_in_the_source(source, random_table):
    connector = source.connector()
    for name in COLUMNS:
        literal = Literal(_literal(random.Random(1), name))
        scan = source.scan(
            connector, "t", ("id",), filter=Comparison(Column(name), OP.EQUAL, literal)
        )
        assert scan.residual is None, name


@pytest.mark.parametrize(
    ("predicate", "reason"),
    [
        (Comparison(Column("t"), OP.EQUAL, Literal(pa.scalar("a\0"))), "PostgreSQL has no NUL"),
        (Like(Column("t"), "a\\"), "PostgreSQL refuses a trailing escape"),
        (Comparison(Column("ts"), OP.LESS, Literal(pa.scalar(1, pa.timestamp("ns")))), "1 ns"),
        (Comparison(Column("d"), OP.LESS, Literal(pa.scalar(2**30, pa.date32()))), "no such year"),
        (Comparison(Column("u"), OP.EQUAL, Literal(pa.scalar("550E8400-E29B-41D4-A716-446655440000"))), "case"),
    ],
)  # fmt: skip
def test_what_postgres_cannot_say_stays_with_the_engine(source, random_table, predicate, reason):
    connector = source.connector()
    scan = source.scan(connector, "t", ("id",), filter=predicate, limit=3)
    assert scan.residual == predicate, reason
    assert "WHERE" not in scan.sql[0]
    assert "LIMIT" not in scan.sql[0], "a limit counts after the whole filter"
    source.read(connector, "t", ("id",), filter=predicate)


def test_a_column_that_only_the_residual_needs_follows_the_asked_ones(source, random_table):
    connector = source.connector()
    both = And(
        (
            Comparison(Column("i4"), OP.GREATER, Literal(pa.scalar(0))),
            Comparison(Column("t"), OP.NOT_EQUAL, Literal(pa.scalar("\0"))),
        )
    )
    scan = source.scan(connector, "t", ("id", "i4"), filter=both)
    assert scan.splits[0].columns == ("id", "i4", "t")
    assert 'WHERE "i4" > 0' in scan.sql[0]
    reader = connector.read_split(scan.splits[0], CancelToken())
    assert reader.schema.names == ["id", "i4", "t"]


def test_a_nondeterministic_collation_is_compared_by_bytes(source):
    source.run('CREATE COLLATION loose FROM "C"')
    # This server may lack ICU, the only provider that makes such collations; the connector
    # believes what the catalog says.
    source.run(
        "UPDATE pg_collation SET collisdeterministic = false WHERE collname = 'loose' "
        f"AND collnamespace = '{source.schema}'::regnamespace",
        "CREATE TABLE t (c text COLLATE loose)",
        "INSERT INTO t VALUES ('a'), ('A')",
    )
    connector = source.connector()
    for predicate in (
        Comparison(Column("c"), OP.EQUAL, Literal(pa.scalar("a"))),
        InList(Column("c"), (pa.scalar("a"),)),
        Like(Column("c"), "a"),
    ):
        scan = source.scan(connector, "t", filter=predicate)
        assert '"c" COLLATE "C"' in scan.sql[0]
        assert source.read(connector, "t", filter=predicate)["c"].to_pylist() == ["a"]


def test_padded_text_is_compared_without_its_padding(source):
    source.run("CREATE TABLE t (c char(5))", "INSERT INTO t VALUES ('ab'), ('ab   '), ('abc')")
    equal = Comparison(Column("c"), OP.EQUAL, Literal(pa.scalar("ab")))
    assert source.read(source.connector(), "t", filter=equal)["c"].to_pylist() == ["ab", "ab"]


def test_a_row_of_nulls_is_a_value(source):
    source.run(
        "CREATE TYPE pair AS (a int, b int)",
        "CREATE TABLE t (c pair)",
        "INSERT INTO t VALUES (ROW(NULL, NULL)), (NULL)",
    )
    rows = source.read(source.connector(), "t", filter=IsNull(Column("c")))
    assert rows["c"].to_pylist() == [None]


@pytest.mark.parametrize(
    "text", ["'; DROP TABLE t; --", "\\'; DROP TABLE t; --", "$$", "$1", "%s", "'||'"]
)
def test_injected_text_is_data(source, text):
    source.run("CREATE TABLE t (c text)", f"INSERT INTO t VALUES ({_sql_value(text)})")
    connector = source.connector()
    equal = Comparison(Column("c"), OP.EQUAL, Literal(pa.scalar(text)))
    assert source.read(connector, "t", filter=equal).to_pylist() == [{"c": text}]
    in_list = InList(Column("c"), (pa.scalar(text), pa.scalar("x")))
    assert source.read(connector, "t", filter=in_list).num_rows == 1


def test_thousands_of_values_in_a_list_are_sent(source):
    source.run("CREATE TABLE t AS SELECT g AS c FROM generate_series(1, 20000) g")
    connector = source.connector()
    values = tuple(pa.scalar(n) for n in range(0, 20_000, 2))
    scan = source.scan(connector, "t", filter=InList(Column("c"), values))
    assert scan.residual is None
    assert source.read(connector, "t", filter=InList(Column("c"), values)).num_rows == 9_999
