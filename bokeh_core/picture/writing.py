"""Write a picture file in one step, with its bit depth, colours and metadata."""

from __future__ import annotations

import dataclasses
import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from bokeh_core.errors import InputError, OutputError
from bokeh_core.limits import BRIGHTEST, checked_image
from bokeh_core.picture import avif, heif, jpeg, jxl, png, tiff
from bokeh_core.picture.files import check_target, replacing
from bokeh_core.picture.metadata import as_profile, kept_by
from bokeh_core.picture.model import Picture
from bokeh_core.picture.profile import is_srgb
from bokeh_core.picture.transfer import from_linear

if TYPE_CHECKING:
    import numpy.typing as npt

    from bokeh_core.picture.formats import Format
    from bokeh_core.picture.metadata import Metadata

SUFFIXES: dict[str, Format] = {
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".jpe": "JPEG",
    ".jfif": "JPEG",
    ".png": "PNG",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".webp": "WebP",
    ".heic": "HEIC",
    ".heif": "HEIC",
    ".hif": "HEIC",
    ".avif": "AVIF",
    ".jxl": "JPEG XL",
}
"""Suffix of a path, in lower case -> the format that `write` gives it."""
WRITABLE = ".jpg .png .tif .webp .heic .avif .jxl"
"""The usual suffix of every format that is written, for messages."""
_MAX_SIDE = {"JPEG": 65500, "WebP": 16383, "HEIC": 16384}
_ONLY_8_BITS = {"JPEG", "WebP", "AVIF", "JPEG XL"}


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
        raise OutputError(f"{path}: cannot write {suffix or 'no suffix'}; use {WRITABLE}")
    reason = None if picture is None else _reason_against(picture, SUFFIXES[suffix])
    if reason:
        raise OutputError(f"{path}: {reason}")


def suffix_for(picture: Picture, suffix: str) -> str:
    """Return the suffix of the picture's own format, or of one that can hold it.

    Parameters
    ----------
    picture
        What will be written.
    suffix
        The one the picture came with, which is kept where its format can be written and holds it.
    """
    wanted = SUFFIXES.get(suffix.lower())
    if wanted is not None and wanted == picture.format and not _reason_against(picture, wanted):
        return suffix
    usual = {name: own for own, name in reversed(SUFFIXES.items())}.get(picture.format)
    if usual is not None and not _reason_against(picture, picture.format):
        return usual
    return ".tif" if picture.pixels.dtype.kind == "f" else ".png"


def _reason_against(picture: Picture, wanted: Format) -> str | None:
    """Say why a format cannot hold a picture."""
    kind = picture.pixels.dtype
    if wanted in _ONLY_8_BITS and kind != np.uint8:
        return f"{wanted} cannot hold {kind} pixels; use .tif or .png"
    if wanted != "TIFF" and kind.kind == "f":
        return f"{wanted} cannot hold float pixels; use .tif"
    if wanted == "JPEG" and picture.has_alpha:
        return "JPEG cannot hold transparency; use .png .tif or .webp"
    if max(picture.width, picture.height) > _MAX_SIDE.get(wanted, 1 << 31):
        return f"{wanted} holds at most {_MAX_SIDE[wanted]} pixels a side"
    if wanted == "JPEG XL" and not _is_srgb(picture.metadata):
        return "JPEG XL is written for sRGB only; use .png .tif or .avif"
    return None


def _is_srgb(kept: Metadata) -> bool:
    if kept.icc:
        return is_srgb(kept.icc)
    return kept.colour is None or kept.colour.is_srgb


def write(
    path: str | Path, picture: Picture | npt.NDArray[Any], *, quality: int = 95
) -> tuple[str, ...]:
    """Write a picture in the format of the path's suffix; an existing file is replaced whole.

    Parameters
    ----------
    path
        Target; a suffix of `SUFFIXES`.
    picture
        What to write. Nothing is converted, but WebP has no grey: it gets RGB, and where a grey
        picture has a profile, which RGB cannot keep, sRGB codes without one.

        An (H, W, 3) array is written too, as sRGB without metadata: floats are linear light, as
        `render` gives it, and get 16 bits where the format has them, else 8; uint8 and uint16 are
        taken for sRGB codes. `Picture.with_linear` keeps a photo's own encoding and metadata.
    quality
        For JPEG (always 4:4:4), WebP, HEIC, AVIF and JPEG XL (100 = lossless), 1 to 100.

    Returns
    -------
    tuple
        One line each on metadata that the format cannot hold.

    Raises
    ------
    InputError
        The quality is out of range, or the array is no picture.
    OutputError
        See `check_writable`; also when the disk is full.
    """
    path = Path(path)
    if not isinstance(picture, Picture):
        picture = _of_array(picture, SUFFIXES.get(path.suffix.lower()))
    if not 1 <= quality <= 100:  # WebP's encoder fails then, and JPEG's takes the nearest
        raise InputError(f"quality must be 1 to 100, got {quality!r}")
    check_writable(path, picture)
    wanted = SUFFIXES[path.suffix.lower()]
    with replacing(path) as file:
        data, lost = encode(picture, wanted, quality)
        file.write(data)
    return lost


def _of_array(array: npt.NDArray[Any], wanted: Format | None) -> Picture:
    """Return an array as a picture for a format."""
    if isinstance(array, np.ndarray) and array.ndim == 2:
        raise InputError(
            f"a picture must have shape (H, W, 3), got {array.shape}: "
            "bokeh_core.picture.write_map writes mattes and depth"
        )
    if isinstance(array, np.ndarray) and array.dtype in (np.uint8, np.uint16):
        if array.ndim != 3 or array.shape[2] not in (1, 2, 3, 4):
            raise InputError(f"a picture must have shape (H, W, 3), got {array.shape}")
        return Picture(array)
    light = checked_image("a picture", array, 3, BRIGHTEST)
    return Picture(from_linear(light, np.uint8 if wanted in _ONLY_8_BITS else np.uint16))


def encode(picture: Picture, wanted: Format, quality: int) -> tuple[bytes, tuple[str, ...]]:
    """Encode a picture that the format can hold; also say what of its metadata was left out."""
    if wanted == "WebP" and picture.is_grey:
        picture = _as_srgb(picture)
    kept, lost = kept_by(wanted, picture.metadata)
    if wanted != "PNG" and not (wanted == "HEIC" and kept.colour and kept.colour.cicp):
        kept = as_profile(kept, grey=picture.is_grey)
    pixels = picture.pixels
    if wanted == "JPEG":
        data, more = jpeg.with_metadata(_pillow(pixels, "JPEG", quality, subsampling=0), kept)
        lost = (*lost, *more)
    elif wanted == "PNG":
        data = png.encode(pixels, kept)
    elif wanted == "TIFF":
        data = tiff.encode(pixels, kept)
    elif wanted == "HEIC":
        data = heif.encode(pixels, kept, quality)
    elif wanted == "AVIF":
        data = avif.encode(pixels, kept, quality)
    elif wanted == "JPEG XL":
        data = jxl.encode(pixels, kept, quality)
    else:
        options = {"lossless": quality == 100, "exact": True}
        blocks = {"exif": kept.exif, "xmp": kept.xmp, "icc_profile": kept.icc}
        options |= {name: block for name, block in blocks.items() if block}  # type: ignore[misc]
        data = _pillow(pixels, "WEBP", quality, **options)
    return data, tuple(f"{what} cannot be kept in {wanted}" for what in lost)


def _as_srgb(picture: Picture) -> Picture:
    """Bring codes that a profile explains to sRGB, which needs none; maps are left as they are."""
    kept = picture.metadata
    if not kept.icc and (kept.colour is None or kept.colour.is_srgb):
        return picture
    metadata = dataclasses.replace(kept, icc=None, colour=None)
    return dataclasses.replace(picture, transfer="srgb", metadata=metadata).with_linear(
        picture.linear()
    )


def _pillow(pixels: npt.NDArray[np.uint8], name: str, quality: int, **options: object) -> bytes:
    file = io.BytesIO()
    plain = pixels[..., 0] if pixels.shape[2] == 1 else pixels
    Image.fromarray(np.ascontiguousarray(plain)).save(file, format=name, quality=quality, **options)
    return file.getvalue()
