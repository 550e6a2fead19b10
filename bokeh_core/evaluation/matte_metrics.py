"""How far a matte is from the truth: overlap, outline, and the matting benchmark's four errors."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

Float32 = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class MatteScore:
    """Scores of one matte; `sad`, `grad` and `conn` are in thousands, as usual."""

    iou: float
    accuracy: float
    boundary: float
    sad: float
    mse: float
    grad: float
    conn: float


def score(matte: Float32, truth: Float32, *, tolerance: float = 3.0) -> MatteScore:
    """Compare two mattes of one size in [0, 1]; `tolerance` of the boundary score in pixels."""
    inside, wanted = matte > 0.5, truth > 0.5
    error = np.abs(matte - truth)
    return MatteScore(
        iou=iou(inside, wanted),
        accuracy=float((inside == wanted).mean()),
        boundary=boundary_f(inside, wanted, tolerance),
        sad=float(error.sum()) / 1000,
        mse=float((error * error).mean()),
        grad=gradient_error(matte, truth),
        conn=connectivity_error(matte, truth),
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


def gradient_error(matte: Float32, truth: Float32, sigma: float = 1.4) -> float:
    """Squared difference of Gaussian gradient magnitudes, summed / 1000 (Rhemann et al. 2009)."""
    difference = _slope(matte, sigma) - _slope(truth, sigma)
    return float((difference * difference).sum()) / 1000


def _slope(plane: Float32, sigma: float) -> Float32:
    smooth = cv2.GaussianBlur(plane, (0, 0), sigma)
    across = cv2.Sobel(smooth, cv2.CV_32F, 1, 0, ksize=1) / 2
    down = cv2.Sobel(smooth, cv2.CV_32F, 0, 1, ksize=1) / 2
    return np.asarray(cv2.magnitude(across, down), np.float32)


def connectivity_error(matte: Float32, truth: Float32, step: float = 0.1) -> float:
    """Difference in how firmly pixels hang on the common solid part (Rhemann et al. 2009)."""
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
