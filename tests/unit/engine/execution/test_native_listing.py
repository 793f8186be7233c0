import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from datafusion import SessionContext

from igloo.connectors.file_scan import FileFormat, FileScan
from igloo.engine.execution import listing
from igloo.errors import NotSupported, SourceDataError

PARQUET = FileScan(format=FileFormat.PARQUET, groups=(), files_total=0)


@pytest.fixture
def unchecked():
    """Let the check run again, here and afterwards."""
    listing.self_check.cache_clear()
    yield
    listing.self_check.cache_clear()


def test_the_check_passes_with_the_pinned_datafusion(unchecked):
    assert listing.self_check()


def test_the_check_fails_if_the_plan_format_is_another(unchecked, monkeypatch, caplog):
    monkeypatch.setattr(listing, "with_paths", lambda plan, urls: plan[:-1])
    assert not listing.self_check()
    assert "file by file" in caplog.text


def test_the_check_fails_if_one_file_is_lost(unchecked, monkeypatch):
    kept = listing.with_paths
    monkeypatch.setattr(listing, "with_paths", lambda plan, urls: kept(plan, urls[:1]))
    assert not listing.self_check()


def test_the_check_fails_if_files_are_named_otherwise(unchecked, monkeypatch):
    monkeypatch.setattr(listing, "reported_name", lambda path: f"/{path}")
    assert not listing.self_check()


@pytest.mark.parametrize(
    ("path", "url", "name"),
    [
        ("/a/b.parquet", "file:///a/b.parquet", "a/b.parquet"),
        ("file:///a/b", "file:///a/b", "a/b"),
        ("file:/a/b", "file:///a/b", "a/b"),
        ("/a//b/./c", "file:///a/b/c", "a/b/c"),
        ("/s=x%2Fy", "file:///s%3Dx%252Fy", "s=x%2Fy"),
        ("/a b+c", "file:///a%20b%2Bc", "a b+c"),
        ("/[a]*?#é", "file:///%5Ba%5D%2A%3F%23%C3%A9", "[a]*?#é"),
        ("s3://bucket/a b/%20", "s3://bucket/a%20b/%2520", "a b/%20"),
    ],
)
def test_a_path_becomes_a_url_and_the_name_that_is_reported(path, url, name):
    assert listing.file_url(path) == url
    assert listing.reported_name(path) == name


def test_a_relative_path_is_refused():
    with pytest.raises(NotSupported, match="not absolute"):
        listing.file_url("a/b.parquet")


def test_dots_in_a_path_mean_what_they_mean_on_disk(tmp_path):
    (tmp_path / "real" / "inner").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "real" / "inner")
    path = tmp_path / "real" / "a.parquet"
    pq.write_table(pa.table({"a": [1]}), path)
    rows = listing.read_files(SessionContext(), PARQUET, [f"{tmp_path}/link/../a.parquet"], None)
    assert rows.to_pydict() == {"a": [1]}


NAMES = [
    "a b",
    "x%2Fy",
    "p%25",
    "é日本",
    "a+b",
    "[z]",
    "a?",
    "*",
    "#h",
    "q'\"",
    "back\\s",
    "=",
    "~",
]


@pytest.mark.parametrize("count", [1, len(NAMES)])
def test_files_of_any_name_are_read(tmp_path, count):
    paths = [f"{tmp_path}/{name}" for name in NAMES[:count]]
    for number, path in enumerate(paths):
        pq.write_table(pa.table({"a": [number]}), path)
    rows = listing.read_files(SessionContext(), PARQUET, paths, None)
    assert sorted(rows.to_pydict()["a"]) == list(range(count))


def test_a_pattern_in_a_name_matches_nothing_else(tmp_path):
    for name in ("*", "other"):
        pq.write_table(pa.table({"a": [name]}), tmp_path / name)
    rows = listing.read_files(SessionContext(), PARQUET, [f"{tmp_path}/*"], None)
    assert rows.to_pydict() == {"a": ["*"]}


def test_a_file_that_is_gone_is_an_error_and_not_no_rows(tmp_path):
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"a": [1]}), path)
    listing.check_local_files([str(path), f"file://{path}", "s3://bucket/elsewhere"])
    path.unlink()
    with pytest.raises(SourceDataError, match=r"a\.parquet"):
        listing.check_local_files([str(path)])
