"""The lens renderer: cut into layers, blur each by its circle of confusion, composite."""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from bokeh_core.devices import room_on
from bokeh_core.progress import ignore
from bokeh_core.progress import part as share
from bokeh_core.rendering.aperture_blur.field_kernels import Field
from bokeh_core.rendering.aperture_blur.kernel import support_factor
from bokeh_core.rendering.aperture_blur.radii import BlurRadii, Quality
from bokeh_core.rendering.aperture_blur.scatter import Blur
from bokeh_core.rendering.composite import composite
from bokeh_core.rendering.depth_cleanup import NEAR, Blemishes, cleaned, has_edge
from bokeh_core.rendering.grain import Grain
from bokeh_core.rendering.highlights import Highlights
from bokeh_core.rendering.layers.cut import cut
from bokeh_core.rendering.layers.layer import Layer, Sight, Window
from bokeh_core.rendering.layers.push_pull import CELL
from bokeh_core.rendering.layers.summary import Summary
from bokeh_core.rendering.layers.unmix import undecided
from bokeh_core.rendering.masks import above, below, some
from bokeh_core.rendering.parallel import each_tile, one_thread_each
from bokeh_core.rendering.pyramid import Pyramid
from bokeh_core.rendering.tiles import (
    Bounds,
    bounding_box,
    crop,
    fast_size,
    pixels,
    place,
    sweep,
    tiles,
    tiles_of,
    window,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    import numpy as np
    import numpy.typing as npt

    from bokeh_core.lens import Lens
    from bokeh_core.progress import Progress
    from bokeh_core.rendering.tiles import Put


WINDOW_BYTES = 256
"""Taken per pixel of a tile with its halo (223 measured at a CoC of 2048 px)."""
LARGE = 2_000_000
"""Pixels from which layers that are blurred much are cut from reduced pictures; in smaller ones
what is two pixels wide is seen (a sliver at the border cost 1.3 dB at a width of 480)."""
COARSEST_CUT = 4
"""Reduction of the smallest picture that layers are cut from."""
REDUCING = 0.03
"""Share of a call's progress that the picture is reduced in."""


@dataclass
class PreparedPicture:
    """A picture with its maps and what is known of it; layers of tiles are kept when asked for.

    Attributes
    ----------
    rgb, depth, matte
        (H, W, 3), (H, W) clean, and (H, W) or None.
    max_coc
        CoC in pixels that one unit of disparity stands for, at most.
    device
        Where tiles are worked on.
    summary
        Cuts and cells.
    pyramid
        The picture at every size that layers are cut from.
    keep
        Bytes of layers to keep for the next lens.
    one_lens
        Held while the picture is rendered: what is kept is for one lens at a time.
    finished
        Tiles rendered for parts of the picture, of the last lens: the next part may share some.
    """

    rgb: Tensor
    depth: Tensor
    matte: Tensor | None
    max_coc: float
    device: torch.device
    summary: Summary
    pyramid: Pyramid
    keep: int = 0
    one_lens: threading.Lock = field(default_factory=threading.Lock)
    finished: dict[Bounds, npt.NDArray[np.float32]] = field(default_factory=dict)
    _finished_for: tuple[object, ...] = ()
    _kept: dict[Bounds, list[Layer]] = field(default_factory=dict)
    _kept_for: tuple[Hashable, ...] = ()
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def of(
        cls,
        rgb: Tensor,
        depth: Tensor,
        matte: Tensor | None,
        max_coc: float,
        device: torch.device,
        *,
        keep: int = 0,
        progress: Progress = ignore,
    ) -> PreparedPicture:
        """Look over a picture once; good for every lens with at most this `max_coc`."""
        with one_thread_each(), room_on(depth.device):
            blemishes = Blemishes.of(depth)
        depth = _cleaned(depth, matte, max_coc, blemishes, device, progress)
        with one_thread_each(), room_on(depth.device):
            summary = Summary.of(rgb, depth, matte, max_coc, blemishes.band)
        pyramid = Pyramid(rgb, depth, matte, max_coc, blemishes.band, device)
        return cls(rgb, depth, matte, max_coc, device, summary, pyramid, keep)

    def look_through(self, sight: Sight, halos: dict[int, int]) -> None:
        """Forget the layers that were kept for another sight or for windows of other halos."""
        key = (sight.key, *halos.items())
        if self._kept_for != key:
            self.keep += sum(layer.nbytes for kept in self._kept.values() for layer in kept)
            self._kept.clear()
            self._kept_for = key

    def unfinished(self, work: list[Bounds], look: tuple[object, ...], put: Put) -> list[Bounds]:
        """Hand on the tiles that an earlier part had, for the same look; return the others."""
        if self._finished_for != look:
            self.finished, self._finished_for = {}, look
        for tile in work:
            if tile in self.finished:
                put(place(tile), self.finished[tile])
        return [tile for tile in work if tile not in self.finished]

    def largest_coc(self, lens: Lens) -> float:
        """Return the largest CoC radius in pixels that a depth of this picture has with a lens."""
        ends = torch.stack(torch.aminmax(self.depth)).cpu()
        return float(lens.coc(ends).abs().max())

    def changing(self, tile: Bounds, lens: Lens, grid: int) -> Bounds | None:
        """Part of a tile that is more than a subject kept sharp, on a grid; None = nothing."""
        if self.matte is None or not lens.keep_subject_sharp:
            return tile
        box = bounding_box(below(self.matte[place(tile)], 1.0), grid)
        if box is None:
            return None
        return Bounds(
            tile.top + box.top,
            tile.left + box.left,
            min(box.height, tile.height - box.top),
            min(box.width, tile.width - box.left),
        )

    def layers(
        self, tile: Bounds, sight: Sight, halos: dict[int, int], step: Callable[[], None]
    ) -> list[Layer]:
        """Cut a tile into layers at every size of `halos`, or take them from the last time."""
        if tile in self._kept:
            return self._kept[tile]
        layers: list[Layer] = []
        for scale, bounds in reversed(_around(tile, halos, sight.radii).items()):
            window = self._window(bounds, scale, tile.top - bounds.top, sight)
            if window is not None:
                layers += cut(window, self.summary, self.max_coc, sight, layers, step)
        size = sum(layer.nbytes for layer in layers)
        with self._lock:
            if size <= self.keep:
                self.keep -= size
                self._kept[tile] = layers
        return layers

    def _window(self, bounds: Bounds, scale: int, halo: int, sight: Sight) -> Window | None:
        """Read a tile with its halo at one size; None where nothing of it is blurred at that."""
        planes = self.pyramid.at(scale)
        place = Bounds(*(side // scale for side in vars(bounds).values()))
        depth = window(planes.depth, place, self.device)
        matte = None if planes.matte is None else window(planes.matte, place, self.device)
        matte = None if matte is None or not some(matte) else matte
        coc = sight.coc(depth, matte)
        share = sight.radii.share(coc, scale)
        doubt = None if planes.doubt is None else window(planes.doubt, place, self.device)
        if scale == 1:
            doubt = None if matte is None else undecided(matte, self.summary.band)
        if share is not None and doubt is not None:
            # what is in doubt is blurred behind the subject, whatever the matte says of it
            behind = sight.radii.share(sight.lens.coc(depth), scale)
            assert behind is not None
            share = torch.maximum(share, behind * above(doubt, 0.0))
        if share is not None and not some(share):
            return None
        rgb = window(planes.rgb, place, self.device)
        if scale == 1:
            rgb = sight.highlights.recovered(rgb, coc, matte, bounds)
        return Window(rgb, depth, matte, doubt, share, bounds, scale, halo)


def render_lens(
    picture: PreparedPicture,
    lens: Lens,
    put: Put,
    *,
    quality: Quality,
    core: int,
    progress: Progress,
    part: Bounds | None = None,
) -> None:
    """Render a picture, or a part of it, through a lens with a known focus.

    Parameters
    ----------
    picture
        The picture; its `max_coc` is at least the lens's.
    lens
        What to render with.
    put
        Takes the finished tiles.
    quality
        Spacing and reduction of blur radii.
    core
        Side of the tiles in pixels.
    progress
        As of `render`.
    part
        The part; what is given to `put` may be some pixels more.
    """
    with picture.one_lens:
        _render(picture, lens, put, quality, core, progress, part)


def _render(
    picture: PreparedPicture,
    lens: Lens,
    put: Put,
    quality: Quality,
    core: int,
    progress: Progress,
    part: Bounds | None,
) -> None:
    height, width = picture.depth.shape
    coarsest = COARSEST_CUT if height * width >= LARGE else 1
    radii = BlurRadii.up_to(picture.largest_coc(lens), quality, coarsest)
    blur = Blur(lens, radii, picture.device)
    with one_thread_each(), room_on(picture.rgb.device):
        sight = Sight(lens, radii, Highlights.of(picture.rgb, lens))
        grain = Grain.of(picture.rgb, lens)
    grid = max(radii.coarsest, CELL)
    intervals = quality.nodes if lens.cat_eye > 0.0 else 0
    halos = {size: _halo(lens, radii, size) for size in radii.sizes}
    work = tiles_of(part, height, width, max(core // grid, 1) * grid, grid, max(intervals, 1))
    if part is not None:
        work = picture.unfinished(work, (lens, quality, core), put)
        if not work:
            return
    read = None if part is None else _read_by(work, halos, radii, height, width)
    reducing, rest = share(progress, 0.0, REDUCING), share(progress, REDUCING, 1.0)
    picture.pyramid.prepare(radii.sizes, sight.highlights, reducing, read)
    picture.look_through(sight, halos)

    def one(tile: Bounds, step: Callable[[], None]) -> None:
        shown = picture.changing(tile, lens, grid) if radii.values[-1] > 0 else None
        if shown is None:
            put(place(tile), picture.rgb[place(tile)].numpy())
            return
        with room_on(picture.device):
            region = composite(
                picture.layers(shown, sight, halos, step),
                blur,
                Field(shown, height, width, intervals),
                Bounds(0, 0, shown.height, shown.width),
                step,
            )
            region = grain.added(region, picture.depth, picture.matte, shown, lens)
            finished = _set_in(picture.rgb, tile, pixels(region), shown)
        if part is not None:
            picture.finished[tile] = finished
        put(place(tile), finished)

    side = max(max(tile.height, tile.width) for tile in work)
    widest = max((side + 2 * halo) // size for size, halo in halos.items())
    each_tile(work, one, picture.device, rest, tile_bytes=WINDOW_BYTES * widest**2)


def _read_by(
    work: list[Bounds], halos: dict[int, int], radii: BlurRadii, height: int, width: int
) -> Bounds:
    """Return the part of the frame that the windows of some tiles hold, mirrored or not."""
    windows = [each for tile in work for each in _around(tile, halos, radii).values()]
    whole = Bounds.around(windows)
    top, bottom = _inside(whole.top, whole.bottom, height)
    left, right = _inside(whole.left, whole.right, width)
    return Bounds(top, left, bottom - top, right - left)


def _inside(start: int, end: int, size: int) -> tuple[int, int]:
    """Return what of 0..size a range holds that is mirrored at both ends."""
    return max(0, min(start, 2 * size - end)), min(size, max(end, -start))


def _around(tile: Bounds, halos: dict[int, int], radii: BlurRadii) -> dict[int, Bounds]:
    """Return what is cut for a tile at every size; each holds those of the finer sizes."""
    found: dict[int, Bounds] = {}
    bottom, right = tile.top + tile.height, tile.left + tile.width
    for scale, halo in sorted(halos.items()):
        grid = max(radii.coarsest_at(scale), CELL)
        top, left = tile.top - halo, tile.left - halo
        height = fast_size(max(tile.top + tile.height + halo, bottom) - top, grid)
        width = fast_size(max(tile.left + tile.width + halo, right) - left, grid)
        found[scale] = Bounds(top, left, height, width)
        bottom, right = top + height, left + width
    return found


def _halo(lens: Lens, radii: BlurRadii, size: int) -> int:
    """Pixels of the frame that what is cut at a size reaches into a tile from outside."""
    largest = radii.values[radii.cut_at(size)[-1]]
    coarsest = radii.coarsest_at(size)
    grid = max(coarsest, CELL)
    halo = math.ceil(largest * support_factor(lens)) + CELL + 2 * coarsest
    return -(-halo // grid) * grid


def _set_in(
    rgb: Tensor, tile: Bounds, region: npt.NDArray[np.float32], shown: Bounds
) -> npt.NDArray[np.float32]:
    """Put what changes of a tile into what stays."""
    if shown == tile:
        return region
    whole: npt.NDArray[np.float32] = rgb[place(tile)].numpy().copy()
    whole[place(replace(shown, top=shown.top - tile.top, left=shown.left - tile.left))] = region
    return whole


def _cleaned(
    depth: Tensor,
    matte: Tensor | None,
    max_coc: float,
    blemishes: Blemishes,
    device: torch.device,
    progress: Progress,
) -> Tensor:
    """Clean a whole depth map, tile by tile; it is copied only if something in it changes."""
    out = depth
    lock = threading.Lock()

    def one(tile: Bounds, _: Callable[[], None]) -> None:
        nonlocal out
        margin = 4 * blemishes.band
        with room_on(device):
            cover = None if matte is None else window(matte, tile.grown(margin), device)
            if cover is None or not has_edge(cover):
                cover, margin = None, NEAR
            before = window(depth, tile.grown(margin), device)
            clean = cleaned(before, cover, max_coc, blemishes)
            if clean is before:
                return
            clean = clean[crop(Bounds(margin, margin, tile.height, tile.width))][0].to(depth.device)
            if torch.equal(clean, depth[place(tile)]):
                return
            with lock:
                if out is depth:
                    out = torch.from_numpy(depth.numpy().copy())
        out[place(tile)] = clean

    work = tiles(depth.shape[0], depth.shape[1], sweep(device), CELL)
    each_tile(work, one, device, progress)
    return out
