"""The connected parts of a matte: who is somebody, and the soft surroundings of each."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

Float32 = npt.NDArray[np.float32]
Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]

SURE = 0.6
"""A part whose matte is never above this is nobody: shown, it would be a half-transparent ghost."""

DOUBTFUL = 0.8
"""A part whose matte hardly gets above this may be nobody."""

_SMALLEST = 0.002  # of the picture; smaller islands are never a person
_LEVELS = (0.3, 0.05)  # of a ghost that hangs on somebody by its haze, and of the haze itself


@dataclass(frozen=True, eq=False)
class Islands:
    """The connected parts of a matte above a level; `labels` 0 is the background."""

    labels: Ints
    areas: Ints
    centres: npt.NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.areas)

    @property
    def people(self) -> Bools:
        """Which are no specks: 0.2 % of the picture or 3 % of the largest one."""
        if len(self) == 0:
            return np.zeros(0, np.bool_)
        speck = min(_SMALLEST * self.labels.size, 0.03 * self.areas.max())
        return np.asarray(self.areas >= speck)

    def medians(self, plane: Float32) -> Float32:
        """Return the median of a plane (h, w) in every island."""
        return self._ranked(plane, 0.5)

    def sureness(self, matte: Float32, top: float = 0.1) -> Float32:
        """Return what an island's surest tenth of pixels reaches; `top` 0: its surest pixel."""
        return self._ranked(matte, top)

    def _ranked(self, plane: Float32, top: float) -> Float32:
        inside = self.labels > 0
        labels, values = self.labels[inside], plane[inside]
        ordered = values[np.lexsort((values, labels))]
        return ordered[np.cumsum(self.areas) - 1 - (top * self.areas).astype(np.int64)]

    def mask(self, keep: Bools) -> Bools:
        """Return the pixels of some islands."""
        return np.asarray(np.concatenate(([False], keep))[self.labels])


def find(matte: Float32, level: float = 0.5) -> Islands:
    """Find the connected parts of a matte (h, w) above `level`."""
    plane = (matte > level).astype(np.uint8)
    _, labels, stats, centres = cv2.connectedComponentsWithStats(plane, connectivity=4)
    areas = stats[1:, cv2.CC_STAT_AREA].astype(np.int64)
    return Islands(labels.astype(np.int64), areas, centres[1:].astype(np.float64))


def only(matte: Float32, islands: Islands, keep: Bools) -> Float32:
    """Clear the islands not kept, each with the soft surroundings that are nearest to it."""
    if keep.all():
        return matte
    if not keep.any():
        return np.zeros_like(matte)
    return matte * share(islands.mask(keep), islands.mask(~keep))


def share(chosen: Bools, others: Bools) -> Float32:
    """Assign every pixel to the nearer of the two regions, softly over about two pixels."""
    if not others.any():
        return np.ones(chosen.shape, np.float32)
    to_chosen = cv2.distanceTransform((~chosen).astype(np.uint8), cv2.DIST_L2, 3)
    to_others = cv2.distanceTransform((~others).astype(np.uint8), cv2.DIST_L2, 3)
    return np.clip((to_others - to_chosen) / 2 + 0.5, 0, 1).astype(np.float32)


def decided(matte: Float32) -> Float32:
    """Make of everything in a matte somebody or nobody; what is beyond doubt stays as it is.

    Parts never above `SURE` are cleared, with their haze. One that stays below `DOUBTFUL` is
    brought up to 1, so that nobody is rendered half sharp.

    Parameters
    ----------
    matte : ndarray (h, w)
        At the network's size, in [0, 1].
    """
    for level in _LEVELS:
        parts = find(matte, level)
        matte = only(matte, parts, parts.sureness(matte, 0) > SURE)
    parts = find(matte)
    heights = parts.sureness(matte)
    for index in np.flatnonzero((heights < DOUBTFUL) & parts.people):
        own = np.arange(len(parts)) == index
        near = share(parts.mask(own), parts.mask(~own))
        matte = np.clip(matte * (1 + near * np.float32(1 / heights[index] - 1)), 0, 1)
    return np.asarray(matte, np.float32)
