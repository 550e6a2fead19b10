"""Pixel planes as they travel: geometry, sample type and content hash."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from msgspec import Meta, Struct

Id: TypeAlias = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[\w.:-]+\Z")]
Digest: TypeAlias = Annotated[str, Meta(min_length=64, max_length=64, pattern=r"^[0-9a-f]+\Z")]
Name: TypeAlias = Annotated[str, Meta(max_length=64)]
Text: TypeAlias = Annotated[str, Meta(max_length=2000)]
Side: TypeAlias = Annotated[int, Meta(ge=1, le=65_535)]
Fraction: TypeAlias = Annotated[float, Meta(ge=0.0, le=1.0)]
Count: TypeAlias = Annotated[int, Meta(ge=0)]
Seconds: TypeAlias = Annotated[float, Meta(ge=0.0)]
Version: TypeAlias = Annotated[int, Meta(ge=1, le=65_535)]
DType: TypeAlias = Literal["u8", "u16", "f32"]
Transfer: TypeAlias = Literal["srgb", "linear"]
Input: TypeAlias = Literal["image", "matte", "depth"]
Level: TypeAlias = Literal["image", "analysis", "prepared", "result"]
Output: TypeAlias = Literal["matte", "depth", "composite"]

NUMPY: dict[DType, str] = {"u8": "|u1", "u16": "<u2", "f32": "<f4"}
"""Sample type -> NumPy's word for the samples of a frame."""
DTYPES: dict[str, DType] = {code: name for name, code in NUMPY.items()}
BYTES_PER_SAMPLE: dict[DType, int] = {"u8": 1, "u16": 2, "f32": 4}


class Plane(Struct, frozen=True, kw_only=True):
    """What a plane's pixels are, and their content hash: enough to find them in the cache."""

    width: Annotated[Side, Meta(description="pixels")]
    height: Annotated[Side, Meta(description="pixels")]
    channels: Annotated[
        int,
        Meta(ge=1, le=4, description="1 grey, 2 grey + alpha, 3 RGB, 4 RGBA; alpha is straight"),
    ] = 1
    dtype: Annotated[
        DType,
        Meta(description="u8: 0..255 and u16: 0..65535 stand for 0..1; f32: IEEE, may exceed 1"),
    ] = "u8"
    transfer: Annotated[
        Transfer,
        Meta(
            description="srgb: display-encoded colour; linear: proportional to light. Maps: linear"
        ),
    ] = "linear"
    digest: Annotated[Digest, Meta(description="SHA-256 of the frame's bytes, lower-case hex")]

    @property
    def pixels(self) -> int:
        """Number of pixels."""
        return self.width * self.height

    @property
    def nbytes(self) -> int:
        """Length of the plane's frame in bytes."""
        return self.pixels * self.channels * BYTES_PER_SAMPLE[self.dtype]


class ResultPlane(Struct, frozen=True, kw_only=True):
    """What one frame of a result holds."""

    name: Annotated[Output, Meta(description="which of `want` this is")]
    width: Annotated[Side, Meta(description="pixels")]
    height: Annotated[Side, Meta(description="pixels")]
    channels: Annotated[int, Meta(ge=1, le=4, description="maps: 1; composite: as the image")]
    dtype: Annotated[DType, Meta(description="maps: `map_dtype`; composite: as the image")]
    transfer: Annotated[Transfer, Meta(description="maps: linear; composite: as the image")]
