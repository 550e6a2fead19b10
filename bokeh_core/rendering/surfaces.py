"""Cutting a picture into surfaces, each complete under what hides it, ordered by depth."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from bokeh_core.rendering.fill import filled, trustworthy
from bokeh_core.rendering.mixed import in_doubt, separated, undecided
from bokeh_core.rendering.ranks import (
    SOLID,
    SUBJECT,
    coverage,
    is_subject,
    occurring,
    purity,
    ranks_of,
)
from bokeh_core.rendering.resample import enlarged, reduced
from bokeh_core.rendering.surface import CONTINUOUS, Sight, Surface, Window

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bokeh_core.rendering.frame import Bounds
    from bokeh_core.rendering.overview import Overview


def cut(
    rgb: Tensor,
    depth: Tensor,
    matte: Tensor | None,
    overview: Overview,
    bounds: Bounds,
    reach: float,
    sight: Sight,
    step: Callable[[], None],
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
    step
        Called between units of work.
    """
    if matte is not None and not bool((matte > 0).any()):
        matte = None
    wide = None if matte is None else undecided(matte, overview.band)
    inside = _inside(depth, matte, overview, bounds)
    if wide is not None:  # depth knows better there than a solid part far away
        inside = torch.lerp(inside, depth, wide)
    ranks = ranks_of(depth, matte, inside, overview.thresholds)
    coc = sight.coc(depth, matte)
    rgb = sight.highlights.recovered(rgb, coc, matte, bounds, sight.lens)
    view = Window(rgb, depth, matte, ranks, trustworthy(rgb))
    surfaces: list[Surface] = []
    for rank, own in _parts(ranks, overview.thresholds, whole=sight.lens.keep_subject_sharp):
        step()
        cells = overview.window(rank, bounds, rgb.device)
        surface = _surface(view, rank, own, cells, reach, sight.scale(coc, own))
        if not surfaces:  # nothing to see through the farthest
            surface = replace(surface, cover=torch.ones_like(surface.cover))
        elif surface.subject:
            step()
            if wide is not None:
                surface = in_doubt(view, wide, surfaces, surface, reach, sight)
            surfaces, surface = separated(view, surfaces, surface)
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
            yield SUBJECT, is_subject(ranks)


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
    same = (view.ranks > rank) & ~is_subject(view.ranks)
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
