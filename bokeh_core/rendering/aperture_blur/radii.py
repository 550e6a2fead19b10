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


FULL = Quality(first=1.25, step=1.5, growth=0.18, halving=14.0, nodes=5)
PREVIEW = Quality(first=3.0, step=3.0, growth=0.25, halving=8.0, nodes=2)


def fourfold_variance(radius: float) -> float:
    """Four times the variance per axis, in px^2, of a disc of pixels: `r^2 + 1/3`, and 0 for r = 0.

    A disc has `r^2 / 4`, the square of a pixel that is moved about 1/12 more; below one pixel that
    comes in with `r^2`, so what is hardly out of focus stays crisp (docs/decisions/0007).
    """
    return radius * radius + min(1.0, radius * radius) / 3.0


@dataclass(frozen=True)
class BlurRadii:
    """Blur radii in ascending order, from 0, and the reduction (1, 2, 4 ...) each is blurred at.

    Layers are cut from pictures reduced by as much, at most `coarsest_cut`; what is blurred more
    is reduced from there.
    """

    values: tuple[float, ...]
    scales: tuple[int, ...]
    coarsest_cut: int = 1

    @classmethod
    def up_to(cls, largest: float, quality: Quality, coarsest_cut: int = 1) -> BlurRadii:
        """Space the radii up to `largest`; what nobody can see (`UNSEEN`) is none.

        The first is `quality.first` however small `largest` is: an aperture narrower than a pixel
        has no shape to draw, and a smaller blur is a smaller share of the first.
        """
        radii, scales = [0.0], [1]
        largest = max(largest, quality.first) if largest > UNSEEN else 0.0
        while radii[-1] < largest:
            farther = max(quality.step, quality.growth * radii[-1])
            radius = min(largest, radii[-1] + farther) if radii[-1] else quality.first
            scale = 1
            while radius >= quality.halving * scale:
                scale *= 2
            radii.append(radius)
            scales.append(scale)
        return cls(tuple(radii), tuple(scales), coarsest_cut)

    @property
    def coarsest(self) -> int:
        """The largest reduction in use."""
        return self.scales[-1]

    @property
    def sizes(self) -> tuple[int, ...]:
        """The reductions that layers are cut at."""
        return tuple(sorted({min(scale, self.coarsest_cut) for scale in self.scales}))

    def coarsest_at(self, size: int) -> int:
        """Return the largest reduction in use in what is cut at this one."""
        return self.scales[self.cut_at(size)[-1]]

    def cut_at(self, size: int) -> range:
        """Return the indices of the radii whose light is cut at this reduction."""
        found = [i for i, scale in enumerate(self.scales) if min(scale, self.coarsest_cut) == size]
        return range(found[0], found[-1] + 1)

    def share(self, coc: Tensor, size: int) -> Tensor | None:
        """Return the share of each pixel that is cut at this reduction; None = all of all.

        Parameters
        ----------
        coc
            (1, h, w) signed CoC in pixels.
        """
        indices = self.cut_at(size)
        if len(indices) == len(self.values):
            return None
        square = coc * coc
        above, beyond = self.rise(square, indices[0]), self.rise(square, indices[-1] + 1)
        if isinstance(beyond, float):
            assert not isinstance(above, float)
            return above
        return beyond.neg_().add_(above)

    def members(self, scale: int) -> range:
        """Return the indices of the radii blurred at this reduction."""
        first = self.scales.index(scale)
        return range(first, first + self.scales.count(scale))

    def at_least(self, radius: float) -> float:
        """Return the smallest radius of these that is at least `radius`."""
        return min((r for r in self.values if r >= radius), default=self.values[-1])

    def between(self, least: float, most: float) -> range:
        """Return the indices of the radii that CoCs from `least` to `most` are shared among."""
        last = len(self.values) - 1
        low = max((i for i, r in enumerate(self.values) if r <= least), default=0)
        high = min((i for i, r in enumerate(self.values) if r >= most), default=last)
        return range(low, high + 1)

    def rise(self, square: Tensor, index: int) -> Tensor | float:
        """Return the share of pixels that is blurred with radius `index` or a larger one.

        Shares that are linear in the variance give a mixture exactly as wide as the disc that is
        meant (`fourfold_variance`).

        Parameters
        ----------
        square
            (1, h, w) squared CoC.
        """
        if index <= 0:
            return 1.0
        if index >= len(self.values):
            return 0.0
        below = self.values[index - 1]
        if below < 1.0:  # beyond that the pixels' own width is in all three terms
            square = square + square.clamp(max=1.0).div_(3.0)
            low, high = fourfold_variance(below), fourfold_variance(self.values[index])
        else:
            low, high = below**2, self.values[index] ** 2
        return (square - low).mul_(1.0 / (high - low)).clamp_(0.0, 1.0)
