"""Film grain and sensor noise: blur removes it, so it is measured and put back."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from bokeh_core.rendering.display import decode, encode
from bokeh_core.rendering.tiles import Bounds, window

if TYPE_CHECKING:
    from bokeh_core.lens import Lens

PATCH, PATCHES = 32, 12
"""Side in pixels of the squares that are measured, and their number along each side."""
QUIET = 0.2
"""Quantile of the squares' noise that counts: the flattest, where texture does not mislead."""


@dataclass(frozen=True)
class Grain:
    """Noise to add.

    Attributes
    ----------
    sigma
        Standard deviation in display values, already times `Lens.grain`.
    seed
        Same seed, same grain, however the frame is tiled and on any device.
    """

    sigma: float
    seed: int

    @classmethod
    def of(cls, rgb: Tensor, lens: Lens) -> Grain:
        """Measure an (H, W, 3) picture in its flattest squares."""
        if lens.grain == 0.0 or min(rgb.shape[:2]) < PATCH:
            return cls(0.0, lens.grain_seed)
        spreads = []
        for row in _starts(rgb.shape[0]):
            for column in _starts(rgb.shape[1]):
                patch = encode(rgb[row : row + PATCH, column : column + PATCH].mean(dim=2))
                twist = (patch[1:, 1:] - patch[1:, :-1]) - (patch[:-1, 1:] - patch[:-1, :-1])
                spreads.append(float(twist.abs().median()) / 0.6745 / 2.0)
        # the mean of three independent channels is quieter than each of them
        quiet = float(torch.tensor(spreads).quantile(QUIET)) * math.sqrt(3.0)
        return cls(lens.grain * quiet, lens.grain_seed)

    def added(
        self, region: Tensor, depth: Tensor, matte: Tensor | None, tile: Bounds, lens: Lens
    ) -> Tensor:
        """Add to a rendered tile (3, h, w) what the blur took; nothing where it is in focus."""
        if self.sigma == 0.0:
            return region
        coc = lens.coc(window(depth, tile, region.device)).abs()
        # white noise keeps 1 / (sqrt(pi) r) of its spread under a disc of radius r
        lost = (1.0 - 1.0 / (1.0 + math.pi * coc * coc)).sqrt()
        if matte is not None and lens.keep_subject_sharp:
            lost = lost * (1.0 - window(matte, tile, region.device))
        noise = self.sigma * lost * self._noise(tile, region.device)
        noisy = decode((encode(region.clamp(min=0.0)) + noise).clamp(min=0.0))
        return torch.lerp(region, noisy, (lost > 0).float())

    def _noise(self, tile: Bounds, device: torch.device) -> Tensor:
        """Make unit normal noise (3, h, w) that depends on position and seed alone."""
        y = torch.arange(tile.top, tile.top + tile.height, device=device)[None, :, None]
        x = torch.arange(tile.left, tile.left + tile.width, device=device)[None, None, :]
        channel = torch.arange(3, device=device)[:, None, None]
        base = _hashed(_hashed(_hashed(channel + 3 * self.seed) + y) + x)
        # the sum of four uniform numbers has variance 1/3 and is normal enough to the eye
        total = torch.zeros(base.shape, device=device)
        for _ in range(4):
            base = _hashed(base)
            total += base.to(torch.float32) / 2**31 - 0.5
        return total * math.sqrt(3.0)


def _starts(size: int) -> list[int]:
    count = min(PATCHES, size // PATCH)
    return [round(i * (size - PATCH) / max(count - 1, 1)) for i in range(count)]


def _hashed(values: Tensor) -> Tensor:
    """Scramble integers to 31 bits (multiply and xor-shift), the same on every device."""
    values = (values & 0x7FFFFFFF) * 0x2C1B3C6D & 0x7FFFFFFF
    values = (values ^ (values >> 15)) * 0x297A2D39 & 0x7FFFFFFF
    return values ^ (values >> 14)
