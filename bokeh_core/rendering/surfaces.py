"""Cutting a picture into surfaces: the scene, complete behind the subject, and the subject."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from bokeh_core.rendering.fill import filled

CLEAR, SOLID = 0.02, 0.98
"""Matte values below and above which a pixel shows one surface only."""


@dataclass(frozen=True)
class Surface:
    """One continuous surface.

    Attributes
    ----------
    light
        (3, h, w) colour premultiplied with coverage, linear light.
    cover
        (1, h, w) coverage in [0, 1].
    depth
        (1, h, w) disparity, continued past where the surface is seen.
    subject
        Whether this is (part of) the subject of the matte.
    """

    light: Tensor
    cover: Tensor
    depth: Tensor
    subject: bool


def cut(rgb: Tensor, depth: Tensor, matte: Tensor | None) -> list[Surface]:
    """Cut one window into surfaces, farthest first.

    Parameters
    ----------
    rgb, depth, matte
        (3, h, w) linear light, (1, h, w) disparity, (1, h, w) coverage or None.
    """
    whole = torch.ones_like(depth)
    if matte is None or not bool((matte > 0).any()):
        return [Surface(rgb, whole, depth, subject=False)]
    behind = filled(torch.cat((rgb, depth)), (matte < CLEAR).to(rgb.dtype))
    inside = filled(torch.cat((rgb, depth)), (matte > SOLID).to(rgb.dtype))
    colour, background = _separated(rgb, matte, inside[:3], behind[:3])
    return [
        Surface(background, whole, behind[3:], subject=False),
        Surface(colour * matte, matte, inside[3:], subject=True),
    ]


def _separated(rgb: Tensor, matte: Tensor, front: Tensor, back: Tensor) -> tuple[Tensor, Tensor]:
    """Colours of both surfaces in mixed pixels: the likeliest ones given smooth guesses of both.

    `rgb = a F + (1 - a) B`; what the guesses do not explain is shared by their variances, taken as
    equal, which is the maximum a posteriori answer for Gaussian errors.
    """
    rest = rgb - matte * front - (1.0 - matte) * back
    share = rest / (matte**2 + (1.0 - matte) ** 2)
    colour = torch.where(matte > SOLID, rgb, (front + matte * share).clamp(min=0.0))
    background = torch.where(matte < CLEAR, rgb, (back + (1.0 - matte) * share).clamp(min=0.0))
    return colour, background
