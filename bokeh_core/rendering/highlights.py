"""Light that clipping took from lamps and glints, given back where they are out of focus."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from bokeh_core.rendering.layers.labels import CLEAR, SOLID
from bokeh_core.rendering.layers.push_pull import CELL
from bokeh_core.rendering.masks import above, at_least, below
from bokeh_core.rendering.resample import enlarged
from bokeh_core.rendering.tiles import Bounds, window

if TYPE_CHECKING:
    from bokeh_core.lens import Lens

STRIDE = 4
SMALL, LARGE = 0.15, 0.35
"""Clipped share of the surroundings (2.5 `highlight_size` wide) of a lamp and of a wall."""
DEFOCUSED = (1.0, 3.0)
"""CoC in pixels from which, and at which fully, light is given back."""


@dataclass(frozen=True)
class Highlights:
    """Where small clipped sources are.

    Attributes
    ----------
    gain, threshold
        As of `Lens`.
    small
        (H / 4, W / 4) how far clipped pixels here belong to a small source; None = nothing to do.
    """

    gain: float
    threshold: float
    small: Tensor | None
    key: tuple[float, ...] = ()
    keep_subject_sharp: bool = False

    @classmethod
    def of(cls, rgb: Tensor, lens: Lens) -> Highlights:
        """Look for lamps in an (H, W, 3) picture: clipped spots whose surroundings are not."""
        if lens.highlight_gain == 0.0:
            return cls(0.0, 0.0, None)
        height, width = (-(-size // CELL) * (CELL // STRIDE) for size in rgb.shape[:2])
        sample = window(rgb[::STRIDE, ::STRIDE], Bounds(0, 0, height, width), rgb.device)
        clipped = (sample.amax(dim=0, keepdim=True) >= lens.highlight_threshold).float()
        half = max(1, round(2.5 * lens.highlight_size * max(rgb.shape[:2]) / STRIDE / 2))
        share = _box(_box(clipped, half, 1), half, 2)
        small = ((LARGE - share) / (LARGE - SMALL)).clamp(0.0, 1.0)
        key = (lens.highlight_gain, lens.highlight_threshold, lens.highlight_size)
        sharp = lens.keep_subject_sharp
        return cls(*key[:2], small[0], (*key, float(sharp)), sharp)

    def recovered(
        self, rgb: Tensor, coc: Tensor | None, matte: Tensor | None, bounds: Bounds
    ) -> Tensor:
        """Brighten small sources: `L (1 + gain * small * smoothstep(1 px, 3 px, |CoC|))`.

        Never walls or sky, never what is in focus or kept sharp: brightening every clipped pixel is
        worse than none (-7 dB).

        Parameters
        ----------
        rgb, coc, matte
            (3, h, w) linear light, (1, h, w) CoC in pixels or None where all is blurred more than
            that, (1, h, w) coverage or None, of a window.
        bounds
            Of the window in the frame.
        """
        if self.small is None or float(rgb.amax()) < self.threshold:
            return rgb
        clipped = at_least(rgb.amax(dim=0, keepdim=True), self.threshold)
        if matte is not None:  # mixed pixels are not the lamp's alone
            solid = above(matte, 1.0 if self.keep_subject_sharp else SOLID)
            clipped *= below(matte, CLEAR).add_(solid)
        cells = Bounds(*(value // STRIDE for value in vars(bounds).values()))
        gain = enlarged(window(self.small, cells, rgb.device), STRIDE).mul_(self.gain).mul_(clipped)
        if coc is not None:
            start, full = DEFOCUSED
            blurred = ((coc.abs() - start) / (full - start)).clamp(0.0, 1.0)
            gain *= blurred * blurred * (3.0 - 2.0 * blurred)
        return rgb * gain.add_(1.0)


def _box(plane: Tensor, half: int, dim: int) -> Tensor:
    """Mean over 2 half + 1 pixels along one side, borders repeated, by running sums."""
    size = plane.shape[dim]
    index = torch.arange(-half - 1, size + half, device=plane.device).clamp(0, size - 1)
    sums = plane.index_select(dim, index).double().cumsum(dim)
    span = 2 * half + 1
    mean = (sums.narrow(dim, span, size) - sums.narrow(dim, 0, size)) / span
    return mean.to(plane.dtype)
