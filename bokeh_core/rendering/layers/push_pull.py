"""Extension of a layer under what hides it: push-pull over a pyramid."""

from __future__ import annotations

import torch
from torch import Tensor

from bokeh_core.rendering.resample import doubled, halved

HALVINGS = 4
CELL: int = 2**HALVINGS
"""Side in pixels of the cells that the whole frame is summed up in; windows start on this grid."""


def filled(
    values: Tensor,
    known: Tensor,
    base: Tensor | None,
    *,
    trust: Tensor | None = None,
    halvings: int = HALVINGS,
) -> Tensor:
    """Continue known values smoothly into unknown pixels (push-pull interpolation).

    The farther from known pixels, the wider the average they are continued with, which is the best
    guess in the mean-square sense; known pixels are returned unchanged.

    Parameters
    ----------
    values
        (C, h, w).
    known
        (1, h, w) weight in [0, 1]; 1 = take the value as it is.
    base
        (C, h / 2**halvings, w / 2**halvings) values without gaps to continue from, coarser than
        that; None = the pyramid goes on to a single cell.
    trust
        (1, h, w) weight in (0, 1] by which a known value counts for its surroundings.
    halvings
        Halvings until `base` is reached.

    Returns
    -------
    Tensor
        (C, h, w), the caller's own.
    """
    if base is not None and halvings == 0:
        return torch.lerp(base, values, known)
    height, width = values.shape[-2:]
    if height == 1 and width == 1:
        return values.clone()
    weight = halved(known)
    if trust is None:
        coarse = halved(values * known).div_(weight.clamp(min=1e-6))
    else:
        trusted = known * trust
        belief = halved(trusted)
        coarse = halved(values * trusted).div_(belief.clamp(min=1e-12))
        trust = belief.div_(weight.clamp(min=1e-6))
    known_below = weight.mul_(2.0).clamp_(max=1.0)
    below = filled(coarse, known_below, base, trust=trust, halvings=halvings - 1)
    return doubled(below)[:, :height, :width].lerp_(values, known)


def trustworthy(rgb: Tensor) -> Tensor | None:
    """Weight of each pixel of (3, h, w) for its surroundings: lamps and glints are not continued.

    One lamp beside the subject would otherwise become a glowing patch behind it, worth 1 to 2 dB at
    edges. Above display white the weight falls with the inverse square of the brightness; None
    where nothing is brighter.
    """
    brightest = rgb.amax(dim=0, keepdim=True)
    return brightest.clamp_(min=1.0).pow_(-2.0) if float(brightest.amax()) > 1.0 else None
