"""A cache for what never changes: files of a lake are written once under their name."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

KeyType = TypeVar("KeyType", bound="Hashable")
ValueType = TypeVar("ValueType")


class BoundedCache(Generic[KeyType, ValueType]):
    """Keeps the values used last, up to a total weight. Thread-safe.

    Two threads that miss the same key at once both make the value; one of them is kept.
    """

    def __init__(self, weight_max: int) -> None:
        self._weight_max = weight_max
        self._lock = threading.Lock()
        self._entries: OrderedDict[KeyType, tuple[ValueType, int]] = OrderedDict()
        self._weight = 0

    def get(
        self, key: KeyType, make: Callable[[], ValueType], weight: Callable[[ValueType], int]
    ) -> ValueType:
        """Return the value of ``key``, made by ``make`` if it is not kept.

        Args:
            key: what the value is of.
            make: makes the value; what it raises is raised, and nothing is kept.
            weight: says how much of the cache the value takes.
        """
        with self._lock:
            if key in self._entries:
                self._entries.move_to_end(key)
                return self._entries[key][0]
        value = make()
        self._keep(key, value, weight(value))
        return value

    def _keep(self, key: KeyType, value: ValueType, weight: int) -> None:
        with self._lock:
            if key in self._entries or weight > self._weight_max:
                return
            self._entries[key] = (value, weight)
            self._weight += weight
            while self._weight > self._weight_max:
                _, (_, dropped) = self._entries.popitem(last=False)
                self._weight -= dropped

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._entries.clear()
            self._weight = 0

    def __len__(self) -> int:
        with self._lock:
            return len(self._entries)
