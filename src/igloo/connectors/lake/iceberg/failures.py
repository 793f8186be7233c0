"""Turns what pyiceberg and its drivers raise into Igloo's errors."""

from __future__ import annotations

import contextlib
import struct
import zlib
from typing import TYPE_CHECKING

import pyarrow as pa
from pyiceberg import exceptions as iceberg

from igloo.errors import (
    IglooError,
    SourceDataError,
    SourceError,
    SourceRefused,
    SourceTimeout,
    SourceUnavailable,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from igloo.config.secrets import Secret

_REFUSED: tuple[type[Exception], ...] = (
    PermissionError,
    iceberg.AuthorizationExpiredError,
    iceberg.ForbiddenError,
    iceberg.OAuthError,
    iceberg.UnauthorizedError,
)
_UNAVAILABLE: tuple[type[Exception], ...] = (
    ConnectionError,
    iceberg.ServerError,
    iceberg.ServiceUnavailableError,
    iceberg.TooManyRequestsError,
)
#: What reading damaged or missing metadata and files raises, besides the two above.
_UNREADABLE: tuple[type[Exception], ...] = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    LookupError,
    NotImplementedError,
    OSError,
    TypeError,
    ValueError,
    pa.ArrowException,
    struct.error,
    zlib.error,
)


@contextlib.contextmanager
def source_errors(catalog: str, doing: str, secrets: Sequence[Secret] = ()) -> Iterator[None]:
    """Raise what the block raises as an Igloo error.

    Args:
        catalog: the catalog's name, for message and context.
        doing: what the block does, as it follows "cannot".
        secrets: values that must not appear in the message.
    """
    try:
        yield
    except IglooError:
        raise
    except Exception as error:
        kind = _kind_of(error)
        if kind is None:
            raise
        reason = _one_line(error, secrets)
        raise kind(f'The catalog "{catalog}" cannot {doing}: {reason}.', catalog=catalog) from error


def _kind_of(error: Exception) -> type[SourceError] | None:
    module = type(error).__module__.partition(".")[0]
    if isinstance(error, TimeoutError) or type(error).__name__.endswith("Timeout"):
        return SourceTimeout
    if isinstance(error, _REFUSED):
        return SourceRefused
    if isinstance(error, _UNAVAILABLE):
        return SourceUnavailable
    if module in ("sqlalchemy", "sqlite3"):
        # The database could be reached or not, in words that differ by driver.
        return SourceUnavailable if type(error).__name__ == "OperationalError" else SourceError
    if module in ("requests", "urllib3"):
        return SourceUnavailable
    is_unreadable = module == "pyiceberg" or isinstance(error, _UNREADABLE)
    return SourceDataError if is_unreadable else None


def _one_line(error: Exception, secrets: Sequence[Secret]) -> str:
    if isinstance(error, FileNotFoundError):
        text = f'the file "{error.filename or error}" does not exist'
    else:
        # SQLAlchemy adds the statement and a link after the first line.
        text = (str(error).strip() or type(error).__name__).splitlines()[0]
    for secret in secrets:
        if secret.reveal():
            text = text.replace(secret.reveal(), str(secret))
    return text.rstrip(".")
