"""Write a picture file in one step, with its bit depth, profile and metadata."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image, PngImagePlugin

from bokeh_core.errors import InputError, OutputError
from bokeh_core.picture import png, tiff
from bokeh_core.picture.files import check_target, replacing

if TYPE_CHECKING:
    from bokeh_core.picture.model import Format, Metadata, Picture

SUFFIXES: dict[str, Format] = {
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".png": "PNG",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".webp": "WebP",
}
_SEGMENT = 65_400
_MAX_SIDE = {"JPEG": 65500, "WebP": 16383}


def check_writable(path: str | Path, picture: Picture | None = None) -> None:
    """Refuse a target that cannot take the picture, before any work is done for it.

    Raises
    ------
    OutputError
        Unknown suffix, a format without this bit depth, alpha or size, or no right to write.
    """
    path = Path(path)
    check_target(path)
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise OutputError(f"{path}: cannot write {suffix or 'no suffix'}; use .jpg .png .tif .webp")
    if picture is None:
        return
    kind, wanted = picture.pixels.dtype, SUFFIXES[suffix]
    if wanted in ("JPEG", "WebP") and kind != np.uint8:
        raise OutputError(f"{path}: {wanted} cannot hold {kind} pixels; use .tif or .png")
    if wanted == "PNG" and kind.kind == "f":
        raise OutputError(f"{path}: PNG cannot hold float pixels; use .tif")
    if wanted == "JPEG" and picture.has_alpha:
        raise OutputError(f"{path}: JPEG cannot hold transparency; use .png .tif or .webp")
    if max(picture.width, picture.height) > _MAX_SIDE.get(wanted, 1 << 31):
        raise OutputError(f"{path}: {wanted} holds at most {_MAX_SIDE[wanted]} pixels a side")


def write(path: str | Path, picture: Picture, *, quality: int = 95) -> None:
    """Write a picture in the format of the path's suffix; an existing file is replaced whole.

    Parameters
    ----------
    path
        Target; `.jpg .jpeg .png .tif .tiff .webp`.
    picture
        What to write. Nothing is converted, but WebP has no grey: it gets RGB, and where a grey
        picture has a profile, which RGB cannot keep, sRGB codes without one.
    quality
        For JPEG (always 4:4:4) and WebP (100 = lossless), 1 to 100.

    Raises
    ------
    InputError
        The quality is out of range.
    OutputError
        See `check_writable`; also when the disk is full.
    """
    path = Path(path)
    if not 1 <= quality <= 100:  # WebP's encoder fails then, and JPEG's takes the nearest
        raise InputError(f"quality must be 1 to 100, got {quality!r}")
    check_writable(path, picture)
    wanted = SUFFIXES[path.suffix.lower()]
    with replacing(path) as temporary:
        if wanted == "TIFF":
            tiff.encode(temporary, picture.pixels, picture.metadata)
        elif wanted == "PNG" and picture.pixels.dtype == np.uint16:
            temporary.write_bytes(png.encode(picture.pixels, picture.metadata))
        else:
            kept = _as_srgb(picture) if wanted == "WebP" and picture.is_grey else picture
            _with_pillow(temporary, kept, wanted, quality)


def _as_srgb(picture: Picture) -> Picture:
    """Bring codes that a profile explains to sRGB, which needs none; maps are left as they are."""
    if not picture.metadata.icc:
        return picture
    metadata = dataclasses.replace(picture.metadata, icc=None)
    return dataclasses.replace(picture, transfer="srgb", metadata=metadata).with_linear(
        picture.linear()
    )


def _that_fits(kept: Metadata, wanted: Format) -> Metadata:
    """Leave out what JPEG cannot hold: a block must fit into one 64-KiB segment."""
    if wanted != "JPEG":
        return kept
    exif, xmp = (
        block if block and len(block) < _SEGMENT else None for block in (kept.exif, kept.xmp)
    )
    return dataclasses.replace(kept, exif=exif, xmp=xmp)


def _with_pillow(path: Path, picture: Picture, wanted: Format, quality: int) -> None:
    kept = _that_fits(picture.metadata, wanted)
    options: dict[str, Any] = {"icc_profile": kept.icc, "exif": kept.exif or b""}
    if wanted == "PNG":
        options["compress_level"] = png.COMPRESSION
        if kept.xmp:
            info = PngImagePlugin.PngInfo()
            info.add_itxt("XML:com.adobe.xmp", kept.xmp.decode("utf-8", "replace"))
            options["pnginfo"] = info
    else:
        options["quality"] = quality
        options["xmp"] = kept.xmp or b""
    if wanted == "JPEG":
        options["subsampling"] = 0
        if kept.exif:
            options["exif"] = b"Exif\x00\x00" + kept.exif
    if wanted == "WebP":
        options |= {"lossless": quality == 100, "exact": True}
    elif kept.dpi:
        options["dpi"] = kept.dpi
    channels = picture.pixels.shape[2]
    pixels = picture.pixels[..., 0] if channels == 1 else picture.pixels
    Image.fromarray(np.ascontiguousarray(pixels)).save(path, format=wanted.upper(), **options)
