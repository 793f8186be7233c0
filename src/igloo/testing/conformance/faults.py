"""Faults planted between a connector and its driver: one call to the source fails, and is counted."""

from __future__ import annotations

import contextlib
import inspect
import threading
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

#: Giving back is no call to the source: a connector cannot do more than try.
_GIVES_BACK = frozenset({"close", "__exit__", "interrupt", "cancel"})


class Faults:
    """Counts the calls to a source and lets one of them fail, or that one and all after it."""

    def __init__(
        self, failure: Exception, *, call: int, is_lasting: bool, types: tuple[type, ...] = ()
    ) -> None:
        """Plant nothing yet.

        Args:
            failure: what the call raises.
            call: the number of the call that fails, from 1.
            is_lasting: whether all later calls fail, too.
            types: objects of the driver whose methods are calls to the source.
        """
        self._failure = failure
        self._call = call
        self._is_lasting = is_lasting
        self._types = types
        self._lock = threading.Lock()
        self._calls = 0
        self._is_over = False
        self._is_struck = False

    @property
    def is_struck(self) -> bool:
        """Whether a call has failed."""
        return self._is_struck

    def relent(self) -> None:
        """Let every call succeed from now on."""
        self._is_over = True

    @contextlib.contextmanager
    def planted(self, places: Sequence[tuple[Any, str]]) -> Iterator[None]:
        """Let the functions ``owner.name`` be counted while the block runs."""
        with contextlib.ExitStack() as restoring:
            for owner, name in places:
                found = inspect.getattr_static(owner, name)
                is_own = name in vars(owner)
                setattr(owner, name, self._replacement(owner, name, found))
                restoring.callback(_restore, owner, name, found, is_own=is_own)
            yield

    def called(self, work: Callable[[], Any]) -> Any:
        """Do one call to the source, unless it is the one to fail."""
        with self._lock:
            self._calls += 1
            is_due = self._calls == self._call or (self._is_lasting and self._is_struck)
            is_due = is_due and not self._is_over
            self._is_struck = self._is_struck or is_due
        if is_due:
            raise self._failure.with_traceback(None)
        return self.watched(work())

    def watched(self, value: Any) -> Any:
        """Return a stand-in for an object of the driver, and any other value as it is."""
        return _StandIn(value, self) if isinstance(value, self._types) else value

    def _replacement(self, owner: Any, name: str, found: Any) -> Any:
        if isinstance(found, staticmethod | classmethod):
            return staticmethod(self._counted(getattr(owner, name)))
        if inspect.isclass(found):
            return _StandIn(found, self)
        return self._counted(found)

    def _counted(self, function: Any) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            plain = [_plain(argument) for argument in arguments]
            return self.called(lambda: function(*plain, **named))

        return call


class _StandIn:
    """Stands for an object or class of the driver; what is called on it is a call to the source."""

    def __init__(self, real: Any, faults: Faults) -> None:
        self._real = real
        self._faults = faults

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._real, name)
        is_counted = callable(value) and name not in _GIVES_BACK
        return self._faults._counted(value) if is_counted else value  # noqa: SLF001 - its other half

    def __setattr__(self, name: str, value: Any) -> None:
        if name in {"_real", "_faults"}:
            object.__setattr__(self, name, value)
        else:
            setattr(self._real, name, value)

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        return self._faults._counted(self._real)(*arguments, **named)  # noqa: SLF001 - its other half

    def __enter__(self) -> Self:
        self._real.__enter__()
        return self

    def __exit__(self, *error: object) -> Any:
        return self._real.__exit__(*error)

    def __iter__(self) -> _StandIn:
        return self

    def __next__(self) -> Any:
        return self._faults.called(lambda: next(self._real))


def _plain(value: Any) -> Any:
    return value._real if isinstance(value, _StandIn) else value  # noqa: SLF001 - its own kind


def _restore(owner: Any, name: str, found: Any, *, is_own: bool) -> None:
    if is_own:
        setattr(owner, name, found)
    else:
        delattr(owner, name)
