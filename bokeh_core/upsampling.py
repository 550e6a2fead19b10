"""From the network's size to the photo's: planes that follow the photo's own edges.

Guided filter (He, Sun and Tang 2013) in its fast form (He and Sun 2015): fit
`plane = a . guide + b` in windows at a moderate size, bring `a` and `b` (smooth) to full size,
apply them to the full guide.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Float32 = npt.NDArray[np.float32]

STRIP_PIXELS = 1 << 20
"""Full-size work is done in strips of about this many pixels, so temporaries stay small."""


@dataclass(frozen=True, eq=False)
class LinearModel:
    """`plane = slope . guide + offset` per pixel; slope (h, w, 3), offset (h, w)."""

    slope: Float32
    offset: Float32


def guide(rgb: Float32) -> Float32:
    """Linear light to a perceptual guide: the square root, close to sRGB and 5 times as fast."""
    return np.asarray(cv2.sqrt(np.clip(rgb, 0, 1)))


def fit(
    colours: Float32, plane: Float32, weight: Float32, radius: int, epsilon: float
) -> LinearModel:
    """Fit the linear model in every window of `2 radius + 1`, counting pixels by `weight`.

    Parameters
    ----------
    colours : ndarray (h, w, 3)
        The guide.
    plane, weight : ndarray (h, w)
        What to follow and how far to trust it; weight > 0.
    epsilon
        Guide variance below which the plane is smoothed instead of following the guide.
    """
    total = _box(weight, radius)

    def mean(x: Float32) -> Float32:
        return np.asarray(_box(x * weight, radius) / total, np.float32)

    red, green, blue = (np.ascontiguousarray(colours[..., i]) for i in range(3))
    m = [mean(c) for c in (red, green, blue)]
    p = mean(plane)
    cov = [mean(c * plane) - mc * p for c, mc in zip((red, green, blue), m, strict=True)]
    rr = mean(red * red) - m[0] * m[0] + epsilon
    gg = mean(green * green) - m[1] * m[1] + epsilon
    bb = mean(blue * blue) - m[2] * m[2] + epsilon
    rg = mean(red * green) - m[0] * m[1]
    rb = mean(red * blue) - m[0] * m[2]
    gb = mean(green * blue) - m[1] * m[2]
    # inverse of the symmetric 3x3 covariance by cofactors
    c00, c01, c02 = gg * bb - gb * gb, rb * gb - rg * bb, rg * gb - rb * gg
    c11, c12, c22 = rr * bb - rb * rb, rb * rg - rr * gb, rr * gg - rg * rg
    determinant = rr * c00 + rg * c01 + rb * c02
    slope = np.stack(
        (
            c00 * cov[0] + c01 * cov[1] + c02 * cov[2],
            c01 * cov[0] + c11 * cov[1] + c12 * cov[2],
            c02 * cov[0] + c12 * cov[1] + c22 * cov[2],
        ),
        axis=-1,
    )
    slope /= determinant[..., None]
    offset = p - slope[..., 0] * m[0] - slope[..., 1] * m[1] - slope[..., 2] * m[2]
    smooth = np.dstack((slope, offset)) * weight[..., None]
    smooth = _box(smooth, radius) / total[..., None]
    return LinearModel(np.ascontiguousarray(smooth[..., :3]), np.ascontiguousarray(smooth[..., 3]))


def _box(x: Float32, radius: int) -> Float32:
    size = (2 * radius + 1, 2 * radius + 1)
    return np.asarray(cv2.blur(x, size, borderType=cv2.BORDER_REFLECT_101), np.float32)


def applied(model: LinearModel, rgb: Float32, part: slice) -> Float32:
    """Evaluate the model on rows `part` of the full photo (linear light); unclipped."""
    shape = (rgb.shape[0], rgb.shape[1])
    slope, offset = (rows_of(plane, shape, part) for plane in (model.slope, model.offset))
    return np.asarray(np.einsum("hwc,hwc->hw", slope, guide(rgb[part])) + offset, np.float32)


def resized(plane: Float32, size: tuple[int, int]) -> Float32:
    """Resize to (width, height): by area when shrinking, else linearly."""
    shrinks = size[0] < plane.shape[1]
    method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(plane, size, interpolation=method))


def size_within(shape: tuple[int, int], side: int) -> tuple[int, int]:
    """(width, height) of a (height, width) reduced to a long side of `side`, if it is longer."""
    scale = min(side / max(shape), 1.0)
    return max(round(shape[1] * scale), 1), max(round(shape[0] * scale), 1)


def strips(height: int, width: int) -> Iterator[slice]:
    """Cut the rows of a full-size picture into strips of about a megapixel."""
    rows = max(STRIP_PIXELS // width, 1)
    for start in range(0, height, rows):
        yield slice(start, min(start + rows, height))


def rows_of(plane: Float32, shape: tuple[int, int], part: slice) -> Float32:
    """Rows `part` of `plane` enlarged linearly to `shape`, without making the whole."""
    return window_of(plane, shape, part, slice(0, shape[1]))


def window_of(plane: Float32, shape: tuple[int, int], rows: slice, columns: slice) -> Float32:
    """Rows and columns of `plane` enlarged linearly to `shape`; beyond it the border goes on."""
    scale_y, scale_x = plane.shape[0] / shape[0], plane.shape[1] / shape[1]
    matrix = np.array(
        [
            [scale_x, 0, (columns.start + 0.5) * scale_x - 0.5],
            [0, scale_y, (rows.start + 0.5) * scale_y - 0.5],
        ]
    )
    return np.asarray(
        cv2.warpAffine(
            plane,
            matrix,
            (columns.stop - columns.start, rows.stop - rows.start),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )
    )


def by_strips(
    shape: tuple[int, int], make: Callable[[slice], Float32], tick: Callable[[float], None]
) -> Float32:
    """Fill a full-size plane strip by strip; `tick(fraction)` after each."""
    out = np.empty(shape, np.float32)
    for part in strips(*shape):
        out[part] = make(part)
        tick(part.stop / shape[0])
    return out


def enlarged(plane: Float32, shape: tuple[int, int], tick: Callable[[float], None]) -> Float32:
    """Bring a plane to a full-size shape linearly (by area when that is smaller)."""
    if shape[0] * shape[1] < plane.size:
        tick(1.0)
        return resized(plane, (shape[1], shape[0]))
    return by_strips(shape, lambda part: rows_of(plane, shape, part), tick)


def extended(plane: Float32, weight: Float32) -> Float32:
    """Fill where `weight` is small from the nearest places where it is large.

    Pull-push over a pyramid: weighted means downwards, and upwards what is missing is taken from
    the coarser level. Where `weight` is 1 the plane is unchanged.
    """
    levels = [(plane * weight, weight)]
    while max(levels[-1][0].shape[:2]) > 1:
        levels.append(tuple(_halved(x) for x in levels[-1]))  # type: ignore[arg-type]
    filled = levels[-1][0] / levels[-1][1]
    for total, share in reversed(levels[:-1]):
        trust = np.clip(share, 0, 1)
        coarse = cv2.resize(
            filled, (total.shape[1], total.shape[0]), interpolation=cv2.INTER_LINEAR
        )
        filled = coarse + trust * (total / share - coarse)
    return filled


def _halved(x: Float32) -> Float32:
    size = ((x.shape[1] + 1) // 2, (x.shape[0] + 1) // 2)
    return np.asarray(cv2.resize(x, size, interpolation=cv2.INTER_AREA))
