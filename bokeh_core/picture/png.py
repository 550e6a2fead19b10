"""PNG's chunks (third edition): metadata in and out, and the pixels of any bit depth."""

from __future__ import annotations

import io
import struct
import zlib
from typing import TYPE_CHECKING, Any

import imagecodecs
import numpy as np
from PIL import Image

from bokeh_core.errors import InputError
from bokeh_core.picture import exif, photoshop
from bokeh_core.picture.colour import ColourTags
from bokeh_core.picture.metadata import Metadata

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

COMPRESSION = 3
"""zlib level: 12 megapixels of 16-bit RGB take 2.7 s; level 6 takes 6.1 s and saves 16 %."""
MOST_INFLATED = 1 << 26
"""Bytes that one compressed text or profile may become; more is left out with a note."""
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PIXELS = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND")
_HEADER_END = 33
_XMP = "XML:com.adobe.xmp"
_RAW = "Raw profile type "


def chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield kind and body of each chunk that is whole."""
    at = len(_SIGNATURE)
    while at + 12 <= len(data):
        (size,) = struct.unpack_from(">I", data, at)
        if at + 12 + size > len(data):
            return
        yield data[at + 4 : at + 8], data[at + 8 : at + 8 + size]
        at += 12 + size


def frames(data: bytes) -> int:
    """Return the number of frames of an animation; 1 of a still picture."""
    for kind, body in chunks(data):
        if kind == b"acTL" and len(body) >= 4:
            return int(struct.unpack_from(">I", body)[0])
    return 1


def pixels_only(data: bytes) -> bytes:
    """Leave out all chunks but the pixels': decoders need no others, and stumble over them."""
    out, at = [_SIGNATURE], len(_SIGNATURE)
    while at + 12 <= len(data):
        (size,) = struct.unpack_from(">I", data, at)
        if data[at + 4 : at + 8] in _PIXELS or at + 12 + size > len(data):
            out.append(data[at : at + 12 + size])
        at += 12 + size
    return b"".join(out)


def decode_wide(data: bytes) -> npt.NDArray[np.uint16]:
    """Decode 16 bits a channel to (H, W, C); damaged data raises an error of imagecodecs."""
    pixels = imagecodecs.png_decode(pixels_only(data))
    if pixels.dtype != np.uint16:
        raise InputError("is damaged or truncated (16 bits a channel in the header only)")
    return pixels if pixels.ndim == 3 else pixels[..., None]


class Texts:
    """Texts and profiles as they are found, with notes on what was left out."""

    def __init__(self) -> None:
        self.icc: bytes | None = None
        self.exif: bytes | None = None
        self.xmp: bytes | None = None
        self.dpi: tuple[float, float] | None = None
        self.photoshop: bytes | None = None
        self.texts: list[tuple[str, str]] = []
        self.colour: dict[str, Any] = {}
        self.light: list[tuple[bytes, bytes]] = []
        self.notes: list[str] = []

    def take(self, kind: bytes, body: bytes) -> None:
        """Take what a chunk says."""
        if kind in (b"tEXt", b"zTXt", b"iTXt"):
            self._text(kind, body)
        elif kind == b"iCCP":
            _, _, rest = body.partition(b"\x00")
            self.icc = self.icc or self._inflated(rest[1:], "the colour profile")
        elif kind == b"eXIf":
            self.exif = exif.bare(body) or self.exif
        elif kind == b"pHYs" and len(body) == 9 and body[8] == 1:
            across, down = struct.unpack_from(">II", body)
            if across and down:
                self.dpi = across * 0.0254, down * 0.0254
        elif kind == b"caBX":
            self.notes.append("its content credentials are the original's and stay behind")
        elif kind in (b"mDCV", b"cLLI"):
            self.light.append((kind, body))
        else:
            self._colour(kind, body)

    def _colour(self, kind: bytes, body: bytes) -> None:
        if kind == b"cICP" and len(body) == 4:
            self.colour["cicp"] = tuple(body)
        elif kind == b"sRGB" and len(body) == 1:
            self.colour["intent"] = body[0]
        elif kind == b"gAMA" and len(body) == 4:
            gamma = struct.unpack(">I", body)[0] / 100_000
            if 0.05 <= gamma <= 20:
                self.colour["gamma"] = gamma
        elif kind == b"cHRM" and len(body) == 32:
            found = tuple(value / 100_000 for value in struct.unpack(">8I", body))
            if all(0 < found[i] < 1 and 0 < found[i + 1] <= 1 for i in range(0, 8, 2)):
                self.colour["chromaticities"] = found

    def _text(self, kind: bytes, body: bytes) -> None:
        raw_keyword, _, rest = body.partition(b"\x00")
        keyword = raw_keyword.decode("latin-1")
        if kind == b"tEXt":
            text = rest.decode("latin-1")
        elif kind == b"zTXt":
            inflated = self._inflated(rest[1:], f"the text {keyword!r}")
            if inflated is None:
                return
            text = inflated.decode("latin-1")
        else:
            packed, rest = rest[:1] == b"\x01", rest[2:]
            raw = rest.partition(b"\x00")[2].partition(b"\x00")[2]
            if packed:
                raw = self._inflated(raw, f"the text {keyword!r}") or b""
            text = raw.decode("utf-8", "replace")
        self._keep(keyword, text)

    def _keep(self, keyword: str, text: str) -> None:
        if keyword == _XMP:
            self.xmp = self.xmp or text.encode() or None
            return
        raw = _raw_profile(text) if keyword.startswith(_RAW) else None
        kind = keyword[len(_RAW) :].lower()
        if raw is None:
            self.texts.append((keyword, text))
        elif kind in {"exif", "app1"} and raw.startswith(b"http://ns.adobe.com/xap/1.0/\x00"):
            self.xmp = self.xmp or raw.partition(b"\x00")[2]
        elif kind in {"exif", "app1"}:
            self.exif = self.exif or exif.bare(raw)
        elif kind == "xmp":
            self.xmp = self.xmp or raw
        elif kind in {"iptc", "8bim"}:
            block = raw.removeprefix(b"Photoshop 3.0\x00")
            self.photoshop = photoshop.kept(block) or photoshop.with_iptc(None, raw)
        elif kind in {"icc", "icm"}:
            self.icc = self.icc or raw
        else:
            self.texts.append((keyword, text))

    def _inflated(self, body: bytes, what: str) -> bytes | None:
        try:
            stream = zlib.decompressobj()
            data = stream.decompress(body, MOST_INFLATED)
        except zlib.error:
            self.notes.append(f"{what} is damaged; it was left out")
            return None
        if stream.unconsumed_tail or not stream.eof:
            self.notes.append(f"{what} is cut off or too long; it was left out")
            return None
        return data


def _raw_profile(text: str) -> bytes | None:
    """Decode ImageMagick's way to keep a block as text: name, length, then hexadecimal lines."""
    words = text.split()
    if len(words) < 3 or not words[1].isdigit():
        return None
    try:
        data = bytes.fromhex("".join(words[2:]))
    except ValueError:
        return None
    return data if len(data) == int(words[1]) else None


def metadata(data: bytes) -> tuple[Metadata, tuple[str, ...]]:
    """Return a file's metadata, wherever before or behind the pixels, and notes on what is not."""
    found = Texts()
    for kind, body in chunks(data):
        found.take(kind, body)
    tags = ColourTags(**found.colour, light=tuple(found.light)) if found.colour else None
    kept = Metadata(
        found.icc,
        found.exif,
        found.xmp,
        found.dpi,
        found.photoshop,
        tuple(found.texts),
        tags,
    )
    return kept, tuple(found.notes)


def decode_narrow(data: bytes) -> Image.Image:
    """Open a picture of up to 8 bits a channel."""
    return Image.open(io.BytesIO(pixels_only(data)), formats=["PNG"])


def encode(pixels: npt.NDArray[Any], kept: Metadata) -> bytes:
    """Encode (H, W, C) uint8 or uint16 with its metadata."""
    data = imagecodecs.png_encode(
        np.ascontiguousarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels),
        level=COMPRESSION,
    )
    return bytes(data[:_HEADER_END]) + _metadata_chunks(kept) + bytes(data[_HEADER_END:])


def _metadata_chunks(kept: Metadata) -> bytes:
    """Chunks by PNG (third edition) 11.3, in an order that is valid before the pixels."""
    found = _colour_chunks(kept.colour)
    if kept.icc:
        found += _chunk(b"iCCP", b"ICC profile\x00\x00" + zlib.compress(kept.icc))
    if kept.dpi:
        per_metre = (min(round(value / 0.0254), (1 << 31) - 1) for value in kept.dpi)
        found += _chunk(b"pHYs", struct.pack(">IIB", *per_metre, 1))
    if kept.exif:
        found += _chunk(b"eXIf", kept.exif)
    if kept.xmp:
        found += _text_chunk(_XMP, kept.xmp.decode("utf-8", "replace"), packed=False)
    if kept.photoshop:
        lines = kept.photoshop.hex()
        lines = "\n".join(lines[at : at + 72] for at in range(0, len(lines), 72))
        found += _text_chunk(f"{_RAW}iptc", f"\niptc\n{len(kept.photoshop):8}\n{lines}\n")
    for keyword, text in kept.texts:
        found += _text_chunk(keyword, text)
    return found


def _colour_chunks(tags: ColourTags | None) -> bytes:
    if tags is None:
        return b""
    found = b""
    if tags.cicp is not None:
        found += _chunk(b"cICP", bytes(tags.cicp))
    if tags.intent is not None:
        found += _chunk(b"sRGB", bytes((tags.intent,)))
    if tags.gamma is not None:
        found += _chunk(b"gAMA", struct.pack(">I", round(tags.gamma * 100_000)))
    if tags.chromaticities is not None:
        values = (round(value * 100_000) for value in tags.chromaticities)
        found += _chunk(b"cHRM", struct.pack(">8I", *values))
    return found + b"".join(_chunk(kind, body) for kind, body in tags.light)


def _text_chunk(keyword: str, text: str, *, packed: bool | None = None) -> bytes:
    """Write tEXt where it can hold the text, else iTXt; compressed where it is long."""
    name = keyword.encode("latin-1", "replace")[:79]
    body = text.encode()
    packed = len(body) > 1000 if packed is None else packed
    if packed:
        return _chunk(b"iTXt", name + b"\x00\x01\x00\x00\x00" + zlib.compress(body))
    if text.isascii() and keyword != _XMP:
        return _chunk(b"tEXt", name + b"\x00" + body)
    return _chunk(b"iTXt", name + b"\x00\x00\x00\x00\x00" + body)


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
