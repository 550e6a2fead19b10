"""How long calls report progress and how they are cancelled: one callable, one rule."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[str, float], None]
"""`progress(stage, fraction)`: a short name ("matte", "depth", "render") and 0 to 1.

Called between units of work of at most about 0.2 s. An exception raised inside it
(`bokeh_core.errors.Cancelled`) stops the call and passes through unchanged.
"""


def ignore(stage: str, fraction: float) -> None:
    """Report to nobody."""


def part(progress: Progress, start: float, stop: float) -> Progress:
    """Map a sub-task's own 0..1 onto the range `start`..`stop` of the whole call."""

    def scaled(stage: str, fraction: float) -> None:
        progress(stage, start + (stop - start) * fraction)

    return scaled
