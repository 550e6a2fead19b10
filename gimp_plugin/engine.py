"""Computes previews on a thread: the latest wish counts, and an old reply never comes late."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, TypeVar

from gimp_plugin import reach
from gimp_plugin.errors import Cancelled, LinkLost, PluginError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gimp_plugin.client import Client, Job, Reply, Report

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
        self._closed = False

    def put(self, wish: T) -> int:
        """Leave a wish; gives its generation.

        What is being fulfilled is stopped, unless it is the first: its analysis serves all others.
        """
        with self._changed:
            self._generation += 1
            self._wish = wish
            if self._taken is not None and self._shown:
                self._taken.stop.set()
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


class Engine:
    """The thread that asks the daemon for previews.

    Parameters
    ----------
    show
        Called on the engine's thread with each reply that is still current.
    complain
        Called on the engine's thread with the text of a failure.
    report
        Called on the engine's thread with stage and fraction.
    """

    def __init__(
        self, show: Callable[[Reply], None], complain: Callable[[str], None], report: Report
    ) -> None:
        self._show, self._complain, self._report = show, complain, report
        self._box: Latest[Sequence[Job]] = Latest()
        self._client: Client | None = None
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def ask(self, *jobs: Job) -> None:
        """Ask for a preview instead of those asked for before; several: from rough to fine."""
        self._box.put(jobs)

    def finish(self, job: Job, report: Report) -> Reply:
        """Compute the final result on the same connection.

        A preview that is being computed is stopped, but for the first, whose analysis is needed.

        Raises
        ------
        PluginError
            As `Client.render`.
        """
        self._report = report
        self._box.close(stop=self._box.any_shown)
        self._thread.join()
        try:
            return self._connected().render(job, report)
        finally:
            self._hang_up()

    def close(self) -> None:
        """Cancel what runs and hang up."""
        self._box.close(stop=True)
        self._thread.join(2.0)
        self._hang_up()

    def _work(self) -> None:
        while (taken := self._box.take()) is not None:
            self._fulfil(taken)

    def _fulfil(self, taken: Taken[Sequence[Job]]) -> None:
        try:
            for job in taken.wish:
                reply = self._connected().render(job, self._tell, taken.stop)
                if self._box.accept(taken.generation):
                    self._show(reply)
        except Cancelled:  # there is a newer one
            pass
        except PluginError as error:
            if isinstance(error, LinkLost):
                self._hang_up()
            if self._box.accept(taken.generation):
                self._complain(str(error))

    def _tell(self, stage: str, fraction: float) -> None:
        self._report(stage, fraction)

    def _connected(self) -> Client:
        if self._client is None:
            self._client = reach.client(self._tell)
        return self._client

    def _hang_up(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None
