"""Read a picture file of any format, upright, at its full bit depth."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
import numpy.typing as npt
import tifffile
from PIL import UnidentifiedImageError

from bokeh_core.errors import InputError, reason
from bokeh_core.limits import MIN_SIDE
from bokeh_core.picture import avif, convert, heif, jxl, raster, tiff, tiff_pixels
from bokeh_core.picture.colour import ADOBE_RGB
from bokeh_core.picture.exif import is_adobe_rgb
from bokeh_core.picture.limits import check_bytes, check_size
from bokeh_core.picture.metadata import (
    Metadata,
    attachment_notes,
    orientation,
    upright_metadata,
    upright_pixels,
)
from bokeh_core.picture.model import Picture
from bokeh_core.picture.profile import ProfileError, transfer_of
from bokeh_core.picture.quiet import quiet
from bokeh_core.picture.sniff import format_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from bokeh_core.picture.formats import Format
    from bokeh_core.picture.transfer import Transfer


_BRIGHT = 2.0
"""Light up to here raises no question, however much of the picture has it."""


def read(path: str | Path, *, min_side: int = MIN_SIDE) -> Picture:
    """Read a picture.

    Palettes, CMYK and Lab become RGB; the orientation is applied; what the file says of its colours
    (a profile's tone curve, PNG's chunks, HEIF's numbers) becomes the picture's transfer. A float
    picture that says nothing is linear light, any other is sRGB.

    Parameters
    ----------
    path
        A JPEG, PNG, TIFF, WebP, HEIC, AVIF, JPEG XL, BMP or GIF file with one picture.
    min_side
        Smallest width and height allowed.

    Raises
    ------
    InputError
        Not such a file, a raw file, damaged, truncated, animated or of several pages, smaller than
        `min_side`, larger than `MAX_PIXELS`, or with NaN; the message starts with the path.
    """
    path = Path(path)
    try:
        with quiet():
            return _read(path, min_side)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    except MemoryError:
        raise
    except Exception as error:
        raise InputError(f"{path}: {_words(error)}") from error


def decode(data: bytes) -> Picture:
    """Read the bytes of a picture file of any format but TIFF, as `read` does.

    Raises
    ------
    InputError
        As `read`; on damaged data decoders fail in other ways, too.
    """
    found = format_of(data[:64], "")
    if found == "TIFF":
        raise InputError("is a TIFF: these are read from a path")
    check_bytes(len(data))
    return _assemble(*_READERS[found](data, MIN_SIDE), found)


def _words(error: Exception) -> str:
    """Word what the system or a decoder says; on damaged data decoders fail in every way."""
    if isinstance(error, OSError) and error.strerror:
        return reason(error)
    if isinstance(error, UnidentifiedImageError):
        return "is damaged: its header cannot be read"
    return "is damaged or truncated (" + " ".join(str(error).split())[:200] + ")"


def _read(path: Path, min_side: int) -> Picture:
    if path.is_dir():
        raise InputError("is a folder, not a picture")
    if path.exists() and not path.is_file():
        raise InputError("is not a file")
    with path.open("rb") as file:
        found = format_of(file.read(64), path.suffix.lower())
        file.seek(0)
        if found == "TIFF":
            return _assemble(*_read_tiff(file, min_side), found)
        check_bytes(path.stat().st_size)
        data = file.read()
    return _assemble(*_READERS[found](data, min_side), found)


def _other(found: Format) -> Callable[[bytes, int], raster.Read]:
    return lambda data, min_side: raster.read_other(data, found, min_side)


_READERS: dict[Format, Callable[[bytes, int], raster.Read]] = {
    "JPEG": raster.read_jpeg,
    "PNG": raster.read_png,
    "WebP": _other("WebP"),
    "GIF": _other("GIF"),
    "BMP": _other("BMP"),
    "HEIC": heif.read,
    "AVIF": avif.read,
    "JPEG XL": jxl.read,
}
_TURNED: set[Format] = {"HEIC", "JPEG XL"}
"""Formats whose decoders turn the picture: their EXIF's orientation is only a copy."""


def missing_formats() -> dict[Format, str]:
    """Return the formats that this installation cannot read, and what would mend it."""
    reasons: dict[Format, str | None] = {
        "HEIC": None if heif.library() else heif.MISSING,
        "AVIF": None if avif.is_there() else avif.MISSING,
    }
    return {name: reason for name, reason in reasons.items() if reason}


def _read_tiff(file: BinaryIO, min_side: int) -> raster.Read:
    with tifffile.TiffFile(file) as opened:
        page = tiff.page_of(opened)
        check_size(page.imagewidth, page.imagelength, min_side)
        kept = tiff.metadata(file, page)
        pixels, notes = tiff_pixels.decode(page)
        kind = tiff_pixels.kind_of(page)
        turn = tiff.orientation(file, page)
    note = None
    if kind == "SEPARATED":
        pixels, note = convert.from_cmyk(pixels, kept.icc)
    elif kind in tiff_pixels.LAB:
        pixels, note = convert.from_lab(pixels, kind)
    if note:
        kept, notes = replace(kept, icc=None), (*notes, note)
    return pixels, replace(kept, turn=turn), notes


def _assemble(
    pixels: npt.NDArray[Any], kept: Metadata, notes: tuple[str, ...], found: Format
) -> Picture:
    """Undo nothing yet: settle the transfer curve, and turn pixels and metadata upright."""
    if pixels.dtype.kind == "f":
        notes = (*notes, *_checked_floats(pixels))
    grey = pixels.shape[2] <= 2
    transfer, kept, more = _transfer(kept, grey=grey, is_float=pixels.dtype.kind == "f")
    notes = (*notes, *more, *attachment_notes(kept))
    was = 1 if found in _TURNED else orientation(kept)
    turned = upright_pixels(pixels, was)
    size = (turned.shape[1], turned.shape[0])
    return Picture(
        pixels=turned,
        transfer=transfer,
        metadata=upright_metadata(kept, was, size),
        format=found,
        notes=notes,
    )


def _transfer(
    kept: Metadata, *, grey: bool, is_float: bool
) -> tuple[Transfer, Metadata, tuple[str, ...]]:
    """Settle what holds: cICP, then the profile, then PNG's gAMA, then EXIF's Adobe RGB."""
    usual: Transfer = "linear" if is_float else "srgb"
    if not kept.icc and not kept.colour and not is_float and is_adobe_rgb(kept.exif):
        note = "its EXIF alone says that its colours are Adobe RGB; the result carries a profile"
        return ADOBE_RGB.transfer(), replace(kept, colour=ADOBE_RGB), (note,)
    tags = kept.colour
    if tags is not None and (tags.cicp is not None or not kept.icc):
        return tags.transfer(), kept, ()
    if not kept.icc:
        return usual, kept, ()
    try:
        return transfer_of(kept.icc, "GRAY" if grey else "RGB "), kept, ()
    except ProfileError as error:
        note = f"{error}; it was left out"
        return usual, replace(kept, icc=None), (note,)


def _checked_floats(pixels: npt.NDArray[Any]) -> tuple[str, ...]:
    """Refuse what is no light, and what is codes from 0 to 255 or 65535 stored as floats."""
    if not np.isfinite(pixels).all():
        raise InputError("holds NaN or infinite values")
    colour = pixels[..., : 1 if pixels.shape[2] <= 2 else 3]
    most = float(colour.max())
    if most <= _BRIGHT:
        return ()
    if (colour == np.rint(colour)).all():
        raise InputError(
            f"holds whole numbers up to {most:g} as floats; 1 is white: divide them by"
            f" {255 if most <= 255 else 65535}, or save integers"
        )
    if float(np.median(colour)) <= 1.0:
        return ()
    note = (
        f"holds light up to {most:g}, and more than half of it beyond 1, which is white:"
        " if another number is its white, divide by it first"
    )
    return (note,)
