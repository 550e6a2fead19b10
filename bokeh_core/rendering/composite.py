"""Blurring the layers of one tile and laying them over each other, nearest first."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from bokeh_core.rendering.aperture_blur.kernel import support_factor
from bokeh_core.rendering.layers.push_pull import CELL
from bokeh_core.rendering.masks import above, equal, every
from bokeh_core.rendering.resample import enlarged
from bokeh_core.rendering.tiles import Bounds, bounding_box, crop, fast_size

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bokeh_core.rendering.aperture_blur.field_kernels import Field
    from bokeh_core.rendering.aperture_blur.scatter import Blur
    from bokeh_core.rendering.layers.layer import Layer

FAINTEST = 1e-4
"""Coverage below this is rounding of the transforms, not a layer."""
THINNEST = 1e-3
"""Density below this is not divided by."""
SIZES = 64
"""Transforms are multiples of this, so that few sizes of transformed kernels are kept."""


def composite(
    layers: list[Layer],
    blur: Blur,
    field: Field,
    core: Bounds,
    step: Callable[[], None],
) -> Tensor:
    """Blur every layer and add up what is seen of it through those in front.

    Going from the nearest to the farthest, only the part that is still visible is blurred. What is
    in focus and not veiled is copied, so it stays as it is to the last bit.

    Parameters
    ----------
    layers
        Of one tile, at all the sizes they are blurred at.
    blur, field
        What to blur with, and where the tile lies.
    core
        The tile, from its own corner.
    step
        Called between units of work.

    Returns
    -------
    Tensor
        (3, core.height, core.width).
    """
    device = layers[0].colour.device
    light = torch.zeros(3, core.height, core.width, device=device)
    colours = 3 if blur.lens.fringe else 1  # each colour has a coverage of its own
    through = torch.ones(colours, core.height, core.width, device=device)
    for sizes in _nearest_first(layers, keep_subject_sharp=blur.lens.keep_subject_sharp):
        step()
        box = _needed(sizes, through, core, blur)
        if box is None:
            continue
        here = crop(box)
        blurred = _Scatter(sizes, blur, field, box, step).result()
        if blurred is None:
            continue
        colour, cover = blurred
        finest = sizes[0]
        least, most = finest.coc_ends
        if finest.scale == 1 and least <= 0.0 <= most:
            where = finest.at(box)
            sharp = equal(finest.coc[where], 0.0).mul_(finest.seen[where])
            sharp.mul_(equal(finest.cover[where], 1.0))
            colour.lerp_(finest.colour[where], sharp)
            cover.lerp_(torch.ones_like(cover), sharp)
        light[here].addcmul_(through[here], colour)
        through[here].mul_(cover.neg_().add_(1.0))
        step()
    # a part of the farthest layer that is blurred at a size where nothing of it was near
    return light.div_((1.0 - through).clamp_(min=THINNEST))


def _nearest_first(layers: list[Layer], *, keep_subject_sharp: bool) -> list[list[Layer]]:
    """Return the sizes of every layer, finest first; a subject kept sharp comes before all."""
    order = sorted(layers, key=lambda layer: (-layer.rank, layer.scale))
    if keep_subject_sharp:  # as far as it is seen
        order = [layer.only_seen() for layer in order if layer.subject] + [
            layer for layer in order if not layer.subject
        ]
    return [list(sizes) for _, sizes in groupby(order, key=lambda layer: layer.rank)]


def _needed(sizes: list[Layer], through: Tensor, core: Bounds, blur: Blur) -> Bounds | None:
    """Rectangle of the tile where the layer can add light and nothing hides it."""
    reached = [box for layer in sizes if (box := _reached(layer, blur)) is not None]
    box = Bounds.around(reached).within(core, 1) if reached else None
    if box is None:
        return None
    visible = bounding_box(through[crop(box)].amax(dim=0), limit=FAINTEST)
    return None if visible is None else visible.seen_from(Bounds(-box.top, -box.left, 0, 0))


def _reached(layer: Layer, blur: Blur) -> Bounds | None:
    """Rectangle that light of one size of a layer gets to, in pixels from the tile's corner."""
    covered = bounding_box(layer.cover[0])
    if covered is None:
        return None
    return layer.framed(covered).grown(_extent(layer, blur) + 2 * layer.scale)


def _extent(layer: Layer, blur: Blur) -> int:
    """Pixels that light gets to: what lies between two radii has a part in the larger."""
    least, most = layer.coc_ends
    radius = blur.radii.at_least(max(-least, most))
    return math.ceil(radius * support_factor(blur.lens))


@dataclass(frozen=True)
class _Scatter:
    """One layer blurred for the pixels of a box.

    Scattering alone piles light up where the CoC shrinks and thins it where it grows; a lens does
    not, so light and coverage are divided by what a layer of even density becomes.
    """

    sizes: Sequence[Layer]
    blur: Blur
    field: Field
    box: Bounds
    step: Callable[[], None]

    def result(self) -> tuple[Tensor, Tensor] | None:
        """Return premultiplied light and coverage of the box; None = no light gets there."""
        coarsest = self.sizes[-1].scale
        region = self.box if coarsest == 1 else _with_margin(self.box, 2 * coarsest)
        full = all(layer.full for layer in self.sizes)
        total: Tensor | None = None
        scale = coarsest
        for layer in reversed(self.sizes):
            share = self.blur.radii.share(layer.coc, layer.scale)
            lit = self._lit(layer, share, region)
            if total is not None:
                total = enlarged(total, scale // layer.scale)
            scale = layer.scale
            if lit is None:
                continue
            part = self._blurred(layer, share, lit, full=full)
            if total is None and lit == region:
                total = part
                continue
            if total is None:
                sides = (region.height // scale, region.width // scale)
                total = part.new_zeros(part.shape[0], *sides)
            total[crop(lit.seen_from(region), scale)] += part
        if total is None:
            return None
        total = enlarged(total, self.sizes[0].scale)
        return self._normalised(total[crop(self.box.seen_from(region))], full=full)

    def _lit(self, layer: Layer, share: Tensor | None, region: Bounds) -> Bounds | None:
        """Part of the region that what is blurred at this size throws light on; None = nothing."""
        if share is None:
            return region
        found = bounding_box(share[0])
        if found is None:
            return None
        return layer.framed(found).grown(layer.halo).within(region, self.sizes[-1].scale)

    def _blurred(self, layer: Layer, share: Tensor | None, region: Bounds, *, full: bool) -> Tensor:
        """Blur one size of the layer for a region; light, coverage and, if needed, density."""
        blur = self.blur
        radius = _extent(layer, blur)
        source = _source(layer, region, radius, blur) if radius else region
        where = layer.at(source)
        coc, cover = layer.coc[where], layer.cover[where]
        share = None if share is None else share[where]
        weight = cover if share is None else cover * share
        colours = 3 if blur.lens.fringe else 1
        least, most = (float(end) for end in torch.aminmax(coc))
        even = len(self.sizes) == 1 and most - least <= 1e-3
        planes = cover.new_empty(3 + (1 if full or even else 2) * colours, *cover.shape[1:])
        torch.mul(layer.colour[where], weight, out=planes[:3])
        planes[3 : 3 + colours] = weight
        planes[3 + colours :] = 1.0 if share is None else share
        blurred = blur(
            planes,
            coc,
            weight.clamp(min=THINNEST),
            base=layer.scale,
            nodes=self.field.nodes(source),
            step=self.step,
        )
        return blurred[crop(region.seen_from(source), layer.scale)]

    def _normalised(self, planes: Tensor, *, full: bool) -> tuple[Tensor, Tensor]:
        colours = 3 if self.blur.lens.fringe else 1
        light, cover = planes[:3], planes[3 : 3 + colours]
        if full or planes.shape[0] > 3 + colours:
            density = planes[-colours:].clamp(min=THINNEST)
            light.div_(density)
            cover.div_(density)
        if every(cover):
            return light, cover.fill_(1.0)
        present = above(cover, FAINTEST)
        return light.mul_(present), cover.clamp_(max=1.0).mul_(present)


def _with_margin(box: Bounds, grid: int) -> Bounds:
    """Return the box on a grid, with one step of it more on every side to interpolate with."""
    top, left = box.top // grid * grid - grid, box.left // grid * grid - grid
    bottom = -(-(box.top + box.height) // grid) * grid + grid
    right = -(-(box.left + box.width) // grid) * grid + grid
    return Bounds(top, left, bottom - top, right - left)


def _source(layer: Layer, region: Bounds, radius: int, blur: Blur) -> Bounds:
    """Rectangle that light in a region can come from, on the grid of reductions."""
    coarsest = blur.radii.coarsest_at(layer.scale)
    grid, margin = max(coarsest, CELL), radius + 2 * coarsest
    height, width = (layer.scale * side for side in layer.coc.shape[1:])
    top, rows = _span(region.top + layer.halo, region.height, margin, grid, height)
    left, columns = _span(region.left + layer.halo, region.width, margin, grid, width)
    return Bounds(top - layer.halo, left - layer.halo, rows, columns)


def _span(start: int, count: int, margin: int, grid: int, limit: int) -> tuple[int, int]:
    first = max(0, (start - margin) // grid * grid)
    size = min(fast_size(start + count + margin - first, SIZES), limit)
    return min(first, limit - size) // grid * grid, size
