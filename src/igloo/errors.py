"""Every error that Igloo raises.

IglooError
├── UserError
│   ├── SqlSyntaxError
│   ├── TableNotFound
│   ├── SchemaNotFound
│   ├── ColumnNotFound
│   ├── CatalogNotFound
│   ├── AlreadyExists
│   ├── TypeMismatch
│   ├── InvalidValue
│   ├── NotSupported
│   │   └── UnsupportedType
│   ├── InvalidSetting
│   ├── ResultConsumed
│   ├── MissingDependency
│   ├── AccessDenied
│   └── NotAuthenticated
├── SourceError
│   ├── SourceUnavailable
│   ├── SourceTimeout
│   ├── SourceRefused
│   └── SourceDataError
├── ResourceError
│   ├── OutOfMemory
│   ├── QueryTimeout
│   ├── LimitExceeded
│   ├── QueueFull
│   └── ResultTooLarge
├── QueryCancelled
├── ClusterError
│   ├── WorkerLost
│   └── NoWorkers
└── InternalError

A message is one line: what happened, where, what to do. The code is stable; clients test it.
"""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Iterable


class IglooError(Exception):
    """The root of everything Igloo raises.

    Attributes:
        code: stable snake_case name of the kind of error.
        retryable: whether the same request may succeed later without a change.
        message: what happened and where, one line.
        hint: what to do, one line, or the empty string.
        context: further facts by name, e.g. ``catalog``, ``query_id``; never a secret.
    """

    code: ClassVar[str] = "error"
    retryable: ClassVar[bool] = False

    def __init__(self, message: str, *, hint: str = "", **context: object) -> None:
        self.message = " ".join(message.split())
        self.hint = " ".join(hint.split())
        self.context = {name: value for name, value in context.items() if value is not None}
        super().__init__(f"{self.message} {self.hint}".strip())

    def __reduce__(self) -> tuple[object, ...]:
        """Errors cross process borders whole, hint and context included."""
        return _rebuild, (type(self), self.message, self.hint, self.context)


def _rebuild(
    kind: type[IglooError], message: str, hint: str, context: dict[str, object]
) -> IglooError:
    return kind(message, hint=hint, **context)


class UserError(IglooError):
    """The request is wrong; the caller can mend it."""

    code = "user_error"


class SqlSyntaxError(UserError):
    """The text is not SQL that Igloo reads; the context has ``line`` and ``column`` when known."""

    code = "sql_syntax_error"


class TableNotFound(UserError):
    """A table is named that no catalog has."""

    code = "table_not_found"


class SchemaNotFound(UserError):
    """A schema is named that its catalog does not have."""

    code = "schema_not_found"


class ColumnNotFound(UserError):
    """A column is named that no table in scope has."""

    code = "column_not_found"


class CatalogNotFound(UserError):
    """A catalog is named that is not configured."""

    code = "catalog_not_found"


class AlreadyExists(UserError):
    """Something of that name is there already."""

    code = "already_exists"


class TypeMismatch(UserError):
    """Types do not fit one another."""

    code = "type_mismatch"


class InvalidValue(UserError):
    """A value is outside of what its place allows."""

    code = "invalid_value"


class NotSupported(UserError):
    """Igloo does not do this, or cannot prove that it would do it right."""

    code = "not_supported"


class UnsupportedType(NotSupported):
    """A column's type cannot be carried exactly; the context has ``column`` and ``type``."""

    code = "unsupported_type"


class InvalidSetting(UserError):
    """A setting, option or flag is unknown or has a value that is not allowed."""

    code = "invalid_setting"


class ResultConsumed(UserError):
    """A result was streamed without keeping, and is read again."""

    code = "result_consumed"


class MissingDependency(UserError):
    """A package that a connector needs is not installed."""

    code = "missing_dependency"


class AccessDenied(UserError):
    """The principal may not do this."""

    code = "access_denied"


class NotAuthenticated(UserError):
    """The caller has not proved who it is."""

    code = "not_authenticated"


class SourceError(IglooError):
    """A connected system failed; the context has ``catalog``."""

    code = "source_error"


class SourceUnavailable(SourceError):
    """The source cannot be reached."""

    code = "source_unavailable"
    retryable = True


class SourceTimeout(SourceError):
    """The source did not answer in time."""

    code = "source_timeout"
    retryable = True


class SourceRefused(SourceError):
    """The source answered no: a wrong password, a missing right, a refused statement."""

    code = "source_refused"


class SourceDataError(SourceError):
    """The source's data cannot be read: a corrupt file, a value that does not fit its type."""

    code = "source_data_error"


class ResourceError(IglooError):
    """A limit was reached; the message names it, its value, and how to raise it."""

    code = "resource_error"


class OutOfMemory(ResourceError):
    """The query needs more memory than ``igloo.memory_limit`` allows."""

    code = "out_of_memory"


class QueryTimeout(ResourceError):
    """The query ran longer than ``igloo.timeout``."""

    code = "query_timeout"


class LimitExceeded(ResourceError):
    """One of ``igloo.limits.*`` was reached."""

    code = "limit_exceeded"


class QueueFull(ResourceError):
    """Too many queries wait already."""

    code = "queue_full"
    retryable = True


class ResultTooLarge(ResourceError):
    """The result is larger than the limit on results."""

    code = "result_too_large"


class QueryCancelled(IglooError):
    """The query was cancelled."""

    code = "query_cancelled"


class ClusterError(IglooError):
    """The cluster cannot run the query."""

    code = "cluster_error"


class WorkerLost(ClusterError):
    """A worker went away while it ran a task."""

    code = "worker_lost"
    retryable = True


class NoWorkers(ClusterError):
    """No worker can take the task."""

    code = "no_workers"
    retryable = True


class InternalError(IglooError):
    """A bug of Igloo's own; please report it."""

    code = "internal_error"


def did_you_mean(wanted: str, known: Iterable[str]) -> str:
    """Return a hint that names the closest known name, or all of them when there are few.

    Args:
        wanted: the name that was not found.
        known: the names that exist.

    Returns:
        One sentence, or the empty string when nothing is known.
    """
    names = sorted(set(known))
    folded: dict[str, str] = {name.lower(): name for name in names}
    close = difflib.get_close_matches(wanted.lower(), folded, n=1, cutoff=0.6)
    if close:
        return f'Did you mean "{folded[close[0]]}"?'
    if 0 < len(names) <= 12:
        return f"Known: {', '.join(names)}."
    return ""
