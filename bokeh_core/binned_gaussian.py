"""The look of the paper that this began with (docs/references.md): Gaussian blur in depth bins."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass

from bokeh_core.limits import check_fields, number

TRUNCATION = 3.0
"""Gaussians are cut at this many sigma (0.3 % of the weight), then normalised."""
WIDE = 4.0
"""The same where a window is given that is wider than this."""


@dataclass(frozen=True, kw_only=True)
class BinnedGaussian:
    """The paper's renderer: depth bins, one Gaussian each, the sharp subject pasted on top.

    Depth is split into `bins` equal bins (5 bins of 0.2); bin i, counted from the nearest (i = 1),
    is blurred with `sigma = strength * (i / bins) ** curve` pixels, on display-encoded values.

    Raises
    ------
    InputError
        A field is outside its range; the message names the field and the allowed range.
    """

    bins: int = number(5, 1, 64, "count", "equal depth bins")
    strength: float = number(16.0, 0.0, 1024.0, "px", "Gaussian sigma of the farthest bin")
    curve: float = number(
        1.0, 0.0, 8.0, "exponent", "growth from bin to bin: 1 = even, 2 = slow at first, 0 = none"
    )
    taps: int = number(
        0,
        0,
        8191,
        "px",
        "window of the nearest bin's Gaussian; bin i has one 4 i - 3 times as wide; 0 = as needed",
    )
    stretch_depth: bool = dataclasses.field(
        default=False,
        metadata={"unit": "", "help": "stretch the depth to all of 0 to 1 before it is binned"},
    )
    soft_matte: bool = dataclasses.field(
        default=False,
        metadata={"unit": "", "help": "paste the subject with its soft matte, not cut at one half"},
    )

    def __post_init__(self) -> None:
        check_fields(self)

    @classmethod
    def usual(cls, width: int, height: int) -> BinnedGaussian:
        """Return our strengths for the paper's algorithm, which names none, at any picture size.

        A print of the same size looks the same: the blur grows with the picture. At 12 megapixels
        (4000 x 3000) the five Gaussians are sigma 2.6 to 38.6 px.

        Parameters
        ----------
        width, height
            Size of the picture in pixels.
        """
        return cls(bins=5, strength=38.6 * min(width, height) / 3000.0, curve=1.68)

    @classmethod
    def notebook(cls, width: int, height: int) -> BinnedGaussian:
        """Return what the paper's authors have in their notebook, at any picture size.

        At its 320 x 416 pixels: Gaussians of sigma 5 px for all bins, in windows of 15, 75, 135,
        195 and 255 taps, so that only the nearest bin, whose window cuts it off, is blurred less;
        and a depth that is stretched to its whole range.

        Parameters
        ----------
        width, height
            Size of the picture in pixels; all grows with the shorter side.
        """
        return cls(strength=5.0, curve=0.0, taps=15, stretch_depth=True).scaled(
            min(width, height) / 320.0
        )

    def sigmas(self) -> tuple[float, ...]:
        """Return the Gaussian sigma of every bin in pixels, nearest bin first."""
        return tuple(self.strength * ((i + 1) / self.bins) ** self.curve for i in range(self.bins))

    def supports(self) -> tuple[int, ...]:
        """Return how far from its centre each bin's Gaussian goes, in pixels, nearest bin first."""
        if not self.taps:
            return tuple(math.ceil(TRUNCATION * sigma) for sigma in self.sigmas())
        windows = (self.taps * (4 * index + 1) for index in range(self.bins))
        return tuple(
            min((window - 1) // 2, math.ceil(WIDE * sigma))
            for window, sigma in zip(windows, self.sigmas(), strict=True)
        )

    def scaled(self, factor: float) -> BinnedGaussian:
        """Return the same look for a picture resized by `factor`; a window stays odd."""
        taps = 2 * round(self.taps * factor / 2 - 0.5) + 1 if self.taps else 0
        return dataclasses.replace(
            self, strength=self.strength * factor, taps=min(max(taps, 1), 8191) if taps else 0
        )
