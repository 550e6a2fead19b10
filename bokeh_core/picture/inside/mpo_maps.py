"""Depth and matte among the further pictures of a multi-picture JPEG (CIPA DC-007)."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import cv2
import numpy as np

from bokeh_core.picture import jpeg, xmp
from bokeh_core.picture.exif import Tags
from bokeh_core.picture.inside import google_maps
from bokeh_core.picture.inside.found import Disparity, Found, from_disparity, from_distance

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from xml.dom import minidom

    from bokeh_core.picture.transfer import Float32

_APPLE = "http://ns.apple.com/pixeldatainfo/1.0/"
_GAIN_MAPS = (b"hdr-gain-map", b"HDRGainMap", b"hdrgainmap")
_ENTRIES, _MPF, _APP2 = 0xB002, b"MPF\x00", 0xE2
_DEPTH_FORMATS = {"hdep", "fdep", "1751410032", "1717855600"}
"""Apple's pixel formats of distances, as letters or as numbers; others are disparities."""
_A_VIEW = 0.8
"""A grey picture that follows the photo's own light this closely is another view of it."""


def found(data: bytes, photo: Callable[[], Float32]) -> Found:
    """Find maps behind the photo.

    Parameters
    ----------
    data
        The file.
    photo
        Gives the (h, w) luminance of the photo as it is stored, small: to tell a map from a second
        view, where it comes to that.
    """
    disparity = matte = None
    for start, end in pictures(data):
        piece = data[start:end]
        parts = jpeg.found(piece)
        packet = parts.packet or b""
        if parts.frame is None or any(word in packet for word in _GAIN_MAPS):
            continue
        kind = _kind(packet)
        grey = parts.frame.components == 1
        if "matte" in kind and "portrait" in kind:
            matte = google_maps.decoded(piece)
        elif "depth" in kind or "disparity" in kind:
            disparity = _apple(xmp.parsed(packet), kind, google_maps.decoded(piece))
        elif grey and not kind and disparity is None:
            codes = google_maps.decoded(piece)
            disparity = None if _is_view(codes, photo()) else from_disparity(codes, None, None)
    return Found(disparity, matte, "multi-picture JPEG")


def pictures(data: bytes) -> Iterator[tuple[int, int]]:
    """Yield begin and end of each picture behind the first."""
    for marker, body, end in jpeg.segments(data):
        if marker == _APP2 and body.startswith(_MPF):
            base = end - len(body) + len(_MPF)
            yield from _entries(data, base)
            return


def _entries(data: bytes, base: int) -> Iterator[tuple[int, int]]:
    tags = Tags.of(lambda place, size: data[base + place : base + place + size])
    for entry in tags.entries(tags.first):
        if entry.tag != _ENTRIES:
            continue
        raw = tags.read(entry.place, entry.size)
        for at in range(16, len(raw) - 15, 16):
            _, size, offset = struct.unpack_from(tags.order + "III", raw, at)
            start = base + offset
            if size and start + size <= len(data) and data[start : start + 2] == b"\xff\xd8":
                yield start, start + size


def _kind(packet: bytes) -> str:
    document = xmp.parsed(packet)
    if document is None:
        return ""
    for name in ("AuxiliaryImageType", "AuxiliaryImageSubType"):
        for value in xmp.values(document, _APPLE, name):
            return value.strip().lower()
    return ""


def _apple(document: minidom.Document | None, kind: str, codes: Float32) -> Disparity:
    """Read the range of the codes, and whether they are distances."""

    def one(name: str) -> str:
        values = () if document is None else xmp.values(document, _APPLE, name)
        return next(iter(values), "").strip()

    low, high = (_number(one(name)) for name in ("FloatMinValue", "FloatMaxValue"))
    if one("NativeFormat") in _DEPTH_FORMATS or ("depth" in kind and "disparity" not in kind):
        return from_distance(codes, low, high)
    return from_disparity(codes, low, high)


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _is_view(codes: Float32, photo: Float32) -> bool:
    small = cv2.resize(codes, (photo.shape[1], photo.shape[0]), interpolation=cv2.INTER_AREA)
    if small.std() < 1e-4 or photo.std() < 1e-4:
        return False
    return bool(abs(np.corrcoef(small.ravel(), photo.ravel())[0, 1]) > _A_VIEW)
