"""Hair at full resolution: a small network in the soft outline, size by size, tile by tile."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import numpy.typing as npt
import torch

from bokeh_core import progress as progress_rule
from bokeh_core import upsampling
from bokeh_core.devices import room_on
from bokeh_core.networks import strands as network

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bokeh_core.progress import Progress

Float32 = npt.NDArray[np.float32]
Shape = tuple[int, int]

CORE = 104
"""Sides of a tile in pixels, without its margin: small, as the outline is thin."""

MARGIN = 12
"""What a tile sees around it."""

TOGETHER = 16
"""Tiles to a pass of the network."""

MOST = 160
"""Tiles at most at each size after the first: the finest strands in the places that are softest."""

FARTHEST = 2.7
"""Largest step from the network's matte to the first size that hair is looked for at."""

SIDES_SIDE = 512
"""Long side at most at which the colours of both sides are found."""

EDGE = 5
"""Window in pixels: an outline that is nowhere as soft as this is an edge, without strands."""

HAZE = 0.02
"""What is within this of 0 or 1 becomes it."""


def refined(rgb: Float32, coarse: Float32, device: torch.device, progress: Progress) -> Float32:
    """Find the strands in the soft outline of a matte.

    The network was taught to find what a step of 1.5 to 4.5 in size lost. So a photo is done at
    about twice the size of the matte, and again at every doubling up to its own.

    Parameters
    ----------
    rgb : ndarray (H, W, 3)
        Linear light.
    coarse : ndarray (h, w)
        A matte at the network's size, in [0, 1].
    device
        A torch device.

    Returns
    -------
    ndarray (H, W)
        In [0, 1].

    Raises
    ------
    ModelMissing, ModelCorrupt
        The weights cannot be used.
    OutOfMemory
        The device has no room.
    """
    sizes = list(_sizes((rgb.shape[0], rgb.shape[1]), max(coarse.shape)))
    matte = coarse
    for index, (height, width) in enumerate(sizes):
        last = index == len(sizes) - 1
        small = rgb if last else upsampling.resized(rgb, (width, height))
        # every size has about twice the outline of the one before
        span = [(2.0**at - 1) / (2.0 ** len(sizes) - 1) for at in (index, index + 1)]
        step = _prepared(small, matte, first=index == 0)
        matte = _at_size(step, device, progress_rule.part(progress, *span))
    return matte


def _sizes(shape: Shape, known: int) -> Iterator[Shape]:
    """Halve a photo's size until it is near that of the matte; smallest first."""
    halvings = 0
    while max(shape) / 2**halvings > FARTHEST * known:
        halvings += 1
    for power in range(halvings, -1, -1):
        yield (max(shape[0] >> power, 1), max(shape[1] >> power, 1))


@dataclass(frozen=True, eq=False)
class _Size:
    """One size of the photo, and the matte of the size before."""

    rgb: Float32
    lower: Float32
    sides: network.Sides
    first: bool

    @property
    def shape(self) -> Shape:
        return self.rgb.shape[0], self.rgb.shape[1]


def _prepared(rgb: Float32, lower: Float32, *, first: bool) -> _Size:
    shape = (rgb.shape[0], rgb.shape[1])
    side = max(min(SIDES_SIDE, max(shape) // network.SMALLER), 1)
    reduced = upsampling.size_within(shape, side)
    colours = upsampling.guide(upsampling.resized(rgb, reduced))
    sides = network.sides_of(colours, upsampling.resized(lower, reduced))
    return _Size(rgb, lower, sides, first)


def _at_size(size: _Size, device: torch.device, progress: Progress) -> Float32:
    """Refine the matte of the size before at this one."""
    out = upsampling.enlarged(size.lower, size.shape, lambda f: progress("matte", 0.1 * f))
    tiles = _tiles(size)
    with room_on(device):
        net = network.network(device)
    for start in range(0, len(tiles), TOGETHER):
        together = tiles[start : start + TOGETHER]
        for place, alpha in zip(together, _alphas(net, size, together, device), strict=True):
            target = out[place.rows, place.columns]
            target[:] = alpha[: target.shape[0], : target.shape[1]]
        progress("matte", 0.1 + 0.9 * min(start + TOGETHER, len(tiles)) / len(tiles))
    progress("matte", 1.0)
    return np.asarray(np.clip((out - HAZE) / (1 - 2 * HAZE), 0, 1), np.float32)


@dataclass(frozen=True)
class _Tile:
    """A square of `CORE` pixels by its upper left corner; what lies beyond the photo is cut."""

    y: int
    x: int

    @property
    def rows(self) -> slice:
        return slice(self.y, self.y + CORE)

    @property
    def columns(self) -> slice:
        return slice(self.x, self.x + CORE)


def _tiles(size: _Size) -> list[_Tile]:
    """Find the tiles that the outline passes; of a finer size those where it is more than an edge.

    An edge that is a few pixels wide at one size only has to be enlarged for the next.
    """
    unsure = (size.lower > network.BAND) & (size.lower < 1 - network.BAND)
    soft: npt.NDArray[Any]
    if size.first:  # where two sure pixels meet, there is a soft one between them when enlarged
        steep = cv2.morphologyEx(
            (size.lower > 0.5).astype(np.uint8), cv2.MORPH_GRADIENT, _square(3)
        )
        soft = unsure.astype(np.uint8) | steep.astype(np.uint8)
    else:
        soft = cv2.erode(unsure.astype(np.uint8), _square(EDGE))
    (height, width), (low, across) = size.shape, size.lower.shape
    down, right = low / height, across / width
    near = cv2.dilate(soft, _square(2 * round(network.REACH / 2 * max(down, right)) + 1))
    found: list[tuple[Any, _Tile]] = []
    for y, x in itertools.product(range(0, height, CORE), range(0, width, CORE)):
        rows = slice(int(y * down), math.ceil((y + CORE) * down))
        columns = slice(int(x * right), math.ceil((x + CORE) * right))
        found.append((np.count_nonzero(near[rows, columns]), _Tile(y, x)))
    passed = [tile for count, tile in found if count]
    if size.first or len(passed) <= MOST:
        return passed
    softest_first = sorted(found, key=lambda one: one[0], reverse=True)
    return [tile for _, tile in softest_first[:MOST]]


def _square(side: int) -> npt.NDArray[np.uint8]:
    return np.ones((side, side), np.uint8)


def _alphas(
    net: network.StrandNet, size: _Size, tiles: list[_Tile], device: torch.device
) -> Iterator[Float32]:
    """Run the network on some tiles; what is sure already stays as it is."""
    seen = [_seen(size, tile) for tile in tiles]
    with room_on(device), torch.inference_mode():
        sharp, smooth = (
            torch.from_numpy(np.stack(kind)).to(device).permute(0, 3, 1, 2)
            for kind in zip(*seen, strict=True)
        )
        found = net(sharp, smooth)[:, 0].clamp(0, 1).cpu().numpy()
    core = slice(MARGIN, MARGIN + CORE)
    for (planes, _), alpha in zip(seen, found, strict=True):
        matte = planes[..., 3]
        inside = cv2.blur(network.band_of(matte), (5, 5))
        yield np.asarray((matte + inside * (alpha - matte))[core, core], np.float32)


def _seen(size: _Size, tile: _Tile) -> tuple[Float32, Float32]:
    """Cut a tile with its margin out of all planes; beyond the photo its border goes on."""
    top, left, side = tile.y - MARGIN, tile.x - MARGIN, CORE + 2 * MARGIN
    height, width = size.shape
    inside = size.rgb[max(top, 0) : top + side, max(left, 0) : left + side]
    before = max(-top, 0), max(-left, 0)
    after = max(top + side - height, 0), max(left + side - width, 0)
    beyond = (before[0], after[0], before[1], after[1])
    whole: Any = cv2.copyMakeBorder(inside, *beyond, cv2.BORDER_REPLICATE)
    colours = upsampling.guide(whole)
    place = slice(top, top + side), slice(left, left + side)
    matte, subject, background = (
        upsampling.window_of(plane, size.shape, *place)
        for plane in (size.lower, size.sides.subject, size.sides.background)
    )
    return network.planes(colours, matte, network.Sides(subject, background))
