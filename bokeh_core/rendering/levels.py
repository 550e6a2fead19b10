"""Which blur radii are computed, at what resolution, and how a pixel's CoC is shared among them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

UNSEEN = 1e-3
"""CoC in pixels below which nothing is blurred; its square would leave the range of float32."""


@dataclass(frozen=True)
class Quality:
    """How finely the radii are spaced and how early the resolution is halved.

    Attributes
    ----------
    first, step, growth
        The smallest radius in pixels; the next is `max(step px, growth * radius)` farther.
    halving
        Radii of at least this many pixels are blurred at half size, twice as many at a quarter ...
    nodes
        Intervals along each side of the frame between kernels that change over it (cat-eye).
    """

    first: float
    step: float
    growth: float
    halving: float
    nodes: int


FULL = Quality(first=1.25, step=1.5, growth=0.18, halving=14.0, nodes=4)
PREVIEW = Quality(first=3.0, step=3.0, growth=0.25, halving=8.0, nodes=2)


def fourfold_variance(radius: float) -> float:
    """Four times the variance per axis, in px^2, of a disc of pixels: `r^2 + 1/3`, and 0 for r = 0.

    A disc has `r^2 / 4`, the square of a pixel that is moved about 1/12 more; below one pixel that
    comes in with `r^2`, so what is hardly out of focus stays crisp (docs/decisions/0007).
    """
    return radius * radius + min(1.0, radius * radius) / 3.0


@dataclass(frozen=True)
class Levels:
    """Blur radii in ascending order, from 0, and the reduction (1, 2, 4 ...) each is blurred at."""

    radii: tuple[float, ...]
    scales: tuple[int, ...]

    @classmethod
    def up_to(cls, reach: float, quality: Quality) -> Levels:
        """Space the radii up to `reach`; what nobody can see (`UNSEEN`) is none.

        The first is `quality.first` however small `reach` is: an aperture narrower than a pixel has
        no shape to draw, and a smaller blur is a smaller share of the first.
        """
        radii, scales = [0.0], [1]
        reach = max(reach, quality.first) if reach > UNSEEN else 0.0
        while radii[-1] < reach:
            farther = max(quality.step, quality.growth * radii[-1])
            radius = min(reach, radii[-1] + farther) if radii[-1] else quality.first
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

    def reach(self, radius: float) -> float:
        """Give the smallest radius of these that is at least `radius`."""
        return min((r for r in self.radii if r >= radius), default=self.radii[-1])

    def between(self, least: float, most: float) -> range:
        """Give the indices of the radii that CoCs from `least` to `most` are shared among."""
        last = len(self.radii) - 1
        low = max((i for i, r in enumerate(self.radii) if r <= least), default=0)
        high = min((i for i, r in enumerate(self.radii) if r >= most), default=last)
        return range(low, high + 1)

    def scale(self, least: float) -> int:
        """Give the reduction at which everything is blurred whose CoC is at least `least`."""
        return self.scales[self.between(least, least)[0]]

    def rise(self, square: Tensor, index: int) -> Tensor | float:
        """Give the share of pixels that is blurred with radius `index` or a larger one.

        Shares that are linear in the variance give a mixture exactly as wide as the disc that is
        meant (`fourfold_variance`).

        Parameters
        ----------
        square
            (1, h, w) squared CoC.
        """
        if index <= 0:
            return 1.0
        if index >= len(self.radii):
            return 0.0
        below = self.radii[index - 1]
        if below < 1.0:  # beyond that the pixels' own width is in all three terms
            square = square + square.clamp(max=1.0).div_(3.0)
            low, high = fourfold_variance(below), fourfold_variance(self.radii[index])
        else:
            low, high = below**2, self.radii[index] ** 2
        return (square - low).mul_(1.0 / (high - low)).clamp_(0.0, 1.0)
