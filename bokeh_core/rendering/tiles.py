"""Windows into a frame: tiles with a halo, mirrored past the border, so any size fits in memory."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import cv2
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

    @classmethod
    def around(cls, parts: Sequence[Bounds]) -> Bounds:
        """Return the smallest rectangle that holds some, at least one."""
        top, left = min(part.top for part in parts), min(part.left for part in parts)
        bottom, right = max(part.bottom for part in parts), max(part.right for part in parts)
        return cls(top, left, bottom - top, right - left)

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


def sweep(device: torch.device) -> int:
    """Side of the squares that a frame is gone over in once: within reach of a CPU's cache."""
    return 768 if device.type == "cpu" else 2048


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

    In float32, from an image in the computer's memory; a part of the rectangle must lie within it.
    Mirroring instead of zeros keeps a constant picture constant and a cut-off subject solid.
    """
    rows, above, below = _within(bounds.top, bounds.height, image.shape[0])
    columns, left, right = _within(bounds.left, bounds.width, image.shape[1])
    planes = _planes(image[rows, columns])
    if (above, below, left, right) != (0, 0, 0, 0):
        wide = planes.new_empty(len(planes), bounds.height, bounds.width)
        for source, target in zip(planes.numpy(), wide.numpy(), strict=True):
            cv2.copyMakeBorder(source, above, below, left, right, cv2.BORDER_REFLECT, dst=target)
        planes = wide
    return planes.to(device, torch.float32).contiguous()


def _planes(piece: Tensor) -> Tensor:
    """Turn (h, w) or (h, w, C) into (1 or C, h, w), whose rows lie in one piece."""
    if piece.dim() == 2:
        return piece[None]
    if piece.stride(2) != 1:
        return piece.permute(2, 0, 1)
    planes = piece.new_empty(piece.shape[2], *piece.shape[:2])
    cv2.split(piece.numpy(), list(planes.numpy()))  # half of torch's time
    return planes


def _within(start: int, count: int, size: int) -> tuple[slice, int, int]:
    """Return what of 0..size the indices start..start+count hold, and how many lie on each side."""
    end = start + count
    return slice(max(start, 0), min(end, size)), max(-start, 0), max(end - size, 0)


def bounding_box(plane: Tensor, grid: int = 1, *, limit: float = 0.0) -> Bounds | None:
    """Return the smallest rectangle on a grid with all above a limit in (h, w); None = nothing."""
    rows = torch.nonzero(plane.amax(dim=1) > limit).flatten()
    if rows.numel() == 0:
        return None
    columns = torch.nonzero(plane.amax(dim=0) > limit).flatten()
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
    top, left, height, width = (value // scale for value in vars(bounds).values())
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
