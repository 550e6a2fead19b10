"""Where to cut depth into surfaces: through the gaps that edges jump over."""

from __future__ import annotations

from dataclasses import dataclass
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


@dataclass(frozen=True)
class Edges:
    """Depth edges of a frame, counted by the depth of either side.

    Attributes
    ----------
    pairs
        (BINS, BINS) number of edges by (bin of the far side, bin of the near side).
    crowd
        (BINS,) number of pixels at each depth.
    """

    pairs: npt.NDArray[np.float64]
    crowd: npt.NDArray[np.float64]

    @classmethod
    def none(cls) -> Edges:
        """Start counting."""
        return cls(np.zeros((BINS, BINS)), np.zeros(BINS))

    def with_band(self, depth: Tensor, matte: Tensor | None, max_coc: float) -> Edges:
        """Add the edges of one part of the frame.

        Parameters
        ----------
        depth
            (h, w) disparity.
        matte
            (h, w) coverage or None; an edge whose near side is the subject needs no cut, because
            the matte separates it already.
        max_coc
            CoC in pixels that one unit of disparity stands for.
        """
        counts = torch.zeros(BINS * BINS, dtype=torch.int64, device=depth.device)
        for axis in (0, 1):
            first, second = _neighbours(depth, axis)
            near, far = torch.maximum(first, second), torch.minimum(first, second)
            edge = (near - far) * max_coc > JUMP
            if matte is not None:
                here, there = _neighbours(matte, axis)
                edge &= torch.where(first > second, here, there) < 0.5
            counts += torch.bincount(
                _bin(far[edge]) * BINS + _bin(near[edge]), minlength=BINS * BINS
            )
        crowd = torch.histc(depth.float(), BINS, 0.0, 1.0).cpu().numpy()
        return Edges(self.pairs + counts.cpu().numpy().reshape(BINS, BINS), self.crowd + crowd)

    def cuts(self) -> tuple[float, ...]:
        """Choose, greedily, at most four ascending disparities that separate most edges."""
        pairs = self.pairs.copy()
        total = pairs.sum()
        if total < max(16.0, 2e-5 * self.crowd.sum()):
            return ()
        chosen: list[int] = []
        while len(chosen) < MOST_CUTS and pairs.sum() > LEFT_OVER * total:
            gain = _separated(pairs)
            # the emptiest depth among the good ones: do not cut a surface where a gap will do
            best = int(np.argmin(np.where(gain >= 0.8 * gain.max(), self.crowd, np.inf)))
            chosen.append(best)
            pairs[: best + 1, best + 1 :] = 0
        return tuple((index + 1) / BINS for index in sorted(chosen))


def _neighbours(image: Tensor, axis: int) -> tuple[Tensor, Tensor]:
    size = image.shape[axis]
    return image.narrow(axis, 0, size - 1), image.narrow(axis, 1, size - 1)


def _bin(values: Tensor) -> Tensor:
    return (values * BINS).long().clamp(0, BINS - 1)


def _separated(pairs: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Count the edges that a cut at the upper end of each bin would separate."""
    below = pairs.cumsum(axis=0)
    return np.array([below[cut, cut + 1 :].sum() for cut in range(BINS)])
