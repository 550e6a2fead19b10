"""The public way in: checks the arrays, picks the device, dispatches on the look."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch

from bokeh_core import devices
from bokeh_core.errors import InputError, OutOfMemory
from bokeh_core.lens import BinnedGaussian, Lens
from bokeh_core.limits import BRIGHTEST, checked_image
from bokeh_core.progress import Progress, ignore, part
from bokeh_core.rendering.binned import render_binned
from bokeh_core.rendering.lens_blur import Frame, render_lens
from bokeh_core.rendering.levels import FULL, PREVIEW, Quality

if TYPE_CHECKING:
    from bokeh_core.rendering.frame import Put

FloatImage = npt.NDArray[np.float32]
SMALLEST_TILE = 128
PREPARING = 0.1
"""Part of a call's progress that is preparation."""


@dataclass(frozen=True)
class Prepared:
    """A picture made ready once for any number of lenses, one at a time; made by `prepare`.

    It depends on the picture and its maps and, of the lens, on `max_coc` alone (an upper bound).
    Everything else may change from one `render_prepared` to the next; as long as only the shape of
    the aperture does, and it reaches as far, the surfaces of the last time serve again.
    """

    depth: FloatImage
    matte: FloatImage | None
    frame: Frame
    tile: int


def prepare(
    rgb: FloatImage,
    depth: FloatImage,
    matte: FloatImage | None,
    *,
    max_coc: float,
    device: str | torch.device | None = None,
    tile: int | None = None,
    keep_bytes: int = 512 * 2**20,
    progress: Progress = ignore,
) -> Prepared:
    """Cut a picture into surfaces ahead of time, for quick changes of the lens.

    Parameters
    ----------
    rgb, depth, matte, device, tile, progress
        As of `render`.
    max_coc
        Largest `Lens.max_coc` that will be asked for, in pixels.
    keep_bytes
        Memory for surfaces kept between calls; about 100 bytes a pixel. What does not fit is cut
        again each time.

    Raises
    ------
    InputError
        An array has the wrong shape, type or range, or the device does not exist.
    OutOfMemory
        The device has no room.
    """
    arrays = _inputs(rgb, depth, matte)
    target = devices.find(device)
    core = _core(tile, target, Lens(max_coc=max_coc).max_coc)
    return _prepared(*arrays, max_coc, target, core, keep_bytes, progress)


def _prepared(
    rgb: FloatImage,
    depth: FloatImage,
    matte: FloatImage | None,
    max_coc: float,
    device: torch.device,
    core: int,
    keep_bytes: int,
    progress: Progress,
) -> Prepared:
    with torch.inference_mode():
        frame = Frame.of(
            torch.from_numpy(rgb),
            torch.from_numpy(depth),
            None if matte is None else torch.from_numpy(matte),
            max_coc,
            device,
            keep=keep_bytes,
            progress=progress,
        )
    return Prepared(depth, matte, frame, core)


def render_prepared(
    prepared: Prepared, lens: Lens, *, progress: Progress = ignore, preview: bool = False
) -> FloatImage:
    """Blur a prepared picture; same result as `render`.

    Raises
    ------
    InputError
        The lens blurs more than the picture was prepared for.
    OutOfMemory
        The device has no room; preparing with a smaller `tile` may help.
    """
    if lens.max_coc > prepared.frame.reach:
        raise InputError(
            f"max_coc must be at most {prepared.frame.reach:g} px, for which the picture was "
            f"prepared, got {lens.max_coc:g}"
        )
    out = _picture(prepared.depth.shape)
    quality = PREVIEW if preview else FULL
    _render_prepared(prepared, lens, out.__setitem__, quality, progress)
    return out


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
        (H, W, 3) float32 linear light. Pixels that are in focus, whole (a matte of 0 or 1) and not
        veiled by blur in front of them are those of `rgb`, bit for bit.

    Raises
    ------
    InputError
        An array has the wrong shape, type or range, or the device does not exist.
    OutOfMemory
        The device has no room even for small tiles.
    """
    task = _Task.checked(rgb, depth, matte, lens, device, tile)
    out = _picture(task.depth.shape)
    task.run(out.__setitem__, progress, preview=preview)
    return out


def render_tiles(
    put: Put,
    rgb: FloatImage,
    depth: FloatImage,
    matte: FloatImage | None,
    lens: Lens | BinnedGaussian,
    *,
    progress: Progress = ignore,
    device: str | torch.device | None = None,
    preview: bool = False,
    tile: int | None = None,
) -> None:
    """Blur a picture like `render`, but give away every finished tile instead of keeping them all.

    Parameters
    ----------
    put
        Called as `put((rows, columns), pixels)` with (h, w, 3) float32 linear light, once for every
        pixel (again for some when memory ran short), in any order, from several threads at a time.
        An exception raised in it stops the call.
    rgb, depth, matte, lens, progress, device, preview, tile
        As of `render`, as are the errors.
    """
    task = _Task.checked(rgb, depth, matte, lens, device, tile)
    task.run(put, progress, preview=preview)


@dataclass(frozen=True)
class _Task:
    """One call, its arguments checked."""

    rgb: FloatImage
    depth: FloatImage
    matte: FloatImage | None
    look: Lens | BinnedGaussian
    device: torch.device
    core: int

    @classmethod
    def checked(
        cls,
        rgb: FloatImage,
        depth: FloatImage,
        matte: FloatImage | None,
        look: Lens | BinnedGaussian,
        device: str | torch.device | None,
        tile: int | None,
    ) -> _Task:
        if not isinstance(look, (Lens, BinnedGaussian)):
            raise InputError(f"lens must be a Lens or BinnedGaussian, got {type(look).__name__}")
        arrays = _inputs(rgb, depth, matte)
        target = devices.find(device)
        core = _core(tile, target, look.max_coc if isinstance(look, Lens) else 0.0)
        return cls(*arrays, look, target, core)

    def run(self, put: Put, progress: Progress, *, preview: bool) -> None:
        """Render, with smaller tiles when memory runs out."""
        core = self.core
        while not self._fits(put, core, progress, preview=preview):
            core //= 2

    def _fits(self, put: Put, core: int, progress: Progress, *, preview: bool) -> bool:
        """Render with tiles of this size; False when memory runs out and smaller ones may do."""
        try:
            self._attempt(put, core, progress, preview=preview)
        except OutOfMemory as error:
            if core <= SMALLEST_TILE:
                reason = f"no room on {self.device} even for a {core}-pixel tile"
                raise OutOfMemory(reason) from error
            return False
        return True

    def _attempt(self, put: Put, core: int, progress: Progress, *, preview: bool) -> None:
        arrays = (self.rgb, self.depth, self.matte)
        if isinstance(self.look, Lens):
            first, rest = part(progress, 0.0, PREPARING), part(progress, PREPARING, 1.0)
            prepared = _prepared(*arrays, self.look.max_coc, self.device, core, 0, first)
            _render_prepared(prepared, self.look, put, PREVIEW if preview else FULL, rest)
            return
        rgb, depth, matte = (None if a is None else torch.from_numpy(a) for a in arrays)
        assert rgb is not None
        assert depth is not None
        with torch.inference_mode():
            render_binned(
                *(rgb, depth, matte, self.look, put),
                core=core,
                device=self.device,
                progress=progress,
            )


def _render_prepared(
    prepared: Prepared, lens: Lens, put: Put, quality: Quality, progress: Progress
) -> None:
    lens = lens.resolved(prepared.depth, prepared.matte)
    with torch.inference_mode():
        render_lens(
            prepared.frame, lens, put, quality=quality, core=prepared.tile, progress=progress
        )


def _picture(extent: tuple[int, ...]) -> FloatImage:
    try:
        return np.empty((*extent, 3), np.float32)
    except MemoryError as error:
        raise OutOfMemory(f"no room for a picture of {extent[1]} x {extent[0]} pixels") from error


def _inputs(
    rgb: FloatImage, depth: FloatImage, matte: FloatImage | None
) -> tuple[FloatImage, FloatImage, FloatImage | None]:
    picture = checked_image("rgb", rgb, 3, BRIGHTEST)
    disparity = checked_image("depth", depth, 2, 1.0, picture.shape[:2])
    if matte is None:
        return picture, disparity, None
    return picture, disparity, checked_image("matte", matte, 2, 1.0, picture.shape[:2])


def _core(tile: int | None, device: torch.device, reach: float) -> int:
    """Side of the tiles: small enough for the cache of a CPU, large enough to keep a GPU busy.

    A wide halo asks for wider tiles: at 150 px of CoC, 768 is 8 % faster than 576, 960 no more.
    """
    if tile is None:
        if device.type != "cpu":
            return 2048
        return 576 if reach < 100.0 else 768
    if not isinstance(tile, int) or tile < SMALLEST_TILE // 2:
        raise InputError(
            f"tile must be a whole number of at least {SMALLEST_TILE // 2} px, got {tile}"
        )
    return tile
