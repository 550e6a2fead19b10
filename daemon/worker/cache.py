"""A memory for what was computed, by content: bounded in bytes, least recently used goes first."""

from __future__ import annotations

import collections
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

from daemon.wire.capabilities import Cache
from daemon.wire.planes import Level

Value = TypeVar("Value")
Key = tuple[Level, Hashable]


@dataclass
class _Entry(Generic[Value]):
    value: Value
    nbytes: int
    expires: float


class ContentCache(Generic[Value]):
    """Values of all levels under one limit in bytes.

    Parameters
    ----------
    limit_bytes
        The sum of all values stays at or below this. A value over half of it is not kept at all,
        so that one huge picture does not push out everything.
    size
        Gives the bytes of a value.
    limit_entries
        The number of values: thousands of tiny pictures would cost little memory here, but the
        server is told after every job what is held.
    """

    def __init__(
        self, limit_bytes: int, size: Callable[[Value], int], limit_entries: int = 512
    ) -> None:
        self._limit = limit_bytes
        self._limit_entries = limit_entries
        self._size = size
        self._entries: collections.OrderedDict[Key, _Entry[Value]] = collections.OrderedDict()
        self._hits: collections.Counter[Level] = collections.Counter()
        self._misses: collections.Counter[Level] = collections.Counter()
        self.nbytes = 0

    def get(self, level: Level, key: Hashable) -> Value | None:
        """Return a value and mark it as used; None, counted as a miss, when it is not here."""
        self._expire()
        entry = self._entries.get((level, key))
        if entry is None:
            self._misses[level] += 1
            return None
        self._hits[level] += 1
        self._entries.move_to_end((level, key))
        return entry.value

    def put(
        self, level: Level, key: Hashable, value: Value, *, keep_s: float | None = None
    ) -> None:
        """Store a value, for ever or for `keep_s` seconds, and make room for it."""
        nbytes = self._size(value)
        self._drop((level, key))
        if nbytes > self._limit // 2:
            return
        while self.nbytes + nbytes > self._limit or len(self._entries) >= self._limit_entries:
            self._drop(next(iter(self._entries)))
        expires = float("inf") if keep_s is None else time.monotonic() + keep_s
        self._entries[level, key] = _Entry(value, nbytes, expires)
        self.nbytes += nbytes

    def clear(self) -> None:
        """Forget everything; the hit counts stay."""
        self._entries.clear()
        self.nbytes = 0

    def keys(self, level: Level) -> list[Hashable]:
        """List the keys of one level."""
        return [key for found, key in self._entries if found == level]

    def figures(self) -> dict[str, Cache]:
        """Return entries, bytes, hits and misses per level."""
        self._expire()
        levels: tuple[Level, ...] = ("image", "analysis", "prepared", "result")
        sizes = {level: [0, 0] for level in levels}
        for (level, _), entry in self._entries.items():
            sizes[level][0] += 1
            sizes[level][1] += entry.nbytes
        return {
            level: Cache(
                entries=entries, nbytes=nbytes, hits=self._hits[level], misses=self._misses[level]
            )
            for level, (entries, nbytes) in sizes.items()
        }

    def _expire(self) -> None:
        now = time.monotonic()
        for key in [key for key, entry in self._entries.items() if entry.expires < now]:
            self._drop(key)

    def _drop(self, key: Key) -> None:
        entry = self._entries.pop(key, None)
        if entry is not None:
            self.nbytes -= entry.nbytes


class UserCache(Generic[Value]):
    """One user's part of a cache: what others have put there is not found.

    A digest is no secret (it stands in every file that the GIMP plug-in has worked on), so knowing
    one must not be enough to get the picture.
    """

    def __init__(self, whole: ContentCache[Value], user: str) -> None:
        self._whole = whole
        self._user = user

    def get(self, level: Level, key: Hashable) -> Value | None:
        """Return a value of this user; see `ContentCache.get`."""
        return self._whole.get(level, (self._user, key))

    def put(
        self, level: Level, key: Hashable, value: Value, *, keep_s: float | None = None
    ) -> None:
        """Store a value for this user; see `ContentCache.put`."""
        self._whole.put(level, (self._user, key), value, keep_s=keep_s)


def digests_by_user(cache: ContentCache[Value]) -> dict[str, list[str]]:
    """List the digests of the planes in a cache by user."""
    found: dict[str, list[str]] = {}
    for key in cache.keys("image"):
        assert isinstance(key, tuple)
        user, digest = key
        found.setdefault(user, []).append(digest)
    return found
