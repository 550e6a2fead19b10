"""Cutting a picture into surfaces, each complete under what hides it, ordered by depth."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn import functional

from bokeh_core.rendering.clean import cleaned
from bokeh_core.rendering.fill import filled, trustworthy
from bokeh_core.rendering.ranks import (
    CLEAR,
    SOLID,
    coverage,
    is_subject,
    occurring,
    purity,
    ranks_of,
)
from bokeh_core.rendering.resample import enlarged, reduced

if TYPE_CHECKING:
    from bokeh_core.rendering.frame import Bounds
    from bokeh_core.rendering.overview import Overview

CONTINUOUS = 3.0
"""A hidden part within this many pixels of CoC of what hides it is the same surface going on."""


WIDE = 0.97
"""Share of mixed pixels in a cell of half the edge band from which the matte is undecided there."""


@dataclass(frozen=True)
class Surface:
    """One continuous surface of a window.

    Attributes
    ----------
    light
        (3, h, w) colour premultiplied with coverage, linear light.
    cover
        (1, h, w) coverage in [0, 1].
    depth
        (1, h, w) disparity, continued past where the surface is seen.
    seen
        (1, h, w) bool: this is the nearest surface that the pixel shows.
    subject
        Whether this is (part of) the subject of the matte.
    """

    light: Tensor
    cover: Tensor
    depth: Tensor
    seen: Tensor
    subject: bool

    @property
    def nbytes(self) -> int:
        """Memory taken by the planes."""
        return sum(p.nbytes for p in (self.light, self.cover, self.depth, self.seen))

    @property
    def shown(self) -> Tensor:
        """(1, h, w) bool: the pixel shows this surface and nothing else."""
        return self.seen & (self.cover == 1)


@dataclass(frozen=True)
class Window:
    """The pixels that surfaces are cut from: (3, h, w), (1, h, w), (1, h, w) or None, and ranks."""

    rgb: Tensor
    depth: Tensor
    matte: Tensor | None
    ranks: Tensor
    trust: Tensor


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
    depth = cleaned(depth, matte, reach, overview.blemishes)
    wide = None if matte is None else _wide(matte, overview.blemishes.band)
    inside = _inside(depth, matte, overview, bounds)
    if wide is not None:  # depth knows better there than a solid part far away
        inside = torch.lerp(inside, depth, wide)
    ranks = ranks_of(depth, matte, inside, overview.thresholds)
    view = Window(rgb, depth, matte, ranks, trustworthy(rgb))
    surfaces: list[Surface] = []
    for rank in occurring(ranks, overview.thresholds):
        cells = overview.window(rank, bounds, rgb.device) if rank in overview.cells else None
        surface = _surface(view, rank, cells, reach)
        if not surfaces:  # nothing to see through the farthest
            surface = replace(surface, cover=torch.ones_like(depth))
        elif surface.subject:
            surfaces, surface = _separated(rgb, depth, wide, surfaces, surface)
        surfaces.append(surface)
    return [replace(s, light=s.light * s.cover) for s in surfaces]


def _inside(depth: Tensor, matte: Tensor | None, overview: Overview, bounds: Bounds) -> Tensor:
    """Depth of the subject, continued from its solid part into its soft edge."""
    subject = [rank for rank in overview.cells if is_subject(rank)]
    if matte is None or not subject:
        return depth
    base = overview.window(subject[0], bounds, depth.device)[3:4]
    return filled(depth, (matte > SOLID).float(), base)


def _surface(view: Window, rank: int, cells: Tensor | None, reach: float) -> Surface:
    """One surface, not premultiplied: its own colour where seen, continued where hidden."""
    own = view.ranks == rank
    cover = coverage(own, view.matte, rank)
    if bool(own.all()) and not is_subject(rank):
        return Surface(view.rgb, cover, view.depth, own, subject=False)
    guess = filled(
        torch.cat((view.rgb, view.depth)),
        purity(own, view.matte, rank),
        None if cells is None else cells[:4],
        trust=view.trust,
    )
    colour, depth = guess[:3], guess[3:]
    known = view.ranks <= rank
    if not bool(known.all()):
        cover = filled(cover, known.float(), None if cells is None else cells[4:])
    if is_subject(rank):
        return Surface(colour, cover, depth, own, subject=True)
    same = (view.ranks > rank) & (view.ranks % 2 == 0)
    same &= (depth - view.depth).abs() * reach < CONTINUOUS
    real = (own | same).float()
    return Surface(
        torch.lerp(colour, view.rgb, real),
        torch.maximum(cover, same.float()),
        torch.lerp(depth, view.depth, real),
        own,
        subject=False,
    )


def _wide(matte: Tensor, band: int) -> Tensor | None:
    """Where a matte is undecided over more than an edge's width, (1, h, w) in [0, 1], or None."""
    cell = band // 2
    mixed = ((matte > CLEAR) & (matte < SOLID)).float()
    if matte.shape[1] % cell or matte.shape[2] % cell or not bool(mixed.any()):
        return None
    undecided = (reduced(mixed, cell) > WIDE).float()
    # its rim too: cells that the doubt ends in kept a light line of background there
    undecided = functional.max_pool2d(undecided[None], 3, stride=1, padding=1)[0]
    return enlarged(undecided, cell) * mixed if bool(undecided.any()) else None


def _separated(
    rgb: Tensor,
    depth: Tensor,
    wide: Tensor | None,
    behind: list[Surface],
    front: Surface,
) -> tuple[list[Surface], Surface]:
    """Colours of both sides of mixed pixels: the likeliest given smooth guesses of both.

    `rgb = a F + (1 - a) B`; what the guesses do not explain is shared by their variances, taken as
    equal, which is the maximum a posteriori answer for Gaussian errors. Colours are not
    premultiplied here.
    """
    if (
        wide is not None
    ):  # not hair but doubt: both sides are what is seen, so that no ghost appears
        behind = [
            replace(
                s,
                light=torch.lerp(s.light, rgb, wide),
                depth=torch.lerp(s.depth, torch.minimum(depth, front.depth), wide),
            )
            for s in behind
        ]
        front = replace(front, light=torch.lerp(front.light, rgb, wide))
    back = behind[0].light
    for surface in behind[1:]:
        back = torch.lerp(back, surface.light, surface.cover)
    alpha, clear = front.cover, 1.0 - front.cover
    rest = rgb - torch.lerp(back, front.light, alpha)
    rest = rest.mul_(front.seen / (alpha * alpha + clear * clear))
    light = (front.light + alpha * rest).clamp_(min=0.0)
    light = torch.lerp(light, rgb, front.shown.float())
    rest = rest.mul_(clear * (alpha < SOLID))
    behind = [replace(s, light=(s.light + rest).clamp_(min=0.0)) for s in behind]
    return behind, replace(front, light=light)
