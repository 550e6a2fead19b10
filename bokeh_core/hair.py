"""Closed-form alpha in the band where the matte is unsure (extra `[matting]`, pymatting)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import numpy.typing as npt

from bokeh_core import upsampling
from bokeh_core.errors import ModelMissing

if TYPE_CHECKING:
    from bokeh_core.progress import Progress

Float32 = npt.NDArray[np.float32]

SOLVE_SIDE = 720
"""Long side at which alpha is solved for: 5 s on 2 cores; the time grows faster than the pixels."""

BAND = 9
"""Width in pixels (at the solving size) that is added to the unsure band on each side."""


def closed_form(rgb: Float32, matte: Float32, progress: Progress) -> Float32:
    """Solve for alpha around the outline and bring it back to full size along the photo's edges.

    Parameters
    ----------
    rgb : ndarray (H, W, 3)
        Linear light.
    matte : ndarray (H, W)
        A good matte already; its sure parts stay as they are.

    Raises
    ------
    ModelMissing
        pymatting is not installed.

    References
    ----------
    Levin, Lischinski, Weiss, "A Closed-Form Solution to Natural Image Matting" (2008).
    """
    try:
        from pymatting import estimate_alpha_cf  # noqa: PLC0415
    except ImportError:
        raise ModelMissing(
            "refine='matting' needs pymatting: pip install 'defocus[matting]'"
        ) from None
    shape = (rgb.shape[0], rgb.shape[1])
    scale = min(SOLVE_SIDE / max(shape), 1.0)
    size = (max(round(shape[1] * scale), 1), max(round(shape[0] * scale), 1))
    colours = upsampling.guide(upsampling.resized(rgb, size))
    small = upsampling.resized(matte, size)
    kernel = np.ones((BAND, BAND), np.uint8)
    band = cv2.dilate(((small > 0.03) & (small < 0.97)).astype(np.uint8), kernel) > 0
    trimap = np.where(band, 0.5, (small > 0.5).astype(np.float64))
    if not band.any() or not (trimap == 0).any() or not (trimap == 1).any():
        progress("matte", 1.0)
        return matte
    progress("matte", 0.1)
    solved = estimate_alpha_cf(colours.astype(np.float64), trimap).astype(np.float32)
    progress("matte", 0.8)
    model = upsampling.fit(colours, solved, np.ones_like(solved), 2, 1e-4)
    inside = np.asarray(cv2.blur(band.astype(np.float32), (3, 3)), np.float32)

    def strip(part: slice) -> Float32:
        share = upsampling.rows_of(inside, shape, part)
        mixed = matte[part] + share * (upsampling.applied(model, rgb, part) - matte[part])
        return np.asarray(np.clip(mixed, 0, 1), np.float32)

    return upsampling.by_strips(shape, strip, lambda f: progress("matte", 0.8 + 0.2 * f))
