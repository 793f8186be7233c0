import socket

import pyarrow as pa
import pytest
import requests
from pyiceberg import exceptions as iceberg
from sqlalchemy.exc import OperationalError

from igloo.config.secrets import Secret
from igloo.connectors.lake.iceberg.failures import source_errors
from igloo.errors import (
    QueryCancelled,
    SourceDataError,
    SourceError,
    SourceRefused,
    SourceTimeout,
    SourceUnavailable,
)

#: Errors of pyiceberg's that only writers meet.
_WRITING = {
    *("CommitFailedException", "CommitStateUnknownException", "ConditionalCheckFailedException"),
    *("NamespaceAlreadyExistsError", "NamespaceNotEmptyError", "TableAlreadyExistsError"),
    *("ViewAlreadyExistsError", "ValidationException", "WaitingForLockException"),
    *("DynamoDbError", "GenericDynamoDbError"),
}


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (PermissionError(13, "no", "x"), SourceRefused),
        (iceberg.UnauthorizedError("no"), SourceRefused),
        (ConnectionRefusedError(), SourceUnavailable),
        (requests.ConnectionError("no"), SourceUnavailable),
        (OperationalError("select", {}, Exception("gone")), SourceUnavailable),
        (requests.ReadTimeout("slow"), SourceTimeout),
        (TimeoutError(), SourceTimeout),
        (FileNotFoundError(2, "no", "/a/b"), SourceDataError),
        (pa.ArrowInvalid("bad\nfile"), SourceDataError),
        (ValueError("bad"), SourceDataError),
    ],
    ids=lambda value: getattr(value, "__name__", repr(value)),
)
def test_driver_errors_become_igloos(error, kind):
    with pytest.raises(SourceError) as caught, source_errors("ice", "read"):
        raise error
    assert type(caught.value) is kind
    assert caught.value.context["catalog"] == "ice"
    assert "\n" not in str(caught.value)
    assert caught.value.__cause__ is error


@pytest.mark.parametrize("name", sorted(n for n in dir(iceberg) if n not in _WRITING))
def test_every_error_of_pyiceberg_that_a_reader_meets_has_a_mapping(name):
    found = getattr(iceberg, name)
    if not (isinstance(found, type) and issubclass(found, Exception)):
        return
    with pytest.raises(SourceError), source_errors("ice", "read"):
        raise found("x")


def test_igloos_own_errors_pass_unchanged():
    reason = QueryCancelled("stop")
    with pytest.raises(QueryCancelled) as caught, source_errors("ice", "read"):
        raise reason
    assert caught.value is reason


def test_bugs_are_not_blamed_on_the_source():
    class BugError(Exception):
        pass

    with pytest.raises(BugError), source_errors("ice", "read"):
        raise BugError


def test_secrets_are_not_told():
    with pytest.raises(SourceError) as caught, source_errors("ice", "read", [Secret("hunter2")]):
        raise ValueError("login with hunter2 failed")
    assert "hunter2" not in str(caught.value)


def test_a_socket_timeout_is_a_timeout():
    with pytest.raises(SourceTimeout), source_errors("ice", "read"):
        raise socket.timeout  # noqa: UP041 - its old name
