"""What the daemon is doing, in the user's words."""

from __future__ import annotations

from daemon.light.facts import STAGES
from daemon.light.words import tr

WORDS = {
    "launching": "starting the daemon",
    "replacing": "replacing the daemon of another version",
    **STAGES,
}
ENOUGH_DONE, ENOUGH_TIME_S = 0.08, 1.0
"""Share that is done, and seconds that it took, from which on the rest is foretold."""
SEVERAL_S = 90.0
"""Seconds from which on minutes are told."""


def in_words(stage: str) -> str:
    """Say a stage of the protocol's `progress`; one that is not known as it is."""
    return tr(WORDS.get(stage, stage))


class Pace:
    """How far something is, and how long it will take from what it took so far."""

    def __init__(self) -> None:
        self._first: tuple[float, float] | None = None

    def told(self, stage: str, fraction: float, now: float) -> str:
        """Say stage, percent and the time left, once there is something to tell it by.

        Parameters
        ----------
        stage, fraction
            As the protocol's `progress` has them.
        now
            Seconds of a clock that only goes forward.
        """
        said = f"{in_words(stage)}, {fraction:.0%}"
        if self._first is None or fraction < self._first[0]:
            self._first = (fraction, now) if fraction > 0 else None
        if self._first is None:
            return said
        done, took = fraction - self._first[0], now - self._first[1]
        if done < ENOUGH_DONE or took < ENOUGH_TIME_S:
            return said
        left = took / done * (1 - fraction)
        return tr("{said}, {time} left").format(said=said, time=_rounded(left))


def _rounded(seconds: float) -> str:
    if seconds >= SEVERAL_S:
        return tr("about {n} min").format(n=round(seconds / 60))
    return tr("about {n} s").format(n=max(1, round(seconds)))
