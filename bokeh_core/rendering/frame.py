"""Windows into a frame: tiles with a halo, mirrored past the border, so any size fits in memory."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Bounds:
    """A rectangle of pixels; may reach past the frame."""

    top: int
    left: int
    height: int
    width: int

    def grown(self, margin: int) -> Bounds:
        """Return the rectangle with `margin` more pixels on every side."""
        return Bounds(
            self.top - margin,
            self.left - margin,
            self.height + 2 * margin,
            self.width + 2 * margin,
        )


def tiles(height: int, width: int, core: int) -> list[Bounds]:
    """Cut a frame into `core`-sized squares on a grid from the top left; none reaches past it."""
    return [
        Bounds(top, left, min(core, height - top), min(core, width - left))
        for top in range(0, height, core)
        for left in range(0, width, core)
    ]


def window(image: Tensor, bounds: Bounds, device: torch.device) -> Tensor:
    """Copy a rectangle of an (H, W) or (H, W, C) image as (1 or C, h, w), mirrored past the frame.

    Mirroring instead of zeros keeps a constant picture constant and a cut-off subject solid.
    """
    rows = _mirrored(bounds.top, bounds.height, image.shape[0])
    columns = _mirrored(bounds.left, bounds.width, image.shape[1])
    part = image[rows] if isinstance(rows, slice) else image.index_select(0, rows)
    part = part[:, columns] if isinstance(columns, slice) else part.index_select(1, columns)
    part = part[None] if part.dim() == 2 else part.permute(2, 0, 1)
    return part.to(device).contiguous()


def _mirrored(start: int, count: int, size: int) -> slice | Tensor:
    """Give indices start..start+count, reflected at 0 and `size` (the border pixel is repeated)."""
    if start >= 0 and start + count <= size:
        return slice(start, start + count)
    index = torch.arange(start, start + count) % (2 * size)
    return torch.where(index < size, index, 2 * size - 1 - index)


def fast_size(size: int, multiple: int) -> int:
    """Give the smallest transform length >= `size` that is `multiple` times 2^a 3^b 5^c."""
    count = -(-size // multiple)
    while True:
        rest = count
        for prime in (2, 3, 5):
            while rest % prime == 0:
                rest //= prime
        if rest == 1:
            return count * multiple
        count += 1
