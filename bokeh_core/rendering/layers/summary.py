"""What a tile must know of the whole frame, small enough to be kept: cuts, colours per cell."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from bokeh_core.rendering.layers.depth_cuts import Edges
from bokeh_core.rendering.layers.labels import (
    CLEAR,
    SUBJECT,
    coverage,
    is_subject,
    occurring,
    purity,
    ranks_of,
)
from bokeh_core.rendering.layers.push_pull import CELL, filled, trustworthy
from bokeh_core.rendering.masks import at_least, at_most
from bokeh_core.rendering.resample import reduced
from bokeh_core.rendering.tiles import Bounds, tiles, window

LOOKED_AT = 2_000_000
"""Pixels whose edges decide where depth is cut."""
BAND = 256
LARGE = 30_000_000
"""Pixels from which a frame is looked at twice as sparsely, to stay within 4 GB at 100 MP."""


@dataclass(frozen=True)
class Summary:
    """Cuts through depth, and each layer summed up per cell of 16 x 16 pixels.

    Attributes
    ----------
    thresholds
        Disparities that part the slices of depth.
    cells
        Rank -> (5, H / 16, W / 16): red, green, blue, disparity, coverage, without gaps; under
        `SUBJECT` for the subject as a whole.
    band
        Width in pixels on either side of the matte's edge in which depth may be another layer's.
    """

    thresholds: tuple[float, ...]
    cells: dict[int, Tensor]
    band: int

    @classmethod
    def of(
        cls, rgb: Tensor, depth: Tensor, matte: Tensor | None, max_coc: float, band: int
    ) -> Summary:
        """Look over a frame.

        Parameters
        ----------
        rgb, depth, matte
            (H, W, 3), (H, W) clean, and (H, W) or None, as of `render`.
        max_coc
            CoC in pixels that one unit of disparity stands for.
        band
            See `Blemishes`.
        """
        thresholds = _cuts(depth, matte, max_coc)
        stride = 4 if depth.numel() < LARGE else 8
        side = CELL // stride
        height, width = (-(-size // CELL) * side for size in depth.shape)
        sample = Bounds(0, 0, height, width)
        colour = window(rgb[::stride, ::stride], sample, rgb.device)
        disparity = window(depth[::stride, ::stride], sample, rgb.device)
        cover = None if matte is None else window(matte[::stride, ::stride], sample, rgb.device)
        ranks = ranks_of(disparity, cover, disparity, thresholds)
        values = torch.cat((colour, disparity))
        trust = trustworthy(colour)
        cells = {
            rank: _summed_up(values, trust, own, at_most(ranks, rank), cover, rank, side)
            for rank, own in occurring(ranks)
        }
        if any(is_subject(rank) for rank in cells) and cover is not None:
            subject, everywhere = at_least(cover, CLEAR), torch.ones_like(cover)
            cells[SUBJECT] = _summed_up(values, trust, subject, everywhere, cover, SUBJECT, side)
        return cls(thresholds, cells, band)

    def window(self, rank: int, bounds: Bounds, device: torch.device) -> Tensor | None:
        """Cut the cells under a window (on the grid of cells) out of one layer, if it is known.

        A layer that is too thin for the sparse look has none.
        """
        if rank not in self.cells:
            return None
        cells = Bounds(
            bounds.top // CELL, bounds.left // CELL, bounds.height // CELL, bounds.width // CELL
        )
        return window(self.cells[rank].permute(1, 2, 0), cells, device)


def _cuts(depth: Tensor, matte: Tensor | None, max_coc: float) -> tuple[float, ...]:
    """Choose the cuts from bands of the depth spread over the frame.

    Edges must be looked at in full resolution, but not all of them: every pixel of a small frame,
    about two million of a large one.
    """
    height, width = depth.shape
    bands = [Bounds(0, 0, height, width)]
    if height * width > LOOKED_AT:
        step = height * width // LOOKED_AT + 1
        bands = tiles(height, width, BAND)[::step]
    edges = Edges.none()
    for band in bands:
        piece = window(depth, band, depth.device)
        cover = None if matte is None else window(matte, band, depth.device)
        edges = edges.with_band(piece[0], None if cover is None else cover[0], max_coc)
    return edges.cuts()


def _summed_up(
    values: Tensor,
    trust: Tensor | None,
    own: Tensor,
    known: Tensor,
    matte: Tensor | None,
    rank: int,
    side: int,
) -> Tensor:
    pure = purity(own, matte, rank)
    trusted = pure if trust is None else pure * trust
    weight = reduced(pure, side)
    belief = reduced(trusted, side)
    means = reduced(values * trusted, side) / belief.clamp(min=1e-12)
    belief = belief / weight.clamp(min=1e-6)
    seen = reduced(known, side)
    covered = reduced(coverage(own, matte, rank), side) / seen.clamp(min=1e-6)
    return torch.cat(
        (
            filled(means, (2.0 * weight).clamp(max=1.0), None, trust=belief),
            filled(covered, (2.0 * seen).clamp(max=1.0), None),
        )
    )
