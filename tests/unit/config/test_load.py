import os
import textwrap
from pathlib import Path

import pytest

from igloo.config.load import load_config
from igloo.config.secrets import resolve_references
from igloo.errors import InvalidSetting


class Place:
    """A folder with configuration in it."""

    def __init__(self, folder):
        self.folder = folder

    def write(self, name, text):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))
        return path

    def load(self, environment=None, **options):
        return load_config(folder=self.folder, environment=environment or {}, **options)


@pytest.fixture
def place(tmp_path):
    return Place(tmp_path)


def test_nothing_configured_is_all_defaults(place):
    config = place.load()
    assert {row.origin for row in config.settings.rows()} == {"default"}
    assert config.catalogs == ()
    assert config.notes == ()
    assert config.file is None


def test_each_pen_beats_the_one_before_and_its_origin_is_told(place):
    place.write("igloo.toml", 'pushdown = "off"\ntimeout = "1s"\nbatch_rows = 1\n'
                'timezone = "Asia/Tokyo"\nmemory_limit = "100MB"\n')  # fmt: skip
    place.write(".env", "IGLOO_TIMEOUT=2s\nIGLOO_BATCH_ROWS=2\nIGLOO_TIMEZONE=UTC\n")
    config = place.load(
        {"IGLOO_BATCH_ROWS": "3", "IGLOO_TIMEZONE": "Europe/Rome"},
        overrides={"igloo.timezone": "+01:00"},
    )
    settings = config.settings
    found = {
        name: (settings.get(name), settings.origin(name))
        for name in ("pushdown", "timeout", "batch_rows", "timezone", "execution")
    }
    assert found == {
        "pushdown": ("off", "igloo.toml:1"),
        "timeout": (2.0, ".env"),
        "batch_rows": (3, "environment IGLOO_BATCH_ROWS"),
        "timezone": ("+01:00", "flag"),
        "execution": ("auto", "default"),
    }


def test_the_order_of_pens_is_the_same_for_an_explicit_zero(place):
    place.write("igloo.toml", 'timeout = "1s"\n')
    assert place.load({"IGLOO_TIMEOUT": "0"}).settings.timeout_s is None
    assert place.load(overrides={"timeout": 0}).settings.timeout_s is None


def test_sections_and_dotted_names_are_the_same_setting(place):
    for text in (
        "[limits]\nnesting_depth = 7\n",
        "limits.nesting_depth = 7\n",
        "igloo.limits.nesting_depth = 7\n",
        "limits = { nesting_depth = 7 }\n",
    ):
        place.write("igloo.toml", text)
        assert place.load().settings.limits_nesting_depth == 7


def test_one_setting_written_twice_in_two_spellings_is_refused(place):
    place.write("igloo.toml", 'timeout = "1s"\nigloo.timeout = "2s"\n')
    with pytest.raises(InvalidSetting, match=r"igloo\.toml:2: .*stands at igloo\.toml:1"):
        place.load()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('\ntimout = "5s"\n', 'igloo.toml:2: There is no setting "timout". Did you mean "igloo.timeout"?'),
        ("[limits]\n\nspil_bytes = 1\n", ('igloo.toml:3: There is no setting "limits.spil_bytes". '
         'Did you mean "igloo.limits.spill_bytes"?')),
        ('[catalog.pg]\nconnector = "postgres"\n', ('igloo.toml:2: There is no setting '
         '"catalog.pg.connector". Did you mean "catalogs"?')),
        ('# x\ntimeout = "5"\n', ('igloo.toml:2: The setting "igloo.timeout" cannot be "5": its unit is '
         "missing: write 500ms, 5s, 2m or 1h.")),
        ("timeout = 2024-01-01\n", ('igloo.toml:1: The setting "igloo.timeout" cannot be "2024-01-01": '
         "a date is not what it takes; write it as text.")),
        ('[catalogs.pg]\nuri = "x"\n', ('igloo.toml:1: The catalog "pg" names no connector. '
         'Add connector = "…", e.g. "postgres" or "files".')),
        ("[catalogs]\npg = 1\n", ('igloo.toml:2: The catalog "pg" must be a section. '
         "Write [catalogs.pg].")),
        ("catalogs = 1\n", ("igloo.toml:1: catalogs must be sections. Write [catalogs.NAME], and "
         'connector = "…" below it.')),
        ('[catalogs.pg]\nconnector = "x"\n\nschemas = ["a,b"]\n', ('igloo.toml:4: The option "schemas" must '
         "be text, a number, true or false, or a list of texts without commas. Put the value in quotes.")),
        ("a = 1\nb = = 2\n", ("igloo.toml:2: This is not TOML: Invalid value. "
         'Write name = "value" lines below [section] lines.')),
    ],
)  # fmt: skip
def test_a_mistake_in_the_file_is_one_line_with_its_place(place, text, message):
    place.write("igloo.toml", text)
    with pytest.raises(InvalidSetting) as caught:
        place.load()
    assert str(caught.value) == message


def test_the_line_is_right_behind_a_text_that_looks_like_settings(place):
    place.write(
        "igloo.toml",
        '''
        [catalogs.pg]
        connector = "postgres"
        comment = """
        timeout = "x"
        [limits]
        """
        [limits]
        spill_bytes = "nothing"
        ''',
    )
    with pytest.raises(InvalidSetting, match=r"^igloo\.toml:9: "):
        place.load()


def test_a_file_that_is_named_must_exist_and_one_that_is_not_need_not(place):
    with pytest.raises(InvalidSetting, match=r'"/nowhere/x\.toml" cannot be read: No such file'):
        load_config(path=Path("/nowhere/x.toml"), environment={})
    place.write("sub/x.toml/file", "")
    with pytest.raises(InvalidSetting, match="Is a directory"):
        load_config(path=place.folder / "sub" / "x.toml", environment={})


def test_a_file_that_is_not_text_is_refused(place):
    (place.folder / "igloo.toml").write_bytes(b'timeout = "\xff"')
    with pytest.raises(InvalidSetting, match="not UTF-8 text at byte 11"):
        place.load()


def test_a_byte_order_mark_and_windows_line_ends_are_read(place):
    (place.folder / "igloo.toml").write_bytes(b'\xef\xbb\xbftimeout = "5s"\r\npushdown="off"\r\n')
    (place.folder / ".env").write_bytes(b"\xef\xbb\xbfIGLOO_BATCH_ROWS=5\r\n")
    settings = place.load().settings
    assert (settings.timeout_s, settings.pushdown, settings.batch_rows) == (5.0, "off", 5)
    assert settings.origin("pushdown") == "igloo.toml:2"


def test_a_named_file_brings_the_env_file_beside_it(place, monkeypatch):
    path = place.write("conf/prod.toml", 'timeout = "5s"\ncatalog_store = "store"\n')
    place.write("conf/.env", "IGLOO_BATCH_ROWS=7\n")
    place.write(".env", "IGLOO_BATCH_ROWS=9\n")
    monkeypatch.chdir(place.folder)
    settings = load_config(path=Path("conf/prod.toml"), environment={}).settings
    assert settings.batch_rows == 7
    assert settings.origin("timeout") == "conf/prod.toml:1"
    assert settings.catalog_store == path.parent / "store"


def test_the_working_folder_is_read_and_its_parents_are_not(place, monkeypatch):
    place.write("igloo.toml", 'timeout = "5s"\n')
    place.write("below/x", "")
    monkeypatch.chdir(place.folder / "below")
    assert load_config(environment={}).settings.timeout_s is None
    monkeypatch.chdir(place.folder)
    assert load_config(environment={}).settings.timeout_s == 5.0


def test_a_relative_path_starts_at_the_pen_it_was_written_with(place, monkeypatch):
    place.write("work/x", "")
    monkeypatch.chdir(place.folder / "work")
    place.write("conf/igloo.toml", 'catalog_store = "a"\n')
    folder = place.folder / "conf"
    assert load_config(folder=folder, environment={}).settings.catalog_store == folder / "a"
    place.write("conf/.env", "IGLOO_CATALOG_STORE=b\nIGLOO_PARQUET_PATH=data\n")
    config = load_config(folder=folder, environment={})
    assert config.settings.catalog_store == folder / "b"
    assert config.environment["IGLOO_PARQUET_PATH"] == str(folder / "data")
    own = load_config(folder=folder, environment={"IGLOO_PARQUET_PATH": "mine"})
    assert own.environment["IGLOO_PARQUET_PATH"] == str(place.folder / "work" / "mine")


def test_an_env_file_changes_no_variable_of_the_process(place):
    place.write(".env", "IGLOO_BATCH_ROWS=7\nSOME_SECRET_OF_A_TEST=x\n")
    before = dict(os.environ)
    assert place.load().environment["SOME_SECRET_OF_A_TEST"] == "x"
    assert dict(os.environ) == before


def test_values_of_an_env_file_are_taken_as_they_stand(place, monkeypatch):
    monkeypatch.setenv("HOME_OF_A_TEST", "/home")
    place.write(".env", 'PG_PASSWORD="pa$HOME_OF_A_TEST${HOME_OF_A_TEST}#x y"\nexport OTHER=1\n')
    environment = place.load().environment
    assert environment["PG_PASSWORD"] == "pa$HOME_OF_A_TEST${HOME_OF_A_TEST}#x y"
    assert environment["OTHER"] == "1"


def test_a_broken_line_of_an_env_file_is_told_without_its_value(place):
    place.write(".env", "A=1\n=hunter2\n")
    with pytest.raises(InvalidSetting, match=r"\.env:2: This line is not NAME=value") as caught:
        place.load()
    assert "hunter2" not in str(caught.value)


def test_a_folder_named_env_is_a_virtual_environment_and_not_read(place):
    place.write(".env/bin/python", "")
    assert place.load().catalogs == ()


@pytest.mark.parametrize(
    ("variable", "hint"),
    [
        ("IGLOO_TIMOUT", 'Did you mean "IGLOO_TIMEOUT"?'),
        ("IGLOO_LIMITS_SPILL_BYTES", 'Did you mean "IGLOO_LIMITS__SPILL_BYTES"?'),
        ("IGLOO_POSTGRES_URL", 'Did you mean "IGLOO_POSTGRES_URI"?'),
    ],
)
def test_an_unknown_variable_of_igloo_is_refused_with_a_suggestion(place, variable, hint):
    with pytest.raises(InvalidSetting) as caught:
        place.load({variable: "x"})
    assert f"environment {variable}: There is no setting of the name {variable}. {hint}" == str(
        caught.value
    )
    place.write(".env", f"{variable}=x\n")
    with pytest.raises(InvalidSetting, match=r"^\.env: There is no setting"):
        place.load()


def test_variables_of_tests_and_of_kubernetes_are_none_of_our_settings(place):
    place.load(
        {
            "IGLOO_TEST_MYSQL_URI": "x",
            "IGLOO_BENCH_SCALE": "1",
            "IGLOO_SERVICE_HOST": "10.0.0.1",
            "IGLOO_SERVICE_PORT_GRPC": "50051",
            "IGLOO_PORT": "tcp://10.0.0.1:50051",
            "IGLOO_PORT_50051_TCP_ADDR": "10.0.0.1",
            "IGLOOS": "x",
        }
    )


def test_a_wrong_value_in_a_variable_names_the_variable(place):
    with pytest.raises(InvalidSetting, match=r"^environment IGLOO_TIMEOUT: The setting"):
        place.load({"IGLOO_TIMEOUT": "5"})


def _catalogs(config):
    return {c.name: (c.connector, dict(c.options), c.origin) for c in config.catalogs}


def test_a_catalog_of_the_file_keeps_references_and_says_where_it_stands(place):
    place.write(
        "igloo.toml",
        """\
        [catalogs.pg]
        connector = "postgres"
        uri = "${env:PG_URI}"
        pool_size = 4
        allow_writes = false
        schemas = ["a", "b"]

        [catalogs.lake]
        connector = "files"
        path = "data"
        storage.region = "eu"
        [catalogs.lake.storage]
        """.replace("        [catalogs.lake.storage]\n", ""),
    )
    config = place.load()
    assert _catalogs(config) == {
        "pg": (
            "postgres",
            {"uri": "${env:PG_URI}", "pool_size": "4", "allow_writes": "false", "schemas": "a,b"},
            "igloo.toml:1",
        ),
        "lake": ("files", {"path": "data", "storage.region": "eu"}, "igloo.toml:8"),
    }
    assert {catalog.base for catalog in config.catalogs} == {place.folder}


@pytest.mark.parametrize("name", ["memory", "system", '""'])
def test_a_catalog_cannot_take_a_name_of_igloo_s_own(place, name):
    place.write("igloo.toml", f'[catalogs.{name}]\nconnector = "files"\n')
    with pytest.raises(InvalidSetting, match=r"^igloo\.toml:1: A catalog cannot be named"):
        place.load()


def test_a_nested_section_is_dotted_options(place):
    place.write(
        "igloo.toml", '[catalogs.x]\nconnector = "files"\n[catalogs.x.storage]\nregion = "eu"\n'
    )
    assert _catalogs(place.load())["x"][1] == {"storage.region": "eu"}


def test_each_variable_implies_its_catalog_by_reference(place, tmp_path):
    config = place.load(
        {
            "IGLOO_POSTGRES_URI": "host=db user=me password=hunter2",
            "IGLOO_MYSQL_URI": "mysql://me:hunter2@db/shop",
            "IGLOO_PARQUET_PATH": "/data/parquet",
            "IGLOO_ICEBERG_WAREHOUSE": str(tmp_path),
        }
    )
    assert _catalogs(config) == {
        "postgres": ("postgres", {"uri": "${env:IGLOO_POSTGRES_URI}"},
                     "environment IGLOO_POSTGRES_URI"),
        "mysql": ("mysql", {"uri": "${env:IGLOO_MYSQL_URI}"}, "environment IGLOO_MYSQL_URI"),
        "parquet": ("files", {"path": "${env:IGLOO_PARQUET_PATH}"},
                    "environment IGLOO_PARQUET_PATH"),
        "iceberg": ("iceberg", {"type": "folder", "warehouse": "${env:IGLOO_ICEBERG_WAREHOUSE}"},
                    "environment IGLOO_ICEBERG_WAREHOUSE"),
    }  # fmt: skip
    assert "hunter2" not in repr(config)


def test_an_iceberg_warehouse_with_a_catalog_file_is_a_catalog_on_sqlite(place, tmp_path):
    warehouse = tmp_path / "warehouse"
    warehouse.mkdir()
    (warehouse / "catalog.db").touch()
    for spelled in (str(warehouse), warehouse.as_uri()):
        config = place.load({"IGLOO_ICEBERG_WAREHOUSE": spelled})
        options = _catalogs(config)["iceberg"][1]
        resolved = {
            name: resolve_references(text, config.environment, base=None)
            for name, text in options.items()
        }
        assert resolved == {
            "type": "sql",
            "uri": f"sqlite:///{warehouse}/catalog.db",
            "warehouse": str(warehouse),
        }


def test_a_warehouse_in_an_object_store_stays_as_it_is(place):
    config = place.load({"IGLOO_ICEBERG_WAREHOUSE": "s3://bucket/wh"})
    assert config.environment["IGLOO_ICEBERG_WAREHOUSE"] == "s3://bucket/wh"


@pytest.mark.parametrize(
    ("url", "used"),
    [
        ("postgres://me:pw@db/shop", "postgres://me:pw@db/shop"),
        ("postgresql://db/shop", "postgresql://db/shop"),
        ("postgresql+psycopg://me:pw@db/shop", "postgresql://me:pw@db/shop"),
        ("POSTGRESQL+asyncpg://db/shop", "POSTGRESQL://db/shop"),
    ],
)
def test_a_database_url_of_postgresql_implies_the_catalog_without_its_driver(place, url, used):
    config = place.load({"DATABASE_URL": url})
    connector, options, origin = _catalogs(config)["postgres"]
    assert (connector, origin) == ("postgres", "environment DATABASE_URL")
    assert resolve_references(options["uri"], config.environment, base=None) == used
    assert config.notes == ()


@pytest.mark.parametrize("url", ["mysql://me:hunter2@db/x", "sqlite:///x.db", "just text"])
def test_another_database_url_is_ignored_with_a_note_and_without_its_secret(place, url):
    config = place.load({"DATABASE_URL": url})
    assert config.catalogs == ()
    (note,) = config.notes
    assert note.startswith("DATABASE_URL (environment DATABASE_URL) makes no catalog")
    assert "hunter2" not in note


def test_igloo_s_own_variable_beats_database_url(place):
    config = place.load(
        {"DATABASE_URL": "mysql://db/x", "IGLOO_POSTGRES_URI": "postgresql://other/x"}
    )
    assert _catalogs(config)["postgres"][2] == "environment IGLOO_POSTGRES_URI"
    assert config.notes == ()


def test_an_empty_variable_implies_nothing_and_hides_the_env_file(place):
    place.write(".env", "IGLOO_PARQUET_PATH=data\n")
    assert [c.name for c in place.load().catalogs] == ["parquet"]
    assert place.load({"IGLOO_PARQUET_PATH": ""}).catalogs == ()
    config = place.load({"IGLOO_POSTGRES_URI": "", "DATABASE_URL": "postgresql://db/x"})
    assert _catalogs(config)["postgres"][2] == "environment DATABASE_URL"


def test_a_catalog_of_the_file_beats_an_implied_one(place):
    place.write("igloo.toml", '[catalogs.postgres]\nconnector = "postgres"\nuri = "x"\n')
    config = place.load({"IGLOO_POSTGRES_URI": "postgresql://db/x"})
    assert _catalogs(config) == {"postgres": ("postgres", {"uri": "x"}, "igloo.toml:1")}


def test_a_feed_that_nothing_follows_yet_is_told(place):
    (note,) = place.load({"IGLOO_CDC_PATH": "changes"}).notes
    assert "IGLOO_CDC_PATH" in note


def test_overrides_take_the_origin_they_are_given(place):
    config = place.load(overrides={"timeout": "5s"}, overrides_origin="connect(settings=…)")
    assert config.settings.origin("timeout") == "connect(settings=…)"
    with pytest.raises(InvalidSetting, match='There is no setting "nope"'):
        place.load(overrides={"nope": 1})
