import re
import tomllib
from pathlib import Path

from igloo.config.example import example_toml
from igloo.config.load import load_config
from igloo.config.settings import SETTINGS, Settings
from igloo.config.sources import SOURCE_VARIABLES

ROOT = Path(__file__).parents[3]


def test_the_example_at_the_root_is_up_to_date():
    assert (ROOT / "igloo.example.toml").read_text() == example_toml(), (
        "run: python -m igloo.config.example > igloo.example.toml"
    )


def test_the_example_with_every_line_switched_on_is_the_defaults(tmp_path):
    text = re.sub(
        r"^# (\w+ = .*)$", r"\1", example_toml().partition("# Catalogs.")[0], flags=re.MULTILINE
    )
    (tmp_path / "igloo.toml").write_text(text)
    settings = load_config(folder=tmp_path, environment={}).settings
    defaults = Settings.defaults()
    for setting in SETTINGS:
        assert settings.get(setting.name) == defaults.get(setting.name)
        assert settings.origin(setting.name).startswith("igloo.toml:")


def test_the_catalogs_of_the_example_are_readable():
    text = example_toml().partition("# Catalogs.")[2]
    lines = re.sub(r"^# ?(\[.*|\w+ = .*)$", r"\1", text, flags=re.MULTILINE).splitlines()
    read = tomllib.loads("\n".join(line for line in lines if re.match(r"\[|\w+ = ", line)))
    assert {section["connector"] for section in read["catalogs"].values()} == {
        "postgres",
        "files",
        "iceberg",
    }


def test_the_env_example_names_every_variable_and_sets_none(tmp_path):
    text = (ROOT / ".env.example").read_text()
    for variable in (*SOURCE_VARIABLES, "DATABASE_URL"):
        assert f"# {variable}=" in text
    (tmp_path / ".env").write_text(text)
    config = load_config(folder=tmp_path, environment={})
    assert (config.catalogs, config.notes) == ((), ())
    switched_on = re.sub(r"^# (\w+=.*)$", r"\1", text, flags=re.MULTILINE)
    (tmp_path / ".env").write_text(switched_on)
    names = [catalog.name for catalog in load_config(folder=tmp_path, environment={}).catalogs]
    assert names == ["postgres", "mysql", "parquet", "iceberg"]
