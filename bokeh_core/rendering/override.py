"""Depth that obeys a matte on which somebody decided: what it takes away blurs at any depth."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch

from bokeh_core.rendering.layers.push_pull import filled
from bokeh_core.upsampling import resized, size_within

if TYPE_CHECKING:
    from bokeh_core.lens import Lens

Float32 = npt.NDArray[np.float32]

DECIDED = 0.25
"""Difference of two mattes from which it is a decision; soft strokes and rounding lie below."""
LEAST = 0.15
"""Disparity behind the focus range that what is taken away has at least: a wall that is in focus
itself would blur nothing. With a portrait lens at f/2.8 0.3 % of the long side."""
BEHIND_SIDE = 256
"""Long side in pixels at which what lies behind people is guessed; it is smooth."""
NOBODY = 0.05
"""Up to this matte a pixel shows what is behind people."""


def overridden_depth(depth: Float32, matte: Float32, found: Float32, lens: Lens) -> Float32:
    """Return the depth to render by where a matte was painted over what had been found.

    What the matte takes away gets the depth of what is behind it, where that is blurred more; what
    it adds gets the depth in focus. Everything else keeps its depth.

    Parameters
    ----------
    depth
        (H, W) disparity in [0, 1].
    matte
        (H, W) in [0, 1]: painted, or one person of several.
    found
        (H, W) in [0, 1]: everybody who was found.
    lens
        With a known focus.

    Returns
    -------
    (H, W) float32
        `depth` itself where nothing was decided.
    """
    taken, added = found - matte >= DECIDED, matte - found >= DECIDED
    if not (taken.any() or added.any()):
        return depth
    out: Float32 = depth.copy()
    if taken.any():
        there = _out_of_focus(depth, np.maximum(matte, found), lens)
        more = taken & (np.abs(lens.coc(there)) > np.abs(lens.coc(depth)))
        out[more] = there[more]
    assert lens.focus is not None
    out[added] = lens.focus
    return out


def _out_of_focus(depth: Float32, people: Float32, lens: Lens) -> Float32:
    """Return what is behind people, surely out of focus; before it, where nothing is farther."""
    assert lens.focus is not None
    away = 0.5 * lens.focus_range + LEAST
    if lens.focus < away:
        return np.full(depth.shape, lens.focus + away, np.float32)
    there: Float32 = np.minimum(_behind(depth, people), np.float32(lens.focus - away))
    return there


def _behind(depth: Float32, people: Float32) -> Float32:
    """Return the depth without people, continued from around them; 0 where all are people."""
    height, width = depth.shape
    size = size_within((height, width), BEHIND_SIDE)
    shown = (people <= NOBODY).astype(np.float32)
    known = resized(shown, size)
    if not known.any():
        return np.zeros_like(depth)
    values = resized(depth * shown, size) / np.maximum(known, np.float32(1e-6))
    smooth = filled(_planes(values), _planes(known), None)[0].numpy()
    return np.clip(resized(smooth, (width, height)), 0.0, 1.0)


def _planes(values: Float32) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(values))[None]
