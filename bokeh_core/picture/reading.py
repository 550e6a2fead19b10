"""Read a picture file: JPEG, PNG, TIFF or WebP, upright, at its full bit depth."""

from __future__ import annotations

import contextlib
import logging
import threading
import warnings
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, get_args

import numpy as np
import numpy.typing as npt
import tifffile
from PIL import Image, JpegImagePlugin, PngImagePlugin, UnidentifiedImageError, WebPImagePlugin  # noqa: F401 - registered so

from bokeh_core.errors import InputError
from bokeh_core.limits import MIN_SIDE
from bokeh_core.picture import metadata as blocks
from bokeh_core.picture import png, tiff
from bokeh_core.picture.model import Format, Metadata, Picture
from bokeh_core.picture.profile import ProfileError, transfer_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bokeh_core.picture.transfer import Transfer

MAX_PIXELS = 120_000_000
"""Largest width * height; more is refused from the header, before memory is taken."""

_MAGIC: dict[Format, tuple[bytes, ...]] = {
    "JPEG": (b"\xff\xd8\xff",),
    "PNG": (b"\x89PNG\r\n\x1a\n",),
    "TIFF": (b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+"),
}
_PLAIN_MODES = {"L", "LA", "RGB", "RGBA"}
_TO_PLAIN = {"1": "L", "P": "RGB", "PA": "RGBA", "La": "LA", "RGBa": "RGBA", "YCbCr": "RGB"}


def read(path: str | Path, *, min_side: int = MIN_SIDE) -> Picture:
    """Read a picture.

    Palettes become RGB; EXIF orientation is applied; an embedded profile's tone curve becomes the
    picture's transfer. A float picture without a profile is linear light, any other is sRGB.

    Parameters
    ----------
    path
        A JPEG, PNG, TIFF or WebP file with one picture.
    min_side
        Smallest width and height allowed.

    Raises
    ------
    InputError
        Not such a file, damaged, truncated, CMYK, animated or of several pages, smaller than
        `min_side`, larger than `MAX_PIXELS`, or with NaN; the message starts with the path.
    """
    path = Path(path)
    try:
        with _quiet():
            return _read(path, min_side)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    except MemoryError:
        raise
    except Exception as error:
        raise InputError(f"{path}: {_words(error)}") from error


def _words(error: Exception) -> str:
    """Word what the system or a decoder says; on damaged data decoders fail in every way."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    if isinstance(error, UnidentifiedImageError):
        return "is damaged: its header cannot be read"
    return "is damaged or truncated (" + " ".join(str(error).split())[:200] + ")"


def _read(path: Path, min_side: int) -> Picture:
    if path.is_dir():
        raise InputError("is a folder, not a picture")
    if path.exists() and not path.is_file():
        raise InputError("is not a file")
    with path.open("rb") as file:
        found = _format(file.read(16))
        file.seek(0)
        pixels_of = _read_tiff if found == "TIFF" else _read_common
        picture = pixels_of(file, found, min_side)
    if picture.pixels.dtype.kind == "f" and not np.isfinite(picture.pixels).all():
        raise InputError("holds NaN or infinite values")
    return picture


def _format(data: bytes) -> Format:
    if not data:
        raise InputError("is empty (0 bytes)")
    for name, starts in _MAGIC.items():
        if data.startswith(starts):
            return name
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WebP"
    raise InputError(f"is not a picture that can be read ({', '.join(get_args(Format))})")


def _check_size(width: int, height: int, min_side: int) -> None:
    """Refuse sizes that make no sense or would take too much memory."""
    if min(width, height) < min_side:
        raise InputError(f"is {width} x {height} pixels; at least {min_side} x {min_side} needed")
    if width * height > MAX_PIXELS:
        raise InputError(
            f"is {width} x {height} = {width * height / 1e6:.0f} megapixels; "
            f"at most {MAX_PIXELS / 1e6:.0f} are handled"
        )


def _read_common(file: BinaryIO, found: Format, min_side: int) -> Picture:
    """Read JPEG, PNG or WebP through Pillow; 16-bit PNG's pixels through imagecodecs."""
    with Image.open(file, formats=[found.upper()]) as image:
        _check_size(image.width, image.height, min_side)
        _check_kind(image)
        wide = found == "PNG" and image.mode != "P" and png.is_16_bit(file)
        pixels: npt.NDArray[Any] = png.decode(file) if wide else _plain(image)
        # after the pixels: PNG may have its metadata behind them
        exif = blocks.bare_exif(image.info.get("exif"))
        icc = image.info.get("icc_profile") or None
        kept = Metadata(icc=icc, exif=exif, xmp=_xmp(image), dpi=_dpi(image))
    return _assemble(pixels, kept, found, blocks.orientation(exif))


def _read_tiff(file: BinaryIO, found: Format, min_side: int) -> Picture:
    with tifffile.TiffFile(file) as opened:
        page = tiff.page_of(opened)
        _check_size(page.imagewidth, page.imagelength, min_side)
        kept = Metadata(**tiff.metadata_blocks(file, page))
        pixels = tiff.decode(page)
        other = tiff.has_other_channel(page)
        turn = page.tags.get(blocks.ORIENTATION)
    orientation = turn.value if turn is not None and turn.value in range(1, 9) else 1
    picture = _assemble(pixels, kept, found, orientation)
    if not other:
        return picture
    note = "a channel beside the colours that is no transparency was left out"
    return replace(picture, notes=(*picture.notes, note))


def _assemble(pixels: npt.NDArray[Any], kept: Metadata, found: Format, orientation: int) -> Picture:
    grey = pixels.shape[2] <= 2
    transfer: Transfer = "linear" if pixels.dtype.kind == "f" else "srgb"
    icc, notes = kept.icc, []
    if icc:
        try:
            transfer = transfer_of(icc, "GRAY" if grey else "RGB ")
        except ProfileError as error:
            icc = None
            notes.append(f"{error}; it was left out")
    dpi = kept.dpi
    if dpi and orientation in blocks.SIDEWAYS:
        dpi = dpi[1], dpi[0]
    return Picture(
        pixels=blocks.upright(pixels, orientation),
        transfer=transfer,
        metadata=Metadata(icc, blocks.upright_exif(kept.exif), blocks.upright_xmp(kept.xmp), dpi),
        format=found,
        notes=tuple(notes),
    )


def _check_kind(image: Image.Image) -> None:
    frames = getattr(image, "n_frames", 1)
    # a phone's MPO holds a second view or a gain map behind the photo: the photo is what is meant
    if frames > 1 and image.format != "MPO":
        raise InputError(f"is animated ({frames} frames); save the one you want as its own file")
    if image.mode == "CMYK":
        raise InputError("is a CMYK picture; convert it to RGB first")


def _plain(image: Image.Image) -> npt.NDArray[np.uint8]:
    mode = image.mode
    if mode not in _PLAIN_MODES:
        mode = _TO_PLAIN.get(mode, "")
        if not mode:
            raise InputError(f"has pixels of kind {image.mode}; save it as RGB or grey")
    if "transparency" in image.info and not mode.endswith("A"):
        mode = "LA" if mode == "L" else "RGBA"
    pixels = np.asarray(image if mode == image.mode else image.convert(mode))
    return pixels if pixels.ndim == 3 else pixels[..., None]


def _xmp(image: Image.Image) -> bytes | None:
    xmp = image.info.get("xmp") or image.info.get("XML:com.adobe.xmp")
    return xmp.encode() if isinstance(xmp, str) else xmp or None


def _dpi(image: Image.Image) -> tuple[float, float] | None:
    dpi = image.info.get("dpi")
    if not dpi or not all(0 < float(value) < 1e6 for value in dpi):
        return None
    return float(dpi[0]), float(dpi[1])


class _Quiet:
    """What Pillow and tifffile say is off while reads, which may be in several threads, go on."""

    lock = threading.Lock()
    reads = 0
    usual = contextlib.ExitStack()


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Be silent from the first read's begin to the last one's end: the settings are the process's.

    Each read putting back what it found would leave another's silence behind.
    """
    with _Quiet.lock:
        if _Quiet.reads == 0:
            _Quiet.usual.enter_context(_silence())
        _Quiet.reads += 1
    try:
        yield
    finally:
        with _Quiet.lock:
            _Quiet.reads -= 1
            if _Quiet.reads == 0:
                _Quiet.usual.close()


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """Silence what Pillow warns of and tifffile logs on odd files: what matters is checked here."""
    limit, log = Image.MAX_IMAGE_PIXELS, logging.getLogger("tifffile")
    level = log.level
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            Image.MAX_IMAGE_PIXELS = None
            log.setLevel(logging.CRITICAL)
            yield
    finally:
        Image.MAX_IMAGE_PIXELS = limit
        log.setLevel(level)
