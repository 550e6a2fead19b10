"""Who is at a point: people side by side are told apart also where they touch."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import numpy.typing as npt

from bokeh_core import islands, upsampling

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bokeh_core.progress import Progress

Float32 = npt.NDArray[np.float32]
Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]

MOST_PEOPLE = 32
"""Of a photo that are told apart."""
DECIDED_SIDE = 1024
"""Long side at which the pixels of a large photo are given to one person or another."""

_SLIVER = 0.012  # of the long side: what is nowhere wider is no person
_NARROWEST = 16  # columns; narrower people are not cut
_VALLEY = 0.95  # of the pixels in a column
_NOTCH = 0.985  # of the outline's height
_SMALLEST_PART = 0.15  # of the pixels; less is an arm, not somebody
_UNSURE = 0.3  # of a person's width, from the cut: how far an outline may be from it
_BINS = (12, 12, 12, 6)  # of lightness, two of hue, and height
_COLOUR, _PLACE = 0.7, 3.0  # weights of what the colour and the place say, as logits
_SMOOTH = 6  # radius in pixels in which the photo's edges are followed


def at_point(matte: Float32, colours: Float32, point: tuple[float, float]) -> Float32:
    """Keep the person at `point` (x, y as fractions), or the nearest one to it.

    People side by side are told apart also where they touch, see `_gap`; somebody right behind
    another person stays with them.

    Parameters
    ----------
    matte : ndarray (h, w)
        Of everybody, in [0, 1].
    colours : ndarray (h, w, 3)
        The photo as `upsampling.guide` gives it: people who touch end at their own outlines.

    Returns
    -------
    ndarray (h, w)
        The matte of that person; empty when there is nobody.
    """
    return matte * _share_at_point(matte, colours, point)


def each_one(matte: Float32, colours: Float32) -> npt.NDArray[np.uint8]:
    """Tell the people of a matte apart, also where they touch.

    Parameters
    ----------
    matte, colours
        As of `at_point`.

    Returns
    -------
    ndarray (h, w) uint8
        0 is nobody, 1 the largest one, 2 the next ..., at most `MOST_PEOPLE`.
    """
    height, width = matte.shape
    left = (matte > 0.5).astype(np.uint8)
    found: list[Bools] = []
    for _ in range(MOST_PEOPLE):
        x, y, room = _innermost(left)
        if room < _SLIVER * max(height, width):
            break  # rims of those who were found
        own = (at_point(matte, colours, ((x + 0.5) / width, (y + 0.5) / height)) > 0.5) & (left > 0)
        if own[y, x]:
            found.append(own)
        left[own] = 0
        cv2.circle(left, (x, y), math.ceil(room), (0,), cv2.FILLED)
    labels = np.zeros((height, width), np.uint8)
    for label, own in enumerate(sorted(found, key=lambda each: -int(each.sum())), start=1):
        labels[own] = label
    return labels


def innermost(inside: npt.NDArray[np.uint8]) -> tuple[int, int]:
    """Return column and row of the pixel farthest from what is 0, of an (h, w) mask."""
    return _innermost(inside)[:2]


def _innermost(inside: npt.NDArray[np.uint8]) -> tuple[int, int, float]:
    """Return the same, and how far it is, in pixels; 0 where all is 0."""
    away = cv2.distanceTransform(np.pad(inside, 1), cv2.DIST_L2, cv2.DIST_MASK_3)[1:-1, 1:-1]
    y, x = np.unravel_index(int(np.argmax(away)), away.shape)
    return int(x), int(y), float(away[y, x])


def full_at_points(
    matte: Float32, rgb: Float32, points: Sequence[tuple[float, float]], progress: Progress
) -> Float32:
    """Keep everybody at one of some points, as `full_at_point` keeps one."""
    kept = np.zeros_like(matte)
    for point in points:
        np.maximum(kept, full_at_point(matte, rgb, point, progress), out=kept)
    return kept


def full_at_point(
    matte: Float32, rgb: Float32, point: tuple[float, float], progress: Progress
) -> Float32:
    """Do the same for a matte and a photo (linear light): who is who is decided at `DECIDED_SIDE`.

    At 12 megapixels that takes a fraction of the time, and no large temporaries.
    """
    shape = (matte.shape[0], matte.shape[1])
    size = upsampling.size_within(shape, DECIDED_SIDE)
    colours = upsampling.guide(upsampling.resized(rgb, size))
    share = _share_at_point(upsampling.resized(matte, size), colours, point)
    progress("matte", 0.1)

    def strip(part: slice) -> Float32:
        return matte[part] * np.clip(upsampling.rows_of(share, shape, part), 0, 1)

    return upsampling.by_strips(shape, strip, lambda f: progress("matte", 0.1 + 0.9 * f))


def _share_at_point(matte: Float32, colours: Float32, point: tuple[float, float]) -> Float32:
    """Return the factor in [0, 1] that leaves of the matte the person at a point."""
    height, width = matte.shape
    found = islands.find(matte)
    if len(found) == 0:
        return np.zeros_like(matte)
    # a painted strand of hair that hangs alone is nobody: it stays with whom it is next to
    person = found.mask(found.people)
    x, y = (min(int(f * side), side - 1) for f, side in zip(point, (width, height), strict=True))
    rows, columns = np.nonzero(person)
    nearest = int(np.argmin((rows - y) ** 2 + (columns - x) ** 2))
    group = np.asarray(found.labels == found.labels[rows[nearest], columns[nearest]])
    span = _span(group, int(columns[nearest]))
    share = islands.share(group, person & ~group)
    if span == slice(0, width):
        return share
    return share * _outlined(group, colours, span)


def _span(group: Bools, column: int) -> slice:
    """Return the columns of whom `column` belongs to, cut at the gaps between people who touch."""
    left, right = 0, group.shape[1]
    while (gap := _gap(group[:, left:right])) is not None:
        if column < left + gap:
            right = left + gap
        else:
            left += gap
    return slice(left, right)


def _gap(people: Bools) -> int | None:
    """Find the column between two people who touch; None when it is one person.

    Between them, columns hold fewer pixels of people than to either side, and the outline, seen
    from above, is lower. Legs apart have the first only, a raised hand has too small a part of
    the whole. Why the outline and not the depth: docs/decisions/0014.
    """
    held = people.sum(0)
    columns = np.flatnonzero(held)
    if len(columns) < _NARROWEST:
        return None
    first, end = int(columns[0]), int(columns[-1]) + 1
    held = held[first:end]
    bottom = int(np.flatnonzero(people.any(1))[-1]) + 1
    top = np.where(held > 0, bottom - np.argmax(people[:, first:end], 0), 0)
    depth = np.where(_filled(top) > _NOTCH, np.inf, _filled(held))
    gap = int(np.argmin(depth))
    smaller = min(held[:gap].sum(), held[gap:].sum())
    if depth[gap] > _VALLEY or smaller < _SMALLEST_PART * held.sum():
        return None
    return first + gap


def _filled(profile: Ints) -> npt.NDArray[np.float32]:
    """Return how full a profile's valleys are: 1 is a slope or a peak, less a place between two."""
    line = profile.astype(np.float32)[None]
    sigma = 0.03 * line.size
    smooth = cv2.GaussianBlur(line, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE)[0]
    left = np.maximum.accumulate(smooth)
    right = np.maximum.accumulate(smooth[::-1])[::-1]
    return np.asarray(smooth / np.minimum(left, right), np.float32)


def _outlined(group: Bools, colours: Float32, span: slice) -> Float32:
    """Move a straight cut to the outline of the one in `span`; 1 is theirs, 0 the others'.

    Within `_UNSURE` of their width from the cut a pixel belongs to whose colours, near the cut and
    at that height, it has, the more so the nearer it is to them; the photo's edges decide the rest.
    """
    columns = np.arange(group.shape[1])
    held = np.flatnonzero(group.any(0))
    inner = [edge for edge in (span.start, span.stop) if held[0] < edge <= held[-1]]
    distance = np.min([np.abs(columns + 0.5 - edge) for edge in inner], axis=0)
    width = min(span.stop, int(held[-1]) + 1) - max(span.start, int(held[0]))
    unsure = max(_UNSURE * width, 1.0)
    own = (columns >= span.start) & (columns < span.stop)
    sure = distance > unsure
    near = group & (distance < 3 * unsure) & sure
    codes = _codes(colours)
    mine, theirs = (_frequency(codes, near & side) for side in (own, ~own))
    toward = np.where(own, 1, -1) * np.minimum(distance / unsure, 1)
    logit = _COLOUR * np.log(mine / theirs) + _PLACE * toward
    likely = np.where(sure, own, 1 / (1 + np.exp(-logit))).astype(np.float32)
    model = upsampling.fit(colours, likely, group + np.float32(1e-3), _SMOOTH, 1e-3)
    followed = np.clip((model.slope * colours).sum(2) + model.offset, 0, 1)
    whole = cv2.medianBlur(np.round(followed * 255).astype(np.uint8), 7) / np.float32(255)
    crisp = np.clip((whole - 0.5) * 4 + 0.5, 0, 1)
    return np.asarray(np.where(sure, own, crisp), np.float32)


def _codes(colours: Float32) -> Ints:
    """Return the bin of every pixel by colour and height in the picture."""
    lab = cv2.cvtColor(np.round(np.clip(colours, 0, 1) * 255).astype(np.uint8), cv2.COLOR_RGB2LAB)
    height, width = lab.shape[:2]
    row = np.repeat(np.arange(height)[:, None] / height, width, 1)
    planes = [lab[..., i] / 256.0 for i in range(3)] + [row]
    bins = [(plane * n).astype(np.int64) for plane, n in zip(planes, _BINS, strict=True)]
    return np.asarray(np.ravel_multi_index(bins, _BINS), np.int64)


def _frequency(codes: Ints, where: Bools) -> Float32:
    """Return how frequent the colour of every pixel is among those of `where`; never 0."""
    counts: npt.NDArray[Any] = np.bincount(codes[where], minlength=math.prod(_BINS)).reshape(_BINS)
    for axis in range(len(_BINS)):
        ends = np.take(counts, [0, -1], axis)
        padded = np.concatenate((ends.take([0], axis), counts, ends.take([1], axis)), axis)
        before, after = (np.delete(padded, cut, axis) for cut in ([-2, -1], [0, 1]))
        counts = (before + 2 * counts + after) / 4
    return np.asarray((counts / max(counts.sum(), 1)).ravel()[codes] + 1e-4, np.float32)
