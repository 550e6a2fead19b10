"""Colours under full transparency: nobody sees them, so they must not be blurred into what is seen.

Cut-outs and erased layers keep whatever lay there before.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from bokeh_core import upsampling

Float32 = npt.NDArray[np.float32]

SIDE = 512
"""Long side at which the surroundings are continued; what comes of it is only ever seen blurred."""
FAINT = np.float32(1e-6)


def continued(light: Float32, alpha: npt.NDArray[Any]) -> Float32:
    """Fill fully transparent pixels with the colours of the nearest visible ones.

    Parameters
    ----------
    light : ndarray (H, W, 3)
        Linear light, straight; changed in place.
    alpha : ndarray (H, W)
        Opacity in any encoding; 0 = transparent.

    Returns
    -------
    ndarray (H, W, 3)
        `light`; unchanged where alpha is above 0, and everywhere when nothing is visible.
    """
    seen = alpha > 0
    if seen.all() or not seen.any():
        return light
    light[~seen] = 0
    height, width = seen.shape
    scale = min(SIDE / max(height, width), 1.0)
    size = (max(round(width * scale), 1), max(round(height * scale), 1))
    weight = upsampling.resized(seen.astype(np.float32), size)[..., None].repeat(3, axis=2)
    colour = upsampling.resized(light, size) / np.maximum(weight, FAINT)
    filled = upsampling.extended(colour, weight + FAINT)
    for part in upsampling.strips(height, width):
        hidden = ~seen[part]
        if hidden.any():
            light[part][hidden] = upsampling.rows_of(filled, (height, width), part)[hidden]
    return light
