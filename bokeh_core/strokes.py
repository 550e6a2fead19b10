"""Brush strokes on a matte or a depth map: they end at the outline of what they began in.

A stroke is a path with a radius, not pixels: it means the same on a preview and on the full-size
photo, can be taken back, and fits into a message.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import cv2
import numpy as np
import numpy.typing as npt

from bokeh_core import upsampling
from bokeh_core.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

Float32 = npt.NDArray[np.float32]
Effect = Literal["raise", "lower", "erase"]

DEPTH_STEP = 0.1
"""Disparity that one stroke moves a depth by."""
WORK_RADIUS, WORK_PIXELS = 28.0, 160_000
"""A stroke's reach is found at a size at which it has this radius and the area around it so many
pixels at most: 0.1 s a stroke on two cores, however large the photo."""
LIKE = (0.05, 0.16)
"""Least and most that a colour (square root of light) may be off that under the stroke."""
RESISTANCE = 12.0
"""How many times as far a pixel of another colour is."""
CORE = 0.25
"""Share of the radius in which a stroke covers whatever is there."""
SPECKS = 5
"""Side of what is too small to stop a stroke, pixels at the size of the work."""
FOLLOWED = 2, 1e-4
"""Window and variance with which the photo's edges are followed at full size."""


@dataclass(frozen=True, kw_only=True)
class Stroke:
    """One stroke of a brush.

    Parameters
    ----------
    plane
        `matte` (raise: sharp, lower: blurred) or `depth` (raise: nearer, lower: farther).
    effect
        `erase` brings back what was there before any stroke.
    radius
        Pixels, > 0.
    softness
        0 ends at once, 1 fades from the middle on.
    edges
        Whether it ends at outlines of the photo.
    points
        Its path, x and y in pixels; at least one.

    Raises
    ------
    InputError
        A value is out of range.
    """

    plane: Literal["matte", "depth"]
    effect: Effect
    radius: float
    softness: float = 0.5
    edges: bool = True
    points: tuple[tuple[float, float], ...]

    def __post_init__(self) -> None:
        if self.plane not in ("matte", "depth") or self.effect not in ("raise", "lower", "erase"):
            raise InputError(f"a stroke that would {self.effect} {self.plane}")
        if not self.radius > 0 or not 0 <= self.softness <= 1:
            raise InputError(
                f"a stroke needs a radius above 0 and a softness from 0 to 1, "
                f"got {self.radius:g} and {self.softness:g}"
            )
        if not self.points or not np.isfinite(self.points).all():
            raise InputError("a stroke needs at least one point, and finite ones")

    def scaled(self, factor: float) -> Stroke:
        """Return the stroke for a picture resized by `factor`."""
        points = tuple((x * factor, y * factor) for x, y in self.points)
        return Stroke(
            plane=self.plane,
            effect=self.effect,
            radius=max(0.5, self.radius * factor),
            softness=self.softness,
            edges=self.edges,
            points=points,
        )


@dataclass(frozen=True)
class _Place:
    """The part of a picture that a stroke can reach."""

    rows: slice
    columns: slice


def painted(plane: Float32, before: Float32, rgb: Float32, stroke: Stroke) -> Float32:
    """Return a map after one stroke.

    Parameters
    ----------
    plane : ndarray (H, W)
        The map as it is, in [0, 1].
    before : ndarray (H, W)
        The map before any stroke.
    rgb : ndarray (H, W, 3)
        The photo, linear light.
    stroke
        In pixels of these.
    """
    place = _place(stroke, plane.shape)
    if place is None:
        return plane
    here = np.s_[place.rows, place.columns]
    weight = coverage(stroke, rgb, place.rows, place.columns)
    now = plane[here]
    if stroke.effect == "erase":
        after = now + weight * (before[here] - now)
    elif stroke.plane == "depth":
        step = DEPTH_STEP if stroke.effect == "raise" else -DEPTH_STEP
        after = np.clip(now + step * weight, 0, 1)
    else:
        target = np.float32(stroke.effect == "raise")
        after = now + weight * (target - now)
    out: Float32 = plane.copy()
    out[here] = after
    return out


def all_painted(
    matte: Float32, depth: Float32, rgb: Float32, strokes: Sequence[Stroke]
) -> tuple[Float32, Float32]:
    """Return matte and depth after all strokes, in their order; as of `painted`."""
    planes = {"matte": matte, "depth": depth}
    before = dict(planes)
    for stroke in strokes:
        name = stroke.plane
        planes[name] = painted(planes[name], before[name], rgb, stroke)
    return planes["matte"], planes["depth"]


def coverage(stroke: Stroke, rgb: Float32, rows: slice, columns: slice) -> Float32:
    """Return how much of a stroke every pixel of a part of the photo gets, (h, w) in [0, 1]."""
    piece = rgb[rows, columns]
    path = np.array(stroke.points, np.float32) - np.array((columns.start, rows.start), np.float32)
    height, width = piece.shape[:2]
    straight = _falloff(_distance(path, (height, width)), stroke)
    if not stroke.edges:
        return straight
    scale = min(1.0, WORK_RADIUS / stroke.radius, (WORK_PIXELS / (height * width)) ** 0.5)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    colours = upsampling.guide(upsampling.resized(piece, size))
    shrunk = path * np.array((size[0] / width, size[1] / height), np.float32)
    far = _reach(colours, shrunk, stroke.radius * scale) / np.float32(scale)
    weight = _falloff(far, stroke)
    if scale < 1:
        weight = _followed(weight, colours, piece)
    return np.minimum(weight, straight)


def _place(stroke: Stroke, shape: tuple[int, ...]) -> _Place | None:
    points = np.array(stroke.points)
    sides = []
    for axis, size in ((1, shape[0]), (0, shape[1])):
        start = max(0, int(points[:, axis].min() - stroke.radius) - 1)
        end = min(size, int(points[:, axis].max() + stroke.radius) + 2)
        sides.append(slice(start, end))
    rows, columns = sides
    if rows.start >= rows.stop or columns.start >= columns.stop:
        return None
    return _Place(rows, columns)


def _off_path(path: Float32, shape: tuple[int, int]) -> npt.NDArray[np.uint8]:
    """Draw a path as 0 into 1."""
    drawn = np.ones(shape, np.uint8)
    whole = np.round(path).astype(np.int32)
    height, width = shape
    whole = np.clip(whole, (-1, -1), (width, height))
    if len(whole) == 1:
        x, y = np.clip(whole[0], (0, 0), (width - 1, height - 1))
        drawn[y, x] = 0
        return drawn
    cv2.polylines(drawn, [whole.reshape(-1, 1, 2)], isClosed=False, color=(0,))
    if drawn.all():  # all of it lies outside
        x, y = np.clip(whole[0], (0, 0), (width - 1, height - 1))
        drawn[y, x] = 0
    return drawn


def _distance(path: Float32, shape: tuple[int, int]) -> Float32:
    drawn = _off_path(path, shape)
    return np.asarray(cv2.distanceTransform(drawn, cv2.DIST_L2, cv2.DIST_MASK_5), np.float32)


def _falloff(distance: Float32, stroke: Stroke) -> Float32:
    """Return 1 in the core of a stroke, falling smoothly to 0 at its radius."""
    core = stroke.radius * (1 - stroke.softness)
    soft = max(stroke.radius - core, 1.0)  # never harder than a pixel
    t = np.clip((stroke.radius - distance) / soft, 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)


def _reach(colours: Float32, path: Float32, radius: float) -> Float32:
    """Return how far every pixel is from the path, where other colours than under it are farther.

    The path's own colours around each of its points are what is like it; how far a colour may be
    off is learnt from the core of the stroke, so a striped sleeve is one thing.
    """
    shape = (colours.shape[0], colours.shape[1])
    drawn = _off_path(path, shape)
    near, labels = cv2.distanceTransformWithLabels(
        drawn, cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
    )
    on_path = drawn == 0
    core = (near <= max(1.0, radius / 3)).astype(np.float32)
    around = (0, 0), max(1.0, radius / 3)
    total = cv2.GaussianBlur(core, *around) + np.float32(1e-6)
    mean = cv2.GaussianBlur(colours * core[..., None], *around) / total[..., None]
    table = np.zeros((int(labels.max()) + 1, 3), np.float32)
    table[labels[on_path]] = mean[on_path]
    off = cv2.medianBlur(np.linalg.norm(colours - table[labels], axis=2), SPECKS)
    like = float(np.clip(1.5 * np.percentile(off[core > 0], 80), *LIKE))
    unlike = np.clip(off / like - 1, 0, 1) * (near > CORE * radius)
    cost = (1 + RESISTANCE * unlike).astype(np.float32)
    start = np.where(on_path, np.float32(0), np.float32(4 * radius + 4))
    return _geodesic(cost, start)


def _geodesic(cost: Float32, start: Float32) -> Float32:
    """Return the length of the cheapest way from where `start` is 0; its values are the most.

    By sweeps in four directions, two rounds: what bends more often is found longer than it is.
    """
    found: Float32 = start.copy()
    for _ in range(2):
        for plane, price in ((found, cost), (found.T, cost.T)):
            _swept(plane, price)
            _swept(plane[::-1], price[::-1])
    return found


def _swept(found: Float32, cost: Float32) -> None:
    """Carry lengths from each row to the next, in place."""
    root = np.float32(2**0.5)
    for row in range(1, len(found)):
        above, price, here = found[row - 1], cost[row], found[row]
        np.minimum(here, above + price, out=here)
        np.minimum(here[1:], above[:-1] + root * price[1:], out=here[1:])
        np.minimum(here[:-1], above[1:] + root * price[:-1], out=here[:-1])


def _followed(weight: Float32, colours: Float32, piece: Float32) -> Float32:
    """Bring a weight to full size along the photo's edges."""
    window, variance = FOLLOWED
    model = upsampling.fit(colours, weight, np.ones_like(weight), window, variance)
    size = piece.shape[1], piece.shape[0]
    slope, offset = (upsampling.resized(each, size) for each in (model.slope, model.offset))
    fine = (slope * upsampling.guide(piece)).sum(2) + offset
    return np.asarray(np.clip(fine, 0, 1), np.float32)
