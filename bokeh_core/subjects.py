"""Which person is the subject: all of them, or the one at a focus point."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

Float32 = npt.NDArray[np.float32]

SAME_PERSON = 0.14
"""Largest difference of disparity within one person, of the whole range."""

_SMALLEST = 0.002  # of the picture; smaller islands are never a person


def without_specks(matte: Float32) -> Float32:
    """Clear islands smaller than 0.2 % of the picture and 3 % of the largest person."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats((matte > 0.5).astype(np.uint8))
    if count <= 2:
        return matte
    areas = stats[:, cv2.CC_STAT_AREA]
    least = max(_SMALLEST * matte.size, 0.03 * areas[1:].max())
    specks = np.flatnonzero(areas < least)
    specks = specks[specks > 0]
    if len(specks) == 0:
        return matte
    doubtful = np.isin(labels, specks).astype(np.uint8)
    kept = ((labels > 0) & (doubtful == 0)).astype(np.uint8)
    near = np.ones((5, 5), np.uint8)
    clear = cv2.dilate(doubtful, near).astype(bool) & ~cv2.dilate(kept, near).astype(bool)
    return np.where(clear, np.float32(0), matte)


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
    _, islands = cv2.connectedComponents(coherent)
    chosen = islands == islands[seed]
    others = person & ~chosen
    return matte * _share(chosen, others)


def _share(chosen: npt.NDArray[np.bool_], others: npt.NDArray[np.bool_]) -> Float32:
    """Give every pixel to the nearer of the two regions, softly over about two pixels."""
    to_chosen = cv2.distanceTransform((~chosen).astype(np.uint8), cv2.DIST_L2, 3)
    if not others.any():
        return np.ones(chosen.shape, np.float32)
    to_others = cv2.distanceTransform((~others).astype(np.uint8), cv2.DIST_L2, 3)
    return np.clip((to_others - to_chosen) / 2 + 0.5, 0, 1).astype(np.float32)
