"""Pixel planes as they travel: geometry, sample type and content hash."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from msgspec import Meta, Struct

Id: TypeAlias = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_.:-]+\Z")]
Digest: TypeAlias = Annotated[str, Meta(min_length=64, max_length=64, pattern=r"^[0-9a-f]+\Z")]
Name: TypeAlias = Annotated[str, Meta(max_length=64)]
Text: TypeAlias = Annotated[str, Meta(max_length=2000)]
MIN_SIDE = 16
"""Pixels: less holds nothing that can be recognised; `bokeh_core.limits` says the same."""
Side: TypeAlias = Annotated[int, Meta(ge=1, le=65_535)]
PhotoSide: TypeAlias = Annotated[int, Meta(ge=MIN_SIDE, le=65_535)]
Fraction: TypeAlias = Annotated[float, Meta(ge=0.0, le=1.0)]
Count: TypeAlias = Annotated[int, Meta(ge=0)]
Seconds: TypeAlias = Annotated[float, Meta(ge=0.0)]
Version: TypeAlias = Annotated[int, Meta(ge=1, le=65_535)]
DType: TypeAlias = Literal["u8", "u16", "f32"]
Transfer: TypeAlias = Literal["srgb", "linear"]
Input: TypeAlias = Literal["image", "matte", "depth", "file"]
Level: TypeAlias = Literal["image", "analysis", "prepared", "result"]
Output: TypeAlias = Literal["matte", "depth", "composite"]
Subject: TypeAlias = Literal["main", "all", "pets", "at_focus_point", "none"]
Refine: TypeAlias = Literal["hair", "guided", "border", "none"]

NUMPY: dict[DType, str] = {"u8": "|u1", "u16": "<u2", "f32": "<f4"}
"""Sample type -> NumPy's word for the samples of a frame."""
DTYPES: dict[str, DType] = {code: name for name, code in NUMPY.items()}
BYTES_PER_SAMPLE: dict[DType, int] = {"u8": 1, "u16": 2, "f32": 4}


class Plane(Struct, frozen=True, kw_only=True):
    """What a plane's pixels are, and their content hash: enough to find them in the cache."""

    width: Annotated[PhotoSide, Meta(description="pixels")]
    height: Annotated[PhotoSide, Meta(description="pixels")]
    channels: int = 1
    dtype: Annotated[
        DType,
        Meta(description="u8: 0..255 and u16: 0..65535 stand for 0..1; f32: IEEE"),
    ] = "u8"
    transfer: Transfer
    digest: Annotated[Digest, Meta(description="SHA-256 of the frame's bytes, lower-case hex")]

    @property
    def pixels(self) -> int:
        """Number of pixels."""
        return self.width * self.height

    @property
    def nbytes(self) -> int:
        """Length of the plane's frame in bytes."""
        return self.pixels * self.channels * BYTES_PER_SAMPLE[self.dtype]


class Image(Plane, frozen=True, kw_only=True):
    """The source picture; in f32, 1 is white and lights may exceed it. Finite numbers only."""

    channels: Annotated[
        int,
        Meta(ge=1, le=4, description="1 grey, 2 grey + alpha, 3 RGB, 4 RGBA; alpha is straight"),
    ] = 1
    transfer: Annotated[
        Transfer,
        Meta(
            description="srgb: display-encoded, as photos in files are; linear: proportional to "
            "light. Taken for the other, the picture blurs in the wrong light"
        ),
    ]


class Map(Plane, frozen=True, kw_only=True):
    """A matte or a depth, of the image's width and height; in f32 from 0 to 1."""

    channels: Annotated[int, Meta(ge=1, le=1, description="one")] = 1
    transfer: Annotated[Literal["linear"], Meta(description="as they are")] = "linear"


class File(Struct, frozen=True, kw_only=True):
    """The file that the image came from, whole, as its bytes are; JPEG or HEIC."""

    nbytes: Annotated[
        int, Meta(ge=1, description="length of the frame, at most `limits.max_file_bytes`")
    ]
    digest: Annotated[Digest, Meta(description="SHA-256 of the frame's bytes, lower-case hex")]


class Region(Struct, frozen=True, kw_only=True):
    """A rectangle of a picture in pixels of its full size, within it."""

    left: Annotated[int, Meta(ge=0, le=65_535, description="columns before it")]
    top: Annotated[int, Meta(ge=0, le=65_535, description="rows above it")]
    width: Annotated[Side, Meta(description="columns")]
    height: Annotated[Side, Meta(description="rows")]


class ResultPlane(Struct, frozen=True, kw_only=True):
    """What one frame of a result holds."""

    name: Annotated[Output, Meta(description="which of `want` this is")]
    width: Annotated[Side, Meta(description="pixels")]
    height: Annotated[Side, Meta(description="pixels")]
    channels: Annotated[int, Meta(ge=1, le=4, description="maps: 1; composite: as the image")]
    dtype: Annotated[DType, Meta(description="maps: `map_dtype`; composite: as the image")]
    transfer: Annotated[Transfer, Meta(description="maps: linear; composite: as the image")]
    digest: Annotated[
        Digest | None,
        Meta(
            description="maps of the whole picture: of the frame. A map that goes back unchanged, "
            "as `matte` or `depth` of the next request, is known by it and not asked for"
        ),
    ] = None
