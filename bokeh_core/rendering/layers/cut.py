"""Cutting a window into layers, each complete under what hides it, ordered by depth."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from bokeh_core.rendering.layers.labels import (
    CLEAR,
    SOLID,
    SUBJECT,
    coverage,
    is_subject,
    occurring,
    purity,
    ranks_of,
)
from bokeh_core.rendering.layers.layer import CONTINUOUS, Layer, Sight, Window
from bokeh_core.rendering.layers.push_pull import CELL, filled, trustworthy
from bokeh_core.rendering.layers.unmix import in_doubt, separated
from bokeh_core.rendering.masks import above, at_most, below, every, some

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bokeh_core.rendering.layers.summary import Summary


@dataclass(frozen=True)
class _Cut:
    """One window under the knife: what it shows, and what it is cut by."""

    window: Window
    sight: Sight
    summary: Summary
    max_coc: float
    ranks: Tensor
    trust: Tensor | None
    seen: Tensor
    """(4, h, w) colour and disparity."""

    def filled(self, values: Tensor, known: Tensor, base: Tensor | None) -> Tensor:
        """Continue what is known, at most to the cells of the frame."""
        return filled(values, known, base, trust=self.trust, halvings=_halvings(self.window))

    def cells(self, rank: int) -> Tensor | None:
        return self.summary.window(rank, self.window.bounds, self.ranks.device)

    def layer(self, rank: int, own: Tensor) -> tuple[Layer, Tensor]:
        """Return one layer, its own colour where seen, continued where hidden; and its depth."""
        rgb, depth, matte = self.window.rgb, self.window.depth, self.window.matte
        cover = coverage(own, matte, rank)
        if every(cover):
            return self._made(rank, rgb, cover, depth, own), depth
        cells = self.cells(rank)
        pure = purity(own, matte, rank)
        base = None if cells is None else cells[:4]
        guess = self.filled(self.seen, pure, base)
        colour, inner = guess[:3], guess[3:]
        known = at_most(self.ranks, rank)
        if not every(known):
            base = None if cells is None else cells[4:]
            cover = filled(cover, known, base, halvings=_halvings(self.window))
        if is_subject(rank):
            return self._made(rank, colour, cover, inner, own), inner
        real, same = own, self._going_on(rank, inner)
        if same is not None:
            real, cover = torch.maximum(real, same), torch.maximum(cover, same)
        guess.lerp_(self.seen, real)
        return self._made(rank, colour, cover, inner, own), inner

    def _going_on(self, rank: int, inner: Tensor) -> Tensor | None:
        """Return where a nearer part of the scene is as far away as this layer goes on there."""
        nearer = above(self.ranks, rank)
        if self.window.matte is not None:
            nearer *= below(self.window.matte, CLEAR)
        if not some(nearer):
            return None
        return nearer.mul_(below((inner - self.window.depth).abs_(), CONTINUOUS / self.max_coc))

    def _made(self, rank: int, colour: Tensor, cover: Tensor, depth: Tensor, seen: Tensor) -> Layer:
        coc = self.sight.layer_coc(depth, rank)
        return Layer(rank, colour, cover, coc, seen, self.window.scale, self.window.halo)


def cut(
    window: Window,
    summary: Summary,
    max_coc: float,
    sight: Sight,
    coarser: Sequence[Layer],
    step: Callable[[], None],
) -> list[Layer]:
    """Cut one window into the layers that something is blurred of at its size, farthest first.

    Parameters
    ----------
    window
        What to cut; its depth is clean.
    summary
        Of the frame that the window is taken from.
    max_coc
        CoC in pixels that one unit of disparity stands for.
    sight
        What the layers will be seen through.
    coarser
        Layers of reduced windows around this one. They tell what is behind the subject's edge where
        nothing of that layer is blurred at this size.
    step
        Called between units of work.
    """
    depth, matte = window.depth, window.matte
    share = window.share
    wide = window.doubt
    inside = _inside(window, summary)
    if wide is not None and inside is not depth:
        # depth knows better there than a solid part far away
        inside = torch.lerp(inside, depth, wide)
    ranks = ranks_of(depth, matte, inside, summary.thresholds)
    seen = torch.cat((window.rgb, depth))
    knife = _Cut(window, sight, summary, max_coc, ranks, trustworthy(window.rgb), seen)
    found = _parts(ranks, matte, whole=sight.lens.keep_subject_sharp)
    mixed = matte is not None and _is_mixed(matte)
    if mixed and is_subject(found[0][0]):
        found = [*_behind(summary, ranks), *found]
    layers: list[Layer] = []
    for rank, own in found:
        wanted = share is None or some(share * own)
        if not (wanted or mixed):
            continue
        step()
        known = next((c for c in coarser if c.rank == rank), None)
        if known is not None and not wanted and wide is None:
            layer, inner = known, depth
        else:
            layer, inner = knife.layer(rank, own)
        if rank == found[0][0]:  # nothing to see through the farthest
            layer = replace(layer, cover=torch.ones_like(layer.cover))
        elif is_subject(rank):
            if wide is not None:
                layer = in_doubt(window, wide * own, layers, layer, inner, max_coc, sight)
            separated(window, own, layers, layer)
        layers.append(layer)
    return [layer for layer in layers if layer.scale == window.scale]


def _parts(ranks: Tensor, matte: Tensor | None, *, whole: bool) -> list[tuple[int, Tensor]]:
    """List rank and pixels of every layer, farthest first; the subject may stay whole.

    A subject that stays sharp lies over everything, whatever its depth: cut into slices it would
    cost three times as much and look the same.
    """
    found = occurring(ranks)
    if matte is None or not whole:
        return found
    scene = [(rank, own) for rank, own in found if not is_subject(rank)]
    subject = [own for rank, own in found if is_subject(rank)]
    return [*scene, (SUBJECT, sum(subject[1:], subject[0]))] if subject else scene


def _behind(summary: Summary, ranks: Tensor) -> list[tuple[int, Tensor]]:
    """Return the frame's farthest layer for a window that shows nothing but the subject.

    Its mixed pixels are mixed with something. Without it a tile in the middle of a half-transparent
    matte took the colours of the nearest solid part, with a straight edge to the tile beside it.
    """
    scene = [rank for rank in summary.cells if not is_subject(rank)]
    return [(min(scene), torch.zeros_like(ranks))] if scene else []


def _inside(window: Window, summary: Summary) -> Tensor:
    """Return the subject's depth, continued from its solid part into its soft edge."""
    if window.matte is None or not summary.thresholds or not _is_mixed(window.matte):
        return window.depth
    base = summary.window(SUBJECT, window.bounds, window.depth.device)
    if base is None:
        return window.depth
    solid = above(window.matte, SOLID)
    return filled(window.depth, solid, base[3:4], halvings=_halvings(window))


def _is_mixed(matte: Tensor) -> bool:
    """Tell whether any pixel shows the subject and what is behind it."""
    return some(above(matte, CLEAR).mul_(below(matte, 1.0)))


def _halvings(window: Window) -> int:
    """Return how often a window can be halved until a pixel is a cell of the frame."""
    return (CELL // window.scale).bit_length() - 1
