"""Scatter of one surface: every pixel spread over its own circle of confusion, summed up."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor

from bokeh_core.rendering.kernels import aperture_kernel, point_symmetric

if TYPE_CHECKING:
    from bokeh_core.lens import Lens
    from bokeh_core.rendering.levels import Levels

COLOURS = (1.0, 0.0, -1.0)
"""Sign of the fringe for red, green and blue; coverage goes with green."""


class Blur:
    """Blurs surfaces of one lens; keeps the transformed kernels between calls."""

    def __init__(self, lens: Lens, levels: Levels, device: torch.device) -> None:
        self.lens = lens
        self.levels = levels
        self.device = device
        self._spectra: dict[tuple[int, bool, tuple[int, int]], Tensor] = {}

    def __call__(self, planes: Tensor, coc: Tensor, cover: Tensor) -> Tensor:
        """Scatter every pixel of a surface.

        Parameters
        ----------
        planes
            (C, h, w): premultiplied red, green, blue, coverage and whatever else goes along.
        coc
            (1, h, w) signed CoC radius in pixels.
        cover
            (1, h, w) weight by which the CoC is averaged where the resolution is reduced.

        Returns
        -------
        Tensor
            (C, h, w). Wraps around at the border: give a margin as wide as the largest radius.
        """
        if point_symmetric(self.lens):
            return self._one_side(planes, coc.abs(), cover, near=False)
        front = (coc > 0).to(planes.dtype)
        total = torch.zeros_like(planes)
        for mask, near in ((1.0 - front, False), (front, True)):
            if bool((mask * cover).any()):
                total += self._one_side(planes * mask, coc.abs() * mask, cover * mask, near=near)
        return total

    def _one_side(self, planes: Tensor, coc: Tensor, cover: Tensor, *, near: bool) -> Tensor:
        lower, weight = self.levels.share(coc)
        used = _occurring(lower, weight, cover, len(self.levels.radii))
        scales = sorted({self.levels.scales[i] for i in used}, reverse=True)
        total = torch.zeros(planes.shape[0], 1, 1, device=planes.device)
        at = scales[0] if scales else 1
        for scale in scales:
            total, at = _enlarged(total, at // scale), scale
            total = total + self._at_scale(planes, coc, cover, lower, weight, scale, used, near)
        return _enlarged(total, at)

    def _at_scale(
        self,
        planes: Tensor,
        coc: Tensor,
        cover: Tensor,
        lower: Tensor,
        weight: Tensor,
        scale: int,
        used: set[int],
        near: bool,
    ) -> Tensor:
        members = self.levels.members(scale)
        if scale > 1:
            part = _part_of(lower, weight, members)
            mean = F.avg_pool2d(cover * part, scale)
            coc = F.avg_pool2d(coc * cover * part, scale) / mean.clamp(min=1e-6)
            coc = coc.clamp(self.levels.radii[members[0]], self.levels.radii[members[-1]])
            planes = F.avg_pool2d(planes * part, scale)
            lower, weight = self.levels.share(coc)
        size = (planes.shape[1], planes.shape[2])
        spectrum: Tensor | None = None
        sharp: Tensor | None = None
        for index in members:
            if index not in used:
                continue
            share = (1.0 - weight) * (lower == index) + weight * (lower == index - 1)
            if index == 0:
                sharp = planes * share
                continue
            term = torch.fft.rfft2(planes * share) * self._spectrum(index, near, size)
            spectrum = term if spectrum is None else spectrum.add_(term)
        if spectrum is None:
            return sharp if sharp is not None else torch.zeros_like(planes)
        blurred: Tensor = torch.fft.irfft2(spectrum, s=size)
        return blurred if sharp is None else blurred + sharp

    def _spectrum(self, index: int, near: bool, size: tuple[int, int]) -> Tensor:
        key = (index, near, size)
        if key not in self._spectra:
            scale = self.levels.scales[index]
            radius = self.levels.radii[index] / scale
            # averaging over a block and bilinear enlargement blur by themselves, in grid pixels:
            spread = 0.0 if scale == 1 else (1.0 - 1.0 / scale**2) / 12.0 + 1.0 / 6.0
            signs = COLOURS if self.lens.fringe else (0.0,)
            kernels = [
                _transformed(
                    aperture_kernel(
                        self.lens,
                        radius * (1.0 + sign * self.lens.fringe),
                        near=near,
                        spread=spread,
                    ),
                    size,
                )
                for sign in signs
            ]
            if self.lens.fringe:
                kernels.append(kernels[1])
            self._spectra[key] = torch.stack(kernels).to(self.device)
        return self._spectra[key]


def _occurring(lower: Tensor, weight: Tensor, cover: Tensor, count: int) -> set[int]:
    """Find the radii that any covered pixel uses."""
    visible = (cover > 0).to(weight.dtype)
    low = torch.bincount(lower.flatten(), ((1.0 - weight) * visible).flatten(), minlength=count)
    high = torch.bincount(lower.flatten(), (weight * visible).flatten(), minlength=count)
    sums = low.clone()
    sums[1:] += high[:-1]
    return set(torch.nonzero(sums > 0).flatten().tolist())


def _part_of(lower: Tensor, weight: Tensor, members: range) -> Tensor:
    """How much of each pixel goes to the radii in `members`."""
    low = (lower >= members.start) & (lower < members.stop)
    high = (lower + 1 >= members.start) & (lower + 1 < members.stop)
    return (1.0 - weight) * low + weight * high


def _enlarged(planes: Tensor, factor: int) -> Tensor:
    if factor == 1 or planes.shape[-1] == 1:
        return planes
    size = [planes.shape[1] * factor, planes.shape[2] * factor]
    return F.interpolate(planes[None], size=size, mode="bilinear", align_corners=False)[0]


def _transformed(kernel: Tensor, size: tuple[int, int]) -> Tensor:
    """Transform of a centred odd kernel placed on pixel (0, 0) of a periodic frame."""
    half = kernel.shape[0] // 2
    frame = torch.zeros(size, dtype=torch.float64)
    rows = torch.arange(-half, half + 1) % size[0]
    columns = torch.arange(-half, half + 1) % size[1]
    frame.index_put_((rows[:, None], columns[None, :]), kernel.double(), accumulate=True)
    spectrum: Tensor = torch.fft.rfft2(frame)
    return spectrum.to(torch.complex64)
