"""DataFusion's own words, as it really says them, in Igloo's."""

import datafusion
import pyarrow as pa
import pytest
from datafusion import SessionContext

from igloo.engine.execution.failures import translate_failure
from igloo.errors import (
    ColumnNotFound,
    IglooError,
    InternalError,
    InvalidValue,
    LimitExceeded,
    NotSupported,
    OutOfMemory,
    QueryTimeout,
    SourceDataError,
    SqlSyntaxError,
    TypeMismatch,
    UserError,
)


@pytest.fixture
def failure():
    """Give a function that runs SQL in DataFusion alone and returns its failure, translated."""
    context = SessionContext()
    table = pa.table({"amount": [1, 2], "name": ["a", "b"]})
    context.from_arrow(table, name="t")

    def run(sql):
        with pytest.raises(Exception) as caught:  # noqa: PT011 - any, that is the point
            context.sql(sql).to_arrow_table()
        error = translate_failure(caught.value)
        assert "\n" not in str(error)
        assert "DataFusion error" not in str(error)
        return error

    return run


@pytest.mark.parametrize(
    ("sql", "kind", "told"),
    [
        ("SELECT )", SqlSyntaxError, "cannot be read at line 1, column"),
        ("SELEC 1", SqlSyntaxError, "SELEC"),
        ("SELECT amountt FROM t", ColumnNotFound, 'Did you mean "amount"'),
        ("SELECT t.nope FROM t", ColumnNotFound, "nope"),
        ('SELECT "Amount" FROM t', ColumnNotFound, 'Did you mean "amount"'),
        ("SELECT amount, count(*) FROM t", UserError, "amount"),
        ("SELECT nosuch(1)", NotSupported, 'no function "nosuch"'),
        ("SELECT cot(1, 2, 3)", TypeMismatch, "cot"),
        ("SELECT 1 / 0", InvalidValue, "NULLIF"),
        ("SELECT amount / (amount - 1) FROM t", InvalidValue, "NULLIF"),
        ("SELECT name::INT FROM t", InvalidValue, "'a'"),
        ("SELECT amount AND name FROM t", TypeMismatch, "types do not fit"),
        ("SELECT name + DATE '2024-01-01' FROM t", UserError, ""),
        ("SELECT $1", InvalidValue, "no value"),
    ],
)
def test_what_datafusion_says_becomes_an_error_of_its_kind(failure, sql, kind, told):
    error = failure(sql)
    assert isinstance(error, kind), f"{type(error).__name__}: {error}"
    assert told in str(error)


def test_a_syntax_error_has_its_place(failure):
    error = failure("SELECT 1\nFROM t\nWHERE )")
    assert isinstance(error, SqlSyntaxError)
    assert error.context["line"] == 3


def test_too_little_memory_is_told_with_the_setting():
    runtime = datafusion.RuntimeEnvBuilder().with_greedy_memory_pool(1000)
    context = SessionContext(None, runtime)
    with pytest.raises(Exception) as caught:  # noqa: PT011 - DataFusion's own
        context.sql("SELECT value, count(*) FROM range(10000) GROUP BY value").to_arrow_table()
    error = translate_failure(caught.value)
    assert isinstance(error, OutOfMemory)
    assert error.context["limit"] == "igloo.memory_limit"


def test_a_broken_file_is_told_as_one(tmp_path):
    path = tmp_path / "broken.parquet"
    path.write_bytes(b"PAR1" + bytes(100) + b"none")
    context = SessionContext()
    with pytest.raises(Exception) as caught:  # noqa: PT011 - DataFusion's own
        context.read_parquet(str(path)).to_arrow_table()
    assert isinstance(translate_failure(caught.value), SourceDataError)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (
            "Resources exhausted: The used disk space exceeded max_temp_directory_size",
            LimitExceeded,
        ),
        ("Resources exhausted: Failed to allocate for HashJoin[3]", OutOfMemory),
        ("DataFusion error: Internal error: something odd", InternalError),
        ("DataFusion error: Execution error: something odd", UserError),
    ],
)
def test_the_kind_follows_the_text(text, kind):
    error = translate_failure(Exception(text))
    assert isinstance(error, kind)
    assert "something odd" in str(error) or "exhausted" in str(error) or error.hint


def test_igloos_own_errors_pass_unchanged():
    error = QueryTimeout("too long")
    assert translate_failure(error) is error


@pytest.mark.parametrize("error", [KeyError("x"), TypeError("x"), AttributeError("x")])
def test_a_bug_in_python_is_an_internal_error_with_its_class(error):
    translated = translate_failure(error)
    assert isinstance(translated, InternalError)
    assert type(error).__name__ in str(translated)
    assert "report" in translated.hint


def test_an_empty_text_still_says_something():
    assert str(translate_failure(Exception("")))
    assert isinstance(translate_failure(Exception("")), IglooError)
