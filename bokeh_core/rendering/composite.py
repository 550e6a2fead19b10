"""Blurring the surfaces of one window and laying them over each other, nearest first."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from bokeh_core.rendering.frame import Bounds, fast_size
from bokeh_core.rendering.kernels import reach_factor

if TYPE_CHECKING:
    from collections.abc import Callable

    from bokeh_core.lens import Lens
    from bokeh_core.rendering.blur import Blur
    from bokeh_core.rendering.field import Field
    from bokeh_core.rendering.surfaces import Surface

FAINTEST = 1e-4
"""Coverage below this is rounding of the transforms, not a surface."""
SIZES = 64
"""Transforms are multiples of this, so that few sizes of transformed kernels are kept."""


def composite(
    surfaces: list[Surface],
    lens: Lens,
    blur: Blur,
    field: Field,
    core: Bounds,
    step: Callable[[], None],
) -> Tensor:
    """Blur every surface and add up what is seen of it through those in front.

    Going from the nearest to the farthest, only the part that is still visible is blurred. What is
    in focus and not veiled is copied, so it stays as it is to the last bit.

    Parameters
    ----------
    surfaces
        Farthest first, of one window.
    core
        The part of the window that is wanted; the rest is margin.
    step
        Called between units of work.

    Returns
    -------
    Tensor
        (3, core.height, core.width).
    """
    device = surfaces[0].light.device
    light = torch.zeros(3, core.height, core.width, device=device)
    colours = 3 if lens.fringe else 1  # each colour has a coverage of its own
    through = torch.ones(colours, core.height, core.width, device=device)
    for surface in _nearest_first(surfaces, lens):
        step()
        coc = torch.zeros_like(surface.depth)
        if not (surface.subject and lens.keep_subject_sharp):
            coc = lens.coc(surface.depth)
        box = _needed(surface, coc, through, core, reach_factor(lens))
        if box is None:
            continue
        rows, columns = _within(box, core)
        part = (slice(None), rows, columns)
        colour, cover = _scattered(surface, coc, blur, field, box)
        where = _slices(box)
        sharp = ((coc[where] == 0) & surface.shown[where]).float()
        colour = torch.lerp(colour, surface.light[where], sharp)
        cover = torch.lerp(cover, torch.ones_like(cover), sharp)
        light[part] += through[part] * colour
        through[part] *= 1.0 - cover
        step()
    return light


def _nearest_first(surfaces: list[Surface], lens: Lens) -> list[Surface]:
    """Order the surfaces; a subject that must stay sharp comes before all, as far as it is seen."""
    order = surfaces[::-1]
    if not lens.keep_subject_sharp:
        return order
    subject = [
        replace(s, light=s.light * s.seen, cover=s.cover * s.seen) for s in order if s.subject
    ]
    return subject + [s for s in order if not s.subject]


def _needed(
    surface: Surface, coc: Tensor, through: Tensor, core: Bounds, stretch: float
) -> Bounds | None:
    """Rectangle of the core where the surface can add light and nothing hides it."""
    visible = through.amax(dim=0) > FAINTEST
    covered = surface.cover[0] > 0
    if bool(covered.all()):
        support = _box(visible)
    else:
        seen = _box(covered)
        if seen is None:
            return None
        radius = math.ceil(float(coc.abs().amax()) * stretch) + 2
        grown = seen.grown(radius)
        mask = torch.zeros_like(covered)
        mask[
            max(grown.top, 0) : grown.top + grown.height,
            max(grown.left, 0) : grown.left + grown.width,
        ] = True
        support = _box(visible & mask[_slices(core)[1:]])
    if support is None:
        return None
    return replace(support, top=support.top + core.top, left=support.left + core.left)


def _box(mask: Tensor) -> Bounds | None:
    """Bounding box of the true pixels of (h, w)."""
    rows = torch.nonzero(mask.any(dim=1)).flatten()
    if rows.numel() == 0:
        return None
    columns = torch.nonzero(mask.any(dim=0)).flatten()
    top, left = int(rows[0]), int(columns[0])
    return Bounds(top, left, int(rows[-1]) + 1 - top, int(columns[-1]) + 1 - left)


def _scattered(
    surface: Surface, coc: Tensor, blur: Blur, field: Field, box: Bounds
) -> tuple[Tensor, Tensor]:
    """Blur one surface for the pixels in `box`: premultiplied light and coverage.

    Scattering alone piles light up where the CoC shrinks and thins it where it grows; a lens does
    not, so both are divided by what a surface of even density becomes.
    """
    radius = float(coc.abs().amax())
    source = _source(box, radius, blur, coc.shape[1], coc.shape[2])
    where = _slices(source)
    colours = 3 if blur.lens.fringe else 1
    cover, coc = surface.cover[where], coc[where]
    planes = [surface.light[where], cover.expand(colours, -1, -1)]
    full = bool((cover == 1).all())
    least, most = (float(value) for value in torch.aminmax(coc))
    uneven = most - least > 1e-3 or field.varies
    if uneven and not full:
        planes.append(torch.ones_like(planes[1]))
    blurred = field.apply(blur, torch.cat(planes), coc, cover.clamp(min=1e-3), source)
    rows, columns = _within(box, source)
    blurred = blurred[:, rows, columns]
    light, cover = blurred[:3], blurred[3 : 3 + colours]
    if full or uneven:
        density = blurred[-colours:].clamp(min=1e-3)
        light, cover = light / density, cover / density
    present = cover > FAINTEST
    return light * present, cover.clamp_(max=1.0) * present


def _source(box: Bounds, radius: float, blur: Blur, height: int, width: int) -> Bounds:
    """Rectangle of the window that light in `box` can come from, on the grid of reductions."""
    if radius == 0.0:
        return box
    grid = blur.levels.coarsest
    reach = math.ceil(blur.levels.reach(radius) * reach_factor(blur.lens)) + 2 * grid
    top, rows = _span(box.top, box.height, reach, grid, height)
    left, columns = _span(box.left, box.width, reach, grid, width)
    return Bounds(top, left, rows, columns)


def _span(start: int, count: int, reach: int, grid: int, limit: int) -> tuple[int, int]:
    first = max(0, (start - reach) // grid * grid)
    size = min(fast_size(start + count + reach - first, SIZES), limit)
    return min(first, limit - size) // grid * grid, size


def _slices(bounds: Bounds) -> tuple[slice, slice, slice]:
    return (
        slice(None),
        slice(bounds.top, bounds.top + bounds.height),
        slice(bounds.left, bounds.left + bounds.width),
    )


def _within(inner: Bounds, outer: Bounds) -> tuple[slice, slice]:
    top, left = inner.top - outer.top, inner.left - outer.left
    return slice(top, top + inner.height), slice(left, left + inner.width)
