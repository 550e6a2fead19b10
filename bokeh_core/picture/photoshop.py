"""Photoshop image resources (8BIM), in which JPEG carries IPTC records."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

IPTC = 0x0404
_SIGNATURES = (b"8BIM", b"MeSa", b"AgHg", b"PHUT", b"DCSR")
_STALE = {1005, 1033, 1036, 1039, 1058, 1059, 1060, 1077, 1088}
"""Resolution, thumbnails, ICC, EXIF, XMP (each with a place of its own) and names of channels."""


def resources(block: bytes | None) -> Iterator[tuple[int, bytes]]:
    """Yield number and data of each whole resource."""
    at = 0
    while block and block[at : at + 4] in _SIGNATURES and at + 12 <= len(block):
        (number,) = struct.unpack_from(">H", block, at + 4)
        name = 1 + block[at + 6]
        start = at + 6 + name + name % 2
        if start + 4 > len(block):
            return
        (size,) = struct.unpack_from(">I", block, start)
        if start + 4 + size > len(block):
            return
        yield number, block[start + 4 : start + 4 + size]
        at = start + 4 + size + size % 2


def kept(block: bytes | None) -> bytes | None:
    """Keep the resources that stay true beside another picture's pixels."""
    return packed((n, data) for n, data in resources(block) if n not in _STALE and data)


def packed(parts: Iterator[tuple[int, bytes]] | list[tuple[int, bytes]]) -> bytes | None:
    """Make a block of resources; None of none."""
    block = b"".join(
        b"8BIM" + struct.pack(">HHI", number, 0, len(data)) + data + bytes(len(data) % 2)
        for number, data in parts
    )
    return block or None


def iptc(block: bytes | None) -> bytes | None:
    """Return the IPTC records."""
    return next((data for number, data in resources(block) if number == IPTC), None)


def with_iptc(block: bytes | None, records: bytes | None) -> bytes | None:
    """Put IPTC records into a block that has none."""
    if not records or iptc(block):
        return block
    return (packed([(IPTC, records)]) or b"") + (block or b"")
