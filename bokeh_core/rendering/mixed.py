"""Pixels that show the subject and what is behind it: whose is which colour, and where is doubt."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import torch
from torch.nn import functional

from bokeh_core.rendering.fill import CELL
from bokeh_core.rendering.frame import bounding_box, part
from bokeh_core.rendering.ranks import CLEAR, SOLID
from bokeh_core.rendering.resample import enlarged, reduced
from bokeh_core.rendering.surface import CONTINUOUS, Surface

if TYPE_CHECKING:
    from torch import Tensor

    from bokeh_core.rendering.frame import Bounds
    from bokeh_core.rendering.surface import Sight, Window

WIDE = 0.97
"""Share of mixed pixels in a cell of half the edge band from which the matte is undecided there."""


def undecided(matte: Tensor, band: int) -> Tensor | None:
    """Where a matte is undecided over more than an edge's width, (1, h, w) in [0, 1], or None."""
    cell = band // 2
    mixed = ((matte > CLEAR) & (matte < SOLID)).float()
    if matte.shape[1] % cell or matte.shape[2] % cell or not bool(mixed.any()):
        return None
    undecided = (reduced(mixed, cell) > WIDE).float()
    # its rim too: cells that the doubt ends in kept a light line of background there
    undecided = functional.max_pool2d(undecided[None], 3, stride=1, padding=1)[0]
    return enlarged(undecided, cell) * mixed if bool(undecided.any()) else None


def separated(view: Window, behind: list[Surface], front: Surface) -> tuple[list[Surface], Surface]:
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


def in_doubt(
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
