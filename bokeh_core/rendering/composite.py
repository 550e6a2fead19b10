"""Blurring the surfaces of one window and laying them over each other, nearest first."""

from __future__ import annotations

import math
from dataclasses import astuple, replace
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from bokeh_core.rendering.fill import CELL
from bokeh_core.rendering.frame import Bounds, bounding_box, fast_size, part
from bokeh_core.rendering.kernels import reach_factor
from bokeh_core.rendering.resample import enlarged

if TYPE_CHECKING:
    from collections.abc import Callable

    from bokeh_core.lens import Lens
    from bokeh_core.rendering.blur import Blur
    from bokeh_core.rendering.field import Field
    from bokeh_core.rendering.surface import Surface

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
        box = _needed(surface, coc, through, core, blur)
        if box is None:
            continue
        here = (slice(None), *_within(box, core))
        colour, cover = _scattered(surface, coc, blur, field, box, step)
        if surface.scale == 1:
            where = part(box)
            shown = surface.seen[where] & (surface.cover[where] == 1)
            sharp = ((coc[where] == 0) & shown).float()
            colour = torch.lerp(colour, surface.light[where], sharp)
            cover = torch.lerp(cover, torch.ones_like(cover), sharp)
        light[here] += through[here] * colour
        through[here] *= 1.0 - cover
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
    surface: Surface, coc: Tensor, through: Tensor, core: Bounds, blur: Blur
) -> Bounds | None:
    """Rectangle of the core where the surface can add light and nothing hides it."""
    visible = through.amax(dim=0) > FAINTEST
    covered = surface.cover[0] > 0
    if bool(covered.all()):
        support = bounding_box(visible)
    else:
        seen = bounding_box(covered)
        if seen is None:
            return None
        radius = _reach(float(coc.abs().amax()), blur) + 2 * surface.scale
        grown = Bounds(*(surface.scale * value for value in astuple(seen))).grown(radius)
        mask = torch.zeros_like(visible)
        top, left = max(grown.top - core.top, 0), max(grown.left - core.left, 0)
        bottom, right = grown.top + grown.height - core.top, grown.left + grown.width - core.left
        mask[top : max(bottom, 0), left : max(right, 0)] = True
        support = bounding_box(visible & mask)
    if support is None:
        return None
    return replace(support, top=support.top + core.top, left=support.left + core.left)


def _scattered(
    surface: Surface,
    coc: Tensor,
    blur: Blur,
    field: Field,
    box: Bounds,
    step: Callable[[], None],
) -> tuple[Tensor, Tensor]:
    """Blur one surface for the pixels in `box`: premultiplied light and coverage.

    Scattering alone piles light up where the CoC shrinks and thins it where it grows; a lens does
    not, so both are divided by what a surface of even density becomes.
    """
    scale = surface.scale
    radius = float(coc.abs().amax())
    source = _source(box, radius, blur, *(scale * side for side in coc.shape[1:]))
    where = part(source, scale)
    colours = 3 if blur.lens.fringe else 1
    cover, coc = surface.cover[where], coc[where]
    planes = [surface.light[where], cover.expand(colours, -1, -1)]
    full = bool((cover == 1).all())
    least, most = (float(value) for value in torch.aminmax(coc))
    uneven = most - least > 1e-3 or field.varies
    if uneven and not full:
        planes.append(torch.ones_like(planes[1]))
    blurred = field.apply(blur, torch.cat(planes), coc, cover.clamp(min=1e-3), source, scale, step)
    blurred = _enlarged(blurred, box, source, scale)
    light, cover = blurred[:3], blurred[3 : 3 + colours]
    if full or uneven:
        density = blurred[-colours:].clamp(min=1e-3)
        light, cover = light / density, cover / density
    present = cover > FAINTEST
    return light * present, cover.clamp_(max=1.0) * present


def _enlarged(planes: Tensor, box: Bounds, source: Bounds, scale: int) -> Tensor:
    """Bring `box` out of the reduced planes of `source` to full size."""
    if scale > 1:  # one coarse pixel more on every side, to interpolate with
        top = max(box.top - source.top - scale, 0) // scale * scale
        left = max(box.left - source.left - scale, 0) // scale * scale
        height = box.top + box.height + 2 * scale - source.top - top
        width = box.left + box.width + 2 * scale - source.left - left
        planes = planes[
            :,
            top // scale : (top + height) // scale,
            left // scale : (left + width) // scale,
        ]
        planes = enlarged(planes, scale)
        source = replace(source, top=source.top + top, left=source.left + left)
    rows, columns = _within(box, source)
    return planes[:, rows, columns]


def _source(box: Bounds, radius: float, blur: Blur, height: int, width: int) -> Bounds:
    """Rectangle of the window that light in `box` can come from, on the grid of reductions."""
    if radius == 0.0:
        return box
    grid = max(blur.levels.coarsest, CELL)
    reach = _reach(radius, blur) + 2 * blur.levels.coarsest
    top, rows = _span(box.top, box.height, reach, grid, height)
    left, columns = _span(box.left, box.width, reach, grid, width)
    return Bounds(top, left, rows, columns)


def _reach(coc: float, blur: Blur) -> int:
    """Pixels that light of a CoC gets to: what lies between two radii has a part in the larger."""
    return math.ceil(blur.levels.reach(coc) * reach_factor(blur.lens))


def _span(start: int, count: int, reach: int, grid: int, limit: int) -> tuple[int, int]:
    first = max(0, (start - reach) // grid * grid)
    size = min(fast_size(start + count + reach - first, SIZES), limit)
    return min(first, limit - size) // grid * grid, size


def _within(inner: Bounds, outer: Bounds) -> tuple[slice, slice]:
    top, left = inner.top - outer.top, inner.left - outer.left
    return slice(top, top + inner.height), slice(left, left + inner.width)
