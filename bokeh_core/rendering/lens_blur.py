"""The lens renderer: cut into surfaces, blur each by its circle of confusion, composite."""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from bokeh_core.rendering.blur import Blur
from bokeh_core.rendering.composite import composite
from bokeh_core.rendering.field import Field
from bokeh_core.rendering.fill import CELL
from bokeh_core.rendering.frame import Bounds, fast_size, tiles, window
from bokeh_core.rendering.grain import Grain
from bokeh_core.rendering.highlights import Highlights
from bokeh_core.rendering.kernels import reach_factor
from bokeh_core.rendering.levels import Levels, Quality
from bokeh_core.rendering.overview import Overview
from bokeh_core.rendering.parallel import each_tile
from bokeh_core.rendering.surfaces import Sight, Surface, cut

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from bokeh_core.lens import Lens
    from bokeh_core.progress import Progress


@dataclass
class Frame:
    """A picture with its maps and what is known of it; surfaces of tiles are kept when asked for.

    Attributes
    ----------
    rgb, depth, matte
        (H, W, 3), (H, W) and (H, W) or None.
    reach
        CoC in pixels that one unit of disparity stands for, at most.
    device
        Where tiles are worked on.
    overview
        Cuts and cells.
    keep
        Bytes of surfaces to keep for the next lens.
    """

    rgb: Tensor
    depth: Tensor
    matte: Tensor | None
    reach: float
    device: torch.device
    overview: Overview
    keep: int = 0
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
    ) -> Frame:
        """Look over a picture once; good for every lens whose `max_coc` is at most `reach`."""
        overview = Overview.of(rgb, depth, matte, reach)
        return cls(rgb, depth, matte, reach, device, overview, keep)

    def look_through(self, sight: Sight) -> None:
        """Forget the surfaces that were kept for another sight."""
        if self._kept_for != sight.key:
            self.keep += sum(s.nbytes for kept in self._kept.values() for s in kept)
            self._kept.clear()
            self._kept_for = sight.key

    def surfaces(self, bounds: Bounds, sight: Sight) -> list[Surface]:
        """Cut a window into surfaces, or take them from the last time."""
        if bounds in self._kept:
            return self._kept[bounds]
        rgb = window(self.rgb, bounds, self.device)
        depth = window(self.depth, bounds, self.device)
        matte = None if self.matte is None else window(self.matte, bounds, self.device)
        surfaces = cut(rgb, depth, matte, self.overview, bounds, self.reach, sight)
        size = sum(s.nbytes for s in surfaces)
        with self._lock:
            if size <= self.keep:
                self.keep -= size
                self._kept[bounds] = surfaces
        return surfaces


def render_lens(
    frame: Frame, lens: Lens, *, quality: Quality, core: int, progress: Progress
) -> Tensor:
    """Render a frame through a lens with a known focus.

    Parameters
    ----------
    frame
        The picture; `frame.reach` is at least the lens's `max_coc`.
    lens
        What to render with.
    quality
        Spacing and reduction of blur radii.
    core
        Side of the tiles in pixels.
    progress
        As of `render`.

    Returns
    -------
    Tensor
        (H, W, 3) linear light.
    """
    out = torch.empty_like(frame.rgb)
    height, width = frame.depth.shape
    levels = Levels.up_to(largest_coc(lens), quality)
    blur = Blur(lens, levels, frame.device)
    sight = Sight(lens, levels, Highlights.of(frame.rgb, lens))
    frame.look_through(sight)
    grain = Grain.of(frame.rgb, lens)
    grid = max(levels.coarsest, CELL)
    halo = math.ceil(levels.radii[-1] * reach_factor(lens)) + CELL + 2 * levels.coarsest
    halo = -(-halo // grid) * grid

    def one(tile: Bounds, step: Callable[[], None]) -> None:
        rows = slice(tile.top, tile.top + tile.height)
        columns = slice(tile.left, tile.left + tile.width)
        if _stays(frame.matte, rows, columns, lens):
            out[rows, columns] = frame.rgb[rows, columns]
            return
        padded = Bounds(
            tile.top - halo,
            tile.left - halo,
            fast_size(tile.height + 2 * halo, grid),
            fast_size(tile.width + 2 * halo, grid),
        )
        region = composite(
            frame.surfaces(padded, sight),
            lens,
            blur,
            Field.of(lens, padded, height, width),
            Bounds(halo, halo, tile.height, tile.width),
            step,
        )
        region = grain.added(region, frame.depth, frame.matte, tile, lens)
        out[rows, columns] = region.permute(1, 2, 0).to(out.device)

    work = tiles(height, width, max(core // grid, 1) * grid, grid)
    each_tile(work, one, frame.device, progress)
    return out


def _stays(matte: Tensor | None, rows: slice, columns: slice, lens: Lens) -> bool:
    """Whether a tile shows nothing but a subject that is kept sharp."""
    if matte is None or not lens.keep_subject_sharp:
        return False
    return bool((matte[rows, columns] == 1).all())


def largest_coc(lens: Lens) -> float:
    """Give the largest CoC radius in pixels that any depth in [0, 1] can have with this lens."""
    return float(lens.coc(torch.tensor([0.0, 1.0])).abs().max())
