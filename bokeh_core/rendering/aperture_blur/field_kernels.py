"""Kernels that change over the frame (cat-eye): blended between a few positions."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import torch
from torch import Tensor

if TYPE_CHECKING:
    from bokeh_core.rendering.tiles import Bounds

Position: TypeAlias = tuple[float, float]
"""Relative to the frame's centre, in half diagonals."""
CENTRE: Position = (0.0, 0.0)
Nodes: TypeAlias = Callable[[int], list[tuple[Tensor | None, Position]]]
"""Reduction -> (1, h, w) weight (None = 1) and position of every kernel that is blended."""


SLACK = 0.05
"""Intervals that a tile may reach past a position without being blended with the next one too."""


def centre_only(scale: int) -> list[tuple[Tensor | None, Position]]:  # noqa: ARG001
    """Blend nothing: the kernel of the frame's centre everywhere."""
    return [(None, CENTRE)]


@dataclass(frozen=True)
class Field:
    """Where a tile lies in the frame, as far as the lens minds.

    Attributes
    ----------
    tile
        In the frame.
    height, width
        Of the frame.
    intervals
        Between positions along each side of the frame; 0 = the kernel is the same everywhere.
    """

    tile: Bounds
    height: int
    width: int
    intervals: int

    def nodes(self, source: Bounds) -> Nodes:
        """Return the kernels to blend in the tile, with weights over all of `source`.

        Blending what comes out of each kernel instead of what goes in needs one forward transform
        for all of them. `source` counts from the tile's corner.
        """
        if self.intervals == 0:
            return centre_only
        rows = self._near(self.tile.top, self.tile.height, self.height)
        columns = self._near(self.tile.left, self.tile.width, self.width)

        def nodes(scale: int) -> list[tuple[Tensor | None, Position]]:
            top, left = source.top + self.tile.top, source.left + self.tile.left
            down = self._weights(rows, top, source.height, self.height, scale)
            right = self._weights(columns, left, source.width, self.width, scale)
            return [
                ((down[i][:, None] * right[j][None, :])[None], self._position(row, column))
                for i, row in enumerate(rows)
                for j, column in enumerate(columns)
            ]

        return nodes

    def _near(self, start: int, count: int, size: int) -> range:
        """Return the positions along one side that a tile lies between.

        Tiles begin and end at positions, but for what the grid of reductions asks (`tiles`).
        """
        low, high = (self.intervals * end / size for end in (start, start + count))
        low = min(math.floor(low + SLACK), self.intervals - 1)
        return range(int(low), max(math.ceil(high - SLACK), int(low) + 1) + 1)

    def _weights(
        self, positions: range, start: int, count: int, size: int, scale: int
    ) -> list[Tensor]:
        """Return the linear weight of every position along one side, at reduced pixels."""
        places = start + scale * (torch.arange(count // scale) + 0.5)
        places = (places * (self.intervals / size)).clamp(positions[0], positions[-1])
        return [(1.0 - (places - i).abs()).clamp(min=0.0) for i in positions]

    def _position(self, row: int, column: int) -> Position:
        diagonal = math.hypot(self.height, self.width)
        x = (2.0 * column / self.intervals - 1.0) * self.width / diagonal
        y = (2.0 * row / self.intervals - 1.0) * self.height / diagonal
        return x, y
