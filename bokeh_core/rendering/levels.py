"""Which blur radii are computed, at what resolution, and how a pixel's CoC is shared among them."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Quality:
    """How finely the radii are spaced and how early the resolution is halved.

    Attributes
    ----------
    step, growth
        The next radius is `max(step px, growth * radius)` farther.
    halving
        Radii of at least this many pixels are blurred at half size, twice as many at a quarter ...
    """

    step: float
    growth: float
    halving: float


FULL = Quality(step=1.5, growth=0.15, halving=16.0)
PREVIEW = Quality(step=3.0, growth=0.25, halving=8.0)


@dataclass(frozen=True)
class Levels:
    """Blur radii in ascending order, from 0, and the reduction (1, 2, 4 ...) each is blurred at."""

    radii: tuple[float, ...]
    scales: tuple[int, ...]

    @classmethod
    def up_to(cls, reach: float, quality: Quality) -> Levels:
        """Space the radii so that the last is at least `reach`."""
        radii, scales = [0.0], [1]
        while radii[-1] < reach:
            radius = radii[-1] + max(quality.step, quality.growth * radii[-1])
            scale = 1
            while radius >= quality.halving * scale:
                scale *= 2
            radii.append(radius)
            scales.append(scale)
        return cls(tuple(radii), tuple(scales))

    @property
    def coarsest(self) -> int:
        """The largest reduction in use."""
        return self.scales[-1]

    def members(self, scale: int) -> range:
        """Give the indices of the radii blurred at this reduction."""
        first = self.scales.index(scale)
        return range(first, first + self.scales.count(scale))

    def share(self, coc: Tensor) -> tuple[Tensor, Tensor]:
        """Split |CoC| between two neighbouring radii so that the blur's variance is kept.

        A disc's variance grows with the square of its radius, so weights that are linear in the
        square give a mixture exactly as wide as the disc that is meant.

        Returns
        -------
        (lower, weight)
            Index of the smaller radius and the weight of the next one; the smaller gets the rest.
        """
        radii = torch.tensor(self.radii, device=coc.device)
        lower = (torch.bucketize(coc, radii, right=True) - 1).clamp(0, max(len(self.radii) - 2, 0))
        square = radii * radii
        upper = (lower + 1).clamp(max=len(self.radii) - 1)
        span = (square[upper] - square[lower]).clamp(min=1e-12)
        return lower, ((coc * coc - square[lower]) / span).clamp(0.0, 1.0)
