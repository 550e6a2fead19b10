"""A box for one wish: the newest counts, and an old reply never comes late."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Taken(Generic[T]):
    """A wish that is being fulfilled: `stop` is set once a newer one is there."""

    generation: int
    wish: T
    stop: threading.Event = field(default_factory=threading.Event)


class Latest(Generic[T]):
    """A box for one wish: a newer one replaces it, and each carries its generation number."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._wish: T | None = None
        self._taken: Taken[T] | None = None
        self._generation = 0
        self._shown = 0
        self._shown_at_stop = 0
        self._closed = False

    def put(self, wish: T) -> int:
        """Leave a wish; gives its generation.

        What is being fulfilled is stopped, unless nothing has been shown since the last stop: the
        first analysis serves all others, and a slider that never rests would else show nothing.
        """
        with self._changed:
            self._generation += 1
            self._wish = wish
            if self._taken is not None and self._shown > self._shown_at_stop:
                self._taken.stop.set()
                self._shown_at_stop = self._shown
            self._changed.notify()
            return self._generation

    def take(self) -> Taken[T] | None:
        """Wait for a wish and remove it; None once closed."""
        with self._changed:
            self._taken = None
            while self._wish is None and not self._closed:
                self._changed.wait()
            if self._closed or self._wish is None:
                return None
            self._taken = Taken(self._generation, self._wish)
            self._wish = None
            return self._taken

    def accept(self, generation: int) -> bool:
        """Whether a reply may be shown: none of a later generation has been."""
        with self._changed:
            if self._closed or generation < self._shown:
                return False
            self._shown = generation
            return True

    @property
    def up_to_date(self) -> bool:
        """Whether what was shown last is of the newest wish."""
        return self._shown == self._generation

    @property
    def any_shown(self) -> bool:
        """Whether there was a reply already."""
        return self._shown > 0

    def close(self, stop: bool = False) -> None:
        """Wake `take` up for good; with `stop`, end what is being fulfilled too."""
        with self._changed:
            self._closed = True
            if stop and self._taken is not None:
                self._taken.stop.set()
            self._changed.notify_all()
