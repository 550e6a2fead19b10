"""sRGB transfer on tensors, for what is defined on display values: the paper's blur and metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor


def encode(linear: Tensor) -> Tensor:
    """Linear light to sRGB display values (IEC 61966-2-1); above 1 the curve simply goes on."""
    low = linear <= 0.0031308
    return torch.where(
        low, 12.92 * linear, 1.055 * linear.clamp(min=0.0031308) ** (1 / 2.4) - 0.055
    )


def decode(display: Tensor) -> Tensor:
    """SRGB display values to linear light, the inverse of `encode`."""
    low = display <= 0.04045
    return torch.where(low, display / 12.92, ((display.clamp(min=0.04045) + 0.055) / 1.055) ** 2.4)
