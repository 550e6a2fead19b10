"""The lens renderer: cut into surfaces, blur each by its circle of confusion, composite."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from bokeh_core.rendering.blur import Blur
from bokeh_core.rendering.fill import CELL
from bokeh_core.rendering.frame import Bounds, fast_size, tiles, window
from bokeh_core.rendering.kernels import reach_factor
from bokeh_core.rendering.levels import Levels, Quality
from bokeh_core.rendering.surfaces import Overview, Surface, cut

if TYPE_CHECKING:
    from bokeh_core.lens import Lens
    from bokeh_core.progress import Progress

FILL_MARGIN = 32
"""Extra halo in pixels from which hidden parts of a surface are continued."""
FAINTEST = 1e-4
"""Coverage below this is rounding of the transforms, not a surface."""


def render_lens(
    rgb: Tensor,
    depth: Tensor,
    matte: Tensor | None,
    lens: Lens,
    *,
    quality: Quality,
    core: int,
    device: torch.device,
    progress: Progress,
) -> Tensor:
    """Render (H, W, 3) linear light through a lens with a known focus; arguments as of `render`."""
    out = torch.empty_like(rgb)
    reach = largest_coc(lens)
    levels = Levels.up_to(reach, quality)
    blur = Blur(lens, levels, device)
    halo = math.ceil(levels.radii[-1] * reach_factor(lens)) + FILL_MARGIN
    grid = max(levels.coarsest, CELL)
    halo = -(-halo // grid) * grid
    core = max(core // grid, 1) * grid
    overview = Overview.of(rgb, depth, matte, lens.max_coc)
    work = tiles(depth.shape[0], depth.shape[1], core)
    for done, tile in enumerate(work):
        progress("render", done / len(work))
        region = _tile(rgb, depth, matte, lens, tile, halo, blur, overview)
        rows, columns = (
            slice(tile.top, tile.top + tile.height),
            slice(tile.left, tile.left + tile.width),
        )
        out[rows, columns] = region.permute(1, 2, 0).to(out.device)
    progress("render", 1.0)
    return out


def largest_coc(lens: Lens) -> float:
    """Give the largest CoC radius in pixels that any depth in [0, 1] can have with this lens."""
    ends = lens.coc(torch.tensor([0.0, 1.0]))
    return float(ends.abs().max())


def _tile(
    rgb: Tensor,
    depth: Tensor,
    matte: Tensor | None,
    lens: Lens,
    tile: Bounds,
    halo: int,
    blur: Blur,
    overview: Overview,
) -> Tensor:
    multiple = max(CELL, blur.levels.coarsest)
    padded = Bounds(
        tile.top - halo,
        tile.left - halo,
        fast_size(tile.height + 2 * halo, multiple),
        fast_size(tile.width + 2 * halo, multiple),
    )
    picture, disparity, cover = (
        window(plane, padded, blur.device) if plane is not None else None
        for plane in (rgb, depth, matte)
    )
    assert picture is not None
    assert disparity is not None
    surfaces = cut(picture, disparity, cover, overview, padded, lens.max_coc)
    inner = (slice(None), slice(halo, halo + tile.height), slice(halo, halo + tile.width))
    return _composite(surfaces, lens, blur, inner)


def _composite(
    surfaces: list[Surface], lens: Lens, blur: Blur, inner: tuple[slice, slice, slice]
) -> Tensor:
    """Blur every surface and lay it over what is behind it; what is in focus stays as it is."""
    result: Tensor | None = None
    for surface in surfaces:
        coc = lens.coc(surface.depth)
        if surface.subject and lens.keep_subject_sharp:
            coc = torch.zeros_like(coc)
        light, cover = _scattered(surface, coc, blur, inner)
        if result is None:
            result = light
        else:
            result = torch.where(cover > FAINTEST, light + (1.0 - cover) * result, result)
        sharp = (coc[inner] == 0) & surface.shown[inner]
        result = torch.where(sharp, surface.light[inner], result)
    assert result is not None
    return result


def _scattered(
    surface: Surface, coc: Tensor, blur: Blur, inner: tuple[slice, slice, slice]
) -> tuple[Tensor, Tensor]:
    """Blur one surface: premultiplied light and coverage.

    Scattering alone piles light up where the CoC shrinks and thins it where it grows; a lens does
    not, so both are divided by what a surface of even density becomes.
    """
    planes = [surface.light, surface.cover]
    full = bool((surface.cover == 1).all())
    even = bool(coc.amax() - coc.amin() < 1e-3)
    if not (full or even):
        planes.append(torch.ones_like(surface.cover))
    blurred = blur(torch.cat(planes), coc, surface.cover.clamp(min=1e-3))[inner]
    light, cover = blurred[:3], blurred[3:4]
    density = cover if full else blurred[4:] if not even else None
    if density is not None:
        light, cover = light / density.clamp(min=1e-3), cover / density.clamp(min=1e-3)
    return light, cover.clamp(0.0, 1.0)
