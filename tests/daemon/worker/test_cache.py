"""The cache holds what was used last, never more than its limit."""

from __future__ import annotations

import time

from hypothesis import given
from hypothesis import strategies as st

from daemon.worker.cache import ContentCache


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 40)), max_size=60))
def test_the_limit_holds_whatever_happens(steps):
    cache = ContentCache(100, len)
    for key, size in steps:
        cache.put("image", key, bytes(size))
        assert cache.nbytes <= 100
        held = cache.figures()["image"]
        assert held.nbytes == cache.nbytes


def test_the_least_recently_used_goes_first():
    cache = ContentCache(100, len)
    for key in "abc":
        cache.put("image", key, bytes(30))
    cache.get("image", "a")
    cache.put("image", "d", bytes(30))
    assert set(cache.keys("image")) == {"a", "c", "d"}


def test_the_number_of_values_is_bounded_too():
    cache = ContentCache(1000, len, limit_entries=3)
    for key in range(9):
        cache.put("image", key, b"")
    assert cache.keys("image") == [6, 7, 8]


def test_a_value_over_half_the_limit_is_not_kept():
    cache = ContentCache(100, len)
    cache.put("image", "small", bytes(10))
    cache.put("image", "huge", bytes(51))
    assert cache.keys("image") == ["small"]


def test_a_value_can_expire():
    cache = ContentCache(100, len)
    cache.put("result", "r", bytes(10), keep_s=0.01)
    assert cache.get("result", "r") is not None
    time.sleep(0.03)
    assert cache.get("result", "r") is None
    assert cache.nbytes == 0


def test_hits_and_misses_are_counted_per_level():
    cache = ContentCache(100, len)
    cache.put("image", "a", b"x")
    cache.get("image", "a")
    cache.get("analysis", "a")
    figures = cache.figures()
    assert (figures["image"].hits, figures["image"].misses) == (1, 0)
    assert (figures["analysis"].hits, figures["analysis"].misses) == (0, 1)
