"""What one training example looks like."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bokeh_core.training.samples import Bytes


@dataclass(frozen=True)
class Canvas:
    """Height and width of the network's input, multiples of 32."""

    height: int
    width: int


@dataclass(frozen=True, eq=False)
class View:
    """One training example: uint8 arrays of one canvas."""

    rgb: Bytes  # (H, W, 3)
    mask: Bytes  # (H, W)
    depth: Bytes  # (H/4, W/4)
    animals: Bytes  # (H, W)
    known: Bytes  # (H, W), 255 where the mask is known, else 0
    has_mask: bool
    has_depth: bool
    has_animals: bool
    """Whether animals are known wherever people are; else only people are known to be none."""

    @property
    def canvas(self) -> Canvas:
        """Its size."""
        return Canvas(*self.mask.shape)
