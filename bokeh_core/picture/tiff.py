"""TIFF files: the one page that is the photo, its metadata, and writing."""

from __future__ import annotations

import io
import struct
from typing import TYPE_CHECKING, Any, BinaryIO

import tifffile

from bokeh_core.errors import InputError
from bokeh_core.picture import exif, photoshop
from bokeh_core.picture.exif import Tags
from bokeh_core.picture.ifd import block_of
from bokeh_core.picture.metadata import Metadata

if TYPE_CHECKING:
    import numpy.typing as npt

    from bokeh_core.picture.exif import Entry

_PIXEL_TAGS = (
    *(254, 255, 256, 257, 258, 259, 262, 263, 264, 265, 266, 273, 274, 277, 278, 279, 280, 281),
    *(284, 288, 289, 290, 291, 292, 293, 301, 317, 318, 319, 320, 321, 322, 323, 324, 325, 330),
    *(332, 333, 334, 336, 337, 338, 339, 340, 341, 342, 347, 512, 513, 514, 515, 517, 518, 519),
    *(520, 521, 529, 530, 531, 532, 32997, 32995, 32996, 32998, 37724, 50740),
)
"""Sizes, strips, tiles, predictor, palette, samples, inks, layers; the orientation is applied."""
_XMP, _IPTC, _PHOTOSHOP, _ICC = 700, 33723, 34377, 34675
_BLOCK_TAGS = (282, 283, 296, _XMP, _IPTC, _PHOTOSHOP, _ICC)
"""Resolution and the blocks that are kept on their own."""
STORAGE = frozenset(_PIXEL_TAGS + _BLOCK_TAGS)
"""Tags that do not belong into an EXIF block."""
_DESCRIPTION, _STRIP_OFFSETS, _DNG_VERSION = 270, 273, 50706
_UNITS_PER_INCH = {2: 1.0, 3: 2.54}


def page_of(file: tifffile.TiffFile) -> tifffile.TiffPage:
    """Return the one full-size page; smaller copies, masks and previews do not count.

    Raises
    ------
    InputError
        Several pictures in one file, or a raw file.
    """
    first = file.pages[0]
    if isinstance(first, tifffile.TiffPage) and first.tags.get(_DNG_VERSION) is not None:
        raise InputError(RAW)
    pages = [page for page in file.pages if not _is_beside(page)]
    if len(pages) != 1:
        raise InputError(f"has {len(pages)} pages; save the one you want as a file of its own")
    page = pages[0]
    if not isinstance(page, tifffile.TiffPage):
        raise InputError("damaged TIFF")
    return page


RAW = (
    "is a camera's raw file; develop it (darktable, RawTherapee, the camera maker's program) and"
    " hand in a 16-bit TIFF or a JPEG"
)


def _is_beside(page: Any) -> bool:
    return bool(getattr(page, "is_reduced", False) or getattr(page, "is_mask", False))


def structure(file: BinaryIO) -> Tags:
    """Return the file's structure, read piece by piece."""

    def read(place: int, size: int) -> bytes:
        file.seek(place)
        return file.read(size)

    return Tags.of(read)


def orientation(file: BinaryIO, page: tifffile.TiffPage) -> int | None:
    """Return the page's orientation, in whichever type it is stored."""
    tags = structure(file)
    for entry in tags.entries(page.offset):
        if entry.tag == exif.ORIENTATION:
            value = tags.whole(entry)
            return value if value is not None and 1 <= value <= 8 else None
    return None


def metadata(file: BinaryIO, page: tifffile.TiffPage) -> Metadata:
    """Return a page's metadata."""
    tags = structure(file)
    entries = {entry.tag: entry for entry in tags.entries(page.offset)}
    resources = photoshop.kept(_raw(tags, entries.get(_PHOTOSHOP)))
    unwanted = STORAGE
    about = _raw(tags, entries.get(_DESCRIPTION)) or b""
    if about.startswith(b'{"shape"'):  # tifffile's own note of the array's shape
        unwanted |= {_DESCRIPTION}
    return Metadata(
        icc=_raw(tags, entries.get(_ICC)),
        exif=exif.bare(block_of(tags, page.offset, unwanted)),
        xmp=_raw(tags, entries.get(_XMP)),
        dpi=_dpi(page),
        photoshop=photoshop.with_iptc(resources, _raw(tags, entries.get(_IPTC))),
    )


def _raw(tags: Tags, entry: Entry | None) -> bytes | None:
    return (tags.read(entry.place, entry.size) or None) if entry else None


def _dpi(page: tifffile.TiffPage) -> tuple[float, float] | None:
    unit = page.tags.get(296)
    across, down = page.tags.get(282), page.tags.get(283)
    per_inch = _UNITS_PER_INCH.get(2 if unit is None else unit.value)
    if across is None or down is None or per_inch is None:
        return None
    pairs = (across.value, down.value)
    if not all(isinstance(pair, tuple) and len(pair) == 2 and all(pair) for pair in pairs):
        return None
    x, y = (per_inch * upper / lower for upper, lower in pairs)
    return x, y


def encode(pixels: npt.NDArray[Any], kept: Metadata) -> bytes:
    """Encode (H, W, C) pixels of any bit depth with their metadata, deflated.

    An EXIF block becomes the file's beginning: offsets in it, those of maker notes too, stay what
    they are; the new main directory comes last and takes the block's entries as they are.
    """
    order = exif.tags_of(kept.exif).order if kept.exif else "<"
    plain = _plain(pixels, kept, order)
    if not kept.exif:
        return plain
    base = -(-len(kept.exif) // 16) * 16
    out = bytearray(kept.exif.ljust(base, b"\x00"))
    block, new = exif.tags_of(kept.exif), exif.tags_of(plain)
    records = {
        entry.tag: kept.exif[entry.record : entry.record + 12]
        for entry in block.entries(block.first)
        if entry.tag not in STORAGE and entry.place + entry.size <= len(kept.exif)
    }
    out += plain
    for entry in new.entries(new.first):
        records[entry.tag] = _moved(out, new, entry, base)
    out += bytes(len(out) % 2)
    directory = b"".join(records[tag] for tag in sorted(records))
    struct.pack_into(order + "I", out, 4, len(out))
    out += struct.pack(order + "H", len(records)) + directory + bytes(4)
    return bytes(out)


def _moved(out: bytearray, tags: Tags, entry: Entry, base: int) -> bytes:
    """Return an entry's record for a place `base` bytes later, the offsets of strips with it."""
    record = bytearray(tags.read(entry.record, 12))
    inline = entry.size <= 4
    if entry.tag == _STRIP_OFFSETS:
        code = f"{tags.order}{entry.count}{'H' if entry.kind == 3 else 'I'}"
        offsets = struct.unpack(code, tags.read(entry.place, entry.size))
        moved = struct.pack(code, *(offset + base for offset in offsets))
        if inline:
            record[8:12] = moved.ljust(4, b"\x00")
        else:
            out[base + entry.place : base + entry.place + entry.size] = moved
    if not inline:
        struct.pack_into(tags.order + "I", record, 8, base + entry.place)
    return bytes(record)


def _plain(pixels: npt.NDArray[Any], kept: Metadata, order: str) -> bytes:
    channels, file = pixels.shape[2], io.BytesIO()
    blocks = {
        _XMP: kept.xmp,
        _IPTC: photoshop.iptc(kept.photoshop),
        _PHOTOSHOP: kept.photoshop,
    }
    kinds = {_XMP: 1, _IPTC: 7, _PHOTOSHOP: 7}
    tifffile.imwrite(
        file,
        pixels[..., 0] if channels == 1 else pixels,
        byteorder="<" if order == "<" else ">",
        bigtiff=False,
        photometric="rgb" if channels >= 3 else "minisblack",
        planarconfig="contig" if channels > 1 else None,
        extrasamples=["unassalpha"] if channels in (2, 4) else None,
        compression="zlib",
        predictor=True,
        rowsperstrip=max(1, (1 << 20) // max(1, pixels[0].nbytes)),
        iccprofile=kept.icc,
        resolution=kept.dpi,
        resolutionunit="INCH" if kept.dpi else None,
        metadata=None,
        software=False,
        extratags=[(t, kinds[t], len(b), b, True) for t, b in blocks.items() if b],
    )
    return file.getvalue()
