"""Formats that Pillow reads whole: JPEG's and PNG's pixels, WebP, GIF and BMP."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import imagecodecs
import numpy as np
import numpy.typing as npt
from PIL import (  # noqa: F401 - the plug-ins are registered so
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    JpegImagePlugin,
    PngImagePlugin,
    WebPImagePlugin,
)

from bokeh_core.errors import InputError
from bokeh_core.picture import convert, exif, jpeg, png
from bokeh_core.picture.limits import check_size
from bokeh_core.picture.metadata import Metadata

if TYPE_CHECKING:
    from bokeh_core.picture.formats import Format

Read = tuple[npt.NDArray[Any], Metadata, tuple[str, ...]]
_PLAIN_MODES = {"L", "LA", "RGB", "RGBA"}
_TO_PLAIN = {"1": "L", "P": "RGB", "PA": "RGBA", "La": "LA", "RGBa": "RGBA", "YCbCr": "RGB"}
_LOSSLESS = 0xC3


def read_jpeg(data: bytes, min_side: int) -> Read:
    """Read a JPEG of 8 or 12 bits, grey, colour or CMYK."""
    parts = jpeg.found(data)
    kept, notes = jpeg.metadata(parts), list(jpeg.notes(parts))
    frame = parts.frame
    if frame is not None:
        check_size(frame.width, frame.height, min_side)
    if frame is not None and (frame.bits != 8 or frame.kind == _LOSSLESS):
        pixels = _deep(data, frame)
        notes += [f"{frame.bits} bits a sample were brought to 16"] * (frame.bits > 8)
    else:
        with Image.open(io.BytesIO(jpeg.pixels_only(data)), formats=["JPEG"]) as image:
            check_size(image.width, image.height, min_side)
            pixels = np.asarray(image) if image.mode == "CMYK" else plain(image)
    if pixels.shape[2] == 4:
        pixels, note = convert.from_cmyk(pixels, kept.icc)
        kept, notes = replace(kept, icc=None), [*notes, note]
    return pixels, kept, tuple(notes)


def _deep(data: bytes, frame: jpeg.Frame) -> npt.NDArray[Any]:
    pixels = imagecodecs.jpeg8_decode(data)
    pixels = pixels if pixels.ndim == 3 else pixels[..., None]
    if frame.bits in (8, 16):
        return pixels
    full, top = (1 << frame.bits) - 1, int(np.iinfo(pixels.dtype).max)
    return np.asarray((pixels.astype(np.uint32) * top + full // 2) // full, pixels.dtype)


def read_png(data: bytes, min_side: int) -> Read:
    """Read a PNG; what is not pixels is read chunk by chunk, whatever its length."""
    frames = png.frames(data)
    with png.decode_narrow(data) as image:
        check_size(image.width, image.height, min_side)
        if frames > 1:
            raise InputError(animated(frames))
        wide = data[24] == 16
        pixels: npt.NDArray[Any] = png.decode_wide(data) if wide else plain(image)
    kept, notes = png.metadata(data)
    return pixels, kept, notes


def read_other(data: bytes, found: Format, min_side: int) -> Read:
    """Read WebP, GIF or BMP."""
    with Image.open(io.BytesIO(data), formats=[found.upper()]) as image:
        check_size(image.width, image.height, min_side)
        frames = getattr(image, "n_frames", 1)
        if frames > 1:
            raise InputError(animated(frames))
        pixels = plain(image)
        info = image.info
    comment = info.get("comment")
    kept = Metadata(
        icc=info.get("icc_profile") or None,
        exif=exif.bare(info.get("exif")),
        xmp=info.get("xmp") or None,
        dpi=_dpi(info.get("dpi")),
        texts=(("Comment", comment.decode("utf-8", "replace")),) if comment else (),
    )
    return pixels, kept, ()


def animated(frames: int) -> str:
    """Word the refusal of a picture of several frames."""
    return f"is animated ({frames} frames); save the one you want as its own file"


def plain(image: Image.Image) -> npt.NDArray[np.uint8]:
    """Bring a picture of any of Pillow's 8-bit modes to (H, W, C)."""
    mode = image.mode
    if mode not in _PLAIN_MODES:
        mode = _TO_PLAIN.get(mode, "")
        if not mode:
            raise InputError(f"has pixels of kind {image.mode}; save it as RGB or grey")
    if "transparency" in image.info and not mode.endswith("A"):
        mode = "LA" if mode == "L" else "RGBA"
    pixels = np.asarray(image if mode == image.mode else image.convert(mode))
    return pixels if pixels.ndim == 3 else pixels[..., None]


def _dpi(dpi: Any) -> tuple[float, float] | None:
    if not dpi or not all(0 < float(value) < 1e6 for value in dpi):
        return None
    return float(dpi[0]), float(dpi[1])
