"""Files made by hand, byte by byte, where no library would write them so."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
from PIL import Image

KINDS = {"BYTE": 1, "ASCII": 2, "SHORT": 3, "LONG": 4, "RATIONAL": 5, "UNDEFINED": 7, "SLONG": 9}
_CODES = {1: "B", 3: "H", 4: "I", 9: "i"}


def scene(height=40, width=64):
    """A picture whose quarters, colours and gradient tell every mistake: (H, W, 3) uint8."""
    y, x = np.mgrid[0:height, 0:width]
    red, green, blue = 40 + 180 * x / width, 60 + 120 * y / height, 200 - 150 * x / width
    pixels = np.dstack((red, green, blue))
    pixels[: height // 4, : width // 4] = (230, 30, 40)
    pixels[-(height // 4) :, -(width // 4) :] = (30, 200, 60)
    return np.rint(pixels).astype(np.uint8)


def packed(order, kind, values):
    """The bytes of a value of a TIFF structure."""
    if kind in (1, 2, 7) and isinstance(values, bytes):
        return values
    values = values if isinstance(values, (tuple, list)) else (values,)
    if kind == 5:
        flat = [number for pair in values for number in pair]
        return struct.pack(f"{order}{len(flat)}I", *flat)
    return struct.pack(f"{order}{len(values)}{_CODES[kind]}", *values)


def directory(order, entries, start, following=0):
    """A directory at `start` with the values that do not fit behind it."""
    sizes = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 7: 1, 9: 4}
    records, values = b"", b""
    behind = start + 2 + 12 * len(entries) + 4
    for tag, (kind, content) in sorted(entries.items()):
        raw = packed(order, kind, content)
        count = len(raw) // sizes[kind]
        if len(raw) > 4:
            place = behind + len(values)
            values += raw + bytes(len(raw) % 2)
            raw = struct.pack(order + "I", place)
        records += struct.pack(order + "HHI", tag, kind, count) + raw.ljust(4, b"\0")
    return (
        struct.pack(order + "H", len(entries)) + records + struct.pack(order + "I", following)
    ) + values


def exif(entries, order="<", below=None):
    """An EXIF block: a main directory and, by pointer tag, directories below it."""
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", 8)
    pointers = dict.fromkeys(below or {}, (4, 0))
    size = len(directory(order, {**entries, **pointers}, 8))
    parts, at = [], 8 + size
    for tag, content in (below or {}).items():
        pointers[tag] = (4, at)
        parts.append(directory(order, content, at))
        at += len(parts[-1])
    return head + directory(order, {**entries, **pointers}, 8) + b"".join(parts)


def tiff(entries, strips, order="<"):
    """A TIFF of strips that are encoded already."""
    head = b"II*\0" if order == "<" else b"MM\0*"
    offsets, at = [], 8
    for strip in strips:
        offsets.append(at)
        at += len(strip) + len(strip) % 2
    content = b"".join(strip + bytes(len(strip) % 2) for strip in strips)
    entries = {**entries, 273: (4, offsets), 279: (4, [len(strip) for strip in strips])}
    return head + struct.pack(order + "I", at) + content + directory(order, entries, at)


def jpeg(pixels, *segments, quality=95):
    """A JPEG with these segments (marker, body) behind its own header."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, format="JPEG", quality=quality, subsampling=0)
    data = file.getvalue()
    extra = b"".join(struct.pack(">BBH", 0xFF, m, len(b) + 2) + b for m, b in segments)
    return data[:2] + extra + data[2:]


def chunk(kind, body):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(pixels, *chunks):
    """A PNG of 8 or 16 bits with these chunks (kind, body) before its pixels."""
    height, width, channels = pixels.shape
    kind = {1: 0, 2: 4, 3: 2, 4: 6}[channels]
    depth = 8 * pixels.dtype.itemsize
    rows = pixels.astype(pixels.dtype.newbyteorder(">"))
    raw = b"".join(b"\0" + row.tobytes() for row in rows)
    head = struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, 0)
    parts = [(b"IHDR", head), *chunks, (b"IDAT", zlib.compress(raw)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)


def xmp(properties, namespaces):
    """A packet with these properties, written as attributes."""
    declared = " ".join(f'xmlns:{prefix}="{uri}"' for prefix, uri in namespaces.items())
    written = " ".join(f'{name}="{value}"' for name, value in properties.items())
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
        '<x:xmpmeta xmlns:x="adobe:ns:meta/">'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        f'<rdf:Description rdf:about="" {declared} {written}/></rdf:RDF></x:xmpmeta>'
        '<?xpacket end="w"?>'
    ).encode()
