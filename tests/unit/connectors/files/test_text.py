import bz2
import datetime as dt
import gzip
import json
import lzma
import re

import pyarrow as pa
import pytest

from igloo.cancel import CancelToken
from igloo.connectors.predicates import Column, Comparison, ComparisonOperator, Literal
from igloo.errors import InvalidSetting, QueryCancelled, SourceDataError

UTC = dt.UTC
moment = dt.datetime.fromisoformat


def put(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


# -- CSV ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "type_", "read"),
    [
        (["1", "-20", ""], pa.int64(), [1, -20, None]),
        (["9223372036854775807"], pa.int64(), [2**63 - 1]),
        (["9223372036854775808"], pa.string(), ["9223372036854775808"]),
        (["007", "8"], pa.string(), ["007", "8"]),
        (["+49"], pa.string(), ["+49"]),
        (["1.5", "2", "1e3", "NaN", "-inf"], pa.float64(), [1.5, 2, 1000, None, float("-inf")]),
        (["1.5", "12345678901234567"], pa.string(), ["1.5", "12345678901234567"]),
        (["1.5", "1e400"], pa.string(), ["1.5", "1e400"]),
        (["nan", "inf"], pa.string(), ["nan", "inf"]),
        (["true", "False", "TRUE"], pa.bool_(), [True, False, True]),
        (["true", "t"], pa.string(), ["true", "t"]),
        (["0", "1"], pa.int64(), [0, 1]),
        (["2024-02-29"], pa.date32(), [dt.date(2024, 2, 29)]),
        (["2023-02-29"], pa.string(), ["2023-02-29"]),
        (
            ["2024-02-29 10:11:12", "9999-12-31T23:59:59.999999"],
            pa.timestamp("us"),
            [moment("2024-02-29 10:11:12"), moment("9999-12-31T23:59:59.999999")],
        ),
        (
            ["2024-02-29T10:00:00Z", "2024-02-29 10:00:00+02:00"],
            pa.timestamp("us", "UTC"),
            [dt.datetime(2024, 2, 29, 10, tzinfo=UTC), dt.datetime(2024, 2, 29, 8, tzinfo=UTC)],
        ),
        (["2024-02-29T10:00:00Z", "2024-02-29T10:00:00"], pa.string(), None),
        (["2024-02-29", "2024-02-29T10:00:00"], pa.string(), None),
        (["12:30:00"], pa.string(), ["12:30:00"]),
        ([" 1"], pa.string(), [" 1"]),
        (["", ""], pa.string(), [None, None]),
        (["é", "日本", "NULL", "null", "NA"], pa.string(), None),
    ],
)
def test_a_column_of_csv_has_the_narrowest_type_that_holds_its_values(
    tmp_path, opened, values, type_, read
):
    put(tmp_path / "t.csv", "v,w\n" + "".join(f"{value},x\n" for value in values))
    catalog = opened(tmp_path)
    assert catalog.load("t").schema.field("v").type == type_
    found = [row["v"] for row in catalog.rows("t")]
    if type_ == pa.float64():
        found = [None if value != value else value for value in found]  # noqa: PLR0124 - finds NaN
    assert found == (read or values)


def test_nothing_is_null_and_quoted_nothing_is_the_empty_text(tmp_path, opened):
    put(tmp_path / "t.csv", 'a,b\n"",1\n,2\n')
    assert opened(tmp_path).rows("t") == [{"a": "", "b": 1}, {"a": None, "b": 2}]


def test_an_empty_line_of_a_one_column_file_is_a_null(tmp_path, opened):
    put(tmp_path / "t.csv", "v\n1\n\n2\n")
    assert opened(tmp_path).rows("t") == [{"v": 1}, {"v": None}, {"v": 2}]


def test_an_empty_line_of_a_wider_file_is_no_row(tmp_path, opened):
    put(tmp_path / "t.csv", "v,w\n1,1\n\n2,2\n\n")
    assert opened(tmp_path).read("t").num_rows == 2


def test_quotes_hold_delimiters_line_ends_and_quotes(tmp_path, opened):
    put(tmp_path / "t.csv", 'a,b\r\n"x,\r\ny","say ""hi"""\r\n')
    assert opened(tmp_path).rows("t") == [{"a": "x,\r\ny", "b": 'say "hi"'}]


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("a;b\n1;'x;y'\n", {"delimiter": ";", "quote": "'"}),
        ("a\tb\n1\tx;y\n", {"delimiter": "\\t"}),
        ("a|b\n1|x;y", {"delimiter": "|", "quote": ""}),
    ],
)
def test_delimiter_and_quote_can_be_chosen(tmp_path, opened, text, options):
    put(tmp_path / "t.csv", text)
    assert opened(tmp_path, **options).rows("t") == [{"a": 1, "b": "x;y"}]


def test_tsv_is_separated_by_tabs(tmp_path, opened):
    put(tmp_path / "t.tsv", "a\tb\n1\tx,y\n")
    assert opened(tmp_path).rows("t") == [{"a": 1, "b": "x,y"}]


def test_columns_without_a_header_are_numbered(tmp_path, opened):
    put(tmp_path / "t.csv", "1,x\n2,y\n")
    rows = [{"column_1": 1, "column_2": "x"}, {"column_1": 2, "column_2": "y"}]
    assert opened(tmp_path, header="false").rows("t") == rows


@pytest.mark.parametrize("text", ["a,b", "a,b\n", "\ufeffa,b\r\n"])
def test_a_header_alone_is_an_empty_table_of_text(tmp_path, opened, text):
    put(tmp_path / "t.csv", text)
    table = opened(tmp_path).read("t")
    assert table.schema == pa.schema([("a", pa.string()), ("b", pa.string())])
    assert table.num_rows == 0


def test_files_match_by_name_whatever_the_order_of_their_columns(tmp_path, opened):
    put(tmp_path / "t" / "a.csv", "a,b\n1,2\n")
    put(tmp_path / "t" / "b.csv", "b,c,a\n20,x,10\n")
    rows = [{"a": 1, "b": 2, "c": None}, {"a": 10, "b": 20, "c": "x"}]
    assert opened(tmp_path).rows("t") == rows


@pytest.mark.parametrize(
    ("one", "other", "type_"),
    [
        ("1", "1.5", pa.float64()),
        ("1", "x", pa.string()),
        ("2024-01-01", "1", pa.string()),
        ("true", "1", pa.string()),
        ("", "1", pa.int64()),
        ("2024-01-01T00:00:00", "2024-01-01T00:00:00.123456789", pa.timestamp("ns")),
    ],
)
@pytest.mark.parametrize("order", ["ab", "ba"])
def test_types_of_several_files_are_one_type(  # noqa: PLR0917 - fixtures are arguments
    tmp_path, opened, one, other, type_, order
):
    put(tmp_path / "t" / f"{order[0]}.csv", f"v,w\n{one},0\n")
    put(tmp_path / "t" / f"{order[1]}.csv", f"v,w\n{other},0\n")
    catalog = opened(tmp_path)
    assert catalog.load("t").schema.field("v").type == type_
    assert catalog.read("t").num_rows == 2


def test_a_later_value_that_does_not_fit_names_file_column_and_value(tmp_path, opened):
    put(tmp_path / "t.csv", "v,w\n" + "1,2\n" * 5 + "1,x\n")
    catalog = opened(tmp_path, infer_records="3")
    assert catalog.load("t").schema.field("w").type == pa.int64()
    with pytest.raises(SourceDataError, match=r"t\.csv.*column \"w\".*'x'") as caught:
        catalog.rows("t")
    assert "infer_records" in caught.value.hint
    assert caught.value.context["catalog"] == "lake"
    assert opened(tmp_path, infer_records="6").rows("t")[-1] == {"v": 1, "w": "x"}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "is empty"),
        ("a,b\n1\n", "Expected 2 columns, got 1"),
        ("a,b\n1,2,3\n", "Expected 2 columns, got 3"),
        ("a,a\n1,2\n", 'two columns named "a"'),
        (b"a\n\xe9\n", "[uU][tT][fF]-?8"),
        ("a,b\n1,2\n".encode("utf-16"), "Expected 2 columns"),
    ],
)
def test_a_file_that_is_not_csv_is_named(tmp_path, opened, text, reason):
    put(tmp_path / "t.csv", text)
    with pytest.raises(SourceDataError, match=rf"t\.csv.*{reason}"):
        opened(tmp_path).rows("t")


def test_a_nul_character_is_data(tmp_path, opened):
    put(tmp_path / "t.csv", "v,w\nx\0y,1\n")
    assert opened(tmp_path).rows("t") == [{"v": "x\0y", "w": 1}]


def test_a_file_of_many_blocks_is_read_in_pieces(tmp_path, opened):
    count = 250_000
    put(tmp_path / "t.csv", "id,name\n" + "".join(f'{i},"{"x" * 60}\n{i}"\n' for i in range(count)))
    catalog = opened(tmp_path)
    (split,) = catalog.scan(catalog.load("t")).splits
    batches = list(catalog.connector.read_split(split, CancelToken()))
    assert len(batches) > 1
    table = pa.Table.from_batches(batches)
    assert table.column("id").to_pylist() == list(range(count))
    assert table.column("name")[count - 1].as_py() == f"{'x' * 60}\n{count - 1}"


def test_a_record_longer_than_a_block_is_refused(tmp_path, opened):
    long = "x" * 20_000_000
    put(tmp_path / "t.csv", f"a,b\n1,{long}\n2,{long}\n")
    with pytest.raises(SourceDataError, match=r"t\.csv.*longer than"):
        opened(tmp_path).rows("t")


@pytest.mark.parametrize("options", [{"delimiter": ";;"}, {"delimiter": "é"}, {"quote": "\n"}])
def test_a_delimiter_or_quote_that_is_no_character_is_refused(opened, options):
    with pytest.raises(InvalidSetting, match="one ASCII character"):
        opened("/x", **options)


def test_a_delimiter_that_is_the_quote_is_refused(opened):
    with pytest.raises(InvalidSetting, match="must differ"):
        opened("/x", delimiter="'", quote="'")


def test_no_records_to_look_at_is_refused(opened):
    with pytest.raises(InvalidSetting, match="at least 1"):
        opened("/x", infer_records="0")


# -- compressed --------------------------------------------------------------------------------

PACKERS = {
    "gz": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zst": lambda data: pa.compress(data, codec="zstd", asbytes=True),
}


@pytest.mark.parametrize("packer", PACKERS)
@pytest.mark.parametrize("extension", ["csv", "ndjson"])
def test_compressed_text_is_unpacked(tmp_path, opened, packer, extension):
    text = "v\n1\n2\n" if extension == "csv" else '{"v":1}\n{"v":2}\n'
    put(tmp_path / f"t.{extension}.{packer}", PACKERS[packer](text.encode()))
    catalog = opened(tmp_path)
    assert catalog.tables() == ["t"]
    assert catalog.rows("t") == [{"v": 1}, {"v": 2}]


@pytest.mark.parametrize("packer", PACKERS)
@pytest.mark.parametrize("kept", [0.5, 0.99])
def test_compressed_text_that_is_cut_short_is_named(tmp_path, opened, packer, kept):
    data = PACKERS[packer](("v\n" + "".join(f"{i * i}\n" for i in range(5000))).encode())
    put(tmp_path / f"t.csv.{packer}", data[: int(len(data) * kept)])
    with pytest.raises(SourceDataError, match=rf"t\.csv\.{packer}"):
        opened(tmp_path).rows("t")


def test_compressed_and_plain_files_make_one_table(tmp_path, opened):
    put(tmp_path / "t" / "a.csv", "v\n1\n")
    put(tmp_path / "t" / "b.csv.gz", gzip.compress(b"v\n2\n"))
    assert opened(tmp_path).rows("t") == [{"v": 1}, {"v": 2}]


# -- JSON --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        '{"a":1}\n{"a":2}\n',
        '{"a":1}\n\n{"a":2}',
        '\ufeff{"a":1}\r\n{"a":2}\r\n',
        '[{"a":1},{"a":2}]',
        ' \n[ {"a":\n1} ,\n{"a":2} ]\n',
        '{\n "a": 1\n}\n{\n "a": 2\n}\n',
    ],
)
def test_json_is_objects_one_after_the_other_or_one_array(tmp_path, opened, text):
    put(tmp_path / "t.json", text)
    assert opened(tmp_path).rows("t") == [{"a": 1}, {"a": 2}]


@pytest.mark.parametrize(
    ("values", "type_"),
    [
        ([1, None, -(2**63)], pa.int64()),
        ([1, 2**64 - 1], pa.uint64()),
        ([-1, 2**64], pa.decimal128(38, 0)),
        ([1, 2.5], pa.float64()),
        ([True, None], pa.bool_()),
        (["2024-01-01", "1", ""], pa.string()),
        ([None, None], pa.string()),
        ([[1, None], [], None], pa.list_(pa.int64())),
        ([[], None], pa.list_(pa.string())),
        ([{"x": 1}, {"y": ["a"]}], pa.struct([("x", pa.int64()), ("y", pa.list_(pa.string()))])),
        ([[{"x": 1}], [{"x": None}]], pa.list_(pa.struct([("x", pa.int64())]))),
    ],
)
def test_a_field_of_json_has_the_type_of_all_its_values(tmp_path, opened, values, type_):
    put(tmp_path / "t.ndjson", "".join(json.dumps({"v": value}) + "\n" for value in values))
    catalog = opened(tmp_path)
    assert catalog.load("t").schema.field("v").type == type_
    assert catalog.read("t").column("v").equals(pa.chunked_array([pa.array(values, type_)]))


def test_fields_that_a_record_lacks_are_null(tmp_path, opened):
    put(tmp_path / "t" / "a.ndjson", '{"a":1}\n{"b":"x"}\n')
    put(tmp_path / "t" / "b.json", '[{"c":true}]')
    assert opened(tmp_path).rows("t") == [
        {"a": 1, "b": None, "c": None},
        {"a": None, "b": "x", "c": None},
        {"a": None, "b": None, "c": True},
    ]


def test_values_of_unlike_types_name_file_column_and_types(tmp_path, opened):
    put(tmp_path / "t.ndjson", '{"a":{"b":1}}\n{"a":{"b":"x"}}\n')
    with pytest.raises(SourceDataError, match=r'"a\.b" .*t\.ndjson.* integer and string'):
        opened(tmp_path).load("t")


def test_values_of_unlike_types_in_two_files_name_both(tmp_path, opened):
    put(tmp_path / "t" / "a.ndjson", '{"a":1}\n')
    put(tmp_path / "t" / "b.ndjson", '{"a":"x"}\n')
    with pytest.raises(SourceDataError, match=r"a\.ndjson.*b\.ndjson.*integer and string"):
        opened(tmp_path).load("t")


@pytest.mark.parametrize(
    ("late", "reason"),
    [('{"a":"x"}', "changed from number"), ('{"a":1,"b":2}', "a field that"), ('{"a":1.5}', "1.5")],
)
def test_a_later_record_that_does_not_fit_names_the_file(tmp_path, opened, late, reason):
    put(tmp_path / "t.ndjson", '{"a":1}\n' * 5 + late + "\n")
    catalog = opened(tmp_path, infer_records="3")
    with pytest.raises(SourceDataError, match=rf"t\.ndjson.*{re.escape(reason)}") as caught:
        catalog.rows("t")
    assert "infer_records" in caught.value.hint


@pytest.mark.parametrize(
    "text",
    [
        "",
        " \n",
        "[]",
        "{}\n{}",
        "{",
        '{"a":1}\n{"a":',
        '[{"a":1}',
        '[{"a":1} {"a":2}]',
        '[{"a":1}] x',
        "1\n2\n",
        '["a"]',
        "not json",
        b'{"a":"\xe9"}\n',
        '{"a":1,"a":2}\n',
    ],
)
def test_a_file_that_is_not_json_or_names_no_column_is_named(tmp_path, opened, text):
    put(tmp_path / "t.json", text)
    with pytest.raises(SourceDataError, match=r"t\.json"):
        opened(tmp_path).rows("t")


def test_a_large_array_is_read_in_pieces(tmp_path, opened):
    records = [{"id": i, "text": "x" * 50 + '"[{\\'} for i in range(150_000)]
    put(tmp_path / "t.json", json.dumps(records, indent=1))
    catalog = opened(tmp_path)
    (split,) = catalog.scan(catalog.load("t")).splits
    batches = list(catalog.connector.read_split(split, CancelToken()))
    assert len(batches) > 1
    assert pa.Table.from_batches(batches).to_pylist() == records


def test_columns_are_chosen_and_counted(tmp_path, opened):
    put(tmp_path / "t.ndjson", '{"a":1,"b":2}\n{"a":3}\n')
    put(tmp_path / "u.csv", "a,b\n1,2\n3,\n")
    catalog = opened(tmp_path)
    for name in ("t", "u"):
        assert catalog.read(name, columns=("b",)).to_pylist() == [{"b": 2}, {"b": None}]
        (split,) = catalog.scan(catalog.load(name), ()).splits
        counted = catalog.connector.read_split(split, CancelToken())
        assert sum(batch.num_rows for batch in counted) == 2


def test_text_and_arrow_files_are_not_listed_for_datafusion(tmp_path, opened):
    put(tmp_path / "t.csv", "v\n1\n")
    assert opened(tmp_path).native("t") is None
    assert opened(tmp_path).load("t").row_count is None


# -- Arrow -------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [pa.ipc.new_file, pa.ipc.new_stream])
@pytest.mark.parametrize("compression", [None, "zstd", "lz4"])
def test_arrow_files_and_streams_are_read(tmp_path, opened, make, compression):
    table = pa.table({"a": [1, None], "d": pa.array(["x", "y"]).dictionary_encode()})
    options = pa.ipc.IpcWriteOptions(compression=compression)
    with make(tmp_path / "t.arrow", table.schema, options=options) as writer:
        writer.write_table(table)
        writer.write_table(table)
    assert opened(tmp_path).read("t").to_pylist() == table.to_pylist() * 2


@pytest.mark.parametrize("make", [pa.ipc.new_file, pa.ipc.new_stream])
def test_a_damaged_arrow_file_is_named(tmp_path, opened, make):
    file = tmp_path / "t.arrow"
    with make(file, pa.schema([("v", pa.int64())])) as writer:
        writer.write_table(pa.table({"v": list(range(10_000))}))
    file.write_bytes(file.read_bytes()[:2000])
    with pytest.raises(SourceDataError, match=r"t\.arrow"):
        opened(tmp_path).rows("t")


def test_a_type_that_cannot_be_carried_names_column_and_type(tmp_path, opened):
    from igloo.errors import UnsupportedType

    union = pa.UnionArray.from_sparse(
        pa.array([0, 1], pa.int8()), [pa.array([1, 2]), pa.array("ab")]
    )
    table = pa.table({"u": union})
    with pa.ipc.new_file(tmp_path / "t.arrow", table.schema) as writer:
        writer.write_table(table)
    with pytest.raises(UnsupportedType, match=r'"u".*sparse_union') as caught:
        opened(tmp_path).load("t")
    assert caught.value.context["column"] == "u"


# -- all ---------------------------------------------------------------------------------------


def test_a_limit_is_taken_only_with_the_whole_filter(tmp_path, opened):
    put(tmp_path / "t.csv", "v,w\n" + "".join(f"{i},{i}\n" for i in range(10)))
    catalog = opened(tmp_path)
    exact = Comparison(Column("v"), ComparisonOperator.GREATER, Literal(pa.scalar(3)))
    other = Comparison(Column("v"), ComparisonOperator.GREATER, Literal(pa.scalar(3.5)))
    assert [row["v"] for row in catalog.rows("t", filter=exact, limit=2)] == [4, 5]
    scan = catalog.scan(catalog.load("t"), ("w",), filter=other, limit=2)
    assert scan.residual == other
    (split,) = scan.splits
    assert split.columns == ("w", "v")
    assert catalog.connector.read_split(split, CancelToken()).read_all().num_rows == 10


def test_a_limit_of_nothing_opens_no_file(tmp_path, opened):
    put(tmp_path / "t.csv", "v\n1\n")
    catalog = opened(tmp_path)
    (split,) = catalog.scan(catalog.load("t"), limit=0).splits
    (tmp_path / "t.csv").unlink()
    assert catalog.connector.read_split(split, CancelToken()).read_all().num_rows == 0


@pytest.mark.parametrize("extension", ["csv", "ndjson"])
def test_a_cancelled_read_stops_at_the_next_batch(tmp_path, opened, extension):
    line = "x" * 100
    head, row = (
        ("v,w\n", f"1,{line}\n") if extension == "csv" else ("", f'{{"v":1,"w":"{line}"}}\n')
    )
    put(tmp_path / f"t.{extension}", head + row * 200_000)
    catalog = opened(tmp_path)
    (split,) = catalog.scan(catalog.load("t")).splits
    cancel = CancelToken()
    reader = catalog.connector.read_split(split, cancel)
    assert reader.read_next_batch().num_rows
    cancel.cancel()
    with pytest.raises(QueryCancelled):
        reader.read_next_batch()
