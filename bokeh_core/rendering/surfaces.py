"""Cutting a picture into surfaces, each complete under what hides it, in the order of their depth.

Surfaces are numbered by rank: `2 * slice of depth + (1 for the subject)`, so the subject lies over
the part of the scene that is about as far away.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from bokeh_core.rendering.fill import CELL, filled
from bokeh_core.rendering.frame import Bounds, window
from bokeh_core.rendering.thresholds import cuts

CLEAR, SOLID = 0.02, 0.98
"""Matte values below and above which a pixel shows one surface only."""
STRIDE = 4
"""Every so many pixels is looked at for what is summed up per cell."""
THIN = 0.01
"""Weight of a pixel at the edge of a surface beside a pure one."""
CONTINUOUS = 3.0
"""A hidden part within this many pixels of CoC of what hides it is the same surface going on."""


@dataclass(frozen=True)
class Surface:
    """One continuous surface.

    Attributes
    ----------
    light
        (3, h, w) colour premultiplied with coverage, linear light.
    cover
        (1, h, w) coverage in [0, 1].
    depth
        (1, h, w) disparity, continued past where the surface is seen.
    shown
        (1, h, w) bool: a pixel shows this surface and nothing else.
    subject
        Whether this is (part of) the subject of the matte.
    """

    light: Tensor
    cover: Tensor
    depth: Tensor
    shown: Tensor
    subject: bool


@dataclass(frozen=True)
class Overview:
    """What a window must know of the whole frame: cuts, and each surface summed up per cell.

    Attributes
    ----------
    thresholds
        Disparities that part the slices of depth.
    cells
        Rank -> (5, H / 16, W / 16): red, green, blue, disparity, coverage, without gaps.
    """

    thresholds: tuple[float, ...]
    cells: dict[int, Tensor]

    @classmethod
    def of(cls, rgb: Tensor, depth: Tensor, matte: Tensor | None, reach: float) -> Overview:
        """Look over a frame given as (H, W, 3), (H, W) and (H, W) or None."""
        thresholds = cuts(depth, matte, reach)
        side = CELL // STRIDE
        height, width = (-(-size // CELL) * side for size in depth.shape)
        sample = Bounds(0, 0, height, width)
        here = rgb.device
        planes = [
            None if image is None else window(image[::STRIDE, ::STRIDE], sample, here)
            for image in (rgb, depth, matte)
        ]
        colour, disparity, cover = planes
        assert colour is not None
        assert disparity is not None
        ranks = _ranks(disparity, cover, disparity, thresholds)
        cells = {}
        for rank in torch.unique(ranks).tolist():
            own = _purity(ranks == rank, cover, rank)
            weight = F.avg_pool2d(own, side)
            values = F.avg_pool2d(torch.cat((colour, disparity)) * own, side)
            seen = F.avg_pool2d((ranks <= rank).float(), side)
            covered = F.avg_pool2d(_coverage(ranks, rank, cover), side) / seen.clamp(min=1e-6)
            gapless = filled(values / weight.clamp(min=1e-6), (2 * weight).clamp(max=1), None)
            covered = filled(covered, (2 * seen).clamp(max=1), None)
            cells[rank] = torch.cat((gapless, covered))
        return cls(thresholds, cells)


def cut(
    rgb: Tensor,
    depth: Tensor,
    matte: Tensor | None,
    overview: Overview,
    bounds: Bounds,
    reach: float,
) -> list[Surface]:
    """Cut one window into surfaces, farthest first.

    Parameters
    ----------
    rgb, depth, matte
        (3, h, w) linear light, (1, h, w) disparity, (1, h, w) coverage or None.
    overview
        Of the frame that the window is taken from.
    bounds
        Of the window, on the grid of cells.
    reach
        CoC in pixels that one unit of disparity stands for.
    """
    if matte is not None and not bool((matte > 0).any()):
        matte = None
    cells = {rank: _cells_of(base, bounds, rgb.device) for rank, base in overview.cells.items()}
    inside = _inside(depth, matte, cells)
    ranks = _ranks(depth, matte, inside, overview.thresholds)
    present = [rank for rank in torch.unique(ranks).tolist() if rank in cells]
    surfaces: list[Surface] = []
    for rank in present:
        surface = _surface(rgb, depth, matte, ranks, rank, cells[rank], reach)
        if rank == present[0]:
            surface = _without_holes(surface)
        if surface.subject and matte is not None:
            surfaces, surface = _separated(rgb, surfaces, surface, ranks == rank)
        surfaces.append(surface)
    return [
        Surface(s.light * s.cover, s.cover, s.depth, s.shown, subject=s.subject) for s in surfaces
    ]


def _cells_of(base: Tensor, bounds: Bounds, device: torch.device) -> Tensor:
    cells = Bounds(
        bounds.top // CELL, bounds.left // CELL, bounds.height // CELL, bounds.width // CELL
    )
    return window(base.permute(1, 2, 0), cells, device)


def _inside(depth: Tensor, matte: Tensor | None, cells: dict[int, Tensor]) -> Tensor:
    """Depth of the subject, continued from its solid part into its soft edge."""
    subject = [rank for rank in cells if rank % 2 == 1]
    if matte is None or not subject:
        return depth
    base = cells[subject[0]][3:4]
    return filled(depth, (matte > SOLID).to(depth.dtype), base)


def _ranks(
    depth: Tensor, matte: Tensor | None, inside: Tensor, thresholds: tuple[float, ...]
) -> Tensor:
    """Give the rank of the nearest surface that each pixel shows."""
    edges = torch.tensor(thresholds, device=depth.device)
    if matte is None:
        return 2 * torch.bucketize(depth, edges)
    subject = matte >= CLEAR
    return 2 * torch.bucketize(torch.where(subject, inside, depth), edges) + subject


def _purity(own: Tensor, matte: Tensor | None, rank: int) -> Tensor:
    """How far a pixel's colour is this surface's alone: 1 when solid and a pixel from its edge.

    Other pixels count a little, so that something too thin to be pure anywhere keeps its colour.
    """
    if rank % 2 == 1 and matte is not None:
        return own * torch.where(matte > SOLID, 1.0, THIN * matte)
    away = own.clone()
    away[..., 1:, :] &= own[..., :-1, :]
    away[..., :-1, :] &= own[..., 1:, :]
    away[..., :, 1:] &= own[..., :, :-1]
    away[..., :, :-1] &= own[..., :, 1:]
    return torch.where(away, 1.0, THIN * own)


def _coverage(ranks: Tensor, rank: int, matte: Tensor | None) -> Tensor:
    own = (ranks == rank).float()
    return own if rank % 2 == 0 or matte is None else own * matte


def _surface(
    rgb: Tensor,
    depth: Tensor,
    matte: Tensor | None,
    ranks: Tensor,
    rank: int,
    cells: Tensor,
    reach: float,
) -> Surface:
    """One surface with plain colour: its own where it is seen, continued where it is hidden."""
    own = ranks == rank
    values = torch.cat((rgb, depth))
    guess = filled(values, _purity(own, matte, rank), cells[:4])
    cover = _coverage(ranks, rank, matte)
    if not bool((ranks > rank).any()):
        covered = cover
    else:
        covered = filled(cover, (ranks <= rank).to(rgb.dtype), cells[4:])
    if rank % 2 == 1:
        return Surface(guess[:3], covered, guess[3:], own & (cover == 1), subject=True)
    near = (ranks > rank) & (ranks % 2 == 0) & ((guess[3:] - depth).abs() * reach < CONTINUOUS)
    guess = torch.where(own | near, values, guess)
    covered = torch.where(near, 1.0, covered)
    return Surface(guess[:3], covered, guess[3:], own, subject=False)


def _without_holes(surface: Surface) -> Surface:
    """Let the farthest surface cover everything: there is nothing to see through it."""
    whole = torch.ones_like(surface.cover)
    return Surface(surface.light, whole, surface.depth, surface.shown, subject=surface.subject)


def _separated(
    rgb: Tensor, behind: list[Surface], front: Surface, own: Tensor
) -> tuple[list[Surface], Surface]:
    """Colours of both sides of mixed pixels: the likeliest given smooth guesses of both.

    `rgb = a F + (1 - a) B`; what the guesses do not explain is shared by their variances, taken as
    equal, which is the maximum a posteriori answer for Gaussian errors. Colours are not
    premultiplied here.
    """
    if not behind:
        return behind, Surface(
            torch.where(own, rgb, front.light), front.cover, front.depth, front.shown, subject=True
        )
    back = behind[0].light
    for surface in behind[1:]:
        back = torch.lerp(back, surface.light, surface.cover)
    alpha = front.cover
    rest = (rgb - alpha * front.light - (1.0 - alpha) * back) / (alpha**2 + (1.0 - alpha) ** 2)
    rest = torch.where(own, rest, 0.0)
    light = torch.where(front.shown, rgb, (front.light + alpha * rest).clamp(min=0.0))
    rest = torch.where(alpha < SOLID, (1.0 - alpha) * rest, 0.0)
    behind = [
        Surface((s.light + rest).clamp(min=0.0), s.cover, s.depth, s.shown, subject=s.subject)
        for s in behind
    ]
    return behind, Surface(light, front.cover, front.depth, front.shown, subject=True)
