"""Aperture shapes as small images: what one point of light becomes when it is out of focus."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor

if TYPE_CHECKING:
    from bokeh_core.lens import Lens

CAT_EYE_SHIFT = 1.0
"""Shift of the second clipping circle at the frame's corner for `cat_eye = 1`, in disc radii."""


def support_factor(lens: Lens) -> float:
    """Farthest extent of a kernel from its centre along x or y, in nominal radii."""
    return _extent(lens) * (1.0 + abs(lens.fringe))


def _extent(lens: Lens) -> float:
    """Farthest extent without a fringe; an image of its own fills a square, which may be turned."""
    stretch = max(math.sqrt(lens.squeeze), 1.0 / math.sqrt(lens.squeeze))
    if lens.kernel is None:
        return stretch
    return stretch * (abs(math.cos(lens.rotation)) + abs(math.sin(lens.rotation)))


def point_symmetric(lens: Lens) -> bool:
    """Whether the kernel looks the same turned by 180 degrees, so both sides can share it."""
    return lens.kernel is None and lens.blades % 2 == 0 and lens.cat_eye == 0.0


def aperture_kernel(
    lens: Lens,
    radius: float,
    *,
    near: bool = False,
    field: tuple[float, float] = (0.0, 0.0),
    spread: float = 0.0,
) -> Tensor:
    """Rasterise the aperture with antialiasing, sum 1, on an odd square grid.

    Parameters
    ----------
    lens
        Shape fields of `Lens`: blades, curvature, rotation, squeeze, cat_eye, ring, kernel.
    radius
        Circumscribed radius in grid pixels, > 0.
    near
        Side in front of the focus: the image of the aperture is turned by 180 degrees.
    field
        Position in the frame relative to the centre, in half diagonals: (x, y), length <= 1.
    spread
        Variance per axis, in grid pixels squared, that resampling around the blur adds by itself;
        the kernel is made narrower by as much.

    Returns
    -------
    Tensor
        (n, n) float32; for a disc of variance `radius^2 / 4 + 1/12 - spread` per axis.
    """
    radius = math.sqrt(max(radius * radius - 4.0 * spread, 0.04 * radius * radius))
    half = math.ceil(radius * _extent(lens) + 0.5)
    fine = max(4, min(16, math.ceil(48.0 / radius)))
    count = 2 * half + 1
    step = (torch.arange(count * fine, dtype=torch.float32) + 0.5) / fine - count / 2.0
    y, x = torch.meshgrid(step / radius, step / radius, indexing="ij")
    turn = -1.0 if near else 1.0
    x, y = turn * x * math.sqrt(lens.squeeze), turn * y / math.sqrt(lens.squeeze)
    light = _shape(lens, x, y) * _cat_eye(lens, x, y, field)
    kernel = F.avg_pool2d(light[None, None], fine)[0, 0]
    total = float(kernel.sum())
    if total <= 0.0:
        kernel[half, half], total = 1.0, 1.0
    return kernel / total


def _shape(lens: Lens, x: Tensor, y: Tensor) -> Tensor:
    """Light through the aperture at (x, y) in radii, before the lens barrel clips it."""
    if lens.kernel is not None:
        return _custom(lens, x, y)
    distance = torch.hypot(x, y)
    rim = distance / _edge(lens, torch.atan2(y, x))
    if lens.ring >= 0.0:
        profile = 1.0 - lens.ring * (1.0 - rim.clamp(max=1.0) ** 6)
    else:
        profile = 1.0 + lens.ring * rim.clamp(max=1.0) ** 2
    return profile * (rim <= 1.0)


def _edge(lens: Lens, angle: Tensor) -> Tensor:
    """Distance of the aperture's edge in a direction: polygon bent towards its outer circle."""
    if lens.blades == 0 or lens.curvature == 1.0:
        return torch.ones_like(angle)
    sector = 2.0 * math.pi / lens.blades
    inside = torch.remainder(angle - lens.rotation, sector) - 0.5 * sector
    straight = math.cos(0.5 * sector) / torch.cos(inside)
    return straight + lens.curvature * (1.0 - straight)


def _custom(lens: Lens, x: Tensor, y: Tensor) -> Tensor:
    """Sample the user's image, stretched over the disc's bounding square, turned by `rotation`."""
    image = torch.tensor(lens.kernel, dtype=torch.float32)[None, None]
    cos, sin = math.cos(lens.rotation), math.sin(lens.rotation)
    grid = torch.stack((cos * x + sin * y, cos * y - sin * x), dim=-1)[None]
    return F.grid_sample(image, grid, align_corners=False, padding_mode="zeros")[0, 0]


def _cat_eye(lens: Lens, x: Tensor, y: Tensor, field: tuple[float, float]) -> Tensor:
    """Clip by the shifted exit pupil: the lens barrel seen from off the axis."""
    if lens.cat_eye == 0.0 or field == (0.0, 0.0):
        return torch.ones_like(x)
    shift = lens.cat_eye * CAT_EYE_SHIFT
    return (torch.hypot(x + shift * field[0], y + shift * field[1]) <= 1.0).to(x.dtype)
