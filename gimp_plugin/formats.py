"""Which pixel format a layer's pixels travel in, so that they come back bit for bit.

The layer's own sample type, transfer curve and colour space are kept: "R'G'B'A u8" without a space
would mean sRGB and clip a wide gamut. Three kinds of encoding exist in GIMP 3: linear (`RGB`), the
profile's own curve (`R'G'B'`) and sRGB's (`R~G~B~`).
"""

from __future__ import annotations

from dataclasses import dataclass

_MODELS = {
    (1, "linear"): "Y",
    (2, "linear"): "YA",
    (3, "linear"): "RGB",
    (4, "linear"): "RGBA",
    (1, "non-linear"): "Y'",
    (2, "non-linear"): "Y'A",
    (3, "non-linear"): "R'G'B'",
    (4, "non-linear"): "R'G'B'A",
    (1, "perceptual"): "Y~",
    (2, "perceptual"): "Y~A",
    (3, "perceptual"): "R~G~B~",
    (4, "perceptual"): "R~G~B~A",
}
MAP_CURVE = "non-linear"
"""Curve by which the grey of a map is its number, in every precision: GIMP's conversion of an image
to another one keeps how a layer looks, not the numbers in it."""
_BABL_TYPES = {"u8": "u8", "u16": "u16", "f32": "float"}


@dataclass(frozen=True)
class Encoding:
    """Sample type on the wire and the kind of transfer curve of an image's layers."""

    dtype: str
    curve: str

    @property
    def transfer(self) -> str:
        """The wire's word for the curve."""
        return "linear" if self.curve == "linear" else "srgb"

    @property
    def for_maps(self) -> Encoding:
        """How maps are read: whole numbers (what is painted past 0 or 1 is clipped), one curve."""
        return Encoding("u8" if self.dtype == "u8" else "u16", MAP_CURVE)

    def babl(self, channels: int) -> str:
        """Name of the Babl format, without its space, for pixels of so many channels."""
        return f"{_MODELS[channels, self.curve]} {_BABL_TYPES[self.dtype]}"


def encoding(precision: str) -> Encoding:
    """Return the encoding for an image's precision.

    Parameters
    ----------
    precision
        Nick of GIMP's enumeration, such as `u8-non-linear` or `float-linear`.
    """
    sample, _, curve = precision.partition("-")
    return Encoding({"u8": "u8", "u16": "u16"}.get(sample, "f32"), curve)
