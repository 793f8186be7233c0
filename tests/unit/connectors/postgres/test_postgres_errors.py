import adbc_driver_manager as driver
import pyarrow as pa
import pytest

from igloo.connectors.options import read_options
from igloo.connectors.postgres.address import read_address
from igloo.connectors.postgres.errors import (
    Site,
    connection_error,
    is_connection_loss,
    statement_error,
)
from igloo.connectors.postgres.options import PostgresOptions
from igloo.errors import (
    SourceDataError,
    SourceRefused,
    SourceTimeout,
    SourceUnavailable,
    SqlSyntaxError,
)

_GIVEN = {"uri": "postgresql://me:hunter2@db:6543/shop"}
_OPTIONS = read_options(PostgresOptions, _GIVEN, connector="postgres", environment={})
SITE = Site("pg", read_address(_OPTIONS))


def _error(message, state=None, kind=driver.OperationalError):
    details = [(b"PG_DIAG_MESSAGE_PRIMARY", message.encode())] if state else []
    return kind(
        f"IO: [libpq] {message}",
        status_code=driver.AdbcStatusCode.IO,
        sqlstate=state,
        details=details,
    )


@pytest.mark.parametrize(
    ("text", "kind", "reason"),
    [
        ('failed: FATAL:  password authentication failed for user "me"', SourceRefused, 'password rejected for user "me"'),
        ("failed: fe_sendauth: no password supplied", SourceRefused, "password rejected"),
        ('failed: FATAL:  database "hunter2" does not exist', SourceRefused, "does not exist"),
        ("failed: server does not support SSL, but SSL was required", SourceRefused, "sslmode"),
        ('failed: root certificate file "x" does not exist', SourceRefused, "sslmode"),
        ("failed: FATAL:  sorry, too many clients already", SourceUnavailable, "too many"),
        ("failed: FATAL:  the database system is starting up", SourceUnavailable, "starting up"),
        ("failed: timeout expired", SourceTimeout, "did not answer in time"),
        ("failed: Connection refused\n\tIs the server running?", SourceUnavailable, "Connection refused"),
        ("failed: FATAL:  no pg_hba.conf entry for host", SourceRefused, "no pg_hba.conf entry"),
    ],
)  # fmt: skip
def test_why_connecting_failed_is_one_line_without_secrets(text, kind, reason):
    message = f'Failed to connect: connection to server at "db", port 6543 {text}'
    found = connection_error(_error(message), SITE)
    assert type(found) is kind
    assert str(found).startswith('Cannot connect to catalog "pg" at db:6543: ')
    assert reason in str(found)
    assert "\n" not in str(found)
    assert "hunter2" not in str(found)
    assert found.context["catalog"] == "pg"


def test_the_address_that_answered_says_why():
    text = (
        'Failed to connect: connection to server at "db" (::1), port 6543 failed: Connection refused\n'
        'connection to server at "db" (127.0.0.1), port 6543 failed: FATAL:  role "me" does not exist'
    )
    found = connection_error(_error(text), SITE)
    assert type(found) is SourceRefused
    assert 'role "me" does not exist' in str(found)


@pytest.mark.parametrize(
    ("state", "is_users", "kind"),
    [
        ("22012", False, SourceDataError),
        ("25006", True, SourceRefused),
        ("40001", False, SourceUnavailable),
        ("42501", False, SourceRefused),
        ("42P01", False, SourceDataError),
        ("42P01", True, SourceRefused),
        ("42703", False, SourceDataError),
        ("42601", True, SqlSyntaxError),
        ("53100", False, SourceUnavailable),
        ("55P03", False, SourceTimeout),
        ("57014", False, SourceTimeout),
        ("57P01", False, SourceUnavailable),
        ("57P03", False, SourceUnavailable),
        ("08006", False, SourceUnavailable),
        ("XX000", False, SourceRefused),
    ],
)
def test_each_state_of_sql_has_its_error(state, is_users, kind):
    found = statement_error(_error("it said hunter2", state), SITE, what='"t"', is_users=is_users)
    assert type(found) is kind
    assert found.context["catalog"] == "pg"
    assert "hunter2" not in str(found)
    assert "it said" in str(found)


def test_a_statement_that_an_administrator_cancelled_is_refused():
    error = _error("canceling statement due to user request", "57014")
    assert type(statement_error(error, SITE, what='"t"', is_users=False)) is SourceRefused


@pytest.mark.parametrize(
    "kind", driver.Error.__subclasses__() + driver.DatabaseError.__subclasses__()
)
def test_every_class_of_the_driver_becomes_a_source_error(kind):
    if kind is driver.NotSupportedError:
        error = kind("nothing known")
    else:
        error = kind("nothing known", status_code=driver.AdbcStatusCode.UNKNOWN)
    assert isinstance(statement_error(error, SITE, what='"t"', is_users=False), SourceDataError)
    assert isinstance(connection_error(error, SITE), SourceUnavailable)


def test_arrows_own_errors_become_errors_of_the_data():
    error = pa.ArrowInvalid("Interval would overflow")
    assert isinstance(statement_error(error, SITE, what='"t"', is_users=False), SourceDataError)


@pytest.mark.parametrize(
    ("error", "is_loss"),
    [
        (_error("x", "57P01"), True),
        (_error("x", "08003"), True),
        (_error("server closed the connection unexpectedly", None), True),
        (_error("no connection to the server", None), True),
        (_error("server closed the connection", "42601"), False),
        (_error("x", "42P01"), False),
        (pa.ArrowInvalid("x"), False),
    ],
)
def test_a_lost_connection_is_told_from_an_answer(error, is_loss):
    assert is_connection_loss(error) is is_loss
