"""EXIF and XMP blocks: read the orientation, and make them true for the upright result."""

from __future__ import annotations

import re
import struct
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Iterator

ORIENTATION = 0x0112
SIDEWAYS = range(5, 9)
"""Orientations stored with width and height exchanged."""
_RESOLUTIONS = (0x011A, 0x011B)
_JPEG_PREFIX = b"Exif\x00\x00"
_ATTACHMENTS = (b"http://ns.google.com/photos/1.0/container/", b"http://ns.adobe.com/hdr-gain-map/")


def bare_exif(block: bytes | None) -> bytes | None:
    """Strip JPEG's prefix; None for what is not an EXIF block."""
    if block and block.startswith(_JPEG_PREFIX):
        block = block[len(_JPEG_PREFIX) :]
    return block if block and block[:4] in (b"II*\x00", b"MM\x00*") else None


def orientation(exif: bytes | None) -> int:
    """Give the EXIF orientation, 1 to 8; 1 where it is absent or senseless."""
    if exif is None:
        return 1
    order = _order(exif)
    for tag, position in _entries(exif):
        if tag == ORIENTATION:
            (value,) = struct.unpack_from(order + "H", exif, position + 8)
            return int(value) if 1 <= value <= 8 else 1
    return 1


def upright_exif(exif: bytes | None) -> bytes | None:
    """Make a block true for the upright picture.

    The orientation becomes 1, the resolutions across and down change places with the sides, and
    the embedded thumbnail, which shows the old picture, is unlinked. The block is patched in
    place: re-serialising it would move maker notes, which hold offsets.
    """
    if exif is None:
        return None
    patched = bytearray(exif)
    order = _order(exif)
    places, end = {}, 0
    for tag, position in _entries(exif):
        places[tag], end = position, position + 12
        if tag == ORIENTATION:
            struct.pack_into(order + "H", patched, position + 8, 1)
    if orientation(exif) in SIDEWAYS and all(tag in places for tag in _RESOLUTIONS):
        across, down = (slice(places[tag] + 2, places[tag] + 12) for tag in _RESOLUTIONS)
        patched[across], patched[down] = exif[down], exif[across]
    if end and end + 4 <= len(patched):
        struct.pack_into(order + "I", patched, end, 0)
    return bytes(patched)


def upright_xmp(xmp: bytes | None) -> bytes | None:
    """Set the orientation to 1; drop a block that describes attached pictures no longer there."""
    if not xmp or any(marker in xmp for marker in _ATTACHMENTS):
        return None
    xmp = re.sub(rb"(tiff:Orientation\s*=\s*[\"'])[1-8]", rb"\g<1>1", xmp)
    return re.sub(rb"(<tiff:Orientation>\s*)[1-8]", rb"\g<1>1", xmp)


def upright(pixels: npt.NDArray[Any], orientation: int) -> npt.NDArray[Any]:
    """Turn (H, W, C) pixels so that they are seen as the camera was held (EXIF 2.32, 4.6.4)."""
    turned = pixels.transpose(1, 0, 2) if orientation in SIDEWAYS else pixels
    if orientation in (2, 3, 6, 7):
        turned = turned[:, ::-1]
    if orientation in (3, 4, 7, 8):
        turned = turned[::-1]
    return np.ascontiguousarray(turned)


def _order(exif: bytes) -> str:
    return "<" if exif[:2] == b"II" else ">"


def _entries(exif: bytes) -> Iterator[tuple[int, int]]:
    """Give tag and position of each entry of the first directory that lies inside the block."""
    order = _order(exif)
    if len(exif) < 8:
        return
    (start,) = struct.unpack_from(order + "I", exif, 4)
    if start + 2 > len(exif):
        return
    (count,) = struct.unpack_from(order + "H", exif, start)
    for index in range(count):
        position = start + 2 + 12 * index
        if position + 12 > len(exif):
            return
        (tag,) = struct.unpack_from(order + "H", exif, position)
        yield tag, position
