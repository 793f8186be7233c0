import datetime as dt
import math
import random
from decimal import Decimal

import pyarrow as pa
import pytest

from igloo.cancel import CancelToken
from igloo.errors import SourceDataError, UnsupportedType

UTC = dt.UTC
TEXT = pa.string()
# Declared type, literals, Arrow type, values as they come back.
CASES = {
    "bool": ("bool", ["true", "false"], pa.bool_(), [True, False]),
    "int2": ("int2", ["-32768", "32767"], pa.int16(), [-(2**15), 2**15 - 1]),
    "int4": ("int4", ["-2147483648"], pa.int32(), [-(2**31)]),
    "int8": ("int8", ["-9223372036854775808"], pa.int64(), [-(2**63)]),
    "serial": ("bigserial", ["7"], pa.int64(), [7]),
    "oid": ("oid", ["4294967295", "0"], pa.int64(), [2**32 - 1, 0]),
    "float4": ("float4", ["0.1", "-Infinity"], pa.float32(), [0.10000000149011612, -math.inf]),
    "float8": ("float8", ["0.1", "Infinity", "5e-324"], pa.float64(), [0.1, math.inf, 5e-324]),
    "numeric": (
        "numeric(10, 2)",
        ["1.5", "-99999999.99"],
        pa.decimal128(10, 2),
        [Decimal("1.50"), Decimal("-99999999.99")],
    ),
    "numeric_integer": ("numeric(38)", ["9" * 38], pa.decimal128(38, 0), [Decimal("9" * 38)]),
    "numeric_scale_above_precision": (
        "numeric(3, 5)",
        ["0.00123"],
        pa.decimal128(5, 5),
        [Decimal("0.00123")],
    ),
    "numeric_negative_scale": (
        "numeric(5, -2)",
        ["1234567"],
        pa.decimal128(7, 0),
        [Decimal(1234600)],
    ),
    "text": ("text", ["", "ünï 🧊", "a\\b", "it''s"], TEXT, ["", "ünï 🧊", "a\\b", "it's"]),
    "varchar": ("varchar(5)", ["ab  "], TEXT, ["ab  "]),
    "char_without_padding": ("char(5)", ["ab", "", "ab  c"], TEXT, ["ab", "", "ab  c"]),
    "name": ("name", ["n"], TEXT, ["n"]),
    "one_byte_char": ('"char"', ["x"], TEXT, ["x"]),
    "bytea": ("bytea", ["\\x00ff", ""], pa.binary(), [b"\x00\xff", b""]),
    "date": ("date", ["0001-01-01", "9999-12-31"], pa.date32(), [dt.date.min, dt.date.max]),
    "time": (
        "time",
        ["00:00", "23:59:59.999999"],
        pa.time64("us"),
        [dt.time.min, dt.time.max],
    ),
    "timetz": ("timetz", ["12:34:56.5+02"], TEXT, ["12:34:56.5+02"]),
    "timestamp": (
        "timestamp",
        ["1969-12-31 23:59:59.999999"],
        pa.timestamp("us"),
        [dt.datetime(1969, 12, 31, 23, 59, 59, 999_999)],  # noqa: DTZ001 - it has no zone
    ),
    "timestamptz": (
        "timestamptz",
        ["2024-03-31 01:30:00+05:30"],
        pa.timestamp("us", "UTC"),
        [dt.datetime(2024, 3, 30, 20, 0, tzinfo=UTC)],
    ),
    "interval": (
        "interval",
        ["1 year -2 days 00:00:00.000001"],
        pa.month_day_nano_interval(),
        [pa.MonthDayNano((12, -2, 1000))],
    ),
    "uuid": (
        "uuid",
        ["550E8400-E29B-41D4-A716-446655440000"],
        TEXT,
        ["550e8400-e29b-41d4-a716-446655440000"],
    ),
    "json": ("json", ['{"b" : 1, "a":2}'], TEXT, ['{"b" : 1, "a":2}']),
    "jsonb": ("jsonb", ['{"b" : 1, "a":2}'], TEXT, ['{"a": 2, "b": 1}']),
    "inet": ("inet", ["10.0.0.1", "10.0.0.1/8"], TEXT, ["10.0.0.1", "10.0.0.1/8"]),
    "cidr": ("cidr", ["10.0.0.0/8"], TEXT, ["10.0.0.0/8"]),
    "macaddr": ("macaddr", ["08:00:2b:01:02:03"], TEXT, ["08:00:2b:01:02:03"]),
    "bit": ("bit(3)", ["101"], TEXT, ["101"]),
    "varbit": ("varbit", ["1"], TEXT, ["1"]),
    "range": ("int4range", ["[1,5]"], TEXT, ["[1,6)"]),
    "tstzrange": (
        "tstzrange",
        ["[2024-01-01 00:00+01,)"],
        TEXT,
        ['["2023-12-31 23:00:00+00",)'],
    ),
    "multirange": ("int4multirange", ["{[1,2],[5,6)}"], TEXT, ["{[1,3),[5,6)}"]),
    "tsvector": ("tsvector", ["fat cat"], TEXT, ["'cat' 'fat'"]),
    "point": ("point", ["(0.1,2)"], TEXT, ["(0.1,2)"]),
    "enum": ("mood", ["sad", "ok"], TEXT, ["sad", "ok"]),
    "composite": ("pair", ["(1,x)", "(,)"], TEXT, ["(1,x)", "(,)"]),
    "domain": ("price", ["1.5"], pa.decimal128(8, 3), [Decimal("1.500")]),
    "domain_over_domain": ("cheap", ["1.5"], pa.decimal128(8, 3), [Decimal("1.500")]),
    "int_array": ("int[]", ["{1,NULL,3}", "{}"], pa.list_(pa.int32()), [[1, None, 3], []]),
    "text_array": ("text[]", ['{"a,b",NULL,"\\""}'], pa.list_(TEXT), [["a,b", None, '"']]),
    "numeric_array": (
        "numeric(5, 1)[]",
        ["{1.5,NULL}"],
        pa.list_(pa.decimal128(5, 1)),
        [[Decimal("1.5"), None]],
    ),
    "enum_array": ("mood[]", ["{ok,sad}"], pa.list_(TEXT), [["ok", "sad"]]),
    "uuid_array": (
        "uuid[]",
        ["{550e8400-e29b-41d4-a716-446655440000}"],
        pa.list_(TEXT),
        [["550e8400-e29b-41d4-a716-446655440000"]],
    ),
    "timestamptz_array": (
        "timestamptz[]",
        ["{2024-01-01 00:00:00+00}"],
        pa.list_(pa.timestamp("us", "UTC")),
        [[dt.datetime(2024, 1, 1, tzinfo=UTC)]],
    ),
}
MAKE_TYPES = (
    "CREATE TYPE mood AS ENUM ('sad', 'ok')",
    "CREATE TYPE pair AS (a int, b text)",
    "CREATE DOMAIN price AS numeric(8, 3) CHECK (VALUE > 0)",
    "CREATE DOMAIN cheap AS price CHECK (VALUE < 10)",
)


def _fill(source, declared, literals):
    source.run(*MAKE_TYPES, f"CREATE TABLE t (c {declared})")
    for literal in literals:
        source.run(f"INSERT INTO t VALUES ('{literal}')")


@pytest.mark.parametrize("case", CASES)
def test_a_type_comes_back_exactly_with_nulls_around(source, case):
    declared, literals, type_, values = CASES[case]
    _fill(source, declared, literals)
    if "serial" not in declared:
        source.run("INSERT INTO t VALUES (NULL)")
        values = [*values, None]
    rows = source.read(source.connector(), "t")
    assert rows.schema.field("c").type == type_
    assert rows["c"].to_pylist() == values


@pytest.mark.parametrize("case", CASES)
def test_a_statement_of_the_users_carries_the_same_types(source, case):
    declared, literals, type_, values = CASES[case]
    if case == "numeric_array":
        # The driver does not pass the modifier of an array's elements on.
        return
    _fill(source, declared, literals)
    sql = f"SELECT c FROM {source.schema}.t -- as the table"
    connector = source.connector()
    rows = connector.run_sql(sql, CancelToken()).read_all()
    assert connector.describe_sql(sql) == rows.schema
    assert rows.schema.field("c").type == type_
    assert rows["c"].to_pylist() == values


def test_nan_keeps_its_place_in_floats(source):
    _fill(source, "float8", ["NaN", "1"])
    first, second = source.read(source.connector(), "t")["c"].to_pylist()
    assert math.isnan(first)
    assert second == 1.0


def test_numbers_of_any_scale_round_trip_exactly(source):
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")
    rng = random.Random(seed)
    shapes = [(p, s) for p in (1, 5, 9, 18, 19, 37, 38) for s in (0, 1, p // 2, p)]
    columns = [f"c{i} numeric({p}, {s})" for i, (p, s) in enumerate(shapes)]
    source.run(f"CREATE TABLE t ({', '.join(columns)})")
    wanted = []
    for _ in range(30):
        row = []
        for precision, scale in shapes:
            digits = rng.randrange(10 ** rng.randint(0, precision))
            row.append(Decimal((rng.randrange(2), tuple(map(int, str(digits))), -scale)))
        wanted.append(row)
        source.run(f"INSERT INTO t VALUES ({', '.join(format(v, 'f') for v in row)})")
    rows = source.read(source.connector(), "t")
    assert rows.schema.types == [pa.decimal128(p, s) for p, s in shapes]
    found = [list(row.values()) for row in rows.to_pylist()]
    assert found == wanted
    assert [[v.as_tuple().exponent for v in row] for row in found] == [
        [-s for _, s in shapes] for _ in found
    ]


@pytest.mark.parametrize(
    ("declared", "literal", "reason"),
    [
        ("date", "infinity", "infinite date"),
        ("date", "-infinity", "infinite date"),
        ("timestamp", "infinity", "infinite timestamp"),
        ("timestamptz", "-infinity", "infinite timestamp"),
        ("timestamp", "294276-12-31", "after the year 294246"),
        ("timestamptz[]", "{infinity}", "infinite timestamp"),
        ("time", "24:00", "24:00"),
        ("numeric(10, 2)", "NaN", "NaN"),
        ("numeric(10, 2)[]", "{NaN}", "NaN"),
        ("int[]", "{{1,2},{3,4}}", "several dimensions"),
        ("interval", "infinity", "overflow"),
        ("interval", "3000000 hours", "overflow"),
    ],
)
def test_a_value_that_arrow_cannot_hold_is_refused_by_name(source, declared, literal, reason):
    source.run(f"CREATE TABLE t (id int, c {declared})", f"INSERT INTO t VALUES (1, '{literal}')")
    connector = source.connector()
    with pytest.raises(SourceDataError, match=reason) as caught:
        source.read(connector, "t")
    assert caught.value.context["catalog"] == "pg"
    assert "\n" not in str(caught.value)
    assert source.read(connector, "t", ("id",))["id"].to_pylist() == [1]


@pytest.mark.parametrize(
    ("declared", "literal", "type_"),
    [
        ("date", "4713-01-01 BC", pa.date32()),
        ("date", "5874897-12-31", pa.date32()),
        ("timestamp", "4713-01-01 BC", pa.timestamp("us")),
        ("timestamp", "294246-12-31", pa.timestamp("us")),
    ],
)
def test_the_first_and_last_days_are_no_infinities(source, declared, literal, type_):
    _fill(source, declared, [literal])
    column = source.read(source.connector(), "t")["c"].combine_chunks()
    assert column.type == type_
    whole = column.view(pa.int32() if type_ == pa.date32() else pa.int64())[0].as_py()
    (epoch,) = source.ask("SELECT extract(epoch FROM c)::int8 FROM t")[0]
    assert whole == epoch // 86_400 if type_ == pa.date32() else whole == epoch * 1_000_000


@pytest.mark.parametrize("declared", ["numeric", "numeric(39, 2)", "money", "numeric[]", "money[]"])
def test_a_type_without_an_exact_carrier_is_refused_but_its_neighbours_are_read(source, declared):
    source.run(f"CREATE TABLE t (id int, c {declared})", "INSERT INTO t VALUES (1, NULL)")
    connector = source.connector()
    assert source.load(connector, "t").schema.names == ["id", "c"]
    assert source.read(connector, "t", ("id",)).to_pylist() == [{"id": 1}]
    for columns in (("id", "c"), ("c",)):
        with pytest.raises(UnsupportedType, match=r'Column "c" of "pg\..*remote_query') as caught:
            source.scan(connector, "t", columns)
        assert caught.value.context["column"] == "c"


def test_a_table_of_refused_columns_alone_is_refused_when_loaded(source):
    source.run("CREATE TABLE t (c numeric)")
    with pytest.raises(UnsupportedType, match='"c"'):
        source.load(source.connector(), "t")


def test_sessions_settings_of_the_server_change_no_value(source):
    (role,) = source.ask("SELECT current_user")[0]
    hostile = {
        "DateStyle": "German",
        "TimeZone": "Asia/Kathmandu",
        "IntervalStyle": "sql_standard",
        "extra_float_digits": "-3",
        "bytea_output": "escape",
        "standard_conforming_strings": "off",
    }
    source.run(
        "CREATE TABLE t (tz timestamptz, r tstzrange, p point, f float8, by bytea[], x text)",
        "INSERT INTO t VALUES ('2024-01-01 00:00+00', '[2024-01-01 00:00+00,)', '(0.1,1e-7)', "
        "0.30000000000000004, '{\"\\\\x00\"}', 'a\\b')",
    )
    plain = source.read(source.connector(), "t").to_pylist()
    try:
        source.run(*(f"ALTER ROLE {role} SET {k} TO '{v}'" for k, v in hostile.items()))
        assert source.ask("SELECT current_setting('DateStyle')") == [("German, DMY",)]
        assert source.read(source.connector(), "t").to_pylist() == plain
        assert plain[0]["f"] == 0.30000000000000004
        assert plain[0]["p"] == "(0.1,1e-07)"
    finally:
        source.run(f"ALTER ROLE {role} RESET ALL")


def test_a_path_with_look_alikes_of_built_in_types_is_not_believed(source):
    (role,) = source.ask("SELECT current_user")[0]
    source.run(
        "CREATE DOMAIN text AS varchar(1)",
        "CREATE TABLE t (c numeric(5, 2), j json)",
        "INSERT INTO t VALUES (123.45, '[1]')",
    )
    try:
        source.run(f"ALTER ROLE {role} SET search_path TO {source.schema}, pg_catalog")
        found = source.read(source.connector(), "t").to_pylist()
    finally:
        source.run(f"ALTER ROLE {role} RESET ALL")
    assert found == [{"c": Decimal("123.45"), "j": "[1]"}]


def test_a_type_made_after_connecting_is_read(source):
    connector = source.connector()
    connector.list_schemas()
    source.run("CREATE TYPE late AS ENUM ('x')", "CREATE TABLE t (c late, d late[])")
    source.run("INSERT INTO t VALUES ('x', '{x}')")
    assert source.read(connector, "t").to_pylist() == [{"c": "x", "d": ["x"]}]
    sql = f"SELECT c, d FROM {source.schema}.t"
    assert connector.run_sql(sql, CancelToken()).read_all().to_pylist() == [{"c": "x", "d": ["x"]}]


@pytest.mark.parametrize(
    "change",
    [
        "ALTER COLUMN c TYPE int8",
        "ALTER COLUMN c TYPE text",
        "DROP COLUMN c",
        "RENAME COLUMN c TO d",
    ],
)
def test_a_table_changed_after_planning_is_refused_not_misread(source, change):
    source.run("CREATE TABLE t (c int)", "INSERT INTO t VALUES (1)")
    connector = source.connector()
    (split,) = source.scan(connector, "t").splits
    source.run(f"ALTER TABLE t {change}")
    with pytest.raises(SourceDataError, match="again"):
        connector.read_split(split, CancelToken()).read_all()


def test_null_in_a_column_that_was_required_when_planned_is_refused(source):
    source.run("CREATE TABLE t (c int NOT NULL)")
    connector = source.connector()
    (split,) = source.scan(connector, "t").splits
    assert not source.load(connector, "t").schema.field("c").nullable
    source.run("ALTER TABLE t ALTER COLUMN c DROP NOT NULL", "INSERT INTO t VALUES (NULL)")
    with pytest.raises(SourceDataError, match="NOT NULL"):
        connector.read_split(split, CancelToken()).read_all()


def test_a_required_column_is_nullable_where_the_source_does_not_enforce_it(source):
    source.run(
        "CREATE TABLE parent (c int NOT NULL)",
        "CREATE TABLE child () INHERITS (parent)",
        "CREATE VIEW v AS SELECT c FROM parent",
    )
    connector = source.connector()
    assert source.load(connector, "child").schema.field("c").nullable is False
    assert source.load(connector, "parent").schema.field("c").nullable is True
    assert source.load(connector, "v").schema.field("c").nullable is True
