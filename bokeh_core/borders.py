"""The paper's border post-processing of a coarse matte."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

Float32 = npt.NDArray[np.float32]

STRONG_EDGE = 0.12
"""Sobel magnitude (of an edge from 0 to 1) from which a picture edge takes part."""


def border_refined(
    matte: Float32, luma: Float32, *, threshold: float = 0.0, reach: int = 5, blur: float = 1.0
) -> Float32:
    """Threshold, keep the picture's edges inside the border, smooth.

    Parameters
    ----------
    matte, luma : ndarray (h, w)
        The network's output in [0, 1] and the encoded picture at the same size.
    threshold
        Of the standardised output (mean 0, deviation 1).
    reach
        Window of the maximum filter in pixels; border = maximum filter minus the mask itself.
    blur
        Sigma of the final Gaussian in pixels.

    Returns
    -------
    ndarray (h, w)
        In [0, 1].
    """
    spread = float(matte.std())
    if spread < 1e-3:
        return np.array(matte, np.float32)
    mask = ((matte - matte.mean()) / spread > threshold).astype(np.float32)
    border = cv2.dilate(mask, np.ones((reach, reach), np.uint8)) - mask
    across = cv2.Sobel(luma, cv2.CV_32F, 1, 0, ksize=3) / 4
    down = cv2.Sobel(luma, cv2.CV_32F, 0, 1, ksize=3) / 4
    edges = (cv2.magnitude(across, down) > STRONG_EDGE).astype(np.float32)
    smooth = cv2.GaussianBlur(mask + edges * border, (0, 0), blur)
    return np.asarray(np.clip(smooth, 0, 1), np.float32)
