"""Those who do the tasks, wherever they are, and what comes back from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeAlias

from bokeh_core.errors import BokehError
from daemon.batch.work import Done

if TYPE_CHECKING:
    from typing_extensions import Self

    from daemon.batch.work import Task


@dataclass(frozen=True)
class Lost:
    """A task whose worker went away with it.

    Attributes
    ----------
    deaths
        Workers that ended while they had the task; 0 when only the way to them was lost.
    reason
        For the user, such as "killed by signal 9".
    """

    key: str
    deaths: int
    reason: str


Answer: TypeAlias = "Done | Lost"


def too_late(key: str, limit: float) -> Done:
    """Return what becomes of a picture that took longer than the seconds it was given.

    It has failed, and is not tried again in this run: another hang would take as long again.
    """
    text = f"took longer than {limit:g} s (--time-limit); its worker was ended"
    return Done(key, seconds=limit, error=text)


class CrewGone(BokehError):
    """Nobody is left to do the work; what is done is in the journal."""


class Crew(Protocol):
    """Does tasks side by side; use as a context manager."""

    ships: bool
    """Whether tasks must carry the file's bytes, and results come back as bytes."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...

    def room(self) -> int:
        """Say how many more tasks are welcome now."""
        ...

    def give(self, task: Task) -> None:
        """Hand a task over."""
        ...

    def take(self, timeout: float) -> Answer | None:
        """Wait for an answer; None when none came within the seconds.

        Raises
        ------
        CrewGone
            Nobody is left, and nobody will come.
        """
        ...

    def told_no_room(self, done: Done) -> None:
        """Take note that a worker's disk is full, so that others are preferred."""
        ...
