import pickle
from pathlib import Path

import pytest

from igloo.config import machine
from igloo.config.secrets import MASK
from igloo.config.settings import SETTINGS, Settings
from igloo.errors import InvalidSetting

DEFAULTS = Settings.defaults()


def test_every_default_is_a_value_that_its_setting_takes():
    for setting in SETTINGS:
        again = DEFAULTS.with_value(setting.name, setting.default, origin="flag")
        assert again.get(setting.name) == DEFAULTS.get(setting.name)
        assert DEFAULTS.origin(setting.name) == "default"


def test_every_setting_says_what_it_does_and_has_a_property():
    for setting in SETTINGS:
        assert setting.description.endswith(".")
        stem = setting.name.removeprefix("igloo.").replace(".", "_")
        unit = {"duration": "_s", "size": "_bytes"}.get(setting.type, "")
        assert hasattr(DEFAULTS, stem if stem.endswith(unit) else stem + unit)


def test_defaults_are_typed():
    assert DEFAULTS.pushdown == "full"
    assert DEFAULTS.freshness == "auto"
    assert DEFAULTS.session_token == ""
    assert DEFAULTS.execution == "auto"
    assert DEFAULTS.timeout_s is None
    assert DEFAULTS.memory_limit_bytes == machine.memory_bytes() // 2
    assert DEFAULTS.timezone == "UTC"
    assert DEFAULTS.batch_rows == 8192
    assert DEFAULTS.target_partitions == machine.processor_count()
    assert DEFAULTS.catalog_store is None
    assert DEFAULTS.limits_cross_join_rows == 10**9
    assert DEFAULTS.limits_statement_bytes == 512 * 1024
    assert DEFAULTS.limits_nesting_depth == 100
    assert DEFAULTS.limits_result_rows_kept is None
    assert DEFAULTS.limits_query_history == 1000
    assert DEFAULTS.limits_spill_bytes == 100 * 10**9


def test_a_change_makes_new_settings_and_leaves_the_old():
    changed = DEFAULTS.with_value("timeout", "2m", origin="flag")
    assert changed.timeout_s == 120.0
    assert DEFAULTS.timeout_s is None
    assert changed.origin("igloo.timeout") == "flag"


@pytest.mark.parametrize("name", ["timeout", "igloo.timeout", "IGLOO.Timeout", " timeout "])
def test_a_name_goes_with_or_without_its_prefix(name):
    assert DEFAULTS.with_value(name, "5s", origin="session").timeout_s == 5.0


def test_an_explicit_zero_counts():
    configured = DEFAULTS.with_value("timeout", "5s", origin="igloo.toml:1")
    assert configured.with_value("timeout", 0, origin="flag").timeout_s is None
    assert (
        configured.with_value("limits.cross_join_rows", 0, origin="flag").get(
            "limits.cross_join_rows"
        )
        == 0
    )


def test_an_explicit_none_counts_where_a_setting_may_be_absent():
    configured = DEFAULTS.with_value("catalog_store", "/x/store", origin="igloo.toml:1")
    assert configured.catalog_store == Path("/x/store")
    assert configured.with_value("catalog_store", None, origin="flag").catalog_store is None
    with pytest.raises(InvalidSetting, match="must have a value"):
        configured.with_value("timeout", None, origin="flag")


def test_reset_goes_back_to_what_configuration_said():
    configured = DEFAULTS.with_value("timeout", "5s", origin="igloo.toml:3")
    changed = configured.with_value("timeout", "1s", origin="session")
    assert (changed.timeout_s, changed.origin("timeout")) == (1.0, "session")
    back = changed.without("timeout")
    assert (back.timeout_s, back.origin("timeout")) == (5.0, "igloo.toml:3")


def test_an_unknown_name_gets_a_suggestion():
    with pytest.raises(InvalidSetting) as caught:
        DEFAULTS.with_value("timout", "5s", origin="session")
    assert str(caught.value) == 'There is no setting "timout". Did you mean "igloo.timeout"?'
    for read in (DEFAULTS.get, DEFAULTS.without, DEFAULTS.origin):
        with pytest.raises(InvalidSetting, match='no setting "nope"'):
            read("nope")


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("pushdown", "some", "Allowed: full, scan, off"),
        ("execution", "cluster", "Allowed: auto, embedded"),
        ("execution", "pool", "Allowed: auto, embedded"),
        ("freshness", "bounded", "Allowed: auto"),
        ("freshness", "bounded(5)", "unit is missing"),
        ("freshness", "bounded(5s", "Allowed: auto"),
        ("timeout", "5", "unit is missing"),
        ("timeout", 5, "unit is missing"),
        ("timeout", "", "must have a value"),
        ("timeout", "5s\0", "NUL"),
        ("memory_limit", "1kB", "at least 1000000 bytes"),
        ("memory_limit", True, "a bool is not"),
        ("memory_limit", 1.5, "a float is not"),
        ("batch_rows", 0, "at least 1"),
        ("batch_rows", 10**7, "at most 1000000"),
        ("target_partitions", 4096, "at most 1024"),
        ("timezone", "Mars/Olympus", "must be a time zone"),
        ("timezone", "Europe/Berln", 'did you mean "Europe/Berlin"'),
        ("timezone", "+25:00", "must be a time zone"),
    ],
)
def test_a_value_that_is_not_allowed_is_refused_with_its_reason(name, value, reason):
    with pytest.raises(InvalidSetting) as caught:
        DEFAULTS.with_value(name, value, origin="session")
    assert reason in str(caught.value)
    assert f'"igloo.{name}"' in str(caught.value)


def test_the_place_of_a_wrong_value_is_told_unless_it_was_just_typed():
    with pytest.raises(InvalidSetting, match=r"^igloo\.toml:4: The setting"):
        DEFAULTS.with_value("timeout", "5", origin="igloo.toml:4")
    with pytest.raises(InvalidSetting, match=r"^The setting"):
        DEFAULTS.with_value("timeout", "5", origin="session")


@pytest.mark.parametrize(
    ("text", "held"),
    [
        ("strict", "strict"),
        ("OFF", "off"),
        ("bounded(5s)", "bounded(5s)"),
        ("Bounded ( 500ms )", "bounded(500ms)"),
    ],
)
def test_freshness_is_held_in_one_spelling(text, held):
    assert DEFAULTS.with_value("freshness", text, origin="session").freshness == held


@pytest.mark.parametrize(
    ("text", "held"),
    [("utc", "UTC"), ("europe/berlin", "Europe/Berlin"), ("+02:00", "+02:00")],
)
def test_a_time_zone_is_held_as_the_zone_database_spells_it(text, held):
    assert DEFAULTS.with_value("timezone", text, origin="session").timezone == held


def test_a_setting_that_is_fixed_at_opening_refuses_a_change_by_set():
    with pytest.raises(InvalidSetting, match="fixed when the connection opens"):
        DEFAULTS.with_value("catalog_store", "/x", origin="session")


def test_a_relative_path_starts_at_its_base():
    there = DEFAULTS.with_value("catalog_store", "a/../s", origin="x:1", base=Path("/etc/igloo"))
    assert there.catalog_store == Path("/etc/igloo/s")
    here = DEFAULTS.with_value("catalog_store", "s", origin="flag")
    assert here.catalog_store == Path.cwd() / "s"


def test_rows_are_sorted_text_with_origins():
    rows = DEFAULTS.with_value("memory_limit", "4GiB", origin=".env").rows()
    assert [row.name for row in rows] == sorted(setting.name for setting in SETTINGS)
    (row,) = (row for row in rows if row.name == "igloo.memory_limit")
    assert (row.value, row.default, row.origin) == ("4GiB", "50%", ".env")
    assert all(isinstance(getattr(row, f), str) for row in rows for f in ("value", "default"))


def test_settings_cross_a_process_border_and_do_not_print_values():
    changed = DEFAULTS.with_value("session_token", "abc", origin="session")
    assert pickle.loads(pickle.dumps(changed)) == changed
    assert "abc" not in repr(changed)
    assert MASK not in repr(changed)
