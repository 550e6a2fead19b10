"""Brush strokes on the mask and the depth, as an editor collects, takes back and sends them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Sequence

T = TypeVar("T")

TOOLS = {
    "sharp": (
        "Sharp",
        "Paint over what is to stay sharp: it goes into the mask",
        "matte",
        "raise",
    ),
    "blurred": ("Blurred", "Paint over what is to blur: it leaves the mask", "matte", "lower"),
    "nearer": ("Nearer", "Each stroke brings what it covers a step nearer", "depth", "raise"),
    "farther": ("Farther", "Each stroke takes what it covers a step away", "depth", "lower"),
    "eraser": ("Eraser", "Take strokes away again, of mask and depth", "", "erase"),
}
"""Name of a brush -> its label, what it does, the map it paints (empty: both), and how."""
SPACING = 0.2
"""Of the radius: how far apart the points of a path are."""
MOST_BYTES = 45_000
"""Of all strokes in a message, whose header has room for 64 KiB."""
POINT_BYTES, STROKE_BYTES = 6, 80


@dataclass(frozen=True)
class Brush:
    """What paints.

    Parameters
    ----------
    tool
        One of `TOOLS`.
    radius
        As a fraction of the photo's long side.
    softness
        0 ends at once, 1 fades from the middle on.
    edges
        Whether strokes end at outlines of the photo.
    """

    tool: str = "sharp"
    radius: float = 0.03
    softness: float = 0.5
    edges: bool = True


@dataclass(frozen=True)
class Stroke:
    """One finished stroke, in pixels of the full-size photo.

    Parameters
    ----------
    plane, effect, radius, softness, edges
        As in `daemon.wire.strokes.Stroke`.
    points
        Its path.
    """

    plane: str
    effect: str
    radius: float
    softness: float
    edges: bool
    points: tuple[tuple[int, int], ...]

    def message(self) -> dict[str, Any]:
        """Return the stroke as it travels."""
        return {
            "plane": self.plane,
            "effect": self.effect,
            "radius": self.radius,
            "softness": self.softness,
            "edges": self.edges,
            "points": [side for point in self.points for side in point],
        }


class Path:
    """A stroke while it is drawn.

    Parameters
    ----------
    brush
        What paints.
    photo
        Width and height of the photo in pixels.
    """

    def __init__(self, brush: Brush, photo: tuple[int, int]) -> None:
        self._brush, self._photo = brush, photo
        self._radius = max(1.0, brush.radius * max(photo))
        self._points: list[tuple[int, int]] = []

    def add(self, x: float, y: float) -> bool:
        """Go on to a place (fractions of the photo's sides); False when it is hardly a move."""
        width, height = self._photo
        point = min(width - 1, int(x * width)), min(height - 1, int(y * height))
        if self._points and math.dist(point, self._points[-1]) < SPACING * self._radius:
            return False
        self._points.append(point)
        return True

    def strokes(self) -> tuple[Stroke, ...]:
        """Return what was drawn: one stroke, or for the eraser one of each map."""
        _, _, plane, effect = TOOLS[self._brush.tool]
        return tuple(
            Stroke(
                each,
                effect,
                round(self._radius, 2),
                self._brush.softness,
                self._brush.edges,
                tuple(self._points),
            )
            for each in ((plane,) if plane else ("matte", "depth"))
        )


def have_room(strokes: Sequence[Stroke]) -> bool:
    """Whether so many strokes still fit into one message."""
    size = sum(STROKE_BYTES + POINT_BYTES * len(stroke.points) for stroke in strokes)
    return size <= MOST_BYTES


class History(Generic[T]):
    """States to go back to and forward again.

    Parameters
    ----------
    first
        The state at the beginning.
    """

    def __init__(self, first: T) -> None:
        self.now = first
        """Where we are."""
        self._past: list[T] = []
        self._future: list[T] = []

    def push(self, state: T) -> None:
        """Come to another state; the same as now changes nothing."""
        if state != self.now:
            self._past.append(self.now)
            self.now, self._future = state, []

    def undo(self) -> T:
        """Go back one state, as far as there is one; gives where that is."""
        if self._past:
            self._future.append(self.now)
            self.now = self._past.pop()
        return self.now

    def redo(self) -> T:
        """Go forward again; gives where that is."""
        if self._future:
            self._past.append(self.now)
            self.now = self._future.pop()
        return self.now

    @property
    def can_undo(self) -> bool:
        """Whether there is a state to go back to."""
        return bool(self._past)

    @property
    def can_redo(self) -> bool:
        """Whether a step was taken back."""
        return bool(self._future)
