"""HEIC and other HEIF files through libheif (pillow-heif), at their full bit depth."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np

from bokeh_core.errors import InputError, OutputError
from bokeh_core.picture import exif
from bokeh_core.picture.colour import ColourTags
from bokeh_core.picture.limits import check_size
from bokeh_core.picture.metadata import Metadata
from bokeh_core.picture.tiff_pixels import straight

if TYPE_CHECKING:
    import types

    import numpy.typing as npt

MISSING = "HEIC needs pillow-heif, which is missing: `pip install pillow-heif`"


def library() -> types.ModuleType | None:
    """Return pillow-heif; None where it is not installed."""
    try:
        import pillow_heif  # noqa: PLC0415 - 10 MB that other formats do not need
    except ImportError:
        return None
    return pillow_heif


def opened(data: bytes) -> Any:
    """Open a file; nothing is decoded yet.

    Raises
    ------
    InputError
        pillow-heif is missing.
    """
    found = library()
    if found is None:
        raise InputError(MISSING)
    return found.open_heif(io.BytesIO(data), convert_hdr_to_8bit=False)


def read(data: bytes, min_side: int) -> tuple[npt.NDArray[Any], Metadata, tuple[str, ...]]:
    """Read the primary picture; libheif has turned it already.

    Returns
    -------
    ndarray, Metadata, tuple
        (H, W, C) uint8 or uint16 pixels, metadata, and notes.
    """
    file = opened(data)
    image = file[file.primary_index]
    check_size(image.size[0], image.size[1], min_side)
    notes = []
    if len(file) > 1:
        notes.append(f"holds {len(file)} pictures; the primary one was taken")
    pixels = pixels_of(image)
    if image.premultiplied_alpha:
        pixels = straight(pixels)
    info = image.info
    kept = Metadata(
        icc=info.get("icc_profile") or None,
        exif=exif_of(image),
        xmp=info.get("xmp") or None,
        colour=_colour(info.get("nclx_profile")),
    )
    return pixels, kept, tuple(notes)


def exif_of(image: Any) -> bytes | None:
    """Return a picture's EXIF block."""
    return exif.bare(_from_tiff_header(image.info.get("exif")))


def pixels_of(image: Any) -> npt.NDArray[Any]:
    """Decode a picture of a file, or one beside it, to (H, W, C)."""
    check_size(image.size[0], image.size[1], 1)
    pixels = np.asarray(image)
    pixels = pixels if pixels.ndim == 3 else pixels[..., None]
    return np.ascontiguousarray(pixels[:, : image.size[0]])


def _from_tiff_header(block: bytes | None) -> bytes | None:
    """Find the header: some writers put the prefix of JPEG, or an offset, before it."""
    if not block:
        return None
    places = (block.find(start, 0, 64) for start in (b"II*\x00", b"MM\x00*"))
    found = [place for place in places if place >= 0]
    return block[min(found) :] if found else None


def _colour(profile: dict[str, Any] | None) -> ColourTags | None:
    if not profile:
        return None
    primaries = int(profile["color_primaries"])
    transfer = int(profile["transfer_characteristics"])
    if 2 in (primaries, transfer) or max(primaries, transfer) > 255:
        return None  # 2: unspecified
    tags = ColourTags(cicp=(primaries, transfer, 0, 1))
    return None if tags.is_srgb else tags


def encode(pixels: npt.NDArray[Any], kept: Metadata, quality: int) -> bytes:
    """Encode (H, W, C) uint8 or uint16 (as 10 bits) with its metadata.

    Raises
    ------
    OutputError
        pillow-heif, or its encoder, is missing.
    """
    found = library()
    if found is None:
        raise OutputError(MISSING)
    wide = pixels.dtype == np.uint16
    mode = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}[pixels.shape[2]]
    if wide:
        mode = {"L": "I;16"}.get(mode, f"{mode};16")
    pixels = np.ascontiguousarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)
    size = (pixels.shape[1], pixels.shape[0])
    file, options = io.BytesIO(), _nclx(kept)
    found.encode(
        mode,
        size,
        pixels.tobytes(),
        file,
        quality=-1 if quality == 100 else quality,
        # 3 megapixels take 0.9 s of CPU instead of 5.4, in a file that is 3 % smaller
        enc_params={"preset": "ultrafast"},
        chroma=444,
        exif=kept.exif,
        xmp=kept.xmp,
        icc_profile=kept.icc,
        **options,
    )
    return file.getvalue()


def _nclx(kept: Metadata) -> dict[str, Any]:
    if kept.icc or kept.colour is None or kept.colour.cicp is None:
        return {}
    primaries, transfer, _, _ = kept.colour.cicp
    return {
        "color_primaries": primaries,
        "transfer_characteristics": transfer,
        "full_range_flag": 1,
    }
