"""Extension of a surface under what hides it: push-pull over a pyramid."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

HALVINGS = 4
CELL = 2**HALVINGS
"""Side in pixels of the cells that the whole frame is summed up in; windows start on this grid."""


def filled(values: Tensor, known: Tensor, base: Tensor | None, halvings: int = HALVINGS) -> Tensor:
    """Continue known values smoothly into unknown pixels (push-pull interpolation).

    The farther from known pixels, the wider the average they are continued with, which is the best
    guess in the mean-square sense; known pixels are returned unchanged. Values above 1, lamps and
glints, are not continued: they count by the inverse square of their brightness.

    Parameters
    ----------
    values
        (C, h, w).
    known
        (1, h, w) weight in [0, 1]; 1 = take the value as it is.
    base
        (C, h / 2**halvings, w / 2**halvings) values without gaps to continue from, coarser than
        that; None = the pyramid goes on to a single cell.
    halvings
        Halvings until `base` is reached.

    Returns
    -------
    Tensor
        (C, h, w).
    """
    if base is not None and halvings == 0:
        return torch.lerp(base, values, known)
    height, width = values.shape[-2:]
    if height == 1 and width == 1:
        return values
    uneven = (0, width % 2, 0, height % 2)
    weight = F.avg_pool2d(F.pad(known[None], uneven), 2)[0]
    trusted = known / values.amax(dim=0, keepdim=True).clamp(min=1.0).square()
    trust = F.avg_pool2d(F.pad(trusted[None], uneven), 2)[0]
    weighted = F.pad((values * trusted)[None], uneven)
    coarse = F.avg_pool2d(weighted, 2)[0] / trust.clamp(min=1e-12)
    below = filled(coarse, (2.0 * weight).clamp(max=1.0), base, halvings - 1)
    size = [2 * below.shape[-2], 2 * below.shape[-1]]
    smooth = F.interpolate(below[None], size=size, mode="bilinear", align_corners=False)[0]
    return torch.lerp(smooth[:, :height, :width], values, known)
