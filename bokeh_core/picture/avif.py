"""AVIF: metadata and orientation through Pillow, pixels of any depth through imagecodecs."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import imagecodecs
import numpy as np
from PIL import Image, features

from bokeh_core.errors import InputError, OutputError
from bokeh_core.picture import bmff, exif
from bokeh_core.picture.limits import check_size
from bokeh_core.picture.metadata import Metadata

if TYPE_CHECKING:
    import numpy.typing as npt

MISSING = "this Pillow was built without AVIF; install Pillow 11.3 or newer"


def is_there() -> bool:
    """Whether Pillow can read and write AVIF."""
    return bool(features.check("avif"))


def read(data: bytes, min_side: int) -> tuple[npt.NDArray[Any], Metadata, tuple[str, ...]]:
    """Read the picture as it is stored; its EXIF tells the orientation."""
    if not is_there():
        raise InputError(MISSING)
    with Image.open(io.BytesIO(data), formats=["AVIF"]) as image:
        check_size(image.width, image.height, min_side)
        if getattr(image, "n_frames", 1) > 1:
            raise InputError(f"is animated ({image.n_frames} frames); save the one you want")
        info = image.info
        kept = Metadata(
            icc=info.get("icc_profile") or None,
            exif=exif.bare(info.get("exif")),
            xmp=info.get("xmp") or None,
            colour=bmff.nclx(data),
        )
        bits = bit_depth(data)
        pixels = np.asarray(image) if bits == 8 else _wide(data, bits)
    return pixels if pixels.ndim == 3 else pixels[..., None], kept, ()


def bit_depth(data: bytes) -> int:
    """Return 8, 10 or 12 (AV1 in ISO base media, 2.3.3)."""
    for body in bmff.find(data, b"av1C"):
        if len(body) >= 4:
            return 8 if not body[2] & 0x40 else 12 if body[2] & 0x20 else 10
    return 8


def _wide(data: bytes, bits: int) -> npt.NDArray[np.uint16]:
    full = (1 << bits) - 1
    codes = imagecodecs.avif_decode(data).astype(np.uint32)
    return ((codes * 65535 + full // 2) // full).astype(np.uint16)


def encode(pixels: npt.NDArray[Any], kept: Metadata, quality: int) -> bytes:
    """Encode (H, W, C) uint8 with its metadata; 100 is lossless but for rounding.

    Raises
    ------
    OutputError
        Pillow has no AVIF.
    """
    if not is_there():
        raise OutputError(MISSING)
    file = io.BytesIO()
    options = {"icc_profile": kept.icc} if kept.icc else {}
    Image.fromarray(np.ascontiguousarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)).save(
        file,
        format="AVIF",
        quality=quality,
        subsampling="4:4:4",
        exif=exif.without_orientation(kept.exif) or b"",
        xmp=kept.xmp or b"",
        **options,
    )
    return file.getvalue()
