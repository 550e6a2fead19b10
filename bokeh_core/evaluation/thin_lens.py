"""Ground truth for blur: a thin lens sampled point by point over a layered scene.

Every layer at disparity d moves by `K (d - focus) (u, v)` for the lens point (u, v); the layers are
composited per lens point in linear light and the results averaged, which is what a camera does.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor

FloatImage = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Layer:
    """One flat, possibly slanted thing; its images reach `margin` pixels past the frame.

    Attributes
    ----------
    rgb, alpha
        (H + 2 margin, W + 2 margin, 3) linear light, and coverage of the same size.
    disparity, slope
        Disparity at the frame's top row, and its change per pixel row downwards.
    subject
        Whether this is what the matte marks.
    """

    rgb: FloatImage
    alpha: FloatImage
    disparity: float
    slope: float = 0.0
    subject: bool = False


@dataclass(frozen=True)
class Scene:
    """Layers, farthest first, over a frame; the last row and column of margin repeat outwards."""

    name: str
    width: int
    height: int
    margin: int
    layers: tuple[Layer, ...]


@dataclass(frozen=True)
class Inputs:
    """What a renderer is given of a scene: all in focus, exact depth, the visible matte."""

    rgb: FloatImage
    depth: FloatImage
    matte: FloatImage


def pinhole(scene: Scene) -> Inputs:
    """Take the picture that is sharp everywhere, with its depth and matte."""
    picture = np.zeros((scene.height, scene.width, 3), np.float32)
    depth = np.zeros((scene.height, scene.width), np.float32)
    matte = np.zeros_like(depth)
    inside = (
        slice(scene.margin, scene.margin + scene.height),
        slice(scene.margin, scene.margin + scene.width),
    )
    rows = np.arange(scene.height, dtype=np.float32)[:, None]
    for layer in scene.layers:
        alpha = layer.alpha[inside]
        picture = picture * (1 - alpha[..., None]) + layer.rgb[inside] * alpha[..., None]
        depth = np.where(alpha > 0.5, layer.disparity + layer.slope * rows, depth)
        matte = matte * (1 - alpha) + alpha * layer.subject
    return Inputs(picture, depth.astype(np.float32), matte.astype(np.float32))


def photograph(scene: Scene, *, max_coc: float, focus: float, samples: int = 400) -> FloatImage:
    """Take the picture through a round lens.

    Parameters
    ----------
    scene
        Layers; `scene.margin` must be at least the largest shift.
    max_coc, focus
        As in `Lens`.
    samples
        Points on the lens, spread evenly (sunflower spiral).

    Returns
    -------
    ndarray
        (H, W, 3) linear light.
    """
    total = torch.zeros(3, scene.height, scene.width)
    stacks = [_premultiplied(layer) for layer in scene.layers]
    for u, v in _lens_points(samples):
        view = torch.zeros_like(total)
        for layer, stack in zip(scene.layers, stacks, strict=True):
            seen = _seen(scene, layer, stack, max_coc, focus, u, v)
            view = view * (1 - seen[3:]) + seen[:3]
        total += view
    return (total / samples).permute(1, 2, 0).contiguous().numpy()


def _lens_points(count: int) -> list[tuple[float, float]]:
    golden = math.pi * (3.0 - math.sqrt(5.0))
    radii = [math.sqrt((i + 0.5) / count) for i in range(count)]
    return [(r * math.cos(i * golden), r * math.sin(i * golden)) for i, r in enumerate(radii)]


def _premultiplied(layer: Layer) -> Tensor:
    alpha = layer.alpha[..., None]
    stack = np.concatenate((layer.rgb * alpha, alpha), axis=2)
    return torch.from_numpy(stack).permute(2, 0, 1).contiguous()


def _seen(
    scene: Scene, layer: Layer, stack: Tensor, max_coc: float, focus: float, u: float, v: float
) -> Tensor:
    """Resample one layer as the lens point sees it: a point q is seen at `q - K (d(q) - f) (u, v)`.

    A layer with constant slope has the closed form `q_y = (p_y + K (d0 - f) v) / (1 - K slope v)`.
    """
    offset = max_coc * (layer.disparity - focus)
    if layer.slope == 0.0:
        return _shifted(stack, scene, offset * u, offset * v)
    rows = torch.arange(scene.height, dtype=torch.float32)
    source_y = (rows + offset * v) / (1.0 - max_coc * layer.slope * v)
    shift_x = (offset + max_coc * layer.slope * source_y) * u
    x = torch.arange(scene.width, dtype=torch.float32)[None, :] + shift_x[:, None]
    y = source_y[:, None].expand_as(x)
    height, width = stack.shape[1:]
    grid = torch.stack(
        (
            (2.0 * (x + scene.margin) + 1.0) / width - 1.0,
            (2.0 * (y + scene.margin) + 1.0) / height - 1.0,
        ),
        dim=-1,
    )
    return F.grid_sample(stack[None], grid[None], padding_mode="border", align_corners=False)[0]


def _shifted(stack: Tensor, scene: Scene, dx: float, dy: float) -> Tensor:
    """Bilinear look-up at a constant offset, as four weighted slices."""
    whole_x, whole_y = math.floor(dx), math.floor(dy)
    part_x, part_y = dx - whole_x, dy - whole_y

    def cut(down: int, right: int) -> Tensor:
        top = scene.margin + whole_y + down
        left = scene.margin + whole_x + right
        return stack[:, top : top + scene.height, left : left + scene.width]

    if part_x == 0.0 and part_y == 0.0:
        return cut(0, 0)
    upper = torch.lerp(cut(0, 0), cut(0, 1), part_x)
    lower = torch.lerp(cut(1, 0), cut(1, 1), part_x)
    return torch.lerp(upper, lower, part_y)
