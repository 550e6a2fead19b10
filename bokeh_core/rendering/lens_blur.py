"""The lens renderer: cut into surfaces, blur each by its circle of confusion, composite."""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from bokeh_core.devices import room_on
from bokeh_core.progress import ignore
from bokeh_core.rendering.blur import Blur
from bokeh_core.rendering.clean import Blemishes, cleaned
from bokeh_core.rendering.composite import composite
from bokeh_core.rendering.field import Field
from bokeh_core.rendering.fill import CELL
from bokeh_core.rendering.frame import (
    Bounds,
    bounding_box,
    fast_size,
    part,
    pixels,
    place,
    tiles,
    window,
)
from bokeh_core.rendering.grain import Grain
from bokeh_core.rendering.highlights import Highlights
from bokeh_core.rendering.kernels import reach_factor
from bokeh_core.rendering.levels import Levels, Quality
from bokeh_core.rendering.overview import Overview
from bokeh_core.rendering.parallel import each_tile, one_thread_each
from bokeh_core.rendering.surface import Sight, Surface
from bokeh_core.rendering.surfaces import cut

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    import numpy as np
    import numpy.typing as npt

    from bokeh_core.lens import Lens
    from bokeh_core.progress import Progress
    from bokeh_core.rendering.frame import Put


CLEANED = 1024
"""Side in pixels of the tiles that depth is cleaned in."""
WINDOW_BYTES = 256
"""Taken per pixel of a tile with its halo (223 measured at a CoC of 2048 px)."""


@dataclass
class Frame:
    """A picture with its maps and what is known of it; surfaces of tiles are kept when asked for.

    Attributes
    ----------
    rgb, depth, matte
        (H, W, 3), (H, W) clean, and (H, W) or None.
    reach
        CoC in pixels that one unit of disparity stands for, at most.
    device
        Where tiles are worked on.
    overview
        Cuts and cells.
    keep
        Bytes of surfaces to keep for the next lens.
    one_lens
        Held while the frame is rendered: what is kept is for one lens at a time.
    """

    rgb: Tensor
    depth: Tensor
    matte: Tensor | None
    reach: float
    device: torch.device
    overview: Overview
    keep: int = 0
    one_lens: threading.Lock = field(default_factory=threading.Lock)
    _kept: dict[Bounds, list[Surface]] = field(default_factory=dict)
    _kept_for: tuple[Hashable, ...] = ()
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def of(
        cls,
        rgb: Tensor,
        depth: Tensor,
        matte: Tensor | None,
        reach: float,
        device: torch.device,
        *,
        keep: int = 0,
        progress: Progress = ignore,
    ) -> Frame:
        """Look over a picture once; good for every lens whose `max_coc` is at most `reach`."""
        with one_thread_each(), room_on(depth.device):
            blemishes = Blemishes.of(depth)
        depth = _cleaned(depth, matte, reach, blemishes, device, progress)
        with one_thread_each(), room_on(depth.device):
            overview = Overview.of(rgb, depth, matte, reach, blemishes.band)
        return cls(rgb, depth, matte, reach, device, overview, keep)

    def look_through(self, sight: Sight, halo: int) -> None:
        """Forget the surfaces that were kept for another sight or for windows of another halo."""
        key = (sight.key, halo)
        if self._kept_for != key:
            self.keep += sum(s.nbytes for kept in self._kept.values() for s in kept)
            self._kept.clear()
            self._kept_for = key

    def largest_coc(self, lens: Lens) -> float:
        """Give the largest CoC radius in pixels that a depth of this frame has with a lens."""
        ends = torch.stack(torch.aminmax(self.depth)).cpu()
        return float(lens.coc(ends).abs().max())

    def changing(self, tile: Bounds, lens: Lens, grid: int) -> Bounds | None:
        """Part of a tile that is more than a subject kept sharp, on a grid; None = nothing."""
        if self.matte is None or not lens.keep_subject_sharp:
            return tile
        box = bounding_box(self.matte[place(tile)] < 1, grid)
        if box is None:
            return None
        return Bounds(
            tile.top + box.top,
            tile.left + box.left,
            min(box.height, tile.height - box.top),
            min(box.width, tile.width - box.left),
        )

    def surfaces(self, bounds: Bounds, sight: Sight, step: Callable[[], None]) -> list[Surface]:
        """Cut a window into surfaces, or take them from the last time."""
        if bounds in self._kept:
            return self._kept[bounds]
        rgb = window(self.rgb, bounds, self.device)
        depth = window(self.depth, bounds, self.device)
        matte = None if self.matte is None else window(self.matte, bounds, self.device)
        surfaces = cut(rgb, depth, matte, self.overview, bounds, self.reach, sight, step)
        size = sum(s.nbytes for s in surfaces)
        with self._lock:
            if size <= self.keep:
                self.keep -= size
                self._kept[bounds] = surfaces
        return surfaces


def render_lens(
    frame: Frame, lens: Lens, put: Put, *, quality: Quality, core: int, progress: Progress
) -> None:
    """Render a frame through a lens with a known focus.

    Parameters
    ----------
    frame
        The picture; `frame.reach` is at least the lens's `max_coc`.
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
    """
    with frame.one_lens:
        _render(frame, lens, put, quality, core, progress)


def _render(
    frame: Frame, lens: Lens, put: Put, quality: Quality, core: int, progress: Progress
) -> None:
    height, width = frame.depth.shape
    levels = Levels.up_to(frame.largest_coc(lens), quality)
    blur = Blur(lens, levels, frame.device)
    with room_on(frame.rgb.device):
        sight = Sight(lens, levels, Highlights.of(frame.rgb, lens))
        grain = Grain.of(frame.rgb, lens)
    grid = max(levels.coarsest, CELL)
    halo = math.ceil(levels.radii[-1] * reach_factor(lens)) + CELL + 2 * levels.coarsest
    halo = -(-halo // grid) * grid
    frame.look_through(sight, halo)

    def one(tile: Bounds, step: Callable[[], None]) -> None:
        shown = frame.changing(tile, lens, grid) if levels.radii[-1] > 0 else None
        if shown is None:
            put(place(tile), frame.rgb[place(tile)].numpy())
            return
        padded = Bounds(
            shown.top - halo,
            shown.left - halo,
            fast_size(shown.height + 2 * halo, grid),
            fast_size(shown.width + 2 * halo, grid),
        )
        with room_on(frame.device):
            region = composite(
                frame.surfaces(padded, sight, step),
                lens,
                blur,
                Field.of(lens, padded, height, width, quality.nodes),
                Bounds(halo, halo, shown.height, shown.width),
                step,
            )
            region = grain.added(region, frame.depth, frame.matte, shown, lens)
            finished = _set_in(frame.rgb, tile, pixels(region), shown)
        put(place(tile), finished)

    work = tiles(height, width, max(core // grid, 1) * grid, grid)
    window_pixels = (work[0].height + 2 * halo) * (work[0].width + 2 * halo)
    each_tile(work, one, frame.device, progress, tile_bytes=WINDOW_BYTES * window_pixels)


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
    reach: float,
    blemishes: Blemishes,
    device: torch.device,
    progress: Progress,
) -> Tensor:
    """Clean a whole depth map, tile by tile; it is copied only if something in it changes."""
    out = depth
    lock = threading.Lock()
    margin = 4 * blemishes.band

    def one(tile: Bounds, _: Callable[[], None]) -> None:
        nonlocal out
        around = tile.grown(margin)
        with room_on(device):
            cover = None if matte is None else window(matte, around, device)
            clean = cleaned(window(depth, around, device), cover, reach, blemishes)
            clean = clean[part(Bounds(margin, margin, tile.height, tile.width))][0].to(depth.device)
            if torch.equal(clean, depth[place(tile)]):
                return
            with lock:
                if out is depth:
                    out = depth.clone()
        out[place(tile)] = clean

    work = tiles(depth.shape[0], depth.shape[1], CLEANED, CELL)
    each_tile(work, one, device, progress)
    return out
