"""ISO base media files (ISO/IEC 14496-12), the boxes that HEIF, AVIF and JPEG XL are made of."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from bokeh_core.picture.colour import ColourTags

if TYPE_CHECKING:
    from collections.abc import Iterator

_DEEPEST = 8
_PARENTS = {b"meta": 4, b"iprp": 0, b"ipco": 0}
"""Boxes with boxes in them, and the bytes before these."""


def boxes(data: bytes, start: int = 0, end: int | None = None) -> Iterator[tuple[bytes, int, int]]:
    """Yield kind, begin and end of the content of each box."""
    at, end = start, len(data) if end is None else end
    while at + 8 <= end:
        size, kind = struct.unpack_from(">I4s", data, at)
        head = 8
        if size == 1 and at + 16 <= end:
            (size,) = struct.unpack_from(">Q", data, at + 8)
            head = 16
        size = size or end - at
        if size < head or at + size > end:
            return
        yield kind, at + head, at + size
        at += size


def find(data: bytes, wanted: bytes) -> Iterator[bytes]:
    """Yield the contents of all boxes of a kind among a picture's properties."""
    todo = [(0, len(data), 0)]
    while todo:
        start, end, depth = todo.pop()
        for kind, begin, stop in boxes(data, start, end):
            if kind == wanted:
                yield data[begin:stop]
            elif kind in _PARENTS and depth < _DEEPEST:
                todo.append((begin + _PARENTS[kind], stop, depth + 1))


def nclx(data: bytes) -> ColourTags | None:
    """Return what the first colour box in numbers says."""
    for body in find(data, b"colr"):
        if body[:4] == b"nclx" and len(body) >= 11:
            primaries, transfer, matrix = struct.unpack_from(">HHH", body, 4)
            if max(primaries, transfer, matrix) > 255 or 2 in (primaries, transfer):
                return None  # 2: unspecified
            # decoders give RGB of the full range, whatever the range of the stored YCbCr
            tags = ColourTags(cicp=(primaries, transfer, 0, 1))
            return None if tags.is_srgb else tags
    return None


def brand(data: bytes) -> bytes:
    """Return the major brand of a file that begins with `ftyp`; empty for another."""
    return data[8:12] if data[4:8] == b"ftyp" else b""


def brands(data: bytes) -> set[bytes]:
    """Return the major and the compatible brands."""
    for kind, begin, stop in boxes(data):
        if kind == b"ftyp":
            names = data[begin:stop]
            return {names[:4], *(names[at : at + 4] for at in range(8, len(names), 4))}
        return set()
    return set()
