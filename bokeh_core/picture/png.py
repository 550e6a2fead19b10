"""16-bit PNG, which Pillow reads and writes with 8 bits only."""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING, Any, BinaryIO

import imagecodecs

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from bokeh_core.picture.model import Metadata

COMPRESSION = 3
"""zlib level: 12 megapixels of 16-bit RGB take 2.7 s; level 6 takes 6.1 s and saves 16 %."""
_HEADER_END = 33


def is_16_bit(file: BinaryIO) -> bool:
    """Whether a PNG file has 16 bits a channel."""
    file.seek(24)
    return file.read(1) == b"\x10"


def decode(file: BinaryIO) -> npt.NDArray[np.uint16]:
    """Decode a PNG file to (H, W, C) uint16; damaged data raises an error of imagecodecs."""
    file.seek(0)
    pixels = imagecodecs.png_decode(file.read())
    return pixels if pixels.ndim == 3 else pixels[..., None]


def encode(pixels: npt.NDArray[Any], metadata: Metadata) -> bytes:
    """Encode (H, W, C) uint8 or uint16 with its metadata."""
    data = imagecodecs.png_encode(
        pixels[..., 0] if pixels.shape[2] == 1 else pixels, level=COMPRESSION
    )
    return bytes(data[:_HEADER_END]) + _metadata_chunks(metadata) + bytes(data[_HEADER_END:])


def _metadata_chunks(metadata: Metadata) -> bytes:
    """Chunks by PNG (third edition) 11.3, in an order that is valid before the pixels."""
    chunks = b""
    if metadata.icc:
        chunks += _chunk(b"iCCP", b"ICC profile\x00\x00" + zlib.compress(metadata.icc))
    if metadata.dpi:
        per_metre = (round(value / 0.0254) for value in metadata.dpi)
        chunks += _chunk(b"pHYs", struct.pack(">IIB", *per_metre, 1))
    if metadata.exif:
        chunks += _chunk(b"eXIf", metadata.exif)
    if metadata.xmp:
        chunks += _chunk(b"iTXt", b"XML:com.adobe.xmp\x00\x00\x00\x00\x00" + metadata.xmp)
    return chunks


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
