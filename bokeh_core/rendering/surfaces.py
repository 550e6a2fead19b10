"""Cutting a picture into surfaces, each complete under what hides it, ordered by depth."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn import functional

from bokeh_core.rendering.fill import CELL, filled, trustworthy
from bokeh_core.rendering.frame import bounding_box, part
from bokeh_core.rendering.ranks import (
    CLEAR,
    SOLID,
    SUBJECT,
    coverage,
    is_subject,
    occurring,
    purity,
    ranks_of,
)
from bokeh_core.rendering.resample import enlarged, reduced

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator

    from bokeh_core.lens import Lens
    from bokeh_core.rendering.frame import Bounds
    from bokeh_core.rendering.highlights import Highlights
    from bokeh_core.rendering.levels import Levels
    from bokeh_core.rendering.overview import Overview

CONTINUOUS = 3.0
"""A hidden part within this many pixels of CoC of what hides it is the same surface going on."""


WIDE = 0.97
"""Share of mixed pixels in a cell of half the edge band from which the matte is undecided there."""


@dataclass(frozen=True)
class Surface:
    """One continuous surface of a window, no finer than its blur can show.

    Attributes
    ----------
    light
        (3, h / scale, w / scale) colour premultiplied with coverage, linear light.
    cover
        (1, h / scale, w / scale) coverage in [0, 1].
    depth
        (1, h / scale, w / scale) disparity, continued past where the surface is seen.
    seen
        (1, h, w) bool: this is the nearest surface that the pixel shows.
    subject
        Whether this is (part of) the subject of the matte.
    scale
        Reduction of the planes, a power of two.
    """

    light: Tensor
    cover: Tensor
    depth: Tensor
    seen: Tensor
    subject: bool
    scale: int

    @property
    def nbytes(self) -> int:
        """Memory taken by the planes."""
        return sum(p.nbytes for p in (self.light, self.cover, self.depth, self.seen))


@dataclass(frozen=True)
class Sight:
    """What the cut depends on of the lens.

    Attributes
    ----------
    lens
        With a known focus.
    levels
        Its blur radii.
    highlights
        Of the frame.
    """

    lens: Lens
    levels: Levels
    highlights: Highlights

    @property
    def key(self) -> tuple[Hashable, ...]:
        """The same for lenses that surfaces can be shared by: those that differ in shape only."""
        shape = {"blades", "curvature", "rotation", "squeeze", "cat_eye", "ring", "fringe"}
        shape |= {"kernel", "grain", "grain_seed"}
        return (*(v for k, v in vars(self.lens).items() if k not in shape), self.levels)

    def coc(self, depth: Tensor, matte: Tensor | None) -> Tensor:
        """Give the signed CoC of what is seen; 0 where the subject must stay sharp."""
        coc: Tensor = self.lens.coc(depth)
        if matte is None or not self.lens.keep_subject_sharp:
            return coc
        return coc * (matte < CLEAR)

    def scale(self, coc: Tensor, where: Tensor) -> int:
        """Reduction that a surface seen there bears: that of its least blurred pixel."""
        least = float(torch.where(where, coc.abs(), math.inf).amin())
        return min(self.levels.scale(least), CELL)


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
    sight: Sight,
) -> list[Surface]:
    """Cut one window into surfaces, farthest first.

    Parameters
    ----------
    rgb, depth, matte
        (3, h, w) linear light, (1, h, w) clean disparity, (1, h, w) coverage or None.
    overview
        Of the frame that the window is taken from.
    bounds
        Of the window, on the grid of cells.
    reach
        CoC in pixels that one unit of disparity stands for.
    sight
        What the surfaces will be seen through.
    """
    if matte is not None and not bool((matte > 0).any()):
        matte = None
    wide = None if matte is None else _wide(matte, overview.band)
    inside = _inside(depth, matte, overview, bounds)
    if wide is not None:  # depth knows better there than a solid part far away
        inside = torch.lerp(inside, depth, wide)
    ranks = ranks_of(depth, matte, inside, overview.thresholds)
    coc = sight.coc(depth, matte)
    rgb = sight.highlights.recovered(rgb, coc, matte, bounds, sight.lens)
    view = Window(rgb, depth, matte, ranks, trustworthy(rgb))
    surfaces: list[Surface] = []
    for rank, own in _parts(ranks, overview.thresholds, whole=sight.lens.keep_subject_sharp):
        cells = overview.window(rank, bounds, rgb.device)
        surface = _surface(view, rank, own, cells, reach, sight.scale(coc, own))
        if not surfaces:  # nothing to see through the farthest
            surface = replace(surface, cover=torch.ones_like(surface.cover))
        elif surface.subject:
            if wide is not None:
                surface = _in_doubt(view, wide, surfaces, surface, reach, sight)
            surfaces, surface = _separated(view, surfaces, surface)
        surfaces.append(surface)
    return [replace(s, light=s.light * s.cover) for s in surfaces]


def _parts(
    ranks: Tensor, thresholds: tuple[float, ...], *, whole: bool
) -> Iterator[tuple[int, Tensor]]:
    """Yield rank and pixels of every surface, farthest first; the subject may stay whole.

    A subject that stays sharp lies over everything, whatever its depth: cut into slices it would
    cost three times as much and look the same.
    """
    found = occurring(ranks, thresholds)
    last = max((rank for rank in found if is_subject(rank)), default=0)
    for rank in found:
        if not (whole and is_subject(rank)):
            yield rank, ranks == rank
        elif rank == last:
            yield SUBJECT, ranks % 2 == 1


def _inside(depth: Tensor, matte: Tensor | None, overview: Overview, bounds: Bounds) -> Tensor:
    """Depth of the subject, continued from its solid part into its soft edge."""
    base = overview.window(SUBJECT, bounds, depth.device)
    if matte is None or base is None:
        return depth
    return filled(depth, (matte > SOLID).float(), base[3:4])


def _surface(
    view: Window, rank: int, own: Tensor, cells: Tensor | None, reach: float, scale: int
) -> Surface:
    """One surface, not premultiplied: its own colour where seen, continued where hidden."""
    cover = coverage(own, view.matte, rank)
    if bool(own.all()) and not is_subject(rank):
        light, cover, depth = (reduced(p, scale) for p in (view.rgb, cover, view.depth))
        return Surface(light, cover, depth, own, subject=False, scale=scale)
    guess = filled(
        torch.cat((view.rgb, view.depth)),
        purity(own, view.matte, rank),
        None if cells is None else cells[:4],
        trust=view.trust,
        scale=scale,
    )
    colour, depth = guess[:3], guess[3:]
    known = view.ranks <= rank
    if bool(known.all()):
        cover = reduced(cover, scale)
    else:
        cover = filled(cover, known.float(), None if cells is None else cells[4:], scale=scale)
    if is_subject(rank):
        return Surface(colour, cover, depth, own, subject=True, scale=scale)
    same = (view.ranks > rank) & (view.ranks % 2 == 0)
    same &= (enlarged(depth, scale) - view.depth).abs() * reach < CONTINUOUS
    return Surface(
        _with_real(colour, view.rgb, own | same, scale),
        torch.maximum(cover, reduced(same.float(), scale)),
        _with_real(depth, view.depth, own | same, scale),
        own,
        subject=False,
        scale=scale,
    )


def _with_real(guess: Tensor, planes: Tensor, real: Tensor, scale: int) -> Tensor:
    """Put what is seen over a guess, at the guess's reduction."""
    share = real.float()
    if scale == 1:
        return torch.lerp(guess, planes, share)
    return guess * (1.0 - reduced(share, scale)) + reduced(planes * share, scale)


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
    view: Window, behind: list[Surface], front: Surface
) -> tuple[list[Surface], Surface]:
    """Colours of both sides of mixed pixels: the likeliest given smooth guesses of both.

    `rgb = a F + (1 - a) B`; what the guesses do not explain is shared by their variances, taken as
    equal, which is the maximum a posteriori answer for Gaussian errors. Colours are not
    premultiplied here.
    """
    if front.scale == 1:
        solid = front.seen & (front.cover == 1)
        front = replace(front, light=torch.lerp(front.light, view.rgb, solid.float()))
    assert view.matte is not None
    mixed = front.seen & (view.matte < 1)
    box = bounding_box(mixed[0], CELL)
    if box is None:
        return behind, front
    where = part(box)
    back = _enlarged(behind[0].light, box, behind[0].scale)
    for surface in behind[1:]:
        light, cover = (_enlarged(p, box, surface.scale) for p in (surface.light, surface.cover))
        back = torch.lerp(back, light, cover)
    alpha, guess = (_enlarged(p, box, front.scale) for p in (front.cover, front.light))
    clear = 1.0 - alpha
    rest = view.rgb[where] - torch.lerp(back, guess, alpha)
    rest = rest.mul_(mixed[where] / (alpha * alpha + clear * clear))
    behind_rest = rest * (clear * (alpha < SOLID))
    front = _corrected(front, rest.mul_(alpha), box)
    return [_corrected(s, behind_rest, box) for s in behind], front


def _enlarged(planes: Tensor, box: Bounds, scale: int) -> Tensor:
    return enlarged(planes[part(box, scale)], scale)


def _corrected(surface: Surface, change: Tensor, box: Bounds) -> Surface:
    """Add to a surface's colour what full-size pixels tell."""
    light, where = surface.light.clone(), part(box, surface.scale)
    light[where] = (light[where] + reduced(change, surface.scale)).clamp_(min=0.0)
    return replace(surface, light=light)


def _in_doubt(
    view: Window,
    wide: Tensor,
    behind: list[Surface],
    front: Surface,
    reach: float,
    sight: Sight,
) -> Surface:
    """Show what is seen on both sides of a matte that is not hair but doubt, so no ghost appears.

    The subject takes the colours that are seen, and a surface of its own right behind it too.
    """
    cover = wide * front.seen
    if not bool(cover.any()):
        return front
    within = enlarged(front.depth, front.scale)
    depth = torch.minimum(view.depth, within)
    coc = sight.lens.coc(depth)
    cover = torch.maximum(cover, _beyond(view, cover, (depth - within).abs() * reach, coc))
    scale = sight.scale(coc, cover > 0)
    light, share, depth = (reduced(plane, scale) for plane in (view.rgb, cover, depth))
    nowhere = torch.zeros_like(front.seen)
    behind.append(Surface(light, share, depth, nowhere, subject=False, scale=scale))
    seen, share = (reduced(plane, front.scale) for plane in (view.rgb, wide * front.seen))
    return replace(front, light=torch.lerp(front.light, seen, share))


def _beyond(view: Window, cover: Tensor, away: Tensor, coc: Tensor) -> Tensor:
    """Surroundings that belong to what is in doubt: the solid subject, and the scene as far away.

    Without them the blurred rim of the doubt let the background through as a light line.
    """
    assert view.matte is not None
    radius = float((coc.abs() * (cover > 0)).amax())
    cells = functional.max_pool2d(cover[None], CELL)[0]
    size = 2 * math.ceil((radius + 2.0) / CELL) + 1
    near = functional.max_pool2d(cells[None], size, stride=1, padding=size // 2)[0]
    same = (view.matte > SOLID) | ((view.matte < CLEAR) & (away < CONTINUOUS))
    return enlarged(near, CELL) * same
