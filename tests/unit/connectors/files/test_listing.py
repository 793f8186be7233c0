import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from igloo.errors import (
    NotSupported,
    SourceDataError,
    SourceUnavailable,
    TableNotFound,
)


def put(path: Path, *values: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table({"v": pa.array(values or (1,), pa.int64())}), path)
    return path


def values(catalog, name, schema="main"):
    return sorted(row["v"] for row in catalog.rows(name, schema))


def test_files_of_the_folder_and_folders_that_hold_files_are_tables_of_main(tmp_path, opened):
    put(tmp_path / "customers.parquet", 1)
    put(tmp_path / "orders" / "a.parquet", 2)
    put(tmp_path / "orders" / "b.pq", 3)
    catalog = opened(tmp_path)
    assert catalog.connector.list_schemas() == ["main"]
    assert catalog.tables() == ["customers", "orders"]
    assert values(catalog, "customers") == [1]
    assert values(catalog, "orders") == [2, 3]


def test_other_folders_are_schemas_named_by_their_path(tmp_path, opened):
    put(tmp_path / "sales" / "orders" / "a.parquet", 1)
    put(tmp_path / "sales" / "eu" / "refunds" / "a.parquet", 2)
    catalog = opened(tmp_path)
    assert catalog.connector.list_schemas() == ["main", "sales", "sales/eu"]
    assert catalog.tables() == []
    assert catalog.tables("sales") == ["orders"]
    assert values(catalog, "refunds", "sales/eu") == [2]


def test_a_folder_in_a_table_folder_is_a_table_of_its_own(tmp_path, opened):
    put(tmp_path / "orders" / "a.parquet", 1)
    put(tmp_path / "orders" / "old" / "b.parquet", 2)
    catalog = opened(tmp_path)
    assert values(catalog, "orders") == [1]
    assert values(catalog, "old", "orders") == [2]


def test_a_folder_named_main_holds_tables_of_main(tmp_path, opened):
    put(tmp_path / "main" / "orders" / "a.parquet", 1)
    assert values(opened(tmp_path), "orders") == [1]


def test_a_path_to_one_file_is_one_table(tmp_path, opened):
    put(tmp_path / "other.parquet", 1)
    catalog = opened(put(tmp_path / "data[1].part-0.snappy.parquet", 7))
    assert catalog.tables() == ["data[1].part-0.snappy"]
    assert values(catalog, "data[1].part-0.snappy") == [7]


def test_partition_folders_in_the_root_are_a_table_named_as_the_root(tmp_path, opened):
    put(tmp_path / "events" / "day=1" / "a.parquet", 1)
    put(tmp_path / "events" / "loose.parquet", 9)
    catalog = opened(tmp_path / "events")
    assert catalog.tables() == ["events", "loose"]
    assert catalog.rows("events") == [{"v": 1, "day": 1}]


def test_a_glob_chooses_files_and_names_them_as_the_folder_would(tmp_path, opened):
    put(tmp_path / "2024-01.parquet", 1)
    put(tmp_path / "2024-02.parquet", 2)
    put(tmp_path / "2023-01.parquet", 3)
    catalog = opened(tmp_path / "2024-*.parquet")
    assert catalog.tables() == ["2024-01", "2024-02"]


def test_a_glob_with_the_option_table_is_one_table(tmp_path, opened):
    put(tmp_path / "2024-01.parquet", 1)
    put(tmp_path / "deep" / "er" / "2024-02.parquet", 2)
    put(tmp_path / "deep" / "2023-01.parquet", 3)
    catalog = opened(tmp_path / "**" / "2024-*.parquet", table="year")
    assert catalog.tables() == ["year"]
    assert values(catalog, "year") == [1, 2]


def test_a_folder_with_the_option_table_is_one_table(tmp_path, opened):
    put(tmp_path / "a.parquet", 1)
    put(tmp_path / "b.parquet", 2)
    assert values(opened(tmp_path, table="all"), "all") == [1, 2]


def test_a_glob_over_folders_takes_what_is_below_them(tmp_path, opened):
    put(tmp_path / "in" / "eu-1" / "a.parquet", 1)
    put(tmp_path / "in" / "us-1" / "a.parquet", 2)
    catalog = opened(tmp_path / "in" / "eu-*")
    assert catalog.tables() == ["eu-1"]
    assert values(catalog, "eu-1") == [1]


def test_a_glob_keeps_partition_columns(tmp_path, opened):
    for day in (1, 2, 13):
        put(tmp_path / "events" / f"day={day}" / "a.parquet", day)
    catalog = opened(tmp_path / "events" / "day=1*" / "*.parquet", table="events")
    rows = sorted(catalog.rows("events"), key=lambda row: row["v"])
    assert rows == [{"v": 1, "day": 1}, {"v": 13, "day": 13}]


def test_a_file_whose_name_looks_like_a_glob_is_that_file(tmp_path, opened):
    put(tmp_path / "a1.parquet", 1)
    catalog = opened(put(tmp_path / "a[1].parquet", 2))
    assert values(catalog, "a[1]") == [2]


def test_hidden_files_and_markers_are_no_data(tmp_path, opened):
    put(tmp_path / "t" / "a.parquet", 1)
    put(tmp_path / "t" / "_temporary" / "b.parquet", 2)
    put(tmp_path / "t" / ".hidden.parquet", 3)
    put(tmp_path / "t" / "_draft.parquet", 4)
    (tmp_path / "t" / "_SUCCESS").touch()
    (tmp_path / "t" / "README.md").write_text("not data")
    catalog = opened(tmp_path)
    assert catalog.tables() == ["t"]
    assert catalog.connector.list_schemas() == ["main"]
    assert values(catalog, "t") == [1]


def test_a_glob_that_names_hidden_files_finds_them(tmp_path, opened):
    put(tmp_path / "_draft.parquet", 4)
    put(tmp_path / "a.parquet", 1)
    assert opened(tmp_path / "_*.parquet").tables() == ["_draft"]
    assert opened(tmp_path / "*.parquet").tables() == ["a"]


def test_a_glob_and_a_format_read_files_of_any_extension(tmp_path, opened):
    put(tmp_path / "000000_0", 5)
    catalog = opened(tmp_path / "0*", format="parquet")
    assert values(catalog, "000000_0") == [5]
    assert opened(tmp_path, format="parquet").tables() == []


def test_a_format_leaves_files_of_other_formats_out(tmp_path, opened):
    put(tmp_path / "a.parquet", 1)
    (tmp_path / "b.csv").write_text("v\n1\n")
    assert opened(tmp_path, format="parquet").tables() == ["a"]
    assert opened(tmp_path, format="csv").tables() == ["b"]


def test_two_files_of_one_stem_are_an_error_that_names_both(tmp_path, opened):
    put(tmp_path / "t.parquet")
    (tmp_path / "t.csv").write_text("v\n1\n")
    catalog = opened(tmp_path)
    assert catalog.tables() == ["t"]
    with pytest.raises(SourceDataError, match=r"t\.csv.* and .*t\.parquet"):
        catalog.load("t")


def test_a_file_and_a_folder_of_one_name_are_an_error_that_names_both(tmp_path, opened):
    put(tmp_path / "t.parquet")
    put(tmp_path / "t" / "a.parquet")
    with pytest.raises(SourceDataError, match="more than once"):
        opened(tmp_path).load("t")


def test_files_of_two_formats_in_one_folder_are_refused(tmp_path, opened):
    put(tmp_path / "t" / "a.parquet")
    (tmp_path / "t" / "b.csv").write_text("v\n1\n")
    with pytest.raises(SourceDataError, match=r"a\.parquet.*b\.csv.*different formats"):
        opened(tmp_path).load("t")


@pytest.mark.parametrize(
    ("mark", "connector"),
    [
        ("_delta_log/0.json", "delta"),
        (".hoodie/x", "hudi"),
        ("metadata/v1.metadata.json", "iceberg"),
    ],
)
def test_a_lakehouse_table_is_listed_and_refused(tmp_path, opened, mark, connector):
    put(tmp_path / "wh" / "t" / "data" / "a.parquet", 1)
    put(tmp_path / "wh" / "t" / "a.parquet", 1)
    (tmp_path / "wh" / "t" / mark).parent.mkdir()
    (tmp_path / "wh" / "t" / mark).write_text("{}")
    assert opened(tmp_path / "wh").tables() == ["t"]
    for path, name in (
        ("wh", "t"),
        ("wh/t", "t"),
        ("wh/t/data", "a"),
        ("wh/t/data/a.parquet", "a"),
        ("wh/t/data/a*.parquet", "a"),
    ):
        with pytest.raises(NotSupported, match=f"connector {connector}"):
            opened(tmp_path / path).load(name)
    for path in ("wh/t", "wh/*/data/*.parquet", "wh/**"):
        with pytest.raises(NotSupported, match=f"connector {connector}"):
            opened(tmp_path / path, table="whole").load("whole")


def test_an_ordinary_folder_named_metadata_is_a_table(tmp_path, opened):
    put(tmp_path / "metadata" / "a.parquet", 3)
    assert values(opened(tmp_path), "metadata") == [3]


def test_files_below_a_plain_folder_of_a_partition_are_refused(tmp_path, opened):
    put(tmp_path / "t" / "k=1" / "a.parquet")
    put(tmp_path / "t" / "k=1" / "more" / "b.parquet")
    with pytest.raises(SourceDataError, match="would belong to no table"):
        opened(tmp_path).load("t")


def test_making_a_catalog_never_asks_for_the_path(opened):
    catalog = opened("/no/such/folder")
    for ask in (catalog.connector.list_schemas, catalog.tables, lambda: catalog.load("t")):
        with pytest.raises(SourceUnavailable, match='"/no/such/folder" does not exist') as caught:
            ask()
        assert caught.value.context["catalog"] == "lake"


def test_a_glob_below_a_missing_folder_names_the_folder(tmp_path, opened):
    with pytest.raises(SourceUnavailable, match="gone"):
        opened(tmp_path / "gone" / "*.parquet").tables()


def test_an_empty_folder_is_named_when_a_table_is_asked_for(tmp_path, opened):
    (tmp_path / "bare").mkdir()
    with pytest.raises(TableNotFound, match='bare" holds no data files'):
        opened(tmp_path / "bare").load("t")
    with pytest.raises(SourceDataError, match='bare" holds no data files'):
        opened(tmp_path / "bare", table="t").load("t")


def test_a_nearly_right_table_is_suggested(tmp_path, opened):
    put(tmp_path / "customers.parquet")
    with pytest.raises(TableNotFound) as caught:
        opened(tmp_path).load("customer")
    assert "customers" in caught.value.hint
    assert caught.value.context["table"] == "main.customer"


def test_a_file_without_a_known_extension_asks_for_the_format(tmp_path, opened):
    put(tmp_path / "data.bin")
    with pytest.raises(NotSupported, match="does not say its format"):
        opened(tmp_path / "data.bin").tables()
    assert values(opened(tmp_path / "data.bin", format="parquet"), "data") == [1]


@pytest.mark.parametrize("scheme", ["s3", "gs", "az", "http", "https"])
def test_a_url_is_refused_at_once_and_named(opened, scheme):
    with pytest.raises(NotSupported, match=f"{scheme}://bucket/x") as caught:
        opened(f"{scheme}://bucket/x/*.parquet")
    assert caught.value.context["catalog"] == "lake"


def test_a_file_url_is_a_path(tmp_path, opened):
    put(tmp_path / "a b.parquet", 4)
    assert values(opened(f"file://{tmp_path}/a%20b.parquet"), "a b") == [4]


def test_names_that_urls_and_globs_would_change_are_read_natively(tmp_path, opened):
    for number, name in enumerate(("x%2Fy", "a+b", "é[z]", "q?", "s*", "p#q", "sp ace")):
        put(tmp_path / f"{name}.parquet", number)
        assert opened(tmp_path).native(name).column("v").to_pylist() == [number]


def test_a_link_that_leads_back_is_not_followed(tmp_path, opened):
    put(tmp_path / "s" / "t" / "a.parquet")
    (tmp_path / "s" / "loop").symlink_to(tmp_path / "s")
    assert opened(tmp_path).connector.list_schemas() == ["main", "s"]


def test_links_to_other_places_are_followed(tmp_path, opened):
    put(tmp_path / "far" / "a.parquet", 8)
    (tmp_path / "near").mkdir()
    (tmp_path / "near" / "t").symlink_to(tmp_path / "far")
    assert values(opened(tmp_path / "near"), "t") == [8]


def test_a_broken_link_to_a_data_file_is_an_error(tmp_path, opened):
    put(tmp_path / "t" / "a.parquet")
    (tmp_path / "t" / "b.parquet").symlink_to(tmp_path / "gone.parquet")
    with pytest.raises(SourceUnavailable, match=r"b\.parquet"):
        opened(tmp_path).load("t")


def test_the_version_changes_with_every_change_of_the_files(tmp_path, opened):
    file = put(tmp_path / "t" / "a.parquet", 1)
    catalog = opened(tmp_path)
    seen = [catalog.load("t").version]
    assert catalog.load("t").version == seen[0]
    put(file, 2)
    seen.append(catalog.load("t").version)
    put(tmp_path / "t" / "b.parquet", 1)
    seen.append(catalog.load("t").version)
    (tmp_path / "t" / "b.parquet").unlink()
    other = put(tmp_path / "other.parquet", 3)
    times = file.stat()
    os.utime(other, ns=(times.st_atime_ns, times.st_mtime_ns))
    other.rename(file)
    seen.append(catalog.load("t").version)
    assert len(set(seen)) == 4
    assert values(catalog, "t") == [3]


def test_a_path_through_a_file_is_an_error_that_names_it(tmp_path, opened):
    put(tmp_path / "a.parquet")
    with pytest.raises(SourceUnavailable, match=r"a\.parquet/x"):
        opened(tmp_path / "a.parquet" / "x").tables()
