"""Light that clipping took from lamps and glints, given back where they are out of focus."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from bokeh_core.rendering.fill import CELL
from bokeh_core.rendering.frame import Bounds, window
from bokeh_core.rendering.ranks import CLEAR, SOLID
from bokeh_core.rendering.resample import enlarged

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

    @classmethod
    def of(cls, rgb: Tensor, lens: Lens) -> Highlights:
        """Look for lamps in an (H, W, 3) picture: clipped spots whose surroundings are not."""
        if lens.highlight_gain == 0.0:
            return cls(0.0, 0.0, None)
        height, width = (-(-size // CELL) * (CELL // STRIDE) for size in rgb.shape[:2])
        sample = window(rgb[::STRIDE, ::STRIDE], Bounds(0, 0, height, width), rgb.device)
        clipped = (sample.amax(dim=0, keepdim=True) >= lens.highlight_threshold).float()
        reach = max(1, round(2.5 * lens.highlight_size * max(rgb.shape[:2]) / STRIDE / 2))
        share = _box(_box(clipped, reach, 1), reach, 2)
        small = ((LARGE - share) / (LARGE - SMALL)).clamp(0.0, 1.0)
        return cls(lens.highlight_gain, lens.highlight_threshold, small[0])

    def recovered(
        self, rgb: Tensor, coc: Tensor, matte: Tensor | None, bounds: Bounds, lens: Lens
    ) -> Tensor:
        """Brighten small sources: `L (1 + gain * small * smoothstep(1 px, 3 px, |CoC|))`.

        Never walls or sky, never what is in focus or kept sharp: brightening every clipped pixel is
        worse than none (-7 dB).

        Parameters
        ----------
        rgb, coc, matte
            (3, h, w) linear light, (1, h, w) CoC in pixels, (1, h, w) coverage or None of a window.
        bounds
            Of the window in the frame.
        """
        clipped = rgb.amax(dim=0, keepdim=True) >= self.threshold
        if self.small is None or not bool(clipped.any()):
            return rgb
        if matte is not None:  # mixed pixels are not the lamp's alone
            clipped &= (matte < CLEAR) | (matte > (1.0 if lens.keep_subject_sharp else SOLID))
        cells = Bounds(*(value // STRIDE for value in vars(bounds).values()))
        small = enlarged(window(self.small, cells, rgb.device), STRIDE)
        start, full = DEFOCUSED
        blurred = ((coc.abs() - start) / (full - start)).clamp(0.0, 1.0)
        blurred = blurred * blurred * (3.0 - 2.0 * blurred)
        return rgb * (1.0 + self.gain * small * blurred * clipped)


def _box(plane: Tensor, reach: int, dim: int) -> Tensor:
    """Mean over 2 reach + 1 pixels along one side, borders repeated, by running sums."""
    size = plane.shape[dim]
    index = torch.arange(-reach - 1, size + reach, device=plane.device).clamp(0, size - 1)
    sums = plane.index_select(dim, index).double().cumsum(dim)
    span = 2 * reach + 1
    mean = (sums.narrow(dim, span, size) - sums.narrow(dim, 0, size)) / span
    return mean.to(plane.dtype)
