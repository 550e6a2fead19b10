"""Depth as it comes is soft, noisy and off the picture's edges: what is done before cutting."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from bokeh_core.rendering.layers.labels import CLEAR, SOLID
from bokeh_core.rendering.layers.push_pull import filled
from bokeh_core.rendering.masks import above, below, equal, some
from bokeh_core.rendering.resample import doubled, reduced

STEEP = 1.0
"""Depth that changes by more than this many pixels of CoC within 3 x 3 pixels is an edge."""
SLIGHT = 0.3
"""A pixel on an edge that is within this CoC of one side belongs to that side already."""
SNAPS = 4
BLOCK = 16
"""Side in pixels of the blocks that are snapped or left alone."""
NEAR = 2 * BLOCK
"""Pixels around a place that decide what becomes of its depth where the matte has no edge."""
DISAGREEING = 2.0
"""Depth beside the matte's edge that is off its surroundings by more than this CoC is corrected."""
OTHERS, BEYOND = 0.8, 1.25
"""Depth that far on the way to the other side is the other side's; between, a third surface's."""
TOWARDS = 0.15
"""... but in a soft map anything this far on the way may be a ramp between the two."""
SAMPLED = 1_500_000
"""Pixels of a map that are looked at for softness."""
RISE = 0.03
"""Disparity that must change within 3 x 3 pixels to count as an edge there."""
AUDIBLE = 0.25
"""Noise of more than this many pixels of CoC (one sigma) is smoothed away."""


@dataclass(frozen=True)
class Blemishes:
    """Faults of a depth map as a whole.

    Attributes
    ----------
    noise
        Standard deviation of white noise, in disparity.
    band
        Width in pixels on either side of the matte's edge in which depth may be another surface's.
    soft
        Whether edges are ramps rather than steps.
    """

    noise: float
    band: int
    soft: bool

    @classmethod
    def of(cls, depth: Tensor) -> Blemishes:
        """Measure an (H, W) map: noise as the robust spread of 2 x 2 second differences."""
        sample = depth[: depth.shape[0] // 2 * 2, : depth.shape[1] // 2 * 2]
        step = 2 * max(1, min(sample.shape) // 1024)
        noise = 0.0
        if min(sample.shape) >= 2:
            a, b = sample[::step, ::step], sample[::step, 1::step]
            c, d = sample[1::step, ::step], sample[1::step, 1::step]
            rows, columns = min(a.shape[0], c.shape[0]), min(a.shape[1], b.shape[1])
            twist = (a[:rows, :columns] - b[:rows, :columns]) - (
                c[:rows, :columns] - d[:rows, :columns]
            )
            noise = float(twist.abs().median()) / 0.6745 / 2.0
        width = 0.008 * max(depth.shape)
        return cls(noise, 8 if width <= 8 else 16 if width <= 16 else 32, _is_soft(depth))


def _is_soft(depth: Tensor) -> bool:
    """Tell ramps from steps: on a step every pixel has the depth of one side."""
    rows = max(3, SAMPLED // 8 // depth.shape[1])
    edges, between = 0, 0
    for start in range(0, depth.shape[0], max(rows, depth.shape[0] // 8)):
        band = depth[start : start + rows][None]
        fall, rise = band - _least(band), -_least(-band) - band
        steep = rise + fall > RISE
        edges += int(steep.sum())
        between += int((steep & (torch.minimum(rise, fall) > 0.2 * (rise + fall))).sum())
    return between > 0.25 * edges


def cleaned(depth: Tensor, matte: Tensor | None, max_coc: float, blemishes: Blemishes) -> Tensor:
    """Smooth noise, make edges steep, and follow the matte where depth disagrees with it.

    A map without faults is returned itself. Edges are few: what is done at them is done in the
    blocks that hold one.

    Parameters
    ----------
    depth, matte
        (1, h, w) disparity, and coverage or None.
    max_coc
        CoC in pixels that one unit of disparity stands for.
    blemishes
        Of the whole map.
    """
    if max_coc == 0.0:
        return depth
    if blemishes.noise * max_coc > AUDIBLE:
        depth = _smoothed(depth, blemishes.noise)
    depth = _snapped(depth, max_coc)
    if matte is None:
        return depth
    return _agreeing(depth, matte, max_coc, blemishes)


def has_edge(matte: Tensor) -> bool:
    """Tell whether a matte shows both the subject and what is not."""
    least, most = torch.aminmax(matte)
    return bool(least < CLEAR) and bool(most > SOLID)


def _snapped(depth: Tensor, max_coc: float) -> Tensor:
    """Make soft edges steep: each pixel takes the nearer of its neighbourhood's extremes."""
    height, width = depth.shape[1:]
    padding = (SNAPS, SNAPS + -width % BLOCK, SNAPS, SNAPS + -height % BLOCK)
    wide = F.pad(depth[None], padding, mode="replicate")[0]
    blocks = wide.unfold(1, BLOCK + 2 * SNAPS, BLOCK).unfold(2, BLOCK + 2 * SNAPS, BLOCK)[0]
    where = _with_edges(wide[:, SNAPS:-SNAPS, SNAPS:-SNAPS], STEEP / max_coc)
    patches = blocks[where]
    snapped = _snapped_everywhere(patches, max_coc) if len(patches) else patches
    if snapped is patches:
        return depth
    inner = slice(SNAPS, SNAPS + BLOCK)
    return _with_blocks(depth, snapped[:, inner, inner], where)


def _with_edges(depth: Tensor, step: float) -> Tensor:
    """Return which blocks have depth that changes by a step within 3 x 3 pixels, or a neighbour.

    A path of four pixels joins any two of 3 x 3, so one of its steps is a quarter of it or more.
    """
    most = torch.zeros(depth.shape[1] // BLOCK, depth.shape[2] // BLOCK, device=depth.device)
    for axis in (1, 2):
        count = depth.shape[axis] - 1
        change = torch.zeros_like(depth)
        ends = depth.narrow(axis, 1, count), depth.narrow(axis, 0, count)
        torch.sub(*ends, out=change.narrow(axis, 0, count)).abs_()
        for offset in range(1, BLOCK):
            torch.maximum(change[0, ::BLOCK], change[0, offset::BLOCK], out=change[0, ::BLOCK])
        largest = change[0, ::BLOCK].reshape(*most.shape, BLOCK).amax(dim=2)
        torch.maximum(most, largest, out=most)
    steep = (most > 0.25 * step).float()
    return F.max_pool2d(steep[None, None], 3, stride=1, padding=1)[0, 0] > 0


def _with_blocks(plane: Tensor, blocks: Tensor, where: Tensor) -> Tensor:
    """Return a (1, h, w) plane with other (n, side, side) blocks where a mask of blocks says so."""
    height, width = plane.shape[1:]
    (rows, columns), side = where.shape, blocks.shape[1]
    out = plane.new_empty(1, rows * side, columns * side)
    out[:, :height, :width] = plane[:, : rows * side, : columns * side]
    out.view(rows, side, columns, side).permute(0, 2, 1, 3)[where] = blocks
    if height > rows * side or width > columns * side:  # what is left of the last blocks
        whole = plane.clone()
        whole[:, : rows * side, : columns * side] = out
        return whole
    return out[:, :height, :width]


def _snapped_everywhere(depth: Tensor, max_coc: float) -> Tensor:
    """Snap every pixel of (n, h, w); the same tensor where nothing changes."""
    for _ in range(SNAPS):
        low, high = _least(depth), -_least(-depth)
        rise, fall = high - depth, depth - low
        between = above(high - low, STEEP / max_coc)
        between *= above(torch.minimum(rise, fall), SLIGHT / max_coc)
        if not some(between):
            break
        nearest = torch.lerp(low, high, below(rise, fall))
        depth = torch.lerp(depth, nearest, between)
    return depth


def _least(depth: Tensor) -> Tensor:
    """Minimum over 3 x 3 pixels."""
    rows = depth.clone()
    torch.minimum(rows[:, 1:], depth[:, :-1], out=rows[:, 1:])
    torch.minimum(rows[:, :-1], depth[:, 1:], out=rows[:, :-1])
    out = rows.clone()
    torch.minimum(out[:, :, 1:], rows[:, :, :-1], out=out[:, :, 1:])
    torch.minimum(out[:, :, :-1], rows[:, :, 1:], out=out[:, :, :-1])
    return out


def _agreeing(depth: Tensor, matte: Tensor, max_coc: float, blemishes: Blemishes) -> Tensor:
    """Correct depth beside the matte's edge that belongs to the other side of it.

    A soft, eroded or shifted map gives the background next to the subject the subject's depth,
    which would stay sharp as a seam, and the other way round. A pixel is corrected only when it is
    off its own side's depth farther in, visibly and towards the other side's.
    """
    cell = blemishes.band // 2
    if min(depth.shape[1:]) < 2 * cell or not has_edge(matte):
        return depth
    height, width = (size // cell * cell for size in depth.shape[1:])
    inner = (slice(None), slice(0, height), slice(0, width))
    sides = [below(matte[inner], CLEAR), above(matte[inner], SOLID)]
    shares = [reduced(side, cell) for side in sides]
    cores = [_least(_least(equal(share, 1.0))) for share in shares]
    if not all(some(core) for core in cores):
        return depth
    coarse = reduced(depth[inner], cell)
    beyond = [filled(coarse, core, None) for core in cores]
    changed = depth
    for k in (0, 1):
        rim = above(shares[k], 0.0) * (1.0 - cores[k])
        where = F.max_pool2d(rim[None], 3, stride=1, padding=1)[0, 0] > 0
        here = _blocks(depth[inner], cell)[where]
        side = _blocks(sides[k], cell)[where]
        own, other = (_enlarged_cells(plane, where, cell) for plane in (beyond[k], beyond[1 - k]))
        off, gap = here - own, other - own
        way = off * gap / (gap * gap).clamp_(min=1e-9)
        wrong = side * above(off.abs_(), DISAGREEING / max_coc)
        wrong *= above(way, TOWARDS if blemishes.soft else OTHERS) * below(way, BEYOND)
        if some(wrong):
            now = _blocks(changed[inner], cell)[where]
            changed = _with_blocks(changed, torch.lerp(now, own, wrong), where)
    return changed


def _blocks(plane: Tensor, side: int) -> Tensor:
    """View (1, h, w) as (h / side, w / side, side, side) blocks."""
    return plane.unfold(1, side, side).unfold(2, side, side)[0]


def _enlarged_cells(plane: Tensor, where: Tensor, factor: int) -> Tensor:
    """Return `enlarged(plane, factor)` in the blocks of a mask only, (n, factor, factor).

    A pixel depends on its cell and the eight around it, at every step of enlargement.
    """
    patches = F.pad(plane[None], (1, 1, 1, 1), mode="replicate")[0]
    patches = patches.unfold(1, 3, 1).unfold(2, 3, 1)[0][where]
    while factor > 1:
        patches, factor = doubled(patches)[:, 1:-1, 1:-1], factor // 2
    return patches[:, 1:-1, 1:-1]


def _smoothed(depth: Tensor, noise: float) -> Tensor:
    """Self-guided filter (He et al. 2010) over 7 x 7: smooths noise, keeps what is larger."""
    mean = _box(depth)
    variance = (_box(depth * depth) - mean * mean).clamp(min=0.0)
    keep = variance / (variance + (3.0 * noise) ** 2)
    return _box(keep) * depth + _box(mean - keep * mean)


def _box(plane: Tensor) -> Tensor:
    """Mean over 7 x 7 pixels, borders repeated."""
    for dim in (1, 2):
        size = plane.shape[dim]
        index = torch.arange(-3, size + 3, device=plane.device).clamp(0, size - 1)
        wide = plane.index_select(dim, index)
        total = wide.narrow(dim, 0, size).clone()
        for offset in range(1, 7):
            total += wide.narrow(dim, offset, size)
        plane = total.div_(7.0)
    return plane
