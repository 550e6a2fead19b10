"""The paper's renderer: depth bins, a Gaussian each, stacked; the sharp subject superimposed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from bokeh_core.devices import room_on
from bokeh_core.rendering.display import decode, encode
from bokeh_core.rendering.parallel import each_tile
from bokeh_core.rendering.tiles import Bounds, fast_size, pixels, place, tiles_of, window

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from bokeh_core.binned_gaussian import BinnedGaussian
    from bokeh_core.progress import Progress
    from bokeh_core.rendering.tiles import Put


def render_binned(
    rgb: Tensor,
    depth: Tensor,
    matte: Tensor | None,
    look: BinnedGaussian,
    put: Put,
    *,
    core: int,
    device: torch.device,
    progress: Progress,
    part: Bounds | None = None,
) -> None:
    """Render by `BinnedGaussian`; same arguments as `render_tiles`, as tensors."""
    halo = max(look.supports())
    nearness = stretched(depth) if look.stretch_depth else (0.0, 1.0)
    spectra: dict[tuple[int, int, int], Tensor] = {}

    def one(tile: Bounds, step: Callable[[], None]) -> None:
        step()
        with room_on(device):
            region = _stacked_bins(rgb, depth, look, tile, halo, device, spectra, nearness)
            if matte is not None:
                cover = window(matte, tile, device)
                cover = cover if look.soft_matte else (cover > 0.5).to(cover.dtype)
                sharp = window(rgb, tile, device)
                region = torch.where(cover == 1.0, sharp, cover * sharp + (1.0 - cover) * region)
            finished = pixels(region)
        put(place(tile), finished)

    work = tiles_of(part, depth.shape[0], depth.shape[1], core)
    each_tile(work, one, device, progress)


def _stacked_bins(
    rgb: Tensor,
    depth: Tensor,
    look: BinnedGaussian,
    tile: Bounds,
    halo: int,
    device: torch.device,
    spectra: dict[tuple[int, int, int], Tensor],
    nearness: tuple[float, float],
) -> Tensor:
    """Blur one tile once per bin that occurs in it and take each pixel from its own bin."""
    padded = Bounds(
        tile.top - halo,
        tile.left - halo,
        fast_size(tile.height + 2 * halo, 1),
        fast_size(tile.width + 2 * halo, 2),
    )
    size = (padded.height, padded.width)
    bins = bins_of(window(depth, tile, device), look, nearness)
    source = torch.fft.rfft2(encode(window(rgb, padded, device)))
    region = torch.empty(3, tile.height, tile.width, device=device)
    for index in torch.unique(bins).tolist():
        key = (index, *size)
        if key not in spectra:
            spectra[key] = _gaussian_spectrum(
                look.sigmas()[index], look.supports()[index], size, device
            )
        blurred = torch.fft.irfft2(source * spectra[key], s=size)
        blurred = blurred[:, halo : halo + tile.height, halo : halo + tile.width]
        torch.where(bins == index, blurred, region, out=region)
    return decode(region)


def bins_of(
    depth: Tensor, look: BinnedGaussian, nearness: tuple[float, float] = (0.0, 1.0)
) -> Tensor:
    """Return the bin, 0 the nearest, of every disparity; `nearness`: the far and the near end."""
    far, near = nearness
    return ((near - depth) / (near - far) * look.bins).long().clamp(0, look.bins - 1)


def stretched(depth: Tensor) -> tuple[float, float]:
    """Return what counts as far and as near where the depth is stretched to its whole range."""
    low, high = float(depth.min()), float(depth.max())
    return (low, high) if high > low else (0.0, 1.0)


def _gaussian_spectrum(
    sigma: float, support: int, size: tuple[int, int], device: torch.device
) -> Tensor:
    """Transform of the sampled, truncated, normalised Gaussian, centred on pixel 0."""
    spectra = []
    for length in size:
        offset = torch.arange(length, dtype=torch.float64)
        offset = torch.minimum(offset, length - offset)
        taps = torch.exp(-0.5 * (offset / max(sigma, 1e-3)) ** 2) * (offset <= support)
        spectra.append(torch.fft.fft(taps / taps.sum()).real)
    rows, columns = spectra
    half = columns[: size[1] // 2 + 1]
    spectrum: Tensor = rows[:, None] * half[None, :]
    return spectrum.to(device=device, dtype=torch.float32)
