"""A picture in memory: encoded pixels as in the file, and all that has to go back into a file."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from bokeh_core.errors import InputError
from bokeh_core.limits import check_kind
from bokeh_core.picture.metadata import Metadata
from bokeh_core.picture.transfer import STRIP_VALUES, Float32, Transfer, from_linear, to_linear
from bokeh_core.transparency import continued

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bokeh_core.picture.formats import Format

LUMINANCE = np.array([0.2126, 0.7152, 0.0722], np.float32)
"""Weights of linear sRGB primaries in luminance (ITU-R BT.709)."""


@dataclass(frozen=True, eq=False)
class Picture:
    """One upright picture.

    Attributes
    ----------
    pixels
        (H, W, C) uint8, uint16, float16, float32 or float64; C = 1 grey, 2 grey + alpha, 3 RGB,
        4 RGB + alpha. Alpha is straight (not premultiplied) and the last channel.
    transfer
        How the colour codes stand for light.
    metadata
        What goes back into a file.
    format
        The file format it came from.
    notes
        One line each on what could not be taken exactly as it was.
    """

    pixels: npt.NDArray[Any]
    transfer: Transfer = "srgb"
    metadata: Metadata = dataclasses.field(default_factory=Metadata)
    format: Format = "PNG"
    notes: tuple[str, ...] = ()

    @property
    def width(self) -> int:
        """Width in pixels."""
        return int(self.pixels.shape[1])

    @property
    def height(self) -> int:
        """Height in pixels."""
        return int(self.pixels.shape[0])

    @property
    def is_grey(self) -> bool:
        """Whether there is one colour channel."""
        return int(self.pixels.shape[2]) <= 2

    @property
    def has_alpha(self) -> bool:
        """Whether the last channel is alpha."""
        return self.pixels.shape[2] in (2, 4)

    def linear(self) -> Float32:
        """Return (H, W, 3) linear light >= 0 in the picture's own primaries; grey three times.

        Negative codes of float pictures count as 0; fully transparent pixels have the colours
        around them, whatever their codes hide.
        """
        light = _linear(self._colour(), self.transfer)
        return continued(light, self.pixels[..., -1]) if self.has_alpha else light

    def with_linear(self, rgb: Float32) -> Picture:
        """Return this picture with other light, in the same encoding and with the same alpha.

        A pixel whose light did not change keeps its codes, so it is identical in every bit depth;
        so does one that is fully transparent.

        Parameters
        ----------
        rgb
            (H, W, 3) linear light; a grey picture takes its luminance.

        Raises
        ------
        InputError
            Another size, or no light: codes of integers, a tensor, NaN.
        """
        check_kind("rgb", rgb, 3)
        if rgb.shape != (self.height, self.width, 3):
            raise InputError(
                f"expected light of shape {(self.height, self.width, 3)}, got {rgb.shape}"
            )
        pixels = self.pixels.copy()
        for rows in _row_ranges(self.width * 3, self.height):
            if np.isnan(rgb[rows]).any():
                raise InputError("rgb must hold numbers, got NaN")
            before = self._colour()[rows]
            changed = (_linear(before, self.transfer) != rgb[rows]).any(axis=2)
            if self.has_alpha:
                changed &= pixels[rows, :, -1] > 0
            light = rgb[rows][changed]
            if self.is_grey:
                light = light @ LUMINANCE[:, None]
            channels = before.shape[2]
            target = pixels[rows]
            target[changed, :channels] = from_linear(light, pixels.dtype, self.transfer)
        return dataclasses.replace(self, pixels=pixels)

    def _colour(self) -> npt.NDArray[Any]:
        return self.pixels[..., : 1 if self.is_grey else 3]


def _linear(colour: npt.NDArray[Any], transfer: Transfer) -> Float32:
    light = to_linear(colour, transfer)
    if colour.dtype.kind == "f":
        light = np.maximum(light, 0.0)
    return light.repeat(3, axis=2) if light.shape[2] == 1 else light


def _row_ranges(values_per_row: int, height: int) -> Iterator[slice]:
    rows = max(1, STRIP_VALUES // values_per_row)
    for start in range(0, height, rows):
        yield slice(start, start + rows)
