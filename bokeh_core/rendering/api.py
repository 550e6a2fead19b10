"""The public way in: checks the arrays, picks the device, dispatches on the look."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from bokeh_core.errors import InputError, OutOfMemory
from bokeh_core.lens import BinnedGaussian, Lens
from bokeh_core.progress import Progress, ignore
from bokeh_core.rendering.binned import render_binned
from bokeh_core.rendering.lens_blur import render_lens
from bokeh_core.rendering.levels import FULL, PREVIEW

FloatImage = npt.NDArray[np.float32]
BRIGHTEST = 65504.0
"""Largest light value accepted: the top of 16-bit float files, far from float32 overflow."""
SMALLEST_TILE = 128


def render(
    rgb: FloatImage,
    depth: FloatImage,
    matte: FloatImage | None,
    lens: Lens | BinnedGaussian,
    *,
    progress: Progress = ignore,
    device: str | torch.device | None = None,
    preview: bool = False,
    tile: int | None = None,
) -> FloatImage:
    """Blur a picture by its depth.

    Parameters
    ----------
    rgb
        (H, W, 3) linear light, sRGB primaries, values >= 0; highlights may exceed 1.
    depth
        (H, W) relative disparity in [0, 1], 1 = nearest.
    matte
        (H, W) coverage of the subject in [0, 1]; None or all 0 = no subject, depth alone counts.
    lens
        `Lens` (physical) or `BinnedGaussian` (the paper's way).
    progress
        Called as `progress("render", fraction)`; an exception raised in it stops the call.
    device
        Torch device such as "cpu" or "cuda:0"; by default a GPU where there is one.
    preview
        Coarser steps between blur radii, for interactive use at reduced size.
    tile
        Side of the square work unit in pixels; changes memory and speed, not the picture.

    Returns
    -------
    ndarray
        (H, W, 3) float32 linear light. Pixels that are in focus are those of `rgb`, bit for bit.

    Raises
    ------
    InputError
        An array has the wrong shape, type or range, or the device does not exist.
    OutOfMemory
        The device has no room even for small tiles.
    """
    picture = _checked("rgb", rgb, 3, -BRIGHTEST, BRIGHTEST)
    disparity = _checked("depth", depth, 2, 0.0, 1.0, picture.shape[:2])
    cover = None if matte is None else _checked("matte", matte, 2, 0.0, 1.0, picture.shape[:2])
    if not isinstance(lens, (Lens, BinnedGaussian)):
        raise InputError(f"lens must be a Lens or BinnedGaussian, got {type(lens).__name__}")
    if tile is not None and tile < 64:
        raise InputError(f"tile must be at least 64 px, got {tile}")
    target = _device(device)
    if isinstance(lens, Lens):
        lens = lens.resolved(disparity, cover)
    tensors = [None if a is None else torch.from_numpy(a) for a in (picture, disparity, cover)]
    core = tile or (512 if target.type == "cpu" else 2048)
    with torch.inference_mode():
        while True:
            out = _attempt(tensors, lens, core, target, progress, preview=preview)
            if out is not None:
                return np.ascontiguousarray(out.numpy())
            core //= 2


def _attempt(
    tensors: list[Tensor | None],
    look: Lens | BinnedGaussian,
    core: int,
    device: torch.device,
    progress: Progress,
    *,
    preview: bool,
) -> Tensor | None:
    """Render with tiles of this size; None when memory runs out and smaller ones may do."""
    try:
        return _dispatch(tensors, look, core, device, progress, preview=preview)
    except (torch.OutOfMemoryError, MemoryError) as error:
        if core <= SMALLEST_TILE:
            raise OutOfMemory(f"no room on {device} even for a {core}-pixel tile") from error
        return None


def _dispatch(
    tensors: list[Tensor | None],
    look: Lens | BinnedGaussian,
    core: int,
    device: torch.device,
    progress: Progress,
    *,
    preview: bool,
) -> Tensor:
    rgb, depth, matte = tensors
    assert rgb is not None
    assert depth is not None
    if isinstance(look, BinnedGaussian):
        return render_binned(rgb, depth, matte, look, core=core, device=device, progress=progress)
    quality = PREVIEW if preview else FULL
    return render_lens(
        rgb, depth, matte, look, quality=quality, core=core, device=device, progress=progress
    )


def _checked(
    name: str,
    array: Any,
    dimensions: int,
    low: float,
    high: float,
    extent: tuple[int, ...] | None = None,
) -> FloatImage:
    """Return the array as contiguous float32 within range, or say what is wrong with it."""
    shape = "(H, W, 3)" if dimensions == 3 else "(H, W)"
    if not isinstance(array, np.ndarray) or not np.issubdtype(array.dtype, np.floating):
        kind = array.dtype if isinstance(array, np.ndarray) else type(array).__name__
        raise InputError(f"{name} must be a float array {shape}, got {kind}")
    good = (
        array.ndim == dimensions
        and min(array.shape) > 0
        and (dimensions == 2 or array.shape[2] == 3)
    )
    if not good:
        raise InputError(f"{name} must have shape {shape}, got {array.shape}")
    if extent is not None and array.shape != extent:
        raise InputError(f"{name} must be as large as rgb {extent}, got {array.shape}")
    least, most = float(array.min()), float(array.max())
    if not (np.isfinite(least) and np.isfinite(most)):
        raise InputError(f"{name} must hold finite numbers, got NaN or infinity")
    if least < low - 1e-3 or most > high + 1e-3:
        raise InputError(f"{name} must be {low:g} to {high:g}, got {least:g} to {most:g}")
    image = np.ascontiguousarray(array, dtype=np.float32)
    return image if low <= least and most <= high else image.clip(low, high)


def _device(wanted: str | torch.device | None) -> torch.device:
    if wanted is None:
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(wanted)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError) as error:
        raise InputError(
            f"device {wanted} cannot be used here: {str(error).splitlines()[0]}"
        ) from error
    return device
