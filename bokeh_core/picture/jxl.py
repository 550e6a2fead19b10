"""JPEG XL: pixels through imagecodecs, the header (ISO/IEC 18181-1) and metadata boxes by hand."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import imagecodecs
import numpy as np

from bokeh_core.errors import InputError
from bokeh_core.picture import bmff, exif
from bokeh_core.picture.colour import ColourTags
from bokeh_core.picture.limits import check_size
from bokeh_core.picture.metadata import Metadata

if TYPE_CHECKING:
    import numpy.typing as npt

SIGNATURE = b"\x00\x00\x00\x0cJXL \r\n\x87\n"
CODESTREAM = b"\xff\x0a"
_FTYP = b"\x00\x00\x00\x14ftypjxl \x00\x00\x00\x00jxl "
_MOST_INFLATED = 1 << 26
_SIZE = ((0, 9), (0, 13), (0, 18), (0, 30))
_ENUM = ((0, 0), (1, 0), (2, 4), (18, 6))
_RATIOS = {1: (1, 1), 2: (12, 10), 3: (4, 3), 4: (3, 2), 5: (16, 9), 6: (5, 4), 7: (2, 1)}
_CUSTOM = 2


@dataclass(frozen=True)
class Header:
    """What stands before the pixels."""

    width: int
    height: int
    bits: int = 8
    is_float: bool = False
    animated: bool = False
    colour: ColourTags | None = None
    has_icc: bool = False
    xyb: bool = True
    premultiplied: bool = False


class _Bits:
    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def take(self, count: int) -> int:
        value = 0
        for place in range(count):
            byte = self._data[self._at >> 3]
            value |= (byte >> (self._at & 7) & 1) << place
            self._at += 1
        return value

    def u32(self, choices: tuple[tuple[int, int], ...]) -> int:
        base, bits = choices[self.take(2)]
        return base + self.take(bits)

    def flag(self) -> bool:
        return self.take(1) == 1


def header(data: bytes) -> Header:
    """Parse the codestream's header.

    Raises
    ------
    IndexError
        Cut off.
    """
    bits = _Bits(_codestream(data)[2:4096])
    width, height = _size(bits)
    if bits.flag():  # all as usual: 8 bits, sRGB, XYB
        return Header(width, height)
    sideways = animated = False
    if bits.flag():
        sideways = bits.take(3) + 1 >= 5
        if bits.flag():
            _size(bits)
        if bits.flag():
            raise InputError("has a preview inside, which is not handled; save it without")
        animated = bits.flag()
        if animated:
            raise InputError("is animated; save the frame you want as its own file")
    is_float, depth = _depth(bits)
    bits.flag()
    premultiplied = False
    for _ in range(bits.u32(((0, 0), (1, 0), (2, 4), (1, 12)))):
        premultiplied |= _extra_channel(bits)
    xyb = bits.flag()
    colour, has_icc = _colour(bits, is_float=is_float)
    if sideways:
        width, height = height, width
    return Header(width, height, depth, is_float, animated, colour, has_icc, xyb, premultiplied)


def _codestream(data: bytes) -> bytes:
    if data.startswith(CODESTREAM):
        return data
    whole = b""
    for kind, begin, end in bmff.boxes(data):
        if kind == b"jxlc":
            return data[begin:end]
        if kind == b"jxlp":
            whole += data[begin + 4 : end]
    return whole


def _size(bits: _Bits) -> tuple[int, int]:
    small = bits.flag()
    height = (bits.take(5) + 1) * 8 if small else 1 + bits.u32(_SIZE)
    ratio = bits.take(3)
    if ratio:
        upper, lower = _RATIOS[ratio]
        return height * upper // lower, height
    return ((bits.take(5) + 1) * 8 if small else 1 + bits.u32(_SIZE)), height


def _depth(bits: _Bits) -> tuple[bool, int]:
    if bits.flag():
        count = bits.u32(((32, 0), (16, 0), (24, 0), (1, 6)))
        bits.take(4)
        return True, count
    return False, bits.u32(((8, 0), (10, 0), (12, 0), (1, 6)))


def _extra_channel(bits: _Bits) -> bool:
    """Skip a channel's description; returns whether it is alpha that is multiplied in."""
    if bits.flag():
        return False
    kind = bits.u32(_ENUM)
    _depth(bits)
    bits.u32(((0, 0), (3, 0), (4, 0), (1, 3)))
    for _ in range(bits.u32(((0, 0), (0, 4), (16, 5), (48, 10)))):
        bits.take(8)
    if kind == 0:
        return bits.flag()
    if kind == 2:
        bits.take(64)
    if kind == 5:
        bits.u32(((1, 0), (0, 2), (3, 4), (19, 8)))
    return False


def _colour(bits: _Bits, *, is_float: bool) -> tuple[ColourTags | None, bool]:
    if bits.flag():
        return None, False
    has_icc, space = bits.flag(), bits.u32(_ENUM)
    if has_icc or space == 2:
        return None, has_icc
    white = bits.u32(_ENUM)
    white_xy = [_coordinate(bits) for _ in range(2)] if white == _CUSTOM else []
    primaries, points = 1, []
    if space != 1:
        primaries = bits.u32(_ENUM)
        points = [_coordinate(bits) for _ in range(6)] if primaries == _CUSTOM else []
    if bits.flag():
        gamma = bits.take(24) / 1e7
        whole = [*(white_xy or (0.3127, 0.3290)), *points]
        chromaticities = tuple(whole) if len(whole) == 8 else None
        return ColourTags(gamma=gamma, chromaticities=chromaticities), False
    transfer = bits.u32(_ENUM)
    if primaries == 11 and white == 1:
        primaries = 12
    if _CUSTOM in (primaries, transfer):
        return None, False
    tags = ColourTags(cicp=(primaries, transfer, 0, 1))
    return (None if tags.is_srgb and not is_float else tags), False


def _coordinate(bits: _Bits) -> float:
    packed = bits.u32(((0, 19), (524288, 19), (1048576, 20), (2097152, 21)))
    return (packed >> 1 ^ -(packed & 1)) / 1e6


def read(data: bytes, min_side: int) -> tuple[npt.NDArray[Any], Metadata, tuple[str, ...]]:
    """Read the picture; libjxl has turned it already."""
    head = header(data)
    check_size(head.width, head.height, min_side)
    pixels = imagecodecs.jpegxl_decode(data)
    if pixels.ndim == 4 or (pixels.ndim == 3 and pixels.shape[2] > 4):
        raise InputError("has several frames or more than four channels; save it as RGB")
    pixels = pixels if pixels.ndim == 3 else pixels[..., None]
    if pixels.dtype.kind == "u" and head.bits not in (8, 16):
        full, top = (1 << head.bits) - 1, np.iinfo(pixels.dtype).max
        pixels = ((pixels.astype(np.uint64) * int(top) + full // 2) // full).astype(pixels.dtype)
    notes: tuple[str, ...] = ()
    if head.has_icc:
        notes = ("its colour profile cannot be read; the colours are taken as sRGB",)
    kept = Metadata(exif=_exif(data), xmp=_box(data, b"xml "), colour=head.colour)
    return pixels, kept, notes


def _exif(data: bytes) -> bytes | None:
    body = _box(data, b"Exif")
    if not body or len(body) < 12:
        return None
    (offset,) = struct.unpack_from(">I", body)
    return exif.bare(body[4 + offset :])


def _box(data: bytes, wanted: bytes) -> bytes | None:
    if not data.startswith(SIGNATURE):
        return None
    for kind, begin, end in bmff.boxes(data):
        if kind == wanted:
            return data[begin:end]
        if kind == b"brob" and data[begin : begin + 4] == wanted:
            try:
                return bytes(imagecodecs.brotli_decode(data[begin + 4 : end], out=_MOST_INFLATED))
            except RuntimeError:
                return None
    return None


def encode(pixels: npt.NDArray[Any], kept: Metadata, quality: int) -> bytes:
    """Encode (H, W, C) sRGB codes of uint8, with EXIF and XMP; 100 is lossless."""
    codes = np.ascontiguousarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)
    lossless = quality == 100
    # libjxl's own mapping of a quality of 30 or more to Butteraugli's distance
    distance = 0.0 if lossless else max(0.1, 0.1 + (100 - quality) * 0.09)
    stream = bytes(imagecodecs.jpegxl_encode(codes, lossless=lossless, distance=distance, effort=5))
    boxes = b""
    if kept.exif:
        boxes += _boxed(b"Exif", bytes(4) + kept.exif)
    if kept.xmp:
        boxes += _boxed(b"xml ", kept.xmp)
    if not boxes:
        return stream
    return SIGNATURE + _FTYP + boxes + _boxed(b"jxlc", _codestream(stream))


def _boxed(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body) + 8) + kind + body
