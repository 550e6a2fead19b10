"""Pixels that show the subject and what is behind it: whose is which colour, and where is doubt."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import torch
from torch.nn import functional

from bokeh_core.rendering.layers.labels import CLEAR, SOLID
from bokeh_core.rendering.layers.layer import CONTINUOUS, Layer
from bokeh_core.rendering.layers.push_pull import CELL
from bokeh_core.rendering.masks import above, below, some
from bokeh_core.rendering.resample import enlarged, reduced
from bokeh_core.rendering.tiles import Bounds, bounding_box, crop

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from bokeh_core.rendering.layers.layer import Sight, Window

WIDE = 0.97
"""Share of mixed pixels in a cell of half the edge band from which the matte is undecided there."""

ROUGH = 0.15
"""A matte that turns more than this from part to part of a cell is hair, not doubt."""


def undecided(matte: Tensor, band: int) -> Tensor | None:
    """Return where a matte is undecided over more than an edge's width, or None.

    Parameters
    ----------
    matte
        (1, h, w) coverage, at full size: hair that is reduced looks undecided.
    band
        Width of an edge, see `Summary`.

    Returns
    -------
    Tensor or None
        (1, h, w) in [0, 1].
    """
    cell = band // 2
    mixed = above(matte, CLEAR).mul_(below(matte, SOLID))
    if matte.shape[1] % cell or matte.shape[2] % cell or not some(mixed):
        return None
    undecided = above(reduced(mixed, cell), WIDE)
    if not some(undecided):
        return None
    undecided *= below(_roughness(matte, cell), ROUGH)
    if not some(undecided):
        return None
    # its rim too: cells that the doubt ends in kept a light line of background there
    undecided = functional.max_pool2d(undecided[None], 3, stride=1, padding=1)[0]
    return enlarged(undecided, cell) * mixed


def _roughness(matte: Tensor, cell: int) -> Tensor:
    """Return the mean second difference of a matte, along both axes, in each cell of 4 x 4 parts.

    A soft edge has .03 at most; hair, from pixel to pixel more or less covered, .75 and more.
    """
    parts = reduced(matte, cell // 4)
    twist = torch.zeros_like(parts)
    down = parts[:, 2:] - 2.0 * parts[:, 1:-1] + parts[:, :-2]
    right = parts[:, :, 2:] - 2.0 * parts[:, :, 1:-1] + parts[:, :, :-2]
    twist[:, 1:-1] += down.abs_()
    twist[:, :, 1:-1] += right.abs_()
    return reduced(twist, 4)


def separated(window: Window, own: Tensor, behind: Sequence[Layer], front: Layer) -> None:
    """Give layers the colours of both sides of mixed pixels.

    The likeliest ones given smooth guesses of both: `rgb = a F + (1 - a) B`; what the guesses do
    not explain is shared by their variances, taken as equal, which is the maximum a posteriori
    answer for Gaussian errors. Layers that are reduced more than the window are guesses only.

    Parameters
    ----------
    window
        What is seen.
    own
        (1, h, w) 1 where the subject is seen.
    behind, front
        The layers behind the subject, farthest first, and its own; their colours are their own
        too, for those of the window's size are changed.
    """
    assert window.matte is not None
    mixed = own * below(window.matte, 1.0)
    box = bounding_box(mixed[0], CELL // window.scale)
    if box is None:
        return
    where = crop(box)
    back = _at(window, behind[0], behind[0].colour, box)
    for layer in behind[1:]:
        colour = _at(window, layer, layer.colour, box)
        back = torch.lerp(back, colour, _at(window, layer, layer.cover, box))
    alpha = window.matte[where]
    clear = 1.0 - alpha
    rest = window.rgb[where] - torch.lerp(back, _at(window, front, front.colour, box), alpha)
    rest = rest.mul_(mixed[where] / (alpha * alpha + clear * clear))
    behind_rest = rest * (clear * below(alpha, SOLID))
    for layer in behind:
        _correct(window, layer, behind_rest, where)
    _correct(window, front, rest.mul_(alpha), where)


def _at(window: Window, layer: Layer, planes: Tensor, box: Bounds) -> Tensor:
    """Cut a box of the window out of planes that may be coarser."""
    if layer.scale == window.scale:
        return planes[crop(box)]
    top, left = (window.scale * side - window.halo for side in (box.top, box.left))
    frame = Bounds(top, left, window.scale * box.height, window.scale * box.width)
    return enlarged(planes[layer.at(frame)], layer.scale // window.scale)


def _correct(
    window: Window, layer: Layer, change: Tensor, where: tuple[slice, slice, slice]
) -> None:
    """Add to a layer's colour what the mixed pixels tell, in place: a copy took a sixth of all."""
    if layer.scale == window.scale:
        layer.colour[where].add_(change).clamp_(min=0.0)


def in_doubt(
    window: Window,
    doubt: Tensor,
    behind: list[Layer],
    front: Layer,
    inner: Tensor,
    max_coc: float,
    sight: Sight,
) -> Layer:
    """Show what is seen on both sides of a matte that is not hair but doubt, so no ghost appears.

    The subject takes the colours that are seen, and a layer of its own right behind it too.

    Parameters
    ----------
    window
        What is seen.
    doubt
        (1, h, w) how far the matte is undecided in pixels of this layer.
    behind
        Layers behind the subject; one is added.
    front, inner
        The subject's layer and its (1, h, w) disparity.
    max_coc
        CoC in pixels that one unit of disparity stands for.
    sight
        The lens.
    """
    if not some(doubt):
        return front
    depth = torch.minimum(window.depth, inner)
    coc = sight.lens.coc(depth)
    around = _beyond(window, doubt, (depth - inner).abs() * max_coc, coc)
    cover = torch.maximum(doubt, around)
    nowhere = torch.zeros_like(cover)
    layer = (front.rank - 0.5, window.rgb.clone(), cover, coc, nowhere, window.scale, window.halo)
    behind.append(Layer(*layer))
    return replace(front, colour=torch.lerp(front.colour, window.rgb, doubt))


def _beyond(window: Window, cover: Tensor, away: Tensor, coc: Tensor) -> Tensor:
    """Surroundings that belong to what is in doubt: the solid subject, and the scene as far away.

    Without them the blurred rim of the doubt let the background through as a light line.
    """
    assert window.matte is not None
    side = CELL // window.scale
    radius = float((coc.abs() * above(cover, 0.0)).amax())
    cells = functional.max_pool2d(cover[None], side)[0]
    size = 2 * math.ceil((radius + 2.0) / CELL) + 1
    near = functional.max_pool2d(cells[None], size, stride=1, padding=size // 2)[0]
    same = below(window.matte, CLEAR).mul_(below(away, CONTINUOUS))
    same = torch.maximum(same, above(window.matte, SOLID))
    return enlarged(near, side) * same
