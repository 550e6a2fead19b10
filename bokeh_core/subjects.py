"""Who is the subject: the main people, everybody, or the one at a focus point."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import cv2
import numpy as np
import numpy.typing as npt

from bokeh_core import upsampling

if TYPE_CHECKING:
    from bokeh_core.progress import Progress

Float32 = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
People = Literal["main", "all"]

SAME_PERSON = 0.14
"""Largest difference of disparity within one person, of the whole range."""

DECIDED_SIDE = 1024
"""Long side at which the pixels of a large photo are given to one person or another."""

_SMALLEST = 0.002  # of the picture; smaller islands are never a person


@dataclass(frozen=True, eq=False)
class Islands:
    """The connected parts of a matte above one half; `labels` 0 is the background."""

    labels: Ints
    areas: Ints
    centres: npt.NDArray[np.float64]


def main_people(matte: Float32, disparity: Float32) -> Float32:
    """Keep the people a portrait is of; somebody small or far behind them is background.

    The main one is large, near and in the middle. Others stay when they are at least half as
    large, or a quarter as large and as near (a child, a couple). On 167 training photos this lifts
    the IoU of street scenes from .933 to .956; a bystander counts there as background.

    Parameters
    ----------
    matte, disparity : ndarray (h, w)
        At the network's size, in [0, 1].
    """
    islands = _islands(matte)
    if len(islands.areas) == 0:
        return np.zeros_like(matte)  # a faint patch is nobody
    if len(islands.areas) == 1:
        return matte
    nearness = np.array(
        [np.median(disparity[islands.labels == index + 1]) for index in range(len(islands.areas))]
    )
    off_centre = np.abs(islands.centres[:, 0] / matte.shape[1] - 0.5)
    weight = islands.areas * (1 - off_centre) * (nearness + 0.2) ** 2
    main = int(np.argmax(weight))
    size = islands.areas / islands.areas[main]
    behind = nearness[main] - nearness
    keep = ((size >= 0.5) & (behind < 0.2)) | ((size >= 0.25) & (behind < 0.06))
    keep[main] = True
    return _only(matte, islands, keep)


def without_specks(matte: Float32) -> Float32:
    """Clear islands smaller than both 0.2 % of the picture and 3 % of the largest person."""
    islands = _islands(matte)
    if len(islands.areas) == 0:
        return np.zeros_like(matte)  # a faint patch is nobody
    if len(islands.areas) == 1:
        return matte
    speck = min(_SMALLEST * matte.size, 0.03 * islands.areas.max())
    return _only(matte, islands, islands.areas >= speck)


def _islands(matte: Float32) -> Islands:
    plane = (matte > 0.5).astype(np.uint8)
    _, labels, stats, centres = cv2.connectedComponentsWithStats(plane, connectivity=4)
    areas = stats[1:, cv2.CC_STAT_AREA].astype(np.int64)
    return Islands(labels.astype(np.int64), areas, centres[1:].astype(np.float64))


def _only(matte: Float32, islands: Islands, keep: npt.NDArray[np.bool_]) -> Float32:
    """Clear the islands not kept, each with the soft surroundings that are nearest to it."""
    if keep.all():
        return matte
    kept = np.concatenate(([False], keep))[islands.labels]
    dropped = (islands.labels > 0) & ~kept
    return matte * _share(kept, dropped)


def at_point(matte: Float32, disparity: Float32, point: tuple[float, float]) -> Float32:
    """Keep the person at `point` (x, y as fractions), or the nearest one to it.

    People who overlap in the picture are told apart by their disparity.

    Parameters
    ----------
    matte, disparity : ndarray (h, w)
        At the network's size, in [0, 1].

    Returns
    -------
    ndarray (h, w)
        The matte of that person; empty when there is nobody.
    """
    return matte * _share_at_point(matte, disparity, point)


def full_at_point(
    matte: Float32, disparity: Float32, point: tuple[float, float], progress: Progress
) -> Float32:
    """Do the same for maps of a photo's size: who is who is decided at `DECIDED_SIDE`.

    At 12 megapixels that takes 0.1 s instead of 1.3 s, and no large temporaries.
    """
    shape = (matte.shape[0], matte.shape[1])
    size = upsampling.size_within(shape, DECIDED_SIDE)
    small, near = (upsampling.resized(plane, size) for plane in (matte, disparity))
    share = _share_at_point(small, near, point)
    progress("matte", 0.1)

    def strip(part: slice) -> Float32:
        return matte[part] * np.clip(upsampling.rows_of(share, shape, part), 0, 1)

    return upsampling.by_strips(shape, strip, lambda f: progress("matte", 0.1 + 0.9 * f))


def _share_at_point(matte: Float32, disparity: Float32, point: tuple[float, float]) -> Float32:
    """Give the factor in [0, 1] that leaves of the matte the person at a point."""
    height, width = matte.shape
    person = matte > 0.5
    if not person.any():
        return np.zeros_like(matte)
    x, y = (min(int(f * side), side - 1) for f, side in zip(point, (width, height), strict=True))
    rows, columns = np.nonzero(person)
    nearest = int(np.argmin((rows - y) ** 2 + (columns - x) ** 2))
    seed = (int(rows[nearest]), int(columns[nearest]))
    around = (slice(max(seed[0] - 2, 0), seed[0] + 3), slice(max(seed[1] - 2, 0), seed[1] + 3))
    distance = float(np.median(disparity[around][person[around]]))
    coherent = (person & (np.abs(disparity - distance) < SAME_PERSON)).astype(np.uint8)
    coherent[seed] = 1  # also where a step of the depth leaves it apart from those around it
    _, islands = cv2.connectedComponents(coherent)
    chosen = islands == islands[seed]
    others = person & ~chosen
    return _share(chosen, others)


def _share(chosen: npt.NDArray[np.bool_], others: npt.NDArray[np.bool_]) -> Float32:
    """Give every pixel to the nearer of the two regions, softly over about two pixels."""
    if not others.any():
        return np.ones(chosen.shape, np.float32)
    to_chosen = cv2.distanceTransform((~chosen).astype(np.uint8), cv2.DIST_L2, 3)
    to_others = cv2.distanceTransform((~others).astype(np.uint8), cv2.DIST_L2, 3)
    return np.clip((to_others - to_chosen) / 2 + 0.5, 0, 1).astype(np.float32)
