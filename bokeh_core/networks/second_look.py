"""Look again, closer, where people are small or the first look is unsure or found nobody.

The network sees every photo at the same few pixels: somebody at a fifth of its height is seventy
of them tall. A crop around them shows them at the size the network knows best, and their outline
finer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Float32 = npt.NDArray[np.float32]

MOST = 2
"""Crops that are looked at."""

LARGE = 0.55
"""Part of the picture's longer side from which somebody is large enough in the first look."""

PERHAPS = 0.2
"""Matte from which somebody may be there."""

SURROUNDINGS = 0.75
"""Of a person's size that is shown on each side."""

FINEST = 1024
"""Long side of the mattes that come out, at most."""

_SPECK = 0.0004  # of the picture's pixels
_NARROWEST = 0.25  # of the picture's sides; a crop that shows less is not of a scene any more
_NEARER = 0.65  # of the picture's pixels; a crop that shows more is no closer look
_ANIMAL = 0.5
_FEATHER = 0.12  # of a crop's sides


@dataclass(frozen=True)
class Box:
    """Part of a picture, as fractions of its width and height."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def width(self) -> float:
        """Part of the picture's width."""
        return self.right - self.left

    @property
    def height(self) -> float:
        """Part of the picture's height."""
        return self.bottom - self.top

    def of(self, shape: tuple[int, ...]) -> tuple[slice, slice]:
        """Return the rows and columns of an array of this shape, at least one each."""
        rows, columns = (
            slice(min(round(low * side), side - 1), max(round(high * side), 1))
            for low, high, side in (
                (self.top, self.bottom, shape[0]),
                (self.left, self.right, shape[1]),
            )
        )
        return rows, columns


def boxes(people: Float32, animals: Float32) -> list[Box]:
    """Find where to look again: around the largest of those who are small, at most `MOST` boxes.

    Nowhere when somebody large is there; at both halves of the picture when nobody at all is.

    Parameters
    ----------
    people, animals : ndarray (h, w)
        In [0, 1].
    """
    found = _somebody(people)
    if not found:
        return [] if _somebody(animals) else _halves(people.shape)
    if _is_large(found):
        return []
    chosen: list[Box] = []
    for one in found:
        box = _around(one, people.shape)
        if box.width * box.height <= _NEARER and not any(_inside(one, other) for other in chosen):
            chosen.append(box)
    return chosen[:MOST]


def is_of_small_people(people: Float32) -> bool:
    """Tell whether somebody is in the picture, and nobody who is large."""
    found = _somebody(people)
    return bool(found) and not _is_large(found)


def _is_large(found: Sequence[Box]) -> bool:
    return max(max(one.width, one.height) for one in found) >= LARGE


def _somebody(matte: Float32) -> list[Box]:
    """Box in whoever may be there, the largest first."""
    plane = (matte > PERHAPS).astype(np.uint8)
    count, _, stats, _ = cv2.connectedComponentsWithStats(plane, connectivity=8)
    height, width = matte.shape
    order = sorted(range(1, count), key=lambda index: -stats[index, cv2.CC_STAT_AREA])
    found = []
    for index in order:
        left, top, wide, tall, area = (int(value) for value in stats[index])
        if area >= _SPECK * matte.size:
            right, bottom = (left + wide) / width, (top + tall) / height
            found.append(Box(left / width, top / height, right, bottom))
    return found


def _halves(shape: tuple[int, ...]) -> list[Box]:
    """Return both halves of the picture along its longer side, overlapping."""
    if shape[1] >= shape[0]:
        return [Box(0, 0, 0.6, 1), Box(0.4, 0, 1, 1)]
    return [Box(0, 0, 1, 0.6), Box(0, 0.4, 1, 1)]


def _inside(one: Box, box: Box) -> bool:
    middle = (one.left + one.right) / 2, (one.top + one.bottom) / 2
    return box.left <= middle[0] <= box.right and box.top <= middle[1] <= box.bottom


def _around(one: Box, shape: tuple[int, ...]) -> Box:
    """Widen a box by its surroundings, to no strip, and move it into the picture."""
    height, width = shape[0], shape[1]
    side = max(one.width * width, one.height * height)
    side = max((1 + 2 * SURROUNDINGS) * side, _NARROWEST * max(height, width))
    spans = []
    for low, high, size in ((one.left, one.right, width), (one.top, one.bottom, height)):
        length = min(side / size, 1.0)
        begin = min(max((low + high) / 2 - length / 2, 0.0), 1 - length)
        spans.append((begin, begin + length))
    (left, right), (top, bottom) = spans
    return Box(left, top, right, bottom)


def merged(people: Float32, closer: Sequence[tuple[Box, Float32]]) -> Float32:
    """Bring what closer looks found into the first look's people: the mean of both in the boxes.

    The mean is better than either: a look at a part knows less of what is around it.

    Parameters
    ----------
    people : ndarray (h, w)
        Of the whole picture.
    closer
        Boxes and the people in them, (h', w') each.

    Returns
    -------
    ndarray (H, W)
        As fine as the finest of the closer looks, within `FINEST`.
    """
    scale = max(found.shape[1] / (box.width * people.shape[1]) for box, found in closer)
    scale = max(min(scale, FINEST / max(people.shape)), 1.0)
    height, width = (round(side * scale) for side in people.shape)
    whole = cv2.resize(people, (width, height), interpolation=cv2.INTER_LINEAR)
    for box, found in closer:
        rows, columns = box.of(whole.shape)
        size = (columns.stop - columns.start, rows.stop - rows.start)
        fine = cv2.resize(found, size, interpolation=cv2.INTER_LINEAR)
        down = _feather(size[1], begins=box.top > 0, ends=box.bottom < 1)
        across = _feather(size[0], begins=box.left > 0, ends=box.right < 1)
        whole[rows, columns] += 0.5 * np.outer(down, across) * (fine - whole[rows, columns])
    return np.asarray(whole, np.float32)


def _feather(length: int, *, begins: bool, ends: bool) -> Float32:
    """Rise from 0 to 1 and fall again where the box begins and ends within the picture."""
    ramp = (np.arange(length, dtype=np.float32) + 0.5) / max(_FEATHER * length, 1.0)
    rise = np.minimum(ramp, 1) if begins else np.ones(length, np.float32)
    return np.asarray(rise * (np.minimum(ramp[::-1], 1) if ends else 1), np.float32)


def again(
    rgb: Float32, people: Float32, animals: Float32, look: Callable[[Float32], Float32]
) -> tuple[Float32, Float32]:
    """Return people and animals after the closer looks; the same arrays where none is needed.

    What the first look took for an animal stays one.

    Parameters
    ----------
    rgb : ndarray (H, W, 3)
        The photo.
    people, animals : ndarray (h, w)
        As first seen.
    look
        Gives the people in a part of the photo, at a size of its own.
    """
    where = boxes(people, animals)
    if not where:
        return people, animals
    closer = [(box, look(np.ascontiguousarray(rgb[box.of(rgb.shape)]))) for box in where]
    found = merged(people, closer)
    size = (found.shape[1], found.shape[0])
    before, pets = (np.asarray(cv2.resize(plane, size), np.float32) for plane in (people, animals))
    return np.where(pets > _ANIMAL, before, found), pets
