"""JPEG's segments: metadata in and out. Pillow and imagecodecs decode and encode the pixels."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bokeh_core.picture import exif, photoshop, xmp
from bokeh_core.picture.metadata import Metadata

if TYPE_CHECKING:
    from collections.abc import Iterator

_EXIF, _XMP = b"Exif\x00\x00", b"http://ns.adobe.com/xap/1.0/\x00"
_EXTENDED = b"http://ns.adobe.com/xmp/extension/\x00"
_ICC, _PHOTOSHOP = b"ICC_PROFILE\x00", b"Photoshop 3.0\x00"
_APP0, _APP1, _APP2, _APP11, _APP13, _ADOBE, _COMMENT = 0xE0, 0xE1, 0xE2, 0xEB, 0xED, 0xEE, 0xFE
_SCAN, _END = 0xDA, 0xD9
_FRAMES = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
_ROOM = 65_533
"""Bytes of a segment's body: the length field counts itself."""
_MOST_EXTENDED = 1 << 28


@dataclass(frozen=True)
class Frame:
    """What the frame header says of the pixels."""

    kind: int
    bits: int
    width: int
    height: int
    components: int


@dataclass
class Segments:
    """What was found before the pixels."""

    frame: Frame | None = None
    exif: bytes | None = None
    packet: bytes | None = None
    extended: dict[bytes, dict[int, bytes]] = field(default_factory=dict)
    photoshop: bytes = b""
    icc: dict[int, bytes] = field(default_factory=dict)
    comments: list[bytes] = field(default_factory=list)
    credentials: bool = False
    density: tuple[int, int, int] | None = None


def segments(data: bytes, start: int = 0) -> Iterator[tuple[int, bytes, int]]:
    """Yield marker and body of each segment up to the first scan, and where it ends."""
    at = start + 2
    while at + 4 <= len(data):
        if data[at] != 0xFF:
            at += 1  # readers skip what is between segments
            continue
        marker = data[at + 1]
        if marker in {0xFF, 0x00, 0x01} or 0xD0 <= marker <= 0xD8:
            at += 1 if marker == 0xFF else 2
            continue
        if marker in {_SCAN, _END}:
            return
        (length,) = struct.unpack_from(">H", data, at + 2)
        if length < 2:
            return
        body = data[at + 4 : at + 2 + length]
        at += 2 + length
        yield marker, body, at


def found(data: bytes, start: int = 0) -> Segments:
    """Gather what the segments before the pixels hold."""
    all_found = Segments()
    for marker, body, _ in segments(data, start):
        _gather(all_found, marker, body)
    return all_found


def _gather(into: Segments, marker: int, body: bytes) -> None:
    if marker in _FRAMES and len(body) >= 6 and into.frame is None:
        bits, height, width, parts = struct.unpack_from(">BHHB", body)
        into.frame = Frame(marker, bits, width, height, parts)
    elif marker == _APP0 and body.startswith(b"JFIF\x00") and len(body) >= 12:
        into.density = struct.unpack_from(">BHH", body, 7)
    elif marker == _APP1 and body.startswith(_EXIF):
        into.exif = into.exif or exif.bare(body)
    elif marker == _APP1 and body.startswith(_XMP):
        into.packet = into.packet or body[len(_XMP) :]
    elif marker == _APP1 and body.startswith(_EXTENDED) and len(body) >= len(_EXTENDED) + 40:
        head = body[len(_EXTENDED) :]
        _, offset = struct.unpack_from(">II", head, 32)
        into.extended.setdefault(head[:32], {})[offset] = head[40:]
    elif marker == _APP2 and body.startswith(_ICC) and len(body) > len(_ICC) + 2:
        into.icc[body[len(_ICC)]] = body[len(_ICC) + 2 :]
    elif marker == _APP13 and body.startswith(_PHOTOSHOP):
        into.photoshop += body[len(_PHOTOSHOP) :]
    elif marker == _COMMENT and body:
        into.comments.append(body)
    elif marker == _APP11 and b"jumb" in body[:64]:
        into.credentials = True


def pixels_only(data: bytes) -> bytes:
    """Leave out the segments that a decoder of the pixels does not need, and may stumble over.

    Kept are JFIF's and Adobe's, which tell the colours, and all tables.
    """
    out, at = [data[:2]], 2
    for marker, body, end in segments(data):
        at = end
        is_about = (0xE1 <= marker <= 0xEF and marker != _ADOBE) or marker == _COMMENT
        if not is_about:
            out.append(_segment(marker, body))
    return b"".join([*out, data[at:]])


def metadata(parts: Segments) -> Metadata:
    """Return the metadata of what was found; the extended XMP is merged into the packet."""
    icc = b"".join(parts.icc[number] for number in sorted(parts.icc))
    return Metadata(
        icc=icc or None,
        exif=parts.exif,
        xmp=_whole_xmp(parts),
        dpi=_dpi(parts),
        photoshop=photoshop.kept(parts.photoshop),
        texts=tuple(("Comment", _decoded(body)) for body in parts.comments),
    )


def notes(parts: Segments) -> tuple[str, ...]:
    """Name what of the metadata cannot be taken along."""
    found = []
    packet = parts.packet or b""
    if b"HasExtendedXMP" in packet and not ((more := extended(parts)) and xmp.merged(packet, more)):
        found.append("a part of its XMP is missing or damaged; it was left out")
    if parts.credentials:
        found.append("its content credentials are the original's and stay behind")
    return tuple(found)


def extended(parts: Segments) -> bytes | None:
    """Return the extended XMP that the packet points at, if it is all there."""
    document = xmp.parsed(parts.packet)
    if document is None:
        return None
    for guid in xmp.values(document, xmp.NOTE, "HasExtendedXMP"):
        pieces = parts.extended.get(guid.strip().encode()[:32])
        if pieces:
            return _joined(pieces)
    return None


def _joined(pieces: dict[int, bytes]) -> bytes | None:
    whole = b""
    for offset in sorted(pieces):
        if offset != len(whole):
            return None
        whole += pieces[offset]
        if len(whole) > _MOST_EXTENDED:
            return None
    return whole


def _whole_xmp(parts: Segments) -> bytes | None:
    if parts.packet is None:
        return None
    more = extended(parts)
    whole = xmp.merged(parts.packet, more) if more else None
    return whole or xmp.without_pointer(parts.packet)


def _decoded(body: bytes) -> str:
    body = body.rstrip(b"\x00")
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        return body.decode("latin-1")


def _dpi(parts: Segments) -> tuple[float, float] | None:
    if parts.density and parts.density[0] in {1, 2} and all(parts.density[1:]):
        factor = 1.0 if parts.density[0] == 1 else 2.54
        return parts.density[1] * factor, parts.density[2] * factor
    return exif.resolution(parts.exif)


def with_metadata(data: bytes, kept: Metadata) -> tuple[bytes, tuple[str, ...]]:
    """Put metadata into an encoded picture that has none; also name what did not fit."""
    parts, lost = [_jfif(kept.dpi)], []
    if kept.exif:
        if len(kept.exif) + len(_EXIF) <= _ROOM:
            parts.append(_segment(_APP1, _EXIF + kept.exif))
        else:
            lost.append(f"EXIF of {len(kept.exif)} bytes (JPEG holds 65 kB)")
    if kept.xmp:
        parts += _xmp_segments(kept.xmp)
    if kept.icc:
        parts += _numbered(_APP2, _ICC, kept.icc)
    if kept.photoshop:
        parts += [
            _segment(_APP13, _PHOTOSHOP + kept.photoshop[at : at + _ROOM - len(_PHOTOSHOP)])
            for at in range(0, len(kept.photoshop), _ROOM - len(_PHOTOSHOP))
        ]
    for keyword, text in kept.texts:
        body = (text if keyword == "Comment" else f"{keyword}: {text}").encode()
        parts += [_segment(_COMMENT, body[at : at + _ROOM]) for at in range(0, len(body), _ROOM)]
    return data[:2] + b"".join(parts) + _behind_app0(data), tuple(lost)


def _behind_app0(data: bytes) -> bytes:
    at = 2
    while data[at + 1] == _APP0:
        at += 2 + int(struct.unpack_from(">H", data, at + 2)[0])
    return data[at:]


def _jfif(dpi: tuple[float, float] | None) -> bytes:
    unit, across, down = (1, *(round(value) for value in dpi)) if dpi else (0, 1, 1)
    if not (0 < across < 1 << 16 and 0 < down < 1 << 16):
        unit, across, down = 0, 1, 1
    return _segment(_APP0, b"JFIF\x00\x01\x01" + struct.pack(">BHHBB", unit, across, down, 0, 0))


def _xmp_segments(packet: bytes) -> list[bytes]:
    """Write a packet, or where it is too long, one that points at its extended part."""
    if len(packet) + len(_XMP) <= _ROOM:
        return [_segment(_APP1, _XMP + packet)]
    document = xmp.parsed(packet)
    root = None if document is None else document.documentElement
    whole = packet if root is None else root.toxml().encode()
    guid, room = xmp.digest(whole).encode(), 65_000
    pieces = [
        _segment(
            _APP1,
            _EXTENDED + guid + struct.pack(">II", len(whole), at) + whole[at : at + room],
        )
        for at in range(0, len(whole), room)
    ]
    return [_segment(_APP1, _XMP + xmp.pointer_to(whole)), *pieces]


def _numbered(marker: int, name: bytes, block: bytes) -> list[bytes]:
    room = _ROOM - len(name) - 2
    pieces = [block[at : at + room] for at in range(0, len(block), room)]
    return [
        _segment(marker, name + bytes((index + 1, len(pieces))) + piece)
        for index, piece in enumerate(pieces)
    ]


def _segment(marker: int, body: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body
