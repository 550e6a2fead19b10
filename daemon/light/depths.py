"""The depths that are in a photo, and the range of them that is in focus."""

from __future__ import annotations

import dataclasses
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from daemon.light.parameters import Parameters
    from daemon.light.planes import Plane

LEVELS = 256
BEHIND, BEFORE, SHARP = (64, 128, 255), (255, 140, 40), (90, 220, 110)
"""Red, green and blue of what is farther than the focus, nearer, and in focus."""
VEIL = 120
"""Opacity of these colours over the photo, of 255."""


@dataclass(frozen=True)
class FocusRange:
    """What is sharp: depths from `low` to `high`, 0 farthest and 1 nearest.

    Parameters
    ----------
    low, high
        Ends of the range; beyond 0 and 1 there is nothing.
    focus
        The depth in the middle, as the settings say it.
    """

    low: float
    high: float
    focus: float

    @classmethod
    def of(cls, parameters: Parameters, focus: float) -> FocusRange:
        """Return the range that settings stand for, around what a reply says is in focus."""
        half = parameters.focus_range / 2
        return cls(focus - half, focus + half, focus)

    def moved_end(self, parameters: Parameters, high: bool, depth: float) -> Parameters:
        """Return the settings after one end was moved to a depth.

        The focus stays on the subject or the point, so the other end moves with it; a depth that
        was chosen by itself gives way, and the other end stays.
        """
        depth = min(1.0, max(0.0, depth))
        if parameters.focus != "depth":
            width = 2 * (depth - self.focus if high else self.focus - depth)
            return dataclasses.replace(parameters, focus_range=min(1.0, max(0.0, width)))
        low, top = (self.low, depth) if high else (depth, self.high)
        low, top = (min(low, top), top) if high else (low, max(low, top))
        return _with(parameters, max(0.0, low), min(1.0, top))

    def moved(self, parameters: Parameters, depth: float) -> Parameters:
        """Return the settings with the focus at a depth, the range as wide as before."""
        return dataclasses.replace(parameters, focus="depth", focus_depth=min(1.0, max(0.0, depth)))

    def colour(self, depth: float) -> tuple[int, int, int]:
        """Return the colour that stands for a depth: behind, before or in focus."""
        if depth < self.low:
            return BEHIND
        return BEFORE if depth > self.high else SHARP


def _with(parameters: Parameters, low: float, high: float) -> Parameters:
    middle = min(1.0, max(0.0, (low + high) / 2))
    return dataclasses.replace(
        parameters, focus="depth", focus_depth=middle, focus_range=min(1.0, high - low)
    )


def levels(depth: Plane) -> bytes:
    """Return the depth of every pixel in 256 steps, of an 8-bit or a 16-bit map."""
    return depth.data if depth.dtype == "u8" else depth.data[1::2]  # little endian: the high byte


def histogram(depth: Plane) -> list[float]:
    """Count the depths of a map: 256 shares from far to near, the most frequent one is 1."""
    counted = Counter(levels(depth))
    most = max(counted.values())
    return [counted[level] / most for level in range(LEVELS)]


def coloured(depth: Plane, chosen: FocusRange) -> bytes:
    """Return RGBA of the size of a depth map: what is behind, before and in focus."""
    found = [chosen.colour(level / (LEVELS - 1)) for level in range(LEVELS)]
    steps = levels(depth)
    out = bytearray([VEIL]) * (4 * len(steps))
    for channel in range(3):
        out[channel::4] = steps.translate(bytes(colour[channel] for colour in found))
    return bytes(out)
