import pickle
from dataclasses import dataclass

import pytest

from igloo.config.secrets import MASK, Secret, resolve_references
from igloo.errors import InvalidSetting

VALUE = "hunter2-swordfish"


def test_a_secret_prints_dots_everywhere():
    secret = Secret(VALUE)
    shown = [str(secret), repr(secret), f"{secret}", f"{secret!r:>40}", f"{[secret]}"]
    assert not [text for text in shown if VALUE in text]
    assert all(MASK in text for text in shown)


def test_a_secret_in_a_dataclass_prints_dots():
    @dataclass
    class Options:
        password: Secret

    assert VALUE not in repr(Options(Secret(VALUE)))


def test_a_secret_in_an_error_prints_dots():
    assert VALUE not in str(ValueError("wrong password", Secret(VALUE)))


def test_a_secret_is_revealed_only_by_asking():
    assert Secret(VALUE).reveal() == VALUE


def test_a_secret_has_no_dictionary_to_look_into():
    with pytest.raises(TypeError):
        vars(Secret(VALUE))


def test_secrets_compare_by_value_and_with_nothing_else():
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert len({Secret("a"), Secret("a"), Secret("b")}) == 2


def test_a_secret_travels_to_workers():
    assert pickle.loads(pickle.dumps(Secret(VALUE))).reveal() == VALUE


def test_references_are_replaced_where_they_stand(tmp_path):
    (tmp_path / "password").write_text("from a file\r\n")
    text = "a ${env:NAME} b ${file:password} c $NAME ${NAME}"
    found = resolve_references(text, {"NAME": "value"}, base=tmp_path)
    assert found == "a value b from a file c $NAME ${NAME}"


def test_what_a_reference_brings_is_not_read_again():
    assert resolve_references("${env:A}", {"A": "${env:B}", "B": "x"}, base=None) == "${env:B}"


def test_an_empty_variable_is_a_value():
    assert resolve_references("${env:A}", {"A": ""}, base=None) == ""


@pytest.mark.parametrize(
    ("text", "named"),
    [("${env:NO_SUCH}", "NO_SUCH"), ("${file:no_such}", "no_such"), ("${vault:x}", "vault")],
)
def test_a_reference_to_nothing_names_what_is_missing(tmp_path, text, named):
    with pytest.raises(InvalidSetting, match=named):
        resolve_references(text, {}, base=tmp_path)
