import pyarrow as pa
import pytest

from igloo.cancel import CancelToken
from igloo.connectors.contract import HasStatistics, Pushdown
from igloo.connectors.predicates import Column, Comparison, ComparisonOperator, Literal
from igloo.errors import ColumnNotFound, TableNotFound
from igloo.names import TableName


def test_every_kind_of_table_is_listed_and_read(source):
    source.run(
        "CREATE TABLE plain AS SELECT 1 AS a",
        "CREATE TABLE parted (a int) PARTITION BY LIST (a)",
        "CREATE TABLE parted_1 PARTITION OF parted FOR VALUES IN (1)",
        "INSERT INTO parted VALUES (1)",
        "CREATE VIEW looked AS SELECT a FROM plain",
        "CREATE MATERIALIZED VIEW kept AS SELECT a FROM plain",
        "CREATE SEQUENCE not_a_table",
        "CREATE INDEX not_a_table_either ON plain (a)",
    )
    connector = source.connector()
    names = [name.table for name in connector.list_tables(source.schema)]
    assert names == ["kept", "looked", "parted", "parted_1", "plain"]
    for name in names:
        assert source.read(connector, name).to_pylist() == [{"a": 1}]


def test_the_systems_own_schemas_are_not_listed(source):
    schemas = source.connector().list_schemas()
    assert source.schema in schemas
    assert not [name for name in schemas if name.startswith("pg_") or name == "information_schema"]


def test_a_system_table_is_read_when_asked_for(source):
    connector = source.connector()
    loaded = connector.load_table(TableName("pg_catalog", "pg_database"))
    scan = connector.plan_scan(loaded, Pushdown(columns=("datname",)))
    names = connector.read_split(scan.splits[0], CancelToken()).read_all()["datname"].to_pylist()
    assert "template0" in names


def test_only_the_schemas_of_the_option_are_shown(source):
    source.run("CREATE TABLE t (a int)")
    connector = source.connector(schemas=f"{source.schema}, no_such_schema")
    assert connector.list_schemas() == [source.schema]
    assert [str(name) for name in connector.list_tables(source.schema)] == [f"{source.schema}.t"]
    assert connector.list_tables("pg_catalog") == []
    with pytest.raises(TableNotFound):
        connector.load_table(TableName("pg_catalog", "pg_class"))


@pytest.mark.parametrize("name", ["T", "no\0name", "t' OR true --"])
def test_a_missing_table_is_not_found_with_a_hint(source, name):
    source.run("CREATE TABLE t (a int)")
    connector = source.connector()
    with pytest.raises(TableNotFound, match=f'"pg" has no table "{source.schema}') as caught:
        source.load(connector, name)
    assert '"t"' in caught.value.hint or "Known: t." in caught.value.hint


def test_a_missing_column_is_not_found(source):
    source.run("CREATE TABLE t (amount int)")
    with pytest.raises(ColumnNotFound, match='Did you mean "amount"'):
        source.scan(source.connector(), "t", ("amuont",))


def test_dropped_columns_are_gone(source):
    source.run("CREATE TABLE t (a int, b int, c int)", "INSERT INTO t VALUES (1, 2, 3)")
    source.run("ALTER TABLE t DROP COLUMN b")
    assert source.read(source.connector(), "t").to_pylist() == [{"a": 1, "c": 3}]


def test_rows_are_counted_without_columns(source):
    source.run("CREATE TABLE t AS SELECT g AS a FROM generate_series(1, 100000) g")
    connector = source.connector()
    scan = source.scan(connector, "t", ())
    assert scan.sql == (f'SELECT count(*) FROM "{source.schema}"."t"',)
    assert scan.splits[0].columns == ()
    rows = connector.read_split(scan.splits[0], CancelToken()).read_all()
    assert (rows.num_rows, rows.num_columns) == (100_000, 0)
    assert source.read(connector, "t", (), limit=7).num_rows == 7
    few = Comparison(Column("a"), ComparisonOperator.LESS, Literal(pa.scalar(4)))
    assert source.read(connector, "t", (), filter=few).num_rows == 3
    assert source.read(connector, "t", (), filter=few, limit=2).num_rows == 2


def test_an_empty_table_and_a_table_without_columns(source):
    source.run("CREATE TABLE nothing (a int)", "CREATE TABLE bare ()")
    source.run("INSERT INTO bare DEFAULT VALUES")
    connector = source.connector()
    assert source.read(connector, "nothing").schema == pa.schema([("a", pa.int32())])
    assert source.read(connector, "nothing", ()).num_rows == 0
    assert source.load(connector, "bare").schema == pa.schema([])
    assert source.read(connector, "bare", ()).num_rows == 1


def test_sixteen_hundred_columns_are_read(source):
    declared = [f"c{i} {'int[]' if i % 2 else 'int'}" for i in range(1600)]
    source.run(f"CREATE TABLE t ({', '.join(declared)})", "INSERT INTO t DEFAULT VALUES")
    rows = source.read(source.connector(), "t")
    assert (rows.num_rows, rows.num_columns) == (1, 1600)
    assert rows.schema.field("c1599").type == pa.list_(pa.int32())


@pytest.mark.parametrize(
    "name", ["Select", "a.b", "ünï", 'say "hi"', "it's", "x" * 63, "a b", "$1", "\\"]
)
def test_odd_identifiers_are_quoted(source, name):
    quoted = '"' + name.replace('"', '""') + '"'
    source.run(f"CREATE TABLE {quoted} ({quoted} int[])")
    source.run(f"INSERT INTO {quoted} VALUES ('{{1}}')")
    assert source.read(source.connector(), name).to_pylist() == [{name: [1]}]


def test_statistics_come_from_the_servers_own(source):
    source.run(
        "CREATE TABLE t AS SELECT g AS id, g % 10 AS few, NULLIF(g % 2, 0) AS half, NULL::int AS none "
        "FROM generate_series(1, 10000) g"
    )
    connector = source.connector()
    assert isinstance(connector, HasStatistics)
    loaded = source.load(connector, "t")
    source.run("ANALYZE t")
    found = connector.statistics(loaded)
    columns = dict(found.columns)
    assert found.row_count == 10_000
    assert found.size_bytes == pytest.approx(10_000 * 40, rel=0.5)
    assert columns["id"].distinct_count == 10_000
    assert columns["few"].distinct_count == 10
    assert columns["half"].null_fraction == pytest.approx(0.5, abs=0.05)
    assert columns["none"].null_fraction == 1


def test_statistics_are_unknown_before_analyze_and_for_views(source):
    source.run("CREATE TABLE t (a int)", "CREATE VIEW v AS SELECT a FROM t")
    connector = source.connector()
    for name in ("t", "v"):
        assert connector.statistics(source.load(connector, name)).row_count is None


def test_statistics_of_partitions_are_summed(source):
    source.run(
        "CREATE TABLE t (a int) PARTITION BY RANGE (a)",
        "CREATE TABLE t_1 PARTITION OF t FOR VALUES FROM (0) TO (100)",
        "CREATE TABLE t_2 PARTITION OF t FOR VALUES FROM (100) TO (200)",
        "INSERT INTO t SELECT g FROM generate_series(0, 199) g",
        "ANALYZE t",
    )
    connector = source.connector()
    found = connector.statistics(source.load(connector, "t"))
    assert found.row_count == 200
    assert dict(found.columns)["a"].distinct_count == 200


def test_a_scan_survives_pickling(source):
    import pickle

    source.run("CREATE TABLE t (a numeric(5, 2), b int[])", "INSERT INTO t VALUES (1.5, '{1}')")
    connector = source.connector()
    (split,) = source.scan(connector, "t").splits
    again = pickle.loads(pickle.dumps(split))
    rows = source.connector().read_split(again, CancelToken()).read_all()
    assert rows == connector.read_split(split, CancelToken()).read_all()
    assert len(pickle.dumps(split)) < 4_000
