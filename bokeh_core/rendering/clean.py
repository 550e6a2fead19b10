"""Depth as it comes is soft, noisy and off the picture's edges: what is done before cutting."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from bokeh_core.rendering.fill import filled
from bokeh_core.rendering.ranks import CLEAR, SOLID
from bokeh_core.rendering.resample import enlarged, reduced

STEEP = 1.0
"""Depth that changes by more than this many pixels of CoC within 3 x 3 pixels is an edge."""
SLIGHT = 0.3
"""A pixel on an edge that is within this CoC of one side belongs to that side already."""
SNAPS = 4
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
        part = depth[start : start + rows][None]
        below, above = part - _least(part), -_least(-part) - part
        steep = above + below > RISE
        edges += int(steep.sum())
        between += int((steep & (torch.minimum(above, below) > 0.2 * (above + below))).sum())
    return between > 0.25 * edges


def cleaned(depth: Tensor, matte: Tensor | None, reach: float, blemishes: Blemishes) -> Tensor:
    """Smooth noise, make edges steep, and follow the matte where depth disagrees with it.

    A map without faults is returned unchanged, bit for bit.

    Parameters
    ----------
    depth, matte
        (1, h, w) disparity, and coverage or None.
    reach
        CoC in pixels that one unit of disparity stands for.
    blemishes
        Of the whole map.
    """
    if blemishes.noise * reach > AUDIBLE:
        depth = _smoothed(depth, blemishes.noise)
    depth = _snapped(depth, reach)
    if matte is None:
        return depth
    return _agreeing(depth, matte, reach, blemishes)


def _snapped(depth: Tensor, reach: float) -> Tensor:
    """Make soft edges steep: each pixel takes the nearer of its neighbourhood's extremes."""
    for _ in range(SNAPS):
        low, high = _least(depth), -_least(-depth)
        above, below = high - depth, depth - low
        between = ((high - low) * reach > STEEP) & (torch.minimum(above, below) * reach > SLIGHT)
        if not bool(between.any()):
            break
        # lerp with a mask is a tenth of the cost of where on a CPU
        nearest = torch.lerp(low, high, (above < below).float())
        depth = torch.lerp(depth, nearest, between.float())
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


def _agreeing(depth: Tensor, matte: Tensor, reach: float, blemishes: Blemishes) -> Tensor:
    """Correct depth beside the matte's edge that belongs to the other side of it.

    A soft, eroded or shifted map gives the background next to the subject the subject's depth,
    which would stay sharp as a seam, and the other way round. A pixel is corrected only when it is
    off its own side's depth farther in, visibly and towards the other side's.
    """
    cell = blemishes.band // 2
    if min(depth.shape[1:]) < 2 * cell:
        return depth
    height, width = (size // cell * cell for size in depth.shape[1:])
    inner = (slice(None), slice(0, height), slice(0, width))
    sides = [(matte < CLEAR)[inner], (matte > SOLID)[inner]]
    shares = [reduced(side.float(), cell) for side in sides]
    cores = [_least(_least((share == 1.0).float())) for share in shares]
    if not all(bool(core.any()) for core in cores):
        return depth
    coarse = reduced(depth[inner], cell)
    beyond = [enlarged(filled(coarse, core, None), cell) for core in cores]
    result = depth.clone()
    here = depth[inner]
    for k in (0, 1):
        rim = (shares[k] > 0) & (cores[k] == 0)
        off, gap = here - beyond[k], beyond[1 - k] - beyond[k]
        way = off * gap / (gap * gap).clamp(min=1e-9)
        wrong = sides[k] & (off.abs() * reach > DISAGREEING)
        wrong &= (way > (TOWARDS if blemishes.soft else OTHERS)) & (way < BEYOND)
        wrong &= enlarged(rim.float(), cell) > 0
        result[inner] = torch.lerp(result[inner], beyond[k], wrong.float())
    return result


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
