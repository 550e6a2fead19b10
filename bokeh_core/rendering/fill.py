"""Extension of a surface under what hides it: push-pull over a pyramid."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def filled(values: Tensor, known: Tensor, depth: int = 7) -> Tensor:
    """Continue known values smoothly into unknown pixels (push-pull interpolation).

    The farther from known pixels, the wider the average they are continued with, which is the best
    guess in the mean-square sense; known pixels are returned unchanged.

    Parameters
    ----------
    values
        (C, h, w).
    known
        (1, h, w) weight in [0, 1]; 1 = take the value as it is.
    depth
        Number of halvings; values reach about 2 ** depth pixels far.

    Returns
    -------
    Tensor
        (C, h, w); 0 where nothing known is within reach.
    """
    if depth == 0 or min(values.shape[-2:]) < 2:
        return torch.where(known > 0, values, torch.zeros_like(values))
    height, width = values.shape[-2:]
    even = (0, width % 2, 0, height % 2)
    weighted = F.pad((values * known)[None], even)
    weight = F.avg_pool2d(F.pad(known[None], even), 2)[0]
    coarse = F.avg_pool2d(weighted, 2)[0] / weight.clamp(min=1e-6)
    below = filled(coarse, (2.0 * weight).clamp(max=1.0), depth - 1)
    size = [2 * below.shape[-2], 2 * below.shape[-1]]
    smooth = F.interpolate(below[None], size=size, mode="bilinear", align_corners=False)[0]
    return torch.lerp(smooth[:, :height, :width], values, known)
