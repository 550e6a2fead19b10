"""Where to cut depth into surfaces: through the gaps that edges jump over."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

if TYPE_CHECKING:
    import numpy.typing as npt
    from torch import Tensor

BINS = 128
JUMP = 3.0
"""Neighbouring pixels whose CoC differs by more than this many pixels are an edge."""
MOST_CUTS = 4
LEFT_OVER = 0.02
"""Share of edges that may stay inside a surface."""


def cuts(depth: Tensor, matte: Tensor | None, reach: float) -> tuple[float, ...]:
    """Choose disparities that separate the two sides of depth edges.

    Parameters
    ----------
    depth
        (H, W) disparity, may be a subsampled copy.
    matte
        (H, W) coverage or None; an edge whose near side is the subject needs no cut, because the
        matte separates it already.
    reach
        CoC in pixels that one unit of disparity stands for.

    Returns
    -------
    tuple of float
        Ascending thresholds, at most four.
    """
    pairs = _edge_pairs(depth, matte, reach)
    total = pairs.sum()
    if total < max(16, 2e-5 * depth.numel()):
        return ()
    crowd = torch.histc(depth.float(), BINS, 0.0, 1.0).cpu().numpy() / depth.numel()
    chosen: list[int] = []
    while len(chosen) < MOST_CUTS and pairs.sum() > LEFT_OVER * total:
        gain = _separated(pairs)
        # the emptiest depth among the good ones: do not cut through a surface where a gap will do
        best = int(np.argmin(np.where(gain >= 0.8 * gain.max(), crowd, np.inf)))
        chosen.append(best)
        pairs[: best + 1, best + 1 :] = 0
    return tuple((index + 1) / BINS for index in sorted(chosen))


def _edge_pairs(depth: Tensor, matte: Tensor | None, reach: float) -> npt.NDArray[np.float64]:
    """Count edges by (bin of the far side, bin of the near side)."""
    counts = torch.zeros(BINS * BINS, dtype=torch.float64)
    for axis in (0, 1):
        first, second = _neighbours(depth, axis)
        near = torch.maximum(first, second)
        far = torch.minimum(first, second)
        edge = (near - far) * reach > JUMP
        if matte is not None:
            here, there = _neighbours(matte, axis)
            cover = torch.where(first > second, here, there)
            edge &= cover < 0.5
        index = (_bin(far[edge]) * BINS + _bin(near[edge])).cpu()
        counts += torch.bincount(index, minlength=BINS * BINS)
    return counts.reshape(BINS, BINS).numpy()


def _neighbours(image: Tensor, axis: int) -> tuple[Tensor, Tensor]:
    size = image.shape[axis]
    return image.narrow(axis, 0, size - 1), image.narrow(axis, 1, size - 1)


def _bin(values: Tensor) -> Tensor:
    return (values * BINS).long().clamp(0, BINS - 1)


def _separated(pairs: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """How many edges a cut at the upper end of each bin would separate."""
    below = pairs.cumsum(axis=0)
    return np.array([below[cut, cut + 1 :].sum() for cut in range(BINS)])
