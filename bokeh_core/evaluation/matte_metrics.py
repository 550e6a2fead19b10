"""How far a matte is from the truth: overlap, outline, and the matting benchmark's four errors."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

Float32 = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

MISSED = 0.5
"""Overlap below which somebody was not found."""

FOUND = 0.7
"""Overlap from which somebody was found."""

FALSE_ALARM = 0.01
"""Part of a picture of nobody that may be called subject."""


@dataclass(frozen=True)
class MatteScore:
    """Scores of one matte, over all known pixels of the picture; NaN is what it does not have.

    `iou`, `accuracy` and `boundary` are from 0 to 1, 1 = perfect. `sad`, `grad` and `conn` are sums
    over pixels in thousands, `mse` is a mean over pixels: the matting benchmark's units (Rhemann et
    al., "A Perceptually Motivated Online Benchmark for Image Matting", 2009), 0 = perfect. Outlines
    and connectivity are scored where all of the picture is known.
    """

    iou: float
    accuracy: float
    boundary: float
    sad: float
    mse: float
    grad: float
    conn: float
    found: float
    """1 where somebody is in the picture and the overlap is at least `FOUND`, else 0."""
    missed: float
    """1 where somebody is in the picture and the overlap is below `MISSED`, else 0."""
    alarm: float
    """1 where nobody is and more than `FALSE_ALARM` of the picture is called subject, else 0."""
    animals: float = math.nan
    """Overlap of the animals, where there are any."""


def score(
    matte: Float32, truth: Float32, *, known: Mask | None = None, tolerance: float = 3.0
) -> MatteScore:
    """Compare two mattes in [0, 1] where they are known.

    Parameters
    ----------
    matte, truth, known : ndarray (H, W)
        `known` None: everywhere.
    tolerance
        Of the boundary score, in pixels.
    """
    whole = known is None or bool(known.all())
    if known is not None:
        matte, truth = (np.where(known, plane, np.float32(0)) for plane in (matte, truth))
    pixels = matte.size if known is None else max(int(known.sum()), 1)
    inside, wanted = matte > 0.5, truth > 0.5
    somebody = bool(wanted.any())
    overlap = iou(inside, wanted) if somebody else math.nan
    error = np.abs(matte - truth)
    return MatteScore(
        iou=overlap,
        accuracy=1 - float((inside != wanted).sum()) / pixels,
        boundary=boundary_f(inside, wanted, tolerance) if whole and somebody else math.nan,
        sad=float(error.sum()) / 1000,
        mse=float((error * error).sum()) / pixels,
        grad=gradient_error(matte, truth) if whole else math.nan,
        conn=connectivity_error(matte, truth) if whole else math.nan,
        found=float(overlap >= FOUND) if somebody else math.nan,
        missed=float(overlap < MISSED) if somebody else math.nan,
        alarm=math.nan if somebody else float(inside.sum() > FALSE_ALARM * matte.size),
    )


def iou(inside: Mask, wanted: Mask) -> float:
    """Intersection over union; 1 when both are empty."""
    union = int((inside | wanted).sum())
    return float((inside & wanted).sum() / union) if union else 1.0


def boundary_f(inside: Mask, wanted: Mask, tolerance: float) -> float:
    """F-score of outline pixels that have an outline pixel of the other within `tolerance`.

    Csurka et al., "What is a good evaluation measure for semantic segmentation?" (2013).
    """
    found, true = outline(inside), outline(wanted)
    if not found.any() or not true.any():
        return float(found.any() == true.any())
    precision = float((_distance(true)[found] <= tolerance).mean())
    recall = float((_distance(found)[true] <= tolerance).mean())
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def outline(mask: Mask) -> Mask:
    """Pixels of the mask with a 4-neighbour outside it; the picture's frame is no outline."""
    plane = mask.astype(np.uint8)
    cross = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
    inner = cv2.erode(plane, cross, borderType=cv2.BORDER_REPLICATE)
    return np.asarray(mask & (inner == 0))


def _distance(points: Mask) -> Float32:
    plane = (~points).astype(np.uint8)
    return np.asarray(cv2.distanceTransform(plane, cv2.DIST_L2, cv2.DIST_MASK_PRECISE), np.float32)


def _gradient_filters(sigma: float = 1.4, least: float = 1e-2) -> tuple[Floats, Floats]:
    """Make a Gaussian's derivative and the Gaussian across it, cut where it falls below `least`.

    Each has a root of summed squares of 1, and so has their product, the benchmark's filter.
    """
    radius = math.ceil(sigma * math.sqrt(-2 * math.log(math.sqrt(2 * math.pi) * sigma * least)))
    x = np.arange(-radius, radius + 1, dtype=np.float64)
    bell = np.exp(-(x**2) / (2 * sigma**2))
    slope = -x * bell
    return slope / np.linalg.norm(slope), bell / np.linalg.norm(bell)


_SLOPE, _BELL = _gradient_filters()


def gradient_error(matte: Float32, truth: Float32) -> float:
    """Squared difference of Gaussian gradient magnitudes, summed / 1000 (Rhemann et al. 2009).

    The benchmark's filters, with its replicated borders. It also stretches every matte to 0..1,
    which would change ours where nobody is found.
    """
    difference = _gradient(matte) - _gradient(truth)
    return float((difference * difference).sum()) / 1000


def _gradient(plane: Float32) -> Float32:
    across, down = (
        cv2.sepFilter2D(plane, cv2.CV_32F, kernel_x, kernel_y, borderType=cv2.BORDER_REPLICATE)
        for kernel_x, kernel_y in ((_SLOPE, _BELL), (_BELL, _SLOPE))
    )
    return np.asarray(cv2.magnitude(across, down), np.float32)


def connectivity_error(matte: Float32, truth: Float32, step: float = 0.1) -> float:
    """Difference in how firmly pixels hang on the common solid part, summed / 1000.

    Rhemann et al. 2009.
    """
    level = np.full(matte.shape, -1.0, np.float32)
    for threshold in np.arange(step, 1 + step / 2, step):
        solid = _largest((matte >= threshold) & (truth >= threshold))
        level[(level < 0) & ~solid] = threshold - step
    level[level < 0] = 1
    firm = [1 - (p - level) * (p - level >= 0.15) for p in (matte, truth)]
    return float(np.abs(firm[0] - firm[1]).sum()) / 1000


def _largest(mask: Mask) -> Mask:
    count, labels, stats, _ = cv2.connectedComponentsWithStats(
        mask.astype(np.uint8), connectivity=4
    )
    if count < 2:
        return np.zeros_like(mask)
    return np.asarray(labels == 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA])))
