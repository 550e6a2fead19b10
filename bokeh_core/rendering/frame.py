"""Windows into a frame: tiles with a halo, mirrored past the border, so any size fits in memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import astuple, dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

Place: TypeAlias = tuple[slice, slice]
"""Rows and columns of a picture."""
Put: TypeAlias = Callable[[Place, npt.NDArray[np.float32]], None]
"""Takes the (h, w, 3) pixels of a place; called from several threads, for disjoint places."""


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


def tiles(height: int, width: int, core: int, grid: int = 1) -> list[Bounds]:
    """Cut a frame into equal rectangles of at most `core` pixels a side, on a grid.

    Equal parts, because a narrow rest costs as much halo as a whole tile. `core` must be a
    multiple of `grid`.
    """
    rows, columns = _equal(height, core, grid), _equal(width, core, grid)
    return [
        Bounds(top, left, min(rows, height - top), min(columns, width - left))
        for top in range(0, height, rows)
        for left in range(0, width, columns)
    ]


def _equal(size: int, core: int, grid: int) -> int:
    """Side of equal parts of at most `core`, rounded up to the grid."""
    count = -(-size // core)
    return -(-size // (count * grid)) * grid


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


def bounding_box(mask: Tensor, grid: int = 1) -> Bounds | None:
    """Give the smallest rectangle on a grid that holds the true pixels of (h, w); None = none."""
    rows = torch.nonzero(mask.any(dim=1)).flatten()
    if rows.numel() == 0:
        return None
    columns = torch.nonzero(mask.any(dim=0)).flatten()
    top, left = (int(ends[0]) // grid * grid for ends in (rows, columns))
    bottom, right = (-(-(int(ends[-1]) + 1) // grid) * grid for ends in (rows, columns))
    return Bounds(top, left, bottom - top, right - left)


def place(bounds: Bounds) -> Place:
    """Index a rectangle of an (H, W, ...) image."""
    return part(bounds)[1:]


def pixels(planes: Tensor) -> npt.NDArray[np.float32]:
    """Turn (3, h, w) planes of any device into an (h, w, 3) array."""
    return np.asarray(planes.permute(1, 2, 0).contiguous().cpu().numpy(), np.float32)


def part(bounds: Bounds, scale: int = 1) -> tuple[slice, slice, slice]:
    """Index a rectangle of (C, h, w) planes that are reduced by `scale`."""
    top, left, height, width = (value // scale for value in astuple(bounds))
    return slice(None), slice(top, top + height), slice(left, left + width)


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
