"""Which layer a pixel shows: `2 * slice of depth + (1 for the subject)`, farthest first.

The subject therefore lies over the part of the scene that is about as far away.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from bokeh_core.rendering.masks import above, at_least, equal, some

if TYPE_CHECKING:
    from torch import Tensor

CLEAR, SOLID = 0.02, 0.98
"""Matte values below and above which a pixel shows one layer only."""
SUBJECT = 255
"""Stands for all the subject's ranks together; odd as they are."""
THIN = 0.01
"""Weight of a pixel at the edge of a layer beside a pure one."""


def ranks_of(
    depth: Tensor, matte: Tensor | None, inside: Tensor, thresholds: tuple[float, ...]
) -> Tensor:
    """Return the rank of the nearest layer that each pixel shows, whole numbers in float32.

    Parameters
    ----------
    depth, matte
        (1, h, w) disparity, and coverage or None.
    inside
        (1, h, w) disparity of the subject, continued into its soft edge.
    thresholds
        Disparities that part the slices.
    """
    subject = None if matte is None else at_least(matte, CLEAR)
    shown = depth if subject is None or inside is depth else torch.lerp(depth, inside, subject)
    ranks = torch.zeros_like(depth)
    for threshold in thresholds:
        ranks += above(shown, threshold)
    ranks.mul_(2)
    return ranks if subject is None else ranks.add_(subject)


def occurring(ranks: Tensor) -> list[tuple[int, Tensor]]:
    """List the ranks that any pixel has, ascending, each with the mask of its pixels."""
    least, most = (int(end) for end in torch.aminmax(ranks))
    if least == most:
        return [(least, torch.ones_like(ranks))]
    masks = ((rank, equal(ranks, rank)) for rank in range(least, most + 1))
    return [(rank, own) for rank, own in masks if some(own)]


def is_subject(rank: int) -> bool:
    """Tell the subject's ranks from the scene's."""
    return rank % 2 == 1


def coverage(own: Tensor, matte: Tensor | None, rank: int) -> Tensor:
    """Return the visible coverage of a layer: the matte for the subject, else all or nothing."""
    return own if matte is None or not is_subject(rank) else own * matte


def purity(own: Tensor, matte: Tensor | None, rank: int) -> Tensor:
    """Return how far a pixel's colour is this layer's alone: 1 when solid and not beside its edge.

    Other pixels count a little, so that something too thin to be pure anywhere keeps its colour.
    """
    if matte is not None and is_subject(rank):
        solid = above(matte, SOLID)
        return torch.lerp(THIN * matte, torch.ones_like(matte), solid).mul_(own)
    away = own.clone()
    away[..., 1:, :] *= own[..., :-1, :]
    away[..., :-1, :] *= own[..., 1:, :]
    away[..., :, 1:] *= own[..., :, :-1]
    away[..., :, :-1] *= own[..., :, 1:]
    return away.mul_(1.0 - THIN).add_(own, alpha=THIN)
