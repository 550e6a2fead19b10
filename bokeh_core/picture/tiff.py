"""TIFF of every bit depth."""

from __future__ import annotations

import io
import struct
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
import numpy.typing as npt
import tifffile
from PIL import ExifTags, Image, TiffImagePlugin

from bokeh_core.errors import InputError
from bokeh_core.picture.metadata import bare_exif

if TYPE_CHECKING:
    from pathlib import Path

    from bokeh_core.picture.model import Metadata

_PIXEL_TAGS = (
    *(254, 255, 256, 257, 258, 259, 262, 266, 273, 274, 277, 278, 279, 280, 281, 284, 317),
    *(320, 322, 323, 324, 325, 330, 338, 339, 347, 530, 531, 532),
)
"""Sizes, strips, tiles, predictor, palette, samples; the orientation is applied to the pixels."""
_BLOCK_TAGS = (282, 283, 296, 700, 33723, 34377, 34675)
"""Resolution, XMP and ICC, kept on their own; IPTC and Photoshop blocks."""
_STORAGE = frozenset(_PIXEL_TAGS + _BLOCK_TAGS)
"""Tags that do not belong into an EXIF block."""
_PHOTOMETRIC = {
    tifffile.PHOTOMETRIC.MINISWHITE,
    tifffile.PHOTOMETRIC.MINISBLACK,
    tifffile.PHOTOMETRIC.RGB,
    tifffile.PHOTOMETRIC.PALETTE,
    tifffile.PHOTOMETRIC.YCBCR,
}
_UNITS_PER_INCH = {2: 1.0, 3: 2.54}


def page_of(file: tifffile.TiffFile) -> tifffile.TiffPage:
    """Give the one full-size page; smaller copies and previews do not count.

    Raises
    ------
    InputError
        Several pictures in one file, or a kind of pixels that is not handled.
    """
    pages = [page for page in file.pages if not getattr(page, "is_reduced", False)]
    if len(pages) != 1:
        raise InputError(f"has {len(pages)} pages; save the one you want as a file of its own")
    page = pages[0]
    if not isinstance(page, tifffile.TiffPage):
        raise InputError("damaged TIFF")
    if page.photometric == tifffile.PHOTOMETRIC.SEPARATED:
        raise InputError("is a CMYK picture; convert it to RGB first")
    if page.photometric not in _PHOTOMETRIC:
        kind = tifffile.PHOTOMETRIC(page.photometric).name
        raise InputError(f"has pixels of kind {kind}; save it as RGB or grey")
    if page.samplesperpixel > 4:
        raise InputError(f"has {page.samplesperpixel} channels; at most RGB + alpha are handled")
    return page


def has_other_channel(page: tifffile.TiffPage) -> bool:
    """Whether the channel after the colours says of itself that it is no alpha.

    Photoshop keeps a saved selection like that. Without any word (OpenCV) it counts as alpha.
    """
    kinds = page.extrasamples
    return len(kinds) > 0 and kinds[0] == tifffile.EXTRASAMPLE.UNSPECIFIED


def decode(page: tifffile.TiffPage) -> npt.NDArray[Any]:
    """Decode to (H, W, C) uint8, uint16 or float, straight alpha; another channel is left out.

    Raises
    ------
    InputError
        A sample type that is not handled. Damaged data raises any error of tifffile.
    """
    pixels = page.asarray()
    if page.photometric == tifffile.PHOTOMETRIC.PALETTE:
        colours = np.asarray(page.colormap)
        pixels = (colours.T[pixels] // 257).astype(np.uint8)
    if pixels.ndim == 2:
        pixels = pixels[..., None]
    elif page.planarconfig == tifffile.PLANARCONFIG.SEPARATE and page.samplesperpixel > 1:
        pixels = np.moveaxis(pixels, 0, -1)
    if pixels.dtype == np.bool_ or page.bitspersample < 8:
        full = (1 << page.bitspersample) - 1
        pixels = (pixels.astype(np.uint16) * 255 // full).astype(np.uint8)
    if pixels.dtype.kind not in "uf" or (pixels.dtype.kind == "u" and pixels.dtype.itemsize > 2):
        raise InputError(f"has {pixels.dtype} samples; save it with 8 or 16 bits or as float")
    pixels = pixels.astype(pixels.dtype.newbyteorder("="), copy=False)
    if page.photometric == tifffile.PHOTOMETRIC.MINISWHITE and pixels.dtype.kind == "u":
        colours = pixels[..., :1]  # alpha is not turned round
        pixels = np.concatenate((np.iinfo(pixels.dtype).max - colours, pixels[..., 1:]), axis=2)
    if has_other_channel(page):
        return np.ascontiguousarray(pixels[..., :-1])
    if tifffile.EXTRASAMPLE.ASSOCALPHA in page.extrasamples:
        return _straight(pixels)
    return pixels


def metadata_blocks(file: BinaryIO, page: tifffile.TiffPage) -> dict[str, Any]:
    """Give icc, exif, xmp and dpi of a page as keyword arguments of `Metadata`."""
    return {
        "icc": _raw(page, 34675),
        "exif": _exif(file, page),
        "xmp": _raw(page, 700),
        "dpi": _dpi(page),
    }


def encode(path: Path, pixels: npt.NDArray[Any], metadata: Metadata) -> None:
    """Write (H, W, C) pixels of any bit depth with their metadata."""
    channels = pixels.shape[2]
    texts, directories = _directories(metadata.exif)
    extra: list[tuple[Any, ...]] = [(tag, 2, 0, value, True) for tag, value in texts]
    if metadata.xmp:
        extra.append((700, 1, len(metadata.xmp), metadata.xmp, True))
    tifffile.imwrite(
        path,
        pixels[..., 0] if channels == 1 else pixels,
        byteorder="<",
        bigtiff=False,
        photometric="rgb" if channels >= 3 else "minisblack",
        planarconfig="contig" if channels > 1 else None,
        extrasamples=["unassalpha"] if channels in (2, 4) else None,
        compression="zlib",
        predictor=True,
        iccprofile=metadata.icc,
        resolution=metadata.dpi,
        resolutionunit="INCH" if metadata.dpi else None,
        metadata=None,
        software=False,
        extratags=extra,
    )
    _append(path, directories)


def _append(path: Path, directories: dict[int, TiffImagePlugin.ImageFileDirectory_v2]) -> None:
    """Add EXIF's sub-directories, which tifffile does not write.

    They and a new main directory that points at them go to the end of the file (TIFF 6.0, 2).
    """
    if not directories:
        return
    with path.open("rb+") as file:
        file.seek(4)
        file.seek(*struct.unpack("<I", file.read(4)))
        (count,) = struct.unpack("<H", file.read(2))
        entries = [file.read(12) for _ in range(count)]
        for tag, directory in directories.items():
            offset = _even_end(file)
            file.write(directory.tobytes(offset))
            entries.append(struct.pack("<HHII", tag, 4, 1, offset))
        entries.sort(key=lambda entry: struct.unpack_from("<H", entry))
        offset = _even_end(file)
        file.write(struct.pack("<H", len(entries)) + b"".join(entries) + bytes(4))
        file.seek(4)
        file.write(struct.pack("<I", offset))


def _even_end(file: BinaryIO) -> int:
    end = file.seek(0, io.SEEK_END)
    return file.seek(end + end % 2)


def _directories(
    exif: bytes | None,
) -> tuple[list[tuple[int, str]], dict[int, TiffImagePlugin.ImageFileDirectory_v2]]:
    """Split an EXIF block into the main directory's texts and the camera and place directories."""
    block = Image.Exif()
    if exif:
        block.load(exif)
    texts = [
        (tag, value)
        for tag, value in block.items()
        if isinstance(value, str) and value.isascii() and tag not in _STORAGE
    ]
    directories = {}
    for tag in (ExifTags.IFD.Exif, ExifTags.IFD.GPSInfo):
        values = block.get_ifd(tag)
        if values:
            directory = TiffImagePlugin.ImageFileDirectory_v2(group=tag)
            for key, value in values.items():
                directory[key] = value
            directories[int(tag)] = directory
    return texts, directories


def _exif(file: BinaryIO, page: tifffile.TiffPage) -> bytes | None:
    """Make an EXIF block of a page's tags, less those that tell how the pixels are stored."""
    block = Image.Exif()
    block.endian = page.parent.byteorder
    try:
        block.load_from_fp(file, page.offset)
        for tag in _STORAGE.intersection(block):
            del block[tag]
        return bare_exif(block.tobytes()) if block else None
    except (struct.error, ValueError, TypeError, KeyError, OSError, SyntaxError):
        return None  # damaged or BigTIFF tags: the pixels are still worth having


def _raw(page: tifffile.TiffPage, tag: int) -> bytes | None:
    found = page.tags.get(tag)
    value = found.value if found is not None else None
    return value if isinstance(value, bytes) and value else None


def _dpi(page: tifffile.TiffPage) -> tuple[float, float] | None:
    unit = page.tags.get(296)
    across, down = page.tags.get(282), page.tags.get(283)
    if unit is None or across is None or down is None or unit.value not in _UNITS_PER_INCH:
        return None
    pairs = (across.value, down.value)
    if not all(upper and lower for upper, lower in pairs):
        return None
    factor = _UNITS_PER_INCH[unit.value]
    x, y = (factor * upper / lower for upper, lower in pairs)
    return x, y


def _straight(pixels: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Divide premultiplied colour by alpha."""
    full = np.iinfo(pixels.dtype).max if pixels.dtype.kind == "u" else 1.0
    alpha = pixels[..., -1:].astype(np.float64) / full
    colour = pixels[..., :-1] / np.where(alpha > 0, alpha, 1.0)
    if pixels.dtype.kind == "u":
        colour = np.clip(np.rint(colour), 0, full)
    return np.concatenate([colour.astype(pixels.dtype), pixels[..., -1:]], axis=2)
