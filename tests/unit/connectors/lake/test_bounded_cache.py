from concurrent.futures import ThreadPoolExecutor

import pytest

from igloo.connectors.lake.bounded_cache import BoundedCache


def weight(value):
    return len(value)


def test_a_value_is_made_once():
    cache = BoundedCache(10)
    made = []

    def make():
        made.append(1)
        return "ab"

    assert [cache.get("k", make, weight) for _ in range(3)] == ["ab"] * 3
    assert made == [1]


def test_the_values_used_longest_ago_go_first():
    cache = BoundedCache(4)
    cache.get("a", lambda: "11", weight)
    cache.get("b", lambda: "22", weight)
    cache.get("a", lambda: "never", weight)
    cache.get("c", lambda: "33", weight)
    assert len(cache) == 2
    assert cache.get("a", lambda: "new", weight) == "11"
    assert cache.get("b", lambda: "new", weight) == "new"


def test_a_value_heavier_than_the_cache_is_not_kept():
    cache = BoundedCache(4)
    cache.get("a", lambda: "11", weight)
    assert cache.get("big", lambda: "12345", weight) == "12345"
    assert len(cache) == 1
    assert cache.get("a", lambda: "new", weight) == "11"


def test_what_fails_is_not_kept():
    cache = BoundedCache(4)
    with pytest.raises(ZeroDivisionError):
        cache.get("a", lambda: 1 / 0, weight)
    assert cache.get("a", lambda: "1", weight) == "1"


def test_clearing_forgets_values_and_their_weight():
    cache = BoundedCache(2)
    cache.get("a", lambda: "11", weight)
    cache.clear()
    assert len(cache) == 0
    cache.get("b", lambda: "22", weight)
    assert len(cache) == 1


def test_many_threads_get_the_same_values():
    cache = BoundedCache(50)

    def read(number):
        return cache.get(number % 10, lambda: str(number % 10), weight)

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(read, range(400))) == [str(n % 10) for n in range(400)]
    assert len(cache) == 10
