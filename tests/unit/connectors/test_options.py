from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from igloo.config.secrets import Secret
from igloo.connectors.options import Location, Options, option, read_options
from igloo.errors import InvalidSetting


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleOptions(Options):
    path: Location = option("Where the files are.")  # noqa: RUF009 - a field
    folder: Path | None = option("A folder.", default=None)  # noqa: RUF009 - a field
    password: Secret | None = option("The password.", default=None)  # noqa: RUF009 - a field
    port: int = option("The port.", default=5432)
    ratio: float = option("A ratio.", default=0.5)
    writes: bool = option("Whether to write.", default=False)
    schemas: tuple[str, ...] = option("Schemas to show.", default=())
    mode: str = option("How.", default="fast", choices=("fast", "slow"))
    storage: Mapping[str, str] = field(default_factory=dict, metadata={"help": "Access."})


def read(base=None, environment=None, **given):
    given = {name.replace("__", "."): text for name, text in {"path": "/x", **given}.items()}
    environment = environment or {}
    return read_options(
        SampleOptions, given, connector="sample", environment=environment, base=base
    )


def test_defaults_stand_where_nothing_is_given():
    options = read()
    assert (options.port, options.ratio, options.writes) == (5432, 0.5, False)
    assert (options.schemas, options.mode, options.folder) == ((), "fast", None)
    assert dict(options.storage) == {}


def test_texts_become_values_of_the_declared_types():
    options = read(port="1", ratio="0.25", writes="ON", schemas="a, b,,c", mode="slow")
    assert (options.port, options.ratio, options.writes) == (1, 0.25, True)
    assert (options.schemas, options.mode) == (("a", "b", "c"), "slow")


@pytest.mark.parametrize("text", ["false", "Off", "0", "no"])
def test_there_are_four_words_for_false(text):
    assert read(writes=text).writes is False


def test_storage_options_are_gathered():
    assert dict(read(storage__region="eu", storage__endpoint="http://x").storage) == {
        "region": "eu",
        "endpoint": "http://x",
    }


def test_references_are_resolved_and_secrets_stay_hidden():
    options = read(password="${env:PASS}", environment={"PASS": "hunter2"})
    assert options.password.reveal() == "hunter2"
    assert "hunter2" not in repr(options)


def test_a_reference_to_a_variable_that_is_not_set_is_named():
    with pytest.raises(InvalidSetting, match='"PASS" is not set'):
        read(password="${env:PASS}")


def test_an_unknown_option_is_refused_with_the_nearest_one():
    with pytest.raises(InvalidSetting, match='"sample" has no option "prot"') as caught:
        read(prot="1")
    assert caught.value.hint == 'Did you mean "port"?'
    assert caught.value.context["option"] == "prot"


@pytest.mark.parametrize("name", ["storage", "Path", "storage_region", ""])
def test_a_name_that_is_not_exactly_an_option_is_refused(name):
    given = {"path": "/x", name: "1"}
    with pytest.raises(InvalidSetting, match="has no option"):
        read_options(SampleOptions, given, connector="sample", environment={})


def test_a_missing_option_says_what_it_is_for():
    with pytest.raises(InvalidSetting, match='needs the option "path": Where the files are'):
        read_options(SampleOptions, {}, connector="sample", environment={})


@pytest.mark.parametrize(
    ("name", "text", "wanted"),
    [
        ("port", "many", "a whole number"),
        ("port", "1.5", "a whole number"),
        ("ratio", "half", "a number"),
        ("writes", "maybe", "true or false"),
        ("path", "", "not empty"),
        ("path", "a\0b", "NUL"),
        ("folder", "a\0b", "NUL"),
    ],
)
def test_a_text_that_is_no_such_value_says_what_is_wanted(name, text, wanted):
    with pytest.raises(InvalidSetting, match=f'"{name}" of "sample" must be .*{wanted}'):
        read(**{name: text})


def test_a_value_that_is_not_a_choice_lists_the_choices():
    with pytest.raises(InvalidSetting, match='"mode" of "sample" cannot be "warp"') as caught:
        read(mode="warp")
    assert caught.value.hint == "Allowed: fast, slow."


# -- locations ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("/data/x.parquet", "/data/x.parquet"),
        ("x.parquet", "/base/x.parquet"),
        ("./a//b/", "/base/a/b"),
        ("../x", "/base/../x"),
        ("file:///data/a%20b", "/data/a b"),
        ("file://localhost/data", "/data"),
    ],
)
def test_a_path_is_made_absolute_without_following_links(text, path):
    location = read(base=Path("/base"), path=text).path
    assert (location.path, location.scheme) == (path, "")


@pytest.mark.parametrize(
    "text", ["s3://bucket//a/../b/*.parquet", "gs://b/x%20y", "https://h/x?y=[1]", "AZ://c/p"]
)
def test_a_url_is_left_as_it_is(text):
    location = read(base=Path("/base"), path=text).path
    assert location.path == location.resolved() == location.pattern == str(location) == text
    assert location.scheme == text.partition(":")[0].lower()
    assert not location.has_wildcard


def test_wildcards_of_the_base_stand_for_themselves():
    location = read(base=Path("/b[a]se"), path="x*.parquet").path
    assert location.has_wildcard
    assert location.pattern == "/b[[]a]se/x*.parquet"
    assert location.path == "/b[a]se/x*.parquet"
    assert not read(base=Path("/b[a]se"), path="x.parquet").path.has_wildcard


def test_a_tilde_is_the_home_folder(monkeypatch):
    monkeypatch.setenv("HOME", "/home/me")
    assert read(path="~/x").path.path == "/home/me/x"


def test_a_path_option_is_relative_to_the_base():
    assert read(base=Path("/base"), folder="a/../b").folder == Path("/base/b")
    assert read(base=Path("/base"), folder="/c").folder == Path("/c")


def test_without_a_base_paths_are_relative_to_the_working_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert read(path="x").path.path == f"{tmp_path}/x"
    assert read(folder="x").folder == tmp_path / "x"


def test_reading_options_never_asks_the_disk(tmp_path):
    missing = tmp_path / "gone"
    options = read(base=missing, path="x/*.csv", folder="y")
    assert options.path.path == f"{missing}/x/*.csv"
    assert not missing.exists()
