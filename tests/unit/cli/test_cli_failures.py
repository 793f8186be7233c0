import io

import pytest

from igloo.cli.failures import Misuse, exit_code, show_error
from igloo.errors import InvalidSetting, QueryCancelled, SourceRefused, TableNotFound


def shown(error, *, is_verbose=False):
    stream = io.StringIO()
    show_error(error, stream, is_verbose=is_verbose)
    return stream.getvalue()


def test_an_error_is_one_line_of_message_and_hint():
    error = TableNotFound('There is no table "x".', hint='Did you mean "y"?', catalog="pg")
    assert shown(error) == 'error: There is no table "x". Did you mean "y"?\n'


def raised(cause, error):
    with pytest.raises(type(error)) as caught:
        _raise_from(cause, error)
    return caught.value


def _raise_from(cause, error):
    try:
        raise cause
    except type(cause) as met:
        raise error from met


def test_verbose_adds_code_context_and_traceback_with_its_cause():
    error = raised(
        ValueError("the driver's own words"),
        SourceRefused("Refused.", catalog="pg", query_id="q1"),
    )
    text = shown(error, is_verbose=True)
    assert text.startswith("error: Refused.\n  code: source_refused\n  retryable: no\n")
    assert "  catalog: pg\n  query_id: q1\n" in text
    assert "ValueError: the driver's own words" in text


def test_no_password_is_shown_even_where_a_driver_printed_it():
    error = raised(
        OSError("cannot open postgresql://me:hunter2@db/x?password=hunter2"),
        SourceRefused("password=hunter2 was refused", uri="a://b:hunter2@c"),
    )
    text = shown(error, is_verbose=True)
    assert "cannot open postgresql://me:•••@db" in text
    assert "uri: a://b:•••@c" in text
    assert "hunter2" not in text


def test_an_error_of_a_source_cannot_write_to_the_terminal():
    assert "\x1b" not in shown(SourceRefused("\x1b[2Jgone"), is_verbose=True)


def test_a_failure_that_is_no_error_of_igloo_s_asks_for_a_report():
    text = shown(KeyError("x"))
    assert text.count("\n") == 1
    assert "KeyError" in text
    assert "--verbose" in text


def test_exit_codes_tell_misuse_from_failure_and_from_interruption():
    assert exit_code(Misuse("x")) == 2
    assert exit_code(TableNotFound("x")) == 1
    assert exit_code(InvalidSetting("x")) == 1
    assert exit_code(KeyError("x")) == 1
    assert exit_code(QueryCancelled("x")) == 130
