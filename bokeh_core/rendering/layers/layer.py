"""One layer of a window, the pixels it is cut from, and the lens it will be seen through."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from bokeh_core.rendering.layers.labels import CLEAR, is_subject
from bokeh_core.rendering.masks import below, every
from bokeh_core.rendering.tiles import Bounds

if TYPE_CHECKING:
    from collections.abc import Hashable

    from bokeh_core.lens import Lens
    from bokeh_core.rendering.aperture_blur.radii import BlurRadii
    from bokeh_core.rendering.highlights import Highlights

CONTINUOUS = 3.0
"""Two things within this many pixels of CoC of each other are one layer going on."""


@dataclass(frozen=True)
class Layer:
    """One continuous layer of a window, at one of the sizes it is blurred at.

    Attributes
    ----------
    rank
        Place in the order of depth, see `labels`; half a step less for what is in doubt behind it.
    colour
        (3, h, w) linear light, not premultiplied, continued past where the layer is seen.
    cover
        (1, h, w) coverage in [0, 1].
    coc
        (1, h, w) signed circle of confusion in pixels of the frame, continued likewise.
    seen
        (1, h, w) 1 where this is the nearest layer that the pixel shows.
    scale
        Reduction of the planes, a power of two.
    halo
        Pixels of the frame that the planes reach past the tile, on every side.
    """

    rank: float
    colour: Tensor
    cover: Tensor
    coc: Tensor
    seen: Tensor
    scale: int
    halo: int

    @property
    def nbytes(self) -> int:
        """Memory taken by the planes."""
        return sum(p.nbytes for p in (self.colour, self.cover, self.coc, self.seen))

    @property
    def subject(self) -> bool:
        """Whether this is (part of) the subject of the matte."""
        return self.rank == int(self.rank) and is_subject(int(self.rank))

    @cached_property
    def coc_ends(self) -> tuple[float, float]:
        """The smallest and the largest signed CoC of all its pixels."""
        least, most = (float(end) for end in torch.aminmax(self.coc))
        return least, most

    @cached_property
    def full(self) -> bool:
        """Whether nothing is seen through it."""
        return every(self.cover)

    def only_seen(self) -> Layer:
        """Return the layer without its continuation behind others."""
        return replace(self, cover=self.cover * self.seen)

    def framed(self, planes: Bounds) -> Bounds:
        """Return a rectangle of the planes in pixels from the tile's corner."""
        top, left, height, width = (self.scale * side for side in vars(planes).values())
        return Bounds(top - self.halo, left - self.halo, height, width)

    def at(self, box: Bounds) -> tuple[slice, slice, slice]:
        """Index the planes by a rectangle given in pixels from the tile's corner."""
        top, left = (box.top + self.halo) // self.scale, (box.left + self.halo) // self.scale
        height, width = box.height // self.scale, box.width // self.scale
        return slice(None), slice(top, top + height), slice(left, left + width)


@dataclass(frozen=True)
class Sight:
    """What the cut depends on of the lens.

    Attributes
    ----------
    lens
        With a known focus.
    radii
        Its blur radii.
    highlights
        Of the frame.
    """

    lens: Lens
    radii: BlurRadii
    highlights: Highlights

    @property
    def key(self) -> tuple[Hashable, ...]:
        """The same for lenses that layers can be shared by: those that differ in shape only."""
        shape = {"blades", "curvature", "rotation", "squeeze", "cat_eye", "ring", "fringe"}
        shape |= {"kernel", "grain", "grain_seed"}
        return (*(v for k, v in vars(self.lens).items() if k not in shape), self.radii)

    def coc(self, depth: Tensor, matte: Tensor | None) -> Tensor:
        """Return the signed CoC of what is seen; 0 where the subject must stay sharp."""
        coc: Tensor = self.lens.coc(depth)
        if matte is None or not self.lens.keep_subject_sharp:
            return coc
        return coc * below(matte, CLEAR)

    def layer_coc(self, depth: Tensor, rank: int) -> Tensor:
        """Return the signed CoC of one layer; 0 for a subject that must stay sharp."""
        if is_subject(rank) and self.lens.keep_subject_sharp:
            return torch.zeros_like(depth)
        coc: Tensor = self.lens.coc(depth)
        return coc


@dataclass(frozen=True)
class Window:
    """The pixels that layers are cut from, at one size.

    Attributes
    ----------
    rgb, depth, matte
        (3, h, w) linear light, (1, h, w) clean disparity, (1, h, w) coverage or None.
    doubt
        (1, h, w) where the matte is undecided, see `undecided`; None = nowhere.
    share
        (1, h, w) how far what is seen is blurred at this size; None = all of all.
    bounds
        In the frame, on the grid of cells.
    scale
        Reduction of the planes, a power of two, at most a cell.
    halo
        Pixels of the frame that the window reaches past its tile.
    """

    rgb: Tensor
    depth: Tensor
    matte: Tensor | None
    doubt: Tensor | None
    share: Tensor | None
    bounds: Bounds
    scale: int
    halo: int
