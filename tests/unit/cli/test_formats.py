import csv
import io
import json
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from igloo.cli.output import Output
from igloo.cli.render import Format, Rendering, default_format
from igloo.errors import NotSupported

PEOPLE = pa.table(
    {
        "id": pa.array([1, 2, 3]),
        "name": pa.array(["Ann", "", None]),
        "paid": pa.array([Decimal("1.50"), None, Decimal("-20.00")], pa.decimal128(9, 2)),
    }
)


def render(table, chosen, *, is_terminal=False, rows_max=100, batch_rows=2):
    stream = io.BytesIO()
    output = Output(stream, is_terminal=is_terminal)
    rendering = Rendering(format=Format(chosen), rows_max=rows_max)
    notes = rendering.write(table.schema, table.to_batches(max_chunksize=batch_rows), output)
    return stream.getvalue(), notes


def text(table, chosen, **options):
    return render(table, chosen, **options)[0].decode()


def test_people_get_a_table_and_programs_csv():
    assert default_format(Output(io.BytesIO(), is_terminal=True)) is Format.TABLE
    assert default_format(Output(io.BytesIO(), is_terminal=False)) is Format.CSV


def test_csv_tells_null_from_empty_text():
    assert text(PEOPLE, "csv") == 'id,name,paid\n1,Ann,1.50\n2,"",\n3,,-20.00\n'


def test_csv_quotes_what_a_reader_would_split_or_trim():
    values = ["a,b", 'say "hi"', "two\nlines", "cr\rx", " edge", "edge ", "plain", "'single'"]
    written = text(pa.table({"a,b": values, "c": values}), "csv")
    rows = list(csv.reader(io.StringIO(written, newline="")))
    assert rows == [["a,b", "c"], *([v, v] for v in values)]
    assert "\nplain,plain\n" in written
    assert '" edge"' in written


def test_csv_of_no_rows_is_its_header():
    assert text(PEOPLE.slice(0, 0), "csv") == "id,name,paid\n"


def test_ndjson_is_one_object_a_line_with_exact_decimals():
    lines = text(PEOPLE, "ndjson").splitlines()
    assert [json.loads(line) for line in lines] == [
        {"id": 1, "name": "Ann", "paid": "1.50"},
        {"id": 2, "name": "", "paid": None},
        {"id": 3, "name": None, "paid": "-20.00"},
    ]


def test_json_is_one_array_whatever_the_batches():
    rows = [json.loads(line) for line in text(PEOPLE, "ndjson").splitlines()]
    for batch_rows in (1, 2, 100):
        assert json.loads(text(PEOPLE, "json", batch_rows=batch_rows)) == rows
    assert json.loads(text(PEOPLE.slice(0, 0), "json")) == []


def test_repeated_column_names_all_reach_a_json_reader():
    table = pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["id", "id"])
    assert json.loads(text(table, "json")) == [{"id": 1, "id_2": 2}]
    assert text(table, "csv") == "id,id\n1,2\n"


def test_arrow_is_the_stream_as_it_is():
    written, _ = render(PEOPLE, "arrow")
    assert pa.ipc.open_stream(written).read_all().equals(PEOPLE)
    empty, _ = render(PEOPLE.slice(0, 0), "arrow")
    assert pa.ipc.open_stream(empty).schema == PEOPLE.schema


def test_parquet_is_one_file_also_of_no_rows():
    written, _ = render(PEOPLE, "parquet")
    assert pq.read_table(io.BytesIO(written)).equals(PEOPLE)
    empty, _ = render(PEOPLE.slice(0, 0), "parquet")
    assert pq.read_table(io.BytesIO(empty)).equals(PEOPLE.slice(0, 0))


def test_parquet_gathers_small_batches_into_row_groups():
    table = pa.table({"n": range(300_000)})
    written, _ = render(table, "parquet", batch_rows=1000)
    file = pq.ParquetFile(io.BytesIO(written))
    assert file.metadata.num_row_groups == 3
    assert file.read().equals(table)


def test_parquet_refuses_a_type_it_lacks_before_writing_a_byte():
    table = pa.table({"length": [pa.MonthDayNano([1, 2, 3])]})
    output = Output(io.BytesIO(), is_terminal=False)
    with pytest.raises(NotSupported, match='column "length" of type month_day_nano_interval'):
        Rendering(format=Format.PARQUET).write(table.schema, table.to_batches(), output)
    assert output.tell() == 0


def test_a_table_aligns_numbers_right_and_text_left():
    assert text(PEOPLE, "table") == (
        " id | name |   paid\n"
        "----+------+--------\n"
        "  1 | Ann  |   1.50\n"
        "  2 |      |   NULL\n"
        "  3 | NULL | -20.00\n"
    )


def test_a_table_tells_null_from_text_that_spells_it():
    table = pa.table({"x": ["NULL", None]})
    assert text(table, "table").splitlines()[2:] == [" 'NULL'", " NULL"]


def test_a_table_of_no_rows_is_its_header():
    written, notes = render(PEOPLE.slice(0, 0), "table")
    assert written.decode().splitlines() == [" id | name | paid", "----+------+------"]
    assert notes == ()


def test_a_table_shows_no_more_rows_than_asked_and_reads_no_more_batches():
    table = pa.table({"n": range(10)})
    read = []

    def batches():
        for batch in table.to_batches(max_chunksize=2):
            read.append(batch)
            yield batch

    stream = io.BytesIO()
    rendering = Rendering(format=Format.TABLE, rows_max=4)
    notes = rendering.write(table.schema, batches(), Output(stream, is_terminal=False))
    assert stream.getvalue().decode().split()[2:] == ["0", "1", "2", "3"]
    assert len(read) == 3
    assert notes == (
        "Only the first 4 rows are shown; --max-rows shows more, --format csv prints all.",
    )


def test_exactly_as_many_rows_as_may_be_shown_need_no_note():
    assert render(pa.table({"n": range(4)}), "table", rows_max=4)[1] == ()


def test_wide_characters_keep_the_columns_aligned():
    lines = text(pa.table({"a": ["日本語", "é", "x"], "b": ["1", "2", "3"]}), "table").splitlines()
    assert lines == [" a      | b", "--------+---", " 日本語 | 1", " é      | 2", " x      | 3"]


def test_control_characters_of_data_and_of_names_never_reach_a_terminal():
    table = pa.table({"a\x1b[2J": ["\x1b]0;owned\x07\u202e"]})
    for chosen in ("table", "csv", "json", "ndjson"):
        shown = text(table, chosen, is_terminal=True)
        assert not any(c in shown for c in "\x1b\x07\u202e")
    assert "\x1b]0;owned" in text(table, "csv")


def test_a_table_fits_the_terminal_by_cutting_text_and_never_numbers(monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    table = pa.table({"n": [12345678901234567], "t": ["x" * 100]})
    written, notes = render(table, "table", is_terminal=True)
    lines = written.decode().splitlines()
    assert max(map(len, lines)) <= 40
    assert "12345678901234567" in lines[2]
    assert lines[2].endswith("x…")
    assert notes == ("Values that end in … are cut; --format csv or json prints them whole.",)


def test_a_table_that_cannot_fit_keeps_its_columns_readable(monkeypatch):
    monkeypatch.setenv("COLUMNS", "20")
    table = pa.table({f"column_{i}": ["value"] for i in range(9)})
    lines = text(table, "table", is_terminal=True).splitlines()
    assert lines[2].count("value") == 9


def test_a_huge_value_does_not_pad_every_row_of_a_table():
    written, notes = render(pa.table({"t": ["x" * 10**6, *("y" for _ in range(50))]}), "table")
    assert len(written) < 10**5
    assert notes


def test_columns_of_a_result_without_rows_or_columns_do_not_fail():
    for chosen in Format:
        render(pa.table({}), chosen)
