"""Which surface a pixel shows: `2 * slice of depth + (1 for the subject)`, farthest first.

The subject therefore lies over the part of the scene that is about as far away.
"""

from __future__ import annotations

from typing import overload

import torch
from torch import Tensor

CLEAR, SOLID = 0.02, 0.98
"""Matte values below and above which a pixel shows one surface only."""
SUBJECT = 255
"""Stands for all the subject's ranks together; odd as they are."""
THIN = 0.01
"""Weight of a pixel at the edge of a surface beside a pure one."""


def ranks_of(
    depth: Tensor, matte: Tensor | None, inside: Tensor, thresholds: tuple[float, ...]
) -> Tensor:
    """Give the rank of the nearest surface that each pixel shows.

    Parameters
    ----------
    depth, matte
        (1, h, w) disparity, and coverage or None.
    inside
        (1, h, w) disparity of the subject, continued into its soft edge.
    thresholds
        Disparities that part the slices.
    """
    subject = None if matte is None else matte >= CLEAR
    shown = depth if subject is None else torch.lerp(depth, inside, subject.float())
    ranks = torch.zeros(depth.shape, dtype=torch.uint8, device=depth.device)
    for threshold in thresholds:
        ranks += shown > threshold
    ranks *= 2
    return ranks if subject is None else ranks + subject


def occurring(ranks: Tensor, thresholds: tuple[float, ...]) -> list[int]:
    """List the ranks that any pixel has, ascending."""
    counts = torch.bincount(ranks.flatten(), minlength=2 * len(thresholds) + 2)
    return [rank for rank, count in enumerate(counts.tolist()) if count]


@overload
def is_subject(rank: int) -> bool: ...
@overload
def is_subject(rank: Tensor) -> Tensor: ...
def is_subject(rank: int | Tensor) -> bool | Tensor:
    """Tell the subject's ranks from the scene's."""
    return rank % 2 == 1


def coverage(own: Tensor, matte: Tensor | None, rank: int) -> Tensor:
    """Give the visible coverage of a surface: the matte for the subject, else all or nothing."""
    return own.float() if matte is None or not is_subject(rank) else own * matte


def purity(own: Tensor, matte: Tensor | None, rank: int) -> Tensor:
    """How far a pixel's colour is this surface's alone: 1 when solid and a pixel from its edge.

    Other pixels count a little, so that something too thin to be pure anywhere keeps its colour.
    """
    if matte is not None and is_subject(rank):
        solid = (matte > SOLID).float()
        return own * (solid + (1.0 - solid) * (THIN * matte))
    away = own.clone()
    away[..., 1:, :] &= own[..., :-1, :]
    away[..., :-1, :] &= own[..., 1:, :]
    away[..., :, 1:] &= own[..., :, :-1]
    away[..., :, :-1] &= own[..., :, 1:]
    return away * (1.0 - THIN) + own * THIN
