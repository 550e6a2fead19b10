"""The picture with its maps at half and quarter size, for what is blurred too much to show more."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from bokeh_core.devices import room_on
from bokeh_core.limits import BRIGHTEST
from bokeh_core.rendering.layers.labels import CLEAR
from bokeh_core.rendering.layers.layer import CONTINUOUS
from bokeh_core.rendering.layers.push_pull import CELL
from bokeh_core.rendering.layers.unmix import undecided
from bokeh_core.rendering.masks import below, every, some
from bokeh_core.rendering.parallel import each_tile
from bokeh_core.rendering.resample import reduced
from bokeh_core.rendering.tiles import Bounds, crop, place, sweep, tiles, window

if TYPE_CHECKING:
    from collections.abc import Callable

    from bokeh_core.progress import Progress
    from bokeh_core.rendering.highlights import Highlights


@dataclass(frozen=True)
class Reduced:
    """A picture with its maps at one size.

    Attributes
    ----------
    rgb, depth, matte
        (H / scale, W / scale, 3) linear light with clipped lamps given back, (H / scale, W / scale)
        disparity of one pixel of each block, and the mean coverage or None. All but disparity are
        float16, a tenth of a gigabyte less for every 40 megapixels: what is blurred by 14 px or
        more averages hundreds of their roundings.
    doubt
        (H / scale, W / scale) how far the full-size matte is undecided, or None where it never is.
    """

    rgb: Tensor
    depth: Tensor
    matte: Tensor | None
    doubt: Tensor | None = None


@dataclass
class Pyramid:
    """Reduced pictures of one frame; they are kept for the last highlights asked for.

    Attributes
    ----------
    rgb, depth, matte
        The frame.
    max_coc
        CoC in pixels that one unit of disparity stands for.
    band
        Width of an edge of the matte, see `Summary`.
    device
        Where the work is done.
    """

    rgb: Tensor
    depth: Tensor
    matte: Tensor | None
    max_coc: float
    band: int
    device: torch.device
    _reduced: dict[int, Reduced] = field(default_factory=dict)
    _for: tuple[float, ...] = ()
    _done: set[Bounds] = field(default_factory=set)
    _doubtful: bool = False

    def prepare(
        self,
        sizes: tuple[int, ...],
        highlights: Highlights,
        progress: Progress,
        part: Bounds | None = None,
    ) -> None:
        """Reduce the picture, or a part of it, to these sizes (2 or 4), unless it is there already.

        What was reduced before for other highlights, or to other sizes only, is forgotten.
        """
        smaller = [size for size in sizes if size > 1]
        if self._for != highlights.key or not all(size in self._reduced for size in smaller):
            self._reduced = {size: self._empty(size) for size in smaller}
            self._for, self._done, self._doubtful = highlights.key, set(), False
        work = [
            tile
            for tile in tiles(self.depth.shape[0], self.depth.shape[1], sweep(self.device), CELL)
            if smaller and tile not in self._done and (part is None or tile.meets(part))
        ]
        if not work:
            return

        def one(tile: Bounds, _: Callable[[], None]) -> None:
            with room_on(self.device):
                doubtful = self._reduce(tile, highlights, self._reduced)
            self._doubtful |= doubtful
            self._done.add(tile)

        each_tile(work, one, self.device, progress)

    def at(self, scale: int) -> Reduced:
        """Return the picture at a size that was prepared, or as it is."""
        if scale == 1:
            return Reduced(self.rgb, self.depth, self.matte)
        found = self._reduced[scale]
        return found if self._doubtful else replace(found, doubt=None)

    def _empty(self, scale: int) -> Reduced:
        height, width = (-(-side // scale) for side in self.depth.shape)
        planes = torch.empty(3, height, width, dtype=torch.float16).permute(1, 2, 0)
        matte = None if self.matte is None else torch.empty(height, width, dtype=torch.float16)
        doubt = None if matte is None else torch.zeros_like(matte)
        return Reduced(planes, torch.empty(height, width), matte, doubt)

    def _reduce(self, tile: Bounds, highlights: Highlights, found: dict[int, Reduced]) -> bool:
        """Reduce one tile to all sizes; tells whether its matte is undecided anywhere."""
        height, width = (-(-side // CELL) * CELL for side in (tile.height, tile.width))
        whole = Bounds(tile.top, tile.left, height, width)
        rgb = window(self.rgb, whole, self.device)
        depth = window(self.depth, whole, self.device)
        matte = None if self.matte is None else window(self.matte, whole, self.device)
        rgb = highlights.recovered(rgb, None, matte, whole)
        doubt = None if matte is None or not some(matte) else self._doubt(whole)
        for scale, out in found.items():
            rows, columns = place(Bounds(*(side // scale for side in vars(whole).values())))
            cover = None if matte is None else reduced(matte, scale)
            sample = depth[:, scale // 2 :: scale, scale // 2 :: scale]
            mean = self._mean(rgb, depth, cover, sample, scale).clamp_(max=BRIGHTEST)
            _put(out.rgb, mean.permute(1, 2, 0), rows, columns)
            _put(out.depth, sample[0], rows, columns)
            if cover is not None and out.matte is not None:
                _put(out.matte, cover[0], rows, columns)
            if doubt is not None and out.doubt is not None:
                _put(out.doubt, reduced(doubt, scale)[0], rows, columns)
        return doubt is not None

    def _mean(
        self, rgb: Tensor, depth: Tensor, cover: Tensor | None, sample: Tensor, scale: int
    ) -> Tensor:
        """Average each block's pixels of the depth that stands for it.

        Blocks that the subject has a part in are averaged whole, as its coverage is.
        """
        mean = reduced(rgb, scale)
        spread = sample.repeat_interleave(scale, 1).repeat_interleave(scale, 2)
        same = below(spread.sub_(depth).abs_(), CONTINUOUS / max(self.max_coc, 1.0))
        if every(same):
            return mean
        own = reduced(rgb * same, scale).div_(reduced(same, scale))
        return own if cover is None else torch.where(cover < CLEAR, own, mean)

    def _doubt(self, tile: Bounds) -> Tensor | None:
        assert self.matte is not None
        around = tile.grown(CELL)
        height, width = (-(-side // CELL) * CELL for side in (around.height, around.width))
        around = replace(around, height=height, width=width)
        doubt = undecided(window(self.matte, around, self.device), self.band)
        inner = Bounds(CELL, CELL, tile.height, tile.width)
        return None if doubt is None else doubt[crop(inner)]


def _put(out: Tensor, planes: Tensor, rows: slice, columns: slice) -> None:
    """Write what lies within the reduced frame."""
    target = out[rows, columns]
    target.copy_(planes[: target.shape[0], : target.shape[1]])
