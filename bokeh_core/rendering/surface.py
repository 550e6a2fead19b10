"""One surface of a window, the pixels it is cut from, and the lens it will be seen through."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from bokeh_core.rendering.fill import CELL
from bokeh_core.rendering.ranks import CLEAR

if TYPE_CHECKING:
    from collections.abc import Hashable

    from bokeh_core.lens import Lens
    from bokeh_core.rendering.highlights import Highlights
    from bokeh_core.rendering.levels import Levels

CONTINUOUS = 3.0
"""Two things within this many pixels of CoC of each other are one surface going on."""


@dataclass(frozen=True)
class Surface:
    """One continuous surface of a window, no finer than its blur can show.

    Attributes
    ----------
    light
        (3, h / scale, w / scale) colour premultiplied with coverage, linear light.
    cover
        (1, h / scale, w / scale) coverage in [0, 1].
    depth
        (1, h / scale, w / scale) disparity, continued past where the surface is seen.
    seen
        (1, h, w) bool: this is the nearest surface that the pixel shows.
    subject
        Whether this is (part of) the subject of the matte.
    scale
        Reduction of the planes, a power of two.
    """

    light: Tensor
    cover: Tensor
    depth: Tensor
    seen: Tensor
    subject: bool
    scale: int

    @property
    def nbytes(self) -> int:
        """Memory taken by the planes."""
        return sum(p.nbytes for p in (self.light, self.cover, self.depth, self.seen))


@dataclass(frozen=True)
class Sight:
    """What the cut depends on of the lens.

    Attributes
    ----------
    lens
        With a known focus.
    levels
        Its blur radii.
    highlights
        Of the frame.
    """

    lens: Lens
    levels: Levels
    highlights: Highlights

    @property
    def key(self) -> tuple[Hashable, ...]:
        """The same for lenses that surfaces can be shared by: those that differ in shape only."""
        shape = {"blades", "curvature", "rotation", "squeeze", "cat_eye", "ring", "fringe"}
        shape |= {"kernel", "grain", "grain_seed"}
        return (*(v for k, v in vars(self.lens).items() if k not in shape), self.levels)

    def coc(self, depth: Tensor, matte: Tensor | None) -> Tensor:
        """Give the signed CoC of what is seen; 0 where the subject must stay sharp."""
        coc: Tensor = self.lens.coc(depth)
        if matte is None or not self.lens.keep_subject_sharp:
            return coc
        return coc * (matte < CLEAR)

    def scale(self, coc: Tensor, where: Tensor) -> int:
        """Reduction that a surface seen there bears: that of its least blurred pixel."""
        least = float(torch.where(where, coc.abs(), math.inf).amin())
        return min(self.levels.scale(least), CELL)


@dataclass(frozen=True)
class Window:
    """The pixels that surfaces are cut from: (3, h, w), (1, h, w), (1, h, w) or None, and ranks."""

    rgb: Tensor
    depth: Tensor
    matte: Tensor | None
    ranks: Tensor
    trust: Tensor
