"""Windows into a frame: tiles with a halo, mirrored past the border, so any size fits in memory."""

from __future__ import annotations

import itertools
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

NARROWEST = 256
"""Side in pixels below which a block is joined to the next: halos would cost more than it."""


@dataclass(frozen=True)
class Bounds:
    """A rectangle of pixels; may reach past the frame."""

    top: int
    left: int
    height: int
    width: int

    @property
    def bottom(self) -> int:
        """First row below it."""
        return self.top + self.height

    @property
    def right(self) -> int:
        """First column right of it."""
        return self.left + self.width

    def meets(self, other: Bounds) -> bool:
        """Whether the two have a pixel in common."""
        return max(self.top, other.top) < min(self.bottom, other.bottom) and max(
            self.left, other.left
        ) < min(self.right, other.right)

    def grown(self, margin: int) -> Bounds:
        """Return the rectangle with `margin` more pixels on every side."""
        return Bounds(
            self.top - margin,
            self.left - margin,
            self.height + 2 * margin,
            self.width + 2 * margin,
        )

    def seen_from(self, other: Bounds) -> Bounds:
        """Return the rectangle counted from another one's corner."""
        return Bounds(self.top - other.top, self.left - other.left, self.height, self.width)

    def within(self, other: Bounds, grid: int) -> Bounds | None:
        """Return what it shares with another one, in steps of a grid from that one's corner."""
        here = self.seen_from(other)
        top, left = (max(start, 0) // grid * grid for start in (here.top, here.left))
        bottom = min(-(-here.bottom // grid) * grid, other.height)
        right = min(-(-here.right // grid) * grid, other.width)
        if bottom <= top or right <= left:
            return None
        return Bounds(other.top + top, other.left + left, bottom - top, right - left)


def tiles(height: int, width: int, core: int, grid: int = 1, blocks: int = 1) -> list[Bounds]:
    """Cut a frame into equal rectangles of at most `core` pixels a side, on a grid.

    Equal parts, because a narrow rest costs as much halo as a whole tile. `core` must be a
    multiple of `grid`.

    With `blocks` > 1 no tile crosses the lines that part each side into so many blocks, except
    where blocks would be narrow; each block is cut into parts that are about as large as `core`.
    """
    rows, columns = (_spans(size, core, grid, blocks) for size in (height, width))
    return [
        Bounds(top, left, bottom - top, right - left)
        for top, bottom in rows
        for left, right in columns
    ]


def tiles_of(
    part: Bounds | None, height: int, width: int, core: int, grid: int = 1, blocks: int = 1
) -> list[Bounds]:
    """Return those of a frame's tiles that a part has pixels of; None = all.

    They are the whole frame's own: what is filled in behind a surface depends a little on where a
    tile begins, and a part must look as it will in the whole (20/255 at a few pixels of a photo).
    """
    return [
        tile
        for tile in tiles(height, width, core, grid, blocks)
        if part is None or tile.meets(part)
    ]


def _spans(size: int, core: int, grid: int, blocks: int) -> list[tuple[int, int]]:
    """Cut one side: the first pixel of every part, and the first after it."""
    whole = min(blocks, max(1, size // NARROWEST))
    lines = [size * round(i * blocks / whole) / blocks for i in range(whole)]
    borders = [*(round(line / grid) * grid for line in lines), size]
    spans = []
    for start, end in itertools.pairwise(borders):
        length = end - start
        count = -(-length // core) if whole == 1 else max(1, round(length / core))
        part = -(-length // (count * grid)) * grid
        spans += [(at, min(at + part, end)) for at in range(start, end, part)]
    return spans


def window(image: Tensor, bounds: Bounds, device: torch.device) -> Tensor:
    """Copy a rectangle of an (H, W) or (H, W, C) image as (1 or C, h, w), mirrored past the frame.

    In float32. Mirroring instead of zeros keeps a constant picture constant and a cut-off subject
    solid.
    """
    rows, above = _mirrored(bounds.top, bounds.height, image.shape[0])
    columns, left = _mirrored(bounds.left, bounds.width, image.shape[1])
    piece = image[rows, columns]  # first: looking up what is mirrored would copy whole rows
    piece = piece if above is None else piece.index_select(0, above)
    piece = piece if left is None else piece.index_select(1, left)
    piece = piece[None] if piece.dim() == 2 else piece.permute(2, 0, 1)
    return piece.to(device, torch.float32).contiguous()


def _mirrored(start: int, count: int, size: int) -> tuple[slice, Tensor | None]:
    """Return what holds the indices start..start+count, reflected at 0 and `size`, and where there.

    Border pixels are repeated. None = in their order.
    """
    if start >= 0 and start + count <= size:
        return slice(start, start + count), None
    index = torch.arange(start, start + count) % (2 * size)
    index = torch.where(index < size, index, 2 * size - 1 - index)
    first, last = (int(end) for end in torch.aminmax(index))
    return slice(first, last + 1), index - first


def bounding_box(mask: Tensor, grid: int = 1) -> Bounds | None:
    """Return the smallest rectangle on a grid that holds what is above 0 in (h, w), or None."""
    rows = torch.nonzero(mask.amax(dim=1) > 0).flatten()
    if rows.numel() == 0:
        return None
    columns = torch.nonzero(mask.amax(dim=0) > 0).flatten()
    top, left = (int(ends[0]) // grid * grid for ends in (rows, columns))
    bottom, right = (-(-(int(ends[-1]) + 1) // grid) * grid for ends in (rows, columns))
    return Bounds(top, left, bottom - top, right - left)


def place(bounds: Bounds) -> Place:
    """Index a rectangle of an (H, W, ...) image."""
    return crop(bounds)[1:]


def pixels(planes: Tensor) -> npt.NDArray[np.float32]:
    """Turn (3, h, w) planes of any device into an (h, w, 3) array."""
    return np.asarray(planes.permute(1, 2, 0).contiguous().cpu().numpy(), np.float32)


def crop(bounds: Bounds, scale: int = 1) -> tuple[slice, slice, slice]:
    """Index a rectangle of (C, h, w) planes that are reduced by `scale`."""
    top, left, height, width = (value // scale for value in astuple(bounds))
    return slice(None), slice(top, top + height), slice(left, left + width)


def fast_size(size: int, multiple: int) -> int:
    """Return the smallest transform length >= `size` that is `multiple` times 2^a 3^b 5^c."""
    count = -(-size // multiple)
    while True:
        rest = count
        for prime in (2, 3, 5):
            while rest % prime == 0:
                rest //= prime
        if rest == 1:
            return count * multiple
        count += 1
