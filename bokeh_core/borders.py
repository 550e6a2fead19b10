"""The paper's border post-processing of a coarse matte (docs/references.md), and its every step."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

Float32 = npt.NDArray[np.float32]

STRONG_EDGE = 0.12
"""Sobel magnitude (of an edge from 0 to 1) from which a picture edge takes part."""


@dataclass(frozen=True, eq=False)
class Border:
    """What the border step makes of a matte, one plane after the other; each (h, w) in [0, 1]."""

    mask: Float32
    """The standardised output, thresholded."""
    border: Float32
    """The mask's maximum filter minus the mask."""
    edges: Float32
    """The picture's strong edges inside the border."""
    smooth: Float32
    """Mask and edges, smoothed: the result."""


def border_refined(
    matte: Float32, luma: Float32, *, threshold: float = 0.0, window: int = 5, blur: float = 1.0
) -> Float32:
    """Threshold, keep the picture's edges inside the border, smooth; see `border_steps`.

    Returns
    -------
    ndarray (h, w)
        In [0, 1]; the matte itself where it is the same everywhere.
    """
    if _flat(matte):
        return np.array(matte, np.float32)
    return border_steps(matte, luma, threshold=threshold, window=window, blur=blur).smooth


def border_steps(
    matte: Float32, luma: Float32, *, threshold: float = 0.0, window: int = 5, blur: float = 1.0
) -> Border:
    """Do the border step and keep what is between its beginning and its end.

    Parameters
    ----------
    matte, luma : ndarray (h, w)
        The network's output in [0, 1] and the encoded picture at the same size.
    threshold
        Of the standardised output (mean 0, deviation 1).
    window
        Window of the maximum filter in pixels; border = maximum filter minus the mask itself.
    blur
        Sigma of the final Gaussian in pixels.
    """
    spread = 1.0 if _flat(matte) else float(matte.std())
    mask = ((matte - matte.mean()) / spread > threshold).astype(np.float32)
    border = cv2.dilate(mask, np.ones((window, window), np.uint8)) - mask
    across = cv2.Sobel(luma, cv2.CV_32F, 1, 0, ksize=3) / 4
    down = cv2.Sobel(luma, cv2.CV_32F, 0, 1, ksize=3) / 4
    edges = (cv2.magnitude(across, down) > STRONG_EDGE).astype(np.float32) * border
    smooth = np.clip(cv2.GaussianBlur(mask + edges, (0, 0), blur), 0, 1)
    return Border(mask, np.asarray(border, np.float32), edges, np.asarray(smooth, np.float32))


def _flat(matte: Float32) -> bool:
    return float(matte.std()) < 1e-3
