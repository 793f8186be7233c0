import datetime as dt
import gzip
import random
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from datafusion import SessionContext, col, lit

from igloo.connectors.file_scan import (
    Constant,
    CsvOptions,
    DataFile,
    EqualityDeletes,
    FileFormat,
    FileGroup,
    FileScan,
    FromFile,
    JsonOptions,
    MakeStruct,
    MappedColumn,
    PositionDeletes,
)
from igloo.engine.execution import listing
from igloo.engine.execution.file_scan import bind_file_scan
from igloo.errors import ColumnNotFound, NotSupported, SourceDataError

SCHEMA = pa.schema([("id", pa.int64()), ("s", pa.string())])


@pytest.fixture(params=["list", "file_by_file"])
def ctx(request, monkeypatch):
    """Give a session; once with lists of files, once as if the self-check had failed."""
    if request.param == "file_by_file":
        monkeypatch.setattr(listing, "self_check", lambda: False)
    return SessionContext()


@pytest.fixture
def files(tmp_path):
    """Give a function that writes tables to Parquet and returns their ``DataFile``s."""

    def write(*tables, values=None, **options):
        made = []
        for number, table in enumerate(tables):
            path = tmp_path / f"{number}-{random.random()}.parquet"
            pq.write_table(table, path, **options)
            partition = () if values is None else values[number]
            size = path.stat().st_size
            made.append(DataFile(path=str(path), size_bytes=size, partition_values=partition))
        return tuple(made)

    return write


def rows_of(start, end):
    return pa.table({"id": range(start, end), "s": [f"s{i}" for i in range(start, end)]}, SCHEMA)


def scan_of(*groups, format_=FileFormat.PARQUET, **options):
    return FileScan(format=format_, groups=groups, files_total=9, **options)


def physical(rows):
    (text,) = (p for k, p in _plans(rows) if k == "physical_plan")
    return text


def _plans(rows):
    plan = rows.execution_plan()
    return [("physical_plan", plan.display_indent())]


def in_order(rows):
    return sorted(rows, key=repr)


def sorted_rows(frame):
    return in_order(frame.to_pylist())


# -- plain files -----------------------------------------------------------------------------------


def test_files_are_read_in_one_scan(files):
    rows = bind_file_scan(
        SessionContext(), scan_of(FileGroup(files=files(rows_of(0, 5), rows_of(5, 9)))), SCHEMA
    )
    assert sorted_rows(rows) == rows_of(0, 9).to_pylist()
    assert physical(rows).count("DataSourceExec") == 1


def test_rows_are_the_same_read_by_list_and_file_by_file(ctx, files):
    group = FileGroup(files=files(rows_of(0, 5), rows_of(5, 9), rows_of(9, 20)))
    rows = bind_file_scan(ctx, scan_of(group), SCHEMA)
    assert rows.schema().names == SCHEMA.names
    assert sorted_rows(rows) == in_order(rows_of(0, 20).to_pylist())


def test_one_plain_file_has_the_plan_of_a_registered_one(files):
    ctx = SessionContext()
    (file,) = files(rows_of(0, 1000))
    ctx.register_parquet("t", file.path)
    bound = bind_file_scan(ctx, scan_of(FileGroup(files=(file,))), SCHEMA)
    for change in (
        lambda rows: rows,
        lambda rows: rows.filter(col("id") > lit(5)).select(col("s")),
        lambda rows: rows.limit(3),
    ):
        assert physical(change(bound)) == physical(change(ctx.table("t")))


def test_a_list_of_files_has_the_plan_of_a_registered_folder(tmp_path):
    ctx = SessionContext()
    for number in range(4):
        pq.write_table(rows_of(number * 10, number * 10 + 10), tmp_path / f"{number}.parquet")
    ctx.register_parquet("t", str(tmp_path))
    made = tuple(
        DataFile(path=str(path), size_bytes=path.stat().st_size)
        for path in sorted(tmp_path.iterdir())
    )
    bound = bind_file_scan(ctx, scan_of(FileGroup(files=made)), SCHEMA)
    assert physical(bound) == physical(ctx.table("t"))


def test_filters_prune_row_groups_and_limits_reach_the_reader(files):
    ctx = SessionContext()
    group = FileGroup(files=files(rows_of(0, 10_000), rows_of(10_000, 20_000)))
    rows = bind_file_scan(ctx, scan_of(group), SCHEMA)
    filtered = physical(rows.filter(col("id") > lit(19_990)).select(col("s")))
    assert "pruning_predicate=" in filtered
    assert "limit=7" in physical(rows.limit(7))
    counted = physical(rows.aggregate([], [_count()]))
    assert "DataSourceExec" not in counted, "a count comes from the files' statistics"


def _count():
    from datafusion import functions

    return functions.count(lit(1)).alias("n")


def test_nothing_is_left_registered(files):
    ctx = SessionContext()
    deletes = PositionDeletes(positions=pa.table({"file": ["x"], "position": [0]}))
    keys = EqualityDeletes(columns=("id",), keys=pa.table({"id": [1]}))
    group = FileGroup(
        files=files(rows_of(0, 5)), position_deletes=deletes, equality_deletes=(keys,)
    )
    bind_file_scan(ctx, scan_of(group), SCHEMA).collect()
    assert ctx.catalog().schema().table_names() == set()


def test_no_groups_are_no_rows_of_the_right_schema(ctx):
    schema = pa.schema(
        [("a", pa.int64()), ("d", pa.decimal128(9, 2)), ("l", pa.list_(pa.string()))]
    )
    rows = bind_file_scan(ctx, scan_of(), schema)
    assert rows.schema().names == schema.names
    assert rows.schema().types == schema.types
    assert rows.to_pylist() == []


def test_columns_are_chosen_and_ordered_as_asked(ctx, files):
    schema = pa.schema([("s", pa.string()), ("id", pa.int64())])
    rows = bind_file_scan(ctx, scan_of(FileGroup(files=files(rows_of(0, 2)))), schema)
    assert rows.to_pylist() == [{"s": "s0", "id": 0}, {"s": "s1", "id": 1}]
    one = bind_file_scan(ctx, scan_of(FileGroup(files=files(rows_of(0, 2)))), schema.remove(1))
    assert one.to_pylist() == [{"s": "s0"}, {"s": "s1"}]


def test_no_columns_still_count_rows(ctx, files):
    group = FileGroup(files=files(rows_of(0, 5), rows_of(5, 9)))
    assert bind_file_scan(ctx, scan_of(group), pa.schema([])).count() == 9


def test_a_column_that_files_lack_is_null(ctx, files):
    schema = SCHEMA.append(pa.field("new", pa.decimal128(9, 2)))
    rows = bind_file_scan(ctx, scan_of(FileGroup(files=files(rows_of(0, 1)))), schema)
    assert rows.to_pylist() == [{"id": 0, "s": "s0", "new": None}]


def test_files_of_narrower_types_are_widened(ctx, files):
    old = pa.table({"id": pa.array([1, 2], pa.int32()), "s": ["a", None]})
    rows = bind_file_scan(ctx, scan_of(FileGroup(files=files(old, rows_of(5, 6)))), SCHEMA)
    assert sorted_rows(rows.filter(col("id") < lit(6)))[0] == {"id": 1, "s": "a"}
    assert rows.count() == 3


def test_the_same_file_twice_is_refused(ctx, files):
    (file,) = files(rows_of(0, 2))
    same = DataFile(path=f"file://{file.path}", size_bytes=1)
    if listing.self_check():
        with pytest.raises(NotSupported, match="twice"):
            bind_file_scan(ctx, scan_of(FileGroup(files=(file, same))), SCHEMA)


def test_a_missing_file_is_an_error(ctx, files):
    (file,) = files(rows_of(0, 2))
    gone = DataFile(path=file.path + "x", size_bytes=1)
    with pytest.raises(SourceDataError, match="parquetx"):
        bind_file_scan(ctx, scan_of(FileGroup(files=(file, gone))), SCHEMA)


def test_one_session_binds_in_many_threads(files):
    ctx = SessionContext()
    group = FileGroup(files=files(rows_of(0, 50), rows_of(50, 100)))

    def count(_):
        return bind_file_scan(ctx, scan_of(group), SCHEMA).count()

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(count, range(40))) == {100}


# -- other formats ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "csv",
    [
        CsvOptions(),
        CsvOptions(has_header=False),
        CsvOptions(delimiter=";"),
        CsvOptions(delimiter="\t", quote="'"),
    ],
)
@pytest.mark.parametrize("compression", ["", "gzip"])
def test_csv_files_are_read_as_they_are_written(ctx, tmp_path, csv, compression):
    quoted = f"{csv.quote}x{csv.delimiter}\ny{csv.quote}"
    lines = [f"1{csv.delimiter}{quoted}", f"2{csv.delimiter}plain"]
    header = [f"id{csv.delimiter}s"] if csv.has_header else []
    made = []
    for number in range(2):
        path = tmp_path / f"{number}.data"
        text = "\n".join([*header, *lines]) + "\n"
        path.write_bytes(gzip.compress(text.encode()) if compression else text.encode())
        made.append(DataFile(path=str(path), size_bytes=1))
    scan = scan_of(
        FileGroup(files=tuple(made)), format_=FileFormat.CSV, csv=csv, compression=compression
    )
    rows = bind_file_scan(ctx, scan, SCHEMA)
    wanted = [{"id": 1, "s": f"x{csv.delimiter}\ny"}, {"id": 2, "s": "plain"}]
    assert sorted_rows(rows) == sorted(wanted * 2, key=repr)


def test_a_large_csv_file_with_line_ends_in_quotes_is_not_cut(tmp_path):
    path = tmp_path / "large.csv"
    count = 300_000
    text = '"a\n1,x\n2,y"'
    with path.open("w") as file:
        file.write("id,s\n")
        file.writelines(f"{i},{text}\n" for i in range(count))
    assert path.stat().st_size > 2**22
    group = FileGroup(files=(DataFile(path=str(path), size_bytes=1),))
    rows = bind_file_scan(SessionContext(), scan_of(group, format_=FileFormat.CSV), SCHEMA)
    assert rows.count() == count


@pytest.mark.parametrize("compression", ["", "gzip"])
def test_json_lines_are_read(ctx, tmp_path, compression):
    made = []
    for number in range(2):
        path = tmp_path / f"{number}.anything"
        text = f'{{"id": {number}, "s": "x"}}\n{{"id": {number + 10}}}\n'
        path.write_bytes(gzip.compress(text.encode()) if compression else text.encode())
        made.append(DataFile(path=str(path), size_bytes=1))
    scan = scan_of(FileGroup(files=tuple(made)), format_=FileFormat.JSON, compression=compression)
    rows = bind_file_scan(ctx, scan, SCHEMA)
    assert sorted((row["id"], row["s"]) for row in rows.to_pylist()) == [
        (0, "x"),
        (1, "x"),
        (10, None),
        (11, None),
    ]


def test_json_arrays_are_read_whole(ctx, tmp_path):
    made = []
    for number, text in enumerate(
        ('[{"id":1,"s":"x"},{"id":2}]', '[\n {"id": 3,\n "s": "]"}\n]\n')
    ):
        path = tmp_path / f"{number}.json"
        path.write_text(text)
        made.append(DataFile(path=str(path), size_bytes=1))
    options = JsonOptions(is_array=True)
    scan = scan_of(FileGroup(files=tuple(made)), format_=FileFormat.JSON, json=options)
    rows = bind_file_scan(ctx, scan, SCHEMA).to_pylist()
    assert sorted((row["id"], row["s"]) for row in rows) == [(1, "x"), (2, None), (3, "]")]


def test_arrow_files_are_read(ctx, tmp_path):
    made = []
    for number in range(2):
        table = rows_of(number * 5, number * 5 + 5)
        with pa.ipc.new_file(tmp_path / f"{number}.arrow", table.schema) as writer:
            writer.write_table(table)
        made.append(DataFile(path=f"{tmp_path}/{number}.arrow", size_bytes=1))
    scan = scan_of(FileGroup(files=tuple(made)), format_=FileFormat.ARROW)
    rows = bind_file_scan(ctx, scan, SCHEMA)
    assert sorted_rows(rows) == rows_of(0, 10).to_pylist()
    assert rows.schema().types == SCHEMA.types


# -- partition columns -----------------------------------------------------------------------------

PARTITIONS = pa.schema([("day", pa.date32()), ("k", pa.string())])


def test_partition_columns_take_each_files_values(ctx, files):
    days = [dt.date(2024, 1, 1), dt.date(2024, 1, 2), None]
    keys = ["a/b", None, "é"]
    values = [
        (pa.scalar(day, pa.date32()), pa.scalar(key, pa.string()))
        for day, key in zip(days, keys, strict=True)
    ]
    made = files(rows_of(0, 1), rows_of(1, 2), rows_of(2, 3), values=values)
    schema = pa.schema([PARTITIONS.field("k"), *SCHEMA, PARTITIONS.field("day")])
    scan = scan_of(FileGroup(files=made), partition_schema=PARTITIONS)
    rows = bind_file_scan(ctx, scan, schema)
    assert rows.schema().names == ["k", "id", "s", "day"]
    assert rows.schema().field("day").type == pa.date32()
    wanted = [{"k": keys[i], "id": i, "s": f"s{i}", "day": days[i]} for i in range(3)]
    assert sorted(rows.to_pylist(), key=repr) == sorted(wanted, key=repr)
    one = rows.filter(col("day") == lit(pa.scalar(days[1])))
    assert one.to_pylist() == [wanted[1]]
    assert rows.filter(col("k").is_null()).to_pylist() == [wanted[1]]


def test_files_of_one_partition_take_a_constant(files):
    value = (pa.scalar(7, pa.int32()),)
    made = files(rows_of(0, 1), rows_of(1, 2), values=[value, value])
    partition = pa.schema([("p", pa.int32())])
    scan = scan_of(FileGroup(files=made), partition_schema=partition)
    rows = bind_file_scan(SessionContext(), scan, pa.schema([*SCHEMA, *partition]))
    assert "CASE" not in physical(rows)
    assert {row["p"] for row in rows.to_pylist()} == {7}


@pytest.mark.parametrize("format_", [FileFormat.CSV, FileFormat.JSON])
def test_partition_columns_work_for_text_formats(ctx, tmp_path, format_):
    made = []
    for number in range(2):
        path = tmp_path / f"{number}.txt"
        lines = {FileFormat.CSV: "id,s\n1,x\n", FileFormat.JSON: '{"id":1,"s":"x"}\n'}
        path.write_text(lines[format_])
        value = (pa.scalar(number, pa.int32()),)
        made.append(DataFile(path=str(path), size_bytes=1, partition_values=value))
    partition = pa.schema([("p", pa.int32())])
    scan = scan_of(FileGroup(files=tuple(made)), format_=format_, partition_schema=partition)
    rows = bind_file_scan(ctx, scan, pa.schema([*SCHEMA, *partition]))
    assert sorted_rows(rows) == [{"id": 1, "s": "x", "p": 0}, {"id": 1, "s": "x", "p": 1}]


# -- mapping ---------------------------------------------------------------------------------------


def test_columns_are_mapped_cast_and_filled_in(ctx, files):
    file = pa.table(
        {
            "A.b": pa.array([1, 2], pa.int32()),
            "s": pa.array([10, 20]),
            'q"x': [{"In": 1, "y z": "u"}, None],
        }
    )
    target = pa.schema(
        [
            ("s", pa.int64()),
            ("Select", pa.float64()),
            ("fixed", pa.decimal128(9, 2)),
            ("none", pa.list_(pa.int32())),
            ("p", pa.struct([("renamed", pa.int64()), ("added", pa.string())])),
            ("taken.out", pa.string()),
        ]
    )
    struct = FromFile(('q"x',))
    columns = (
        MappedColumn("s", FromFile(("A.b",))),
        MappedColumn("Select", FromFile(("s",))),
        MappedColumn("fixed", Constant(pa.scalar(Decimal("1.50"), pa.decimal128(9, 2)))),
        MappedColumn("none", Constant(pa.scalar(None, pa.list_(pa.int32())))),
        MappedColumn(
            "p",
            MakeStruct(
                struct,
                (
                    ("renamed", FromFile(('q"x', "In"))),
                    ("added", Constant(pa.scalar("d", pa.string()))),
                ),
            ),
        ),
        MappedColumn("taken.out", FromFile(('q"x', "y z"))),
    )
    rows = bind_file_scan(ctx, scan_of(FileGroup(files=files(file), columns=columns)), target)
    assert rows.schema().names == target.names
    assert rows.to_pylist() == [
        {
            "s": 1,
            "Select": 10.0,
            "fixed": Decimal("1.50"),
            "none": None,
            "p": {"renamed": 1, "added": "d"},
            "taken.out": "u",
        },
        {
            "s": 2,
            "Select": 20.0,
            "fixed": Decimal("1.50"),
            "none": None,
            "p": None,
            "taken.out": None,
        },
    ]
    assert rows.filter(col("s") > lit(1)).count() == 1


def test_swapped_names_are_not_mixed_up_by_the_optimizer(ctx, files):
    file = pa.table({"a": [{"x": 1}, {"x": 2}], "b": [{"x": 10}, {"x": 20}]})
    kind = pa.struct([("x", pa.int64())])
    columns = (MappedColumn("a", FromFile(("b",))), MappedColumn("b", FromFile(("a",))))
    schema = pa.schema([("a", kind), ("b", kind)])
    group = FileGroup(files=files(file, file), columns=columns)
    rows = bind_file_scan(ctx, scan_of(group), schema)
    found = rows.filter(rows.col("a")["x"] > lit(10)).select(rows.col("b")["x"].alias("x"))
    assert found.to_pydict() == {"x": [2, 2]}


def test_groups_of_different_shapes_are_put_together(ctx, files):
    renamed = pa.table({"number": pa.array([7], pa.int32()), "s": ["x"]})
    columns = (MappedColumn("id", FromFile(("number",))), MappedColumn("s", FromFile(("s",))))
    scan = scan_of(
        FileGroup(files=files(rows_of(0, 2))), FileGroup(files=files(renamed), columns=columns)
    )
    rows = bind_file_scan(ctx, scan, SCHEMA)
    assert sorted_rows(rows) == [*rows_of(0, 2).to_pylist(), {"id": 7, "s": "x"}]
    assert rows.filter(col("id") == lit(7)).count() == 1


def test_many_groups_do_not_make_the_plan_deep(files):
    groups = [FileGroup(files=files(rows_of(i, i + 1))) for i in range(300)]
    rows = bind_file_scan(SessionContext(), scan_of(*groups), SCHEMA)
    assert rows.count() == 300


def test_a_column_that_no_source_gives_is_an_error(ctx, files):
    columns = (MappedColumn("id", FromFile(("id",))),)
    group = FileGroup(files=files(rows_of(0, 1)), columns=columns)
    with pytest.raises(ColumnNotFound, match='"s"'):
        bind_file_scan(ctx, scan_of(group), SCHEMA)


# -- deletes ---------------------------------------------------------------------------------------


def test_positions_delete_rows_of_their_own_file(ctx, files):
    made = files(rows_of(0, 100), rows_of(100, 200), rows_of(200, 300), row_group_size=7)
    gone = {0: [0, 99, 50], 1: [5, 5]}
    pairs = [(made[number].path, at) for number, listed in gone.items() for at in listed]
    positions = pa.table(
        {
            "file": [path for path, _ in pairs] + ["/elsewhere"],
            "position": [at for _, at in pairs] + [1],
        }
    )
    group = FileGroup(files=made, position_deletes=PositionDeletes(positions=positions))
    rows = bind_file_scan(ctx, scan_of(group), SCHEMA)
    deleted = {0, 99, 50, 105}
    assert {row["id"] for row in rows.to_pylist()} == set(range(300)) - deleted
    where = rows.filter(col("id") >= lit(50)).filter(col("id") < lit(110))
    assert {row["id"] for row in where.to_pylist()} == set(range(50, 110)) - deleted
    assert rows.count() == 296


def test_positions_hold_where_row_groups_are_skipped_and_files_are_cut(files):
    ctx = SessionContext()
    ctx.sql("SET datafusion.optimizer.repartition_file_min_size = 0").collect()
    ctx.sql("SET datafusion.execution.target_partitions = 8").collect()
    ctx.sql("SET datafusion.execution.parquet.pushdown_filters = true").collect()
    made = files(rows_of(0, 20_000), rows_of(20_000, 40_000), row_group_size=500)
    gone = set(random.Random(5).sample(range(40_000), 4_000))
    positions = pa.table(
        {
            "file": [made[i // 20_000].path for i in gone],
            "position": [i % 20_000 for i in gone],
        }
    )
    group = FileGroup(files=made, position_deletes=PositionDeletes(positions=positions))
    rows = bind_file_scan(ctx, scan_of(group), SCHEMA)
    assert {r["id"] for r in rows.to_pylist()} == set(range(40_000)) - gone
    part = rows.filter(col("id") > lit(31_234))
    assert {r["id"] for r in part.to_pylist()} == set(range(31_235, 40_000)) - gone


def test_keys_delete_equal_rows_null_included(ctx, files):
    table = pa.table({"id": [1, None, 2, 3, None], "s": ["a", None, "b", None, "x"]}, SCHEMA)
    deletes = (
        EqualityDeletes(columns=("id", "s"), keys=pa.table({"x": [None, 3], "y": [None, "z"]})),
        EqualityDeletes(columns=("id", "s"), keys=pa.table({"x": [1], "y": ["a"]})),
        EqualityDeletes(columns=("s",), keys=pa.table({"s": ["b", "nobody"]})),
    )
    keys = tuple(
        EqualityDeletes(columns=d.columns, keys=d.keys.cast(_key_schema(d))) for d in deletes
    )
    group = FileGroup(files=files(table), equality_deletes=keys)
    rows = bind_file_scan(ctx, scan_of(group), SCHEMA)
    assert sorted_rows(rows) == [{"id": 3, "s": None}, {"id": None, "s": "x"}]
    assert "HashJoinExec" in physical(rows)
    assert "NestedLoopJoin" not in physical(rows)


def _key_schema(deletes):
    types = [SCHEMA.field(name).type for name in deletes.columns]
    return pa.schema(list(zip(deletes.keys.column_names, types, strict=True)))


def test_keys_may_be_of_columns_that_are_not_asked_for(ctx, files):
    keys = EqualityDeletes(columns=("id",), keys=pa.table({"id": [1, 2]}))
    group = FileGroup(files=files(rows_of(0, 4)), equality_deletes=(keys,))
    rows = bind_file_scan(ctx, scan_of(group), pa.schema([("s", pa.string())]))
    assert sorted_rows(rows) == [{"s": "s0"}, {"s": "s3"}]


def test_keys_hold_together_with_positions_partitions_and_mapping(ctx, files):
    value = [(pa.scalar(n, pa.int32()),) for n in range(2)]
    made = files(rows_of(0, 5), rows_of(5, 10), values=value)
    positions = pa.table({"file": [made[0].path, made[1].path], "position": [1, 2]})
    keys = EqualityDeletes(
        columns=("p", "number"), keys=pa.table({"p": pa.array([1], pa.int32()), "n": [5]})
    )
    group = FileGroup(
        files=made,
        columns=(MappedColumn("number", FromFile(("id",))),),
        position_deletes=PositionDeletes(positions=positions),
        equality_deletes=(keys,),
    )
    schema = pa.schema([("number", pa.int64()), ("p", pa.int32())])
    scan = scan_of(group, partition_schema=pa.schema([("p", pa.int32())]))
    rows = bind_file_scan(ctx, scan, schema).to_pylist()
    left = [0, 2, 3, 4, 6, 8, 9]
    assert sorted((r["number"], r["p"]) for r in rows) == [(n, n // 5) for n in left]


def test_joins_and_aggregates_above_deletes_and_partitions_are_right(ctx, files):
    value = [(pa.scalar(n, pa.int32()),) for n in range(3)]
    made = files(*(rows_of(n * 10, n * 10 + 10) for n in range(3)), values=value)
    positions = pa.table({"file": [file.path for file in made], "position": [0, 1, 2]})
    group = FileGroup(files=made, position_deletes=PositionDeletes(positions=positions))
    scan = scan_of(group, partition_schema=pa.schema([("p", pa.int32())]))
    rows = bind_file_scan(ctx, scan, pa.schema([*SCHEMA, ("p", pa.int32())]))
    ctx.register_table("t", rows.into_view())
    found = ctx.sql(
        "SELECT a.p, count(*) AS n, min(b.id) AS low FROM t a LEFT JOIN t b ON a.id = b.id + 10 "
        "WHERE a.p > 0 GROUP BY a.p ORDER BY a.p"
    )
    assert found.to_pylist() == [{"p": 1, "n": 9, "low": 2}, {"p": 2, "n": 9, "low": 10}]
    limited = ctx.sql("SELECT p, id FROM t ORDER BY id DESC LIMIT 2").to_pylist()
    assert limited == [{"p": 2, "id": 29}, {"p": 2, "id": 28}]


def test_uuids_keep_their_type_through_a_mapping(ctx, files):
    stored = pa.array([b"0123456789abcdef", None], pa.binary(16))
    table = pa.table({"u": pa.ExtensionArray.from_storage(pa.uuid(), stored)})
    schema = pa.schema([("renamed", pa.uuid())])
    group = FileGroup(files=files(table), columns=(MappedColumn("renamed", FromFile(("u",))),))
    for one in (
        bind_file_scan(ctx, scan_of(group), schema),
        bind_file_scan(ctx, scan_of(group, group_of(files, table)), schema),
    ):
        assert one.to_arrow_table().schema.field("renamed").type == pa.uuid()


def group_of(files, table):
    columns = (MappedColumn("renamed", Constant(pa.scalar(None, pa.uuid()))),)
    return FileGroup(files=files(table), columns=columns)
