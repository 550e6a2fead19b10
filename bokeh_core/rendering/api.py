"""The public way in: checks the arrays, picks the device, dispatches on the look."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch

from bokeh_core import devices
from bokeh_core.binned_gaussian import BinnedGaussian
from bokeh_core.errors import InputError, OutOfMemory
from bokeh_core.lens import Lens
from bokeh_core.limits import BRIGHTEST, checked_image
from bokeh_core.maps import Analysis
from bokeh_core.progress import Progress, ignore
from bokeh_core.progress import part as share
from bokeh_core.rendering.aperture_blur.radii import FULL, PREVIEW, Quality
from bokeh_core.rendering.binned import render_binned
from bokeh_core.rendering.lens_blur import PreparedPicture, render_lens
from bokeh_core.rendering.parallel import one_thread_each

if TYPE_CHECKING:
    from bokeh_core.devices import Device
    from bokeh_core.rendering.tiles import Bounds, Place, Put

FloatImage = npt.NDArray[np.float32]
SMALLEST_TILE = 128
PREPARING = 0.1
"""Part of a call's progress that is preparation."""


@dataclass(frozen=True)
class Prepared:
    """A picture made ready once for any number of lenses, one at a time; made by `prepare`.

    It depends on the picture and its maps and, of the lens, on `max_coc` alone (an upper bound).
    Everything else may change from one `render_prepared` to the next; as long as only the shape of
    the aperture does, and it reaches as far, the layers of the last time serve again.
    """

    depth: FloatImage
    matte: FloatImage | None
    frame: PreparedPicture
    tile: int


def prepare(
    rgb: FloatImage,
    maps: Analysis | None = None,
    *,
    max_coc: float,
    depth: FloatImage | None = None,
    matte: FloatImage | None = None,
    device: Device = None,
    tile: int | None = None,
    keep_bytes: int = 512 * 2**20,
    progress: Progress = ignore,
) -> Prepared:
    """Cut a picture into layers ahead of time, for quick changes of the lens.

    Parameters
    ----------
    rgb, maps, depth, matte, device, tile, progress
        As of `render`.
    max_coc
        Largest `Lens.max_coc` that will be asked for, in pixels.
    keep_bytes
        Memory for layers kept between calls; about 100 bytes a pixel. What does not fit is cut
        again each time.

    Raises
    ------
    InputError
        An array has the wrong shape, type or range, or the device does not exist.
    OutOfMemory
        The device has no room.
    """
    arrays = _inputs(rgb, maps, depth, matte)
    target = devices.find(device)
    core = _core(tile, target, Lens(max_coc=max_coc).max_coc)
    return _prepared(*arrays, max_coc, target, core, keep_bytes, progress)


def graded(max_coc: float) -> float:
    """Round a largest CoC up to half a stop of an f-number's circle.

    Pictures are made ready for that and cut into tiles for that, whether all of it is wanted or a
    part, so that a small change of the f-number finds a part's picture ready.

    Parameters
    ----------
    max_coc
        Pixels, at least 0.

    Returns
    -------
    float
        The same for what it returns; 0 for 0.
    """
    return 2.0 ** (math.ceil(2.0 * math.log2(max_coc) - 1e-6) / 2.0) if max_coc > 0.0 else 0.0


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
    with torch.inference_mode(), one_thread_each():
        frame = PreparedPicture.of(
            torch.from_numpy(rgb),
            torch.from_numpy(depth),
            None if matte is None else torch.from_numpy(matte),
            graded(max_coc),
            device,
            keep=keep_bytes,
            progress=progress,
        )
    return Prepared(depth, matte, frame, core)


def render_prepared(
    prepared: Prepared,
    lens: Lens,
    *,
    progress: Progress = ignore,
    preview: bool = False,
    part: Bounds | None = None,
) -> FloatImage:
    """Blur a prepared picture, or a part of it; same result as `render`.

    Parameters
    ----------
    prepared, lens, progress, preview
        As of `prepare` and `render`.
    part
        Rectangle of the picture in pixels; what is around it is blurred into it all the same.

    Returns
    -------
    ndarray
        (H, W, 3) float32 linear light, of the part (height, width, 3).

    Raises
    ------
    InputError
        The lens blurs more than the picture was prepared for.
    OutOfMemory
        The device has no room; preparing with a smaller `tile` may help.
    """
    if lens.max_coc > prepared.frame.max_coc:
        raise InputError(
            f"max_coc must be at most {prepared.frame.max_coc:g} px, for which the picture was "
            f"prepared, got {lens.max_coc:g}"
        )
    quality = PREVIEW if preview else FULL
    if part is None:
        out = _picture(prepared.depth.shape)
        _render_prepared(prepared, lens, out.__setitem__, quality, progress)
        return out
    checked_part(part, prepared.depth.shape)
    out = _picture((part.height, part.width))
    _render_prepared(prepared, lens, part_taker(out, part), quality, progress, part)
    return out


def render(
    rgb: FloatImage,
    maps: Analysis | None = None,
    *,
    lens: Lens | BinnedGaussian,
    depth: FloatImage | None = None,
    matte: FloatImage | None = None,
    progress: Progress = ignore,
    device: Device = None,
    preview: bool = False,
    tile: int | None = None,
) -> FloatImage:
    """Blur a picture by its depth.

    Parameters
    ----------
    rgb
        (H, W, 3) linear light, sRGB primaries, values >= 0; highlights may exceed 1.
    maps
        What `analyse` returned for this picture; or None, and the maps by name.
    lens
        `Lens` (physical) or `BinnedGaussian` (the paper's way).
    depth
        (H, W) relative disparity in [0, 1], 1 = nearest; in place of that in `maps`.
    matte
        (H, W) coverage of the subject in [0, 1], in place of that in `maps`. Neither, or all 0: no
        subject, depth alone counts.
    progress
        Called as `progress("render", fraction)`; an exception raised in it stops the call.
    device
        Where to compute: the name of a torch device; None: the best there is.
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
    task = _Task.checked(_inputs(rgb, maps, depth, matte), lens, device, tile)
    out = _picture(task.depth.shape)
    task.run(out.__setitem__, progress, preview=preview)
    return out


def render_tiles(
    put: Put,
    rgb: FloatImage,
    maps: Analysis | None = None,
    *,
    lens: Lens | BinnedGaussian,
    depth: FloatImage | None = None,
    matte: FloatImage | None = None,
    progress: Progress = ignore,
    device: Device = None,
    preview: bool = False,
    tile: int | None = None,
    part: Bounds | None = None,
) -> None:
    """Blur a picture like `render`, but give away every finished tile instead of keeping them all.

    Parameters
    ----------
    put
        Called as `put((rows, columns), pixels)` with (h, w, 3) float32 linear light, once for every
        pixel (again for some when memory ran short), in any order, from several threads at a time.
        An exception raised in it stops the call.
    rgb, maps, lens, depth, matte, progress, device, preview, tile
        As of `render`, as are the errors.
    part
        Rectangle of the picture in pixels that is wanted; what is given away may be a little more.
    """
    task = _Task.checked(_inputs(rgb, maps, depth, matte), lens, device, tile)
    if part is not None:
        checked_part(part, task.depth.shape)
    task.run(put, progress, preview=preview, part=part)


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
        arrays: tuple[FloatImage, FloatImage, FloatImage | None],
        look: Lens | BinnedGaussian,
        device: Device,
        tile: int | None,
    ) -> _Task:
        if not isinstance(look, (Lens, BinnedGaussian)):
            raise InputError(f"lens must be a Lens or BinnedGaussian, got {type(look).__name__}")
        target = devices.find(device)
        core = _core(tile, target, look.max_coc if isinstance(look, Lens) else 0.0)
        return cls(*arrays, look, target, core)

    def run(
        self, put: Put, progress: Progress, *, preview: bool, part: Bounds | None = None
    ) -> None:
        """Render, with smaller tiles when memory runs out."""
        core = self.core
        with one_thread_each():
            while not self._fits(put, core, progress, part, preview=preview):
                core //= 2

    def _fits(
        self, put: Put, core: int, progress: Progress, part: Bounds | None, *, preview: bool
    ) -> bool:
        """Render with tiles of this size; False when memory runs out and smaller ones may do."""
        try:
            self._attempt(put, core, progress, part, preview=preview)
        except OutOfMemory as error:
            if core <= SMALLEST_TILE:
                reason = f"no room on {self.device} even for a {core}-pixel tile"
                raise OutOfMemory(reason) from error
            return False
        return True

    def _attempt(
        self, put: Put, core: int, progress: Progress, part: Bounds | None, *, preview: bool
    ) -> None:
        arrays = (self.rgb, self.depth, self.matte)
        if isinstance(self.look, Lens):
            first, rest = share(progress, 0.0, PREPARING), share(progress, PREPARING, 1.0)
            prepared = _prepared(*arrays, self.look.max_coc, self.device, core, 0, first)
            _render_prepared(prepared, self.look, put, PREVIEW if preview else FULL, rest, part)
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
                part=part,
            )


def checked_part(part: Bounds, shape: tuple[int, ...]) -> None:
    """Refuse a part that is empty or not within the picture, with InputError."""
    height, width = shape[:2]
    whole = 0 <= part.top < part.bottom <= height and 0 <= part.left < part.right <= width
    if not whole:
        raise InputError(
            f"the part {part.width} x {part.height} at ({part.left}, {part.top}) is not within the "
            f"picture of {width} x {height} pixels"
        )


def part_taker(out: npt.NDArray[Any], part: Bounds) -> Put:
    """Return a `put` that keeps of finished tiles what lies in a part of the picture, in `out`."""

    def put(place: Place, pixels: FloatImage) -> None:
        rows, columns = place
        top, bottom = max(rows.start, part.top), min(rows.stop, part.bottom)
        left, right = max(columns.start, part.left), min(columns.stop, part.right)
        if top < bottom and left < right:
            out[top - part.top : bottom - part.top, left - part.left : right - part.left] = pixels[
                top - rows.start : bottom - rows.start,
                left - columns.start : right - columns.start,
            ]

    return put


def _render_prepared(
    prepared: Prepared,
    lens: Lens,
    put: Put,
    quality: Quality,
    progress: Progress,
    part: Bounds | None = None,
) -> None:
    lens = lens.resolved(prepared.depth, prepared.matte)
    with torch.inference_mode(), one_thread_each():
        render_lens(
            prepared.frame,
            lens,
            put,
            quality=quality,
            core=prepared.tile,
            progress=progress,
            part=part,
        )


def _picture(extent: tuple[int, ...]) -> FloatImage:
    try:
        return np.empty((*extent, 3), np.float32)
    except MemoryError as error:
        raise OutOfMemory(f"no room for a picture of {extent[1]} x {extent[0]} pixels") from error


def _inputs(
    rgb: FloatImage, maps: Analysis | None, depth: FloatImage | None, matte: FloatImage | None
) -> tuple[FloatImage, FloatImage, FloatImage | None]:
    """Return picture, disparity and matte, checked; a map given by name comes first."""
    if maps is not None:
        if not isinstance(maps, Analysis):
            raise InputError(
                "the second argument is what analyse() returned; name maps of your own, so that "
                f"they cannot be mixed up: depth=..., matte=... (got {type(maps).__name__})"
            )
        depth = maps.depth if depth is None else depth
        matte = maps.matte if matte is None else matte
    if depth is None:
        raise InputError("depth is needed: depth=..., or the result of analyse() as it is")
    picture = checked_image("rgb", rgb, 3, BRIGHTEST)
    disparity = checked_image("depth", depth, 2, 1.0, picture.shape[:2])
    if matte is None:
        return picture, disparity, None
    return picture, disparity, checked_image("matte", matte, 2, 1.0, picture.shape[:2])


def _core(tile: int | None, device: torch.device, max_coc: float) -> int:
    """Side of the tiles: small enough for the cache of a CPU, large enough to keep a GPU busy.

    Of 12 megapixels at 48 px, 320 takes 10 % longer than 384 or 576 and 768 a third; a part looked
    at meets fewer pixels of smaller tiles. A wide halo asks for wider ones: from 150 px on, 384
    takes 10 to 16 % longer than 512, and 768 5 to 25 %.
    """
    if tile is None:
        if device.type != "cpu":
            return 2048
        return 384 if graded(max_coc) < 100.0 else 512
    if not isinstance(tile, int) or tile < SMALLEST_TILE // 2:
        raise InputError(
            f"tile must be a whole number of at least {SMALLEST_TILE // 2} px, got {tile}"
        )
    return tile
