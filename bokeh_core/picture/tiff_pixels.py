"""The pixels of a TIFF page: every photometric kind, bit depth and layout to plain channels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import tifffile

from bokeh_core.errors import InputError
from bokeh_core.picture import jpeg, ycbcr
from bokeh_core.picture.limits import check_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator

_KINDS = tifffile.PHOTOMETRIC
_COLOURS = {
    _KINDS.MINISWHITE: 1,
    _KINDS.MINISBLACK: 1,
    _KINDS.PALETTE: 1,
    _KINDS.RGB: 3,
    _KINDS.YCBCR: 3,
    _KINDS.SEPARATED: 4,
    _KINDS.CIELAB: 3,
    _KINDS.ICCLAB: 3,
    _KINDS.ITULAB: 3,
}
LAB = ("CIELAB", "ICCLAB", "ITULAB")
_RAW_KINDS = {32803, 34892}
_COMPRESSIONS = {1, 2, 3, 4, 5, 6, 7, 8, 32773, 32946, 34925, 50000}
"""None, CCITT, LZW, JPEG, deflate, PackBits, LZMA, Zstandard: those whose output is bounded."""
_JPEG = {6, 7}
_ALPHA = (tifffile.EXTRASAMPLE.ASSOCALPHA, tifffile.EXTRASAMPLE.UNASSALPHA)


def check_page(page: tifffile.TiffPage) -> None:
    """Refuse what is not handled, and what would take more memory than its size tells.

    Raises
    ------
    InputError
        Which kind, compression or layout it is.
    """
    if int(page.photometric) in _RAW_KINDS:
        raise InputError("is a camera's raw file; develop it and hand in the TIFF or JPEG")
    if page.photometric not in _COLOURS:
        raise InputError(f"has pixels of kind {kind_of(page)}; save it as RGB or grey")
    if int(page.compression) not in _COMPRESSIONS:
        name = getattr(page.compression, "name", page.compression)
        raise InputError(f"is compressed by {name}; save it with LZW, deflate or uncompressed")
    if kind_of(page) in LAB and int(page.compression) in _JPEG:
        raise InputError("is Lab compressed by JPEG; save it with LZW, deflate or uncompressed")
    if page.imagedepth > 1:
        raise InputError(f"has {page.imagedepth} layers; save the one you want as its own file")
    if page.samplesperpixel < _COLOURS[_KINDS(page.photometric)]:
        raise InputError(f"is damaged: {page.samplesperpixel} channels of {kind_of(page)}")
    if not isinstance(page.bitspersample, int) or page.dtype is None:
        raise InputError("has channels of different or unknown depth; save it with 8 or 16 bits")
    samples = page.samplesperpixel * page.dtype.itemsize
    check_bytes(page.imagewidth * page.imagelength * samples)
    if page.is_tiled:
        check_bytes(page.tilewidth * page.tilelength * samples)
        across, down = -page.imagewidth // page.tilewidth, -page.imagelength // page.tilelength
        check_bytes(across * down * page.tilewidth * page.tilelength)
    if int(page.compression) in _JPEG:
        _check_frames(page)


def kind_of(page: tifffile.TiffPage) -> str:
    """Name the photometric kind."""
    return str(getattr(page.photometric, "name", page.photometric))


def _check_frames(page: tifffile.TiffPage) -> None:
    """Refuse strips whose own header tells of a larger picture than the file's."""
    width, height = (
        (page.tilewidth, page.tilelength)
        if page.is_tiled
        else (page.imagewidth, page.rowsperstrip or page.imagelength)
    )
    for data in _encoded(page):
        frame = jpeg.found(data).frame
        if frame and (frame.width > width + 64 or frame.height > max(height, page.imagelength)):
            raise InputError("is damaged: a strip tells of a larger picture than the file")


def _encoded(page: tifffile.TiffPage) -> Iterator[bytes]:
    file = page.parent.filehandle
    for place, size in zip(page.dataoffsets, page.databytecounts, strict=False):
        if place and size:
            file.seek(place)
            yield file.read(min(size, 1 << 16))


def decode(page: tifffile.TiffPage) -> tuple[npt.NDArray[Any], tuple[str, ...]]:
    """Decode to (H, W, C): the photometric kind's own colours, then straight alpha if there is one.

    Grey, RGB, palette and YCbCr become grey or RGB; CMYK and Lab stay what they are. 1 to 7 bits
    become 8, and 9 to 15 bits 16.

    Returns
    -------
    ndarray, tuple
        uint8, uint16 or float pixels, and notes.

    Raises
    ------
    InputError
        A sample type that is not handled. Damaged data raises any error of tifffile.
    """
    check_page(page)
    notes: list[str] = []
    if page.photometric == _KINDS.YCBCR and int(page.compression) not in _JPEG:
        pixels = ycbcr.decode(page)
    else:
        pixels = _layout(page)
    colours, extra = _COLOURS[_KINDS(page.photometric)], page.extrasamples
    if pixels.dtype.kind == "i" and kind_of(page) in LAB:
        pixels = pixels.view(pixels.dtype.str.replace("i", "u"))
    pixels, alpha = pixels[..., :colours], _alpha_of(pixels[..., colours:], extra, notes)
    if page.photometric == _KINDS.PALETTE:
        pixels = _from_palette(page, pixels)
    else:
        pixels = _full_scale(page, pixels, notes)
        alpha = None if alpha is None else _full_scale(page, alpha, [])
    if page.photometric == _KINDS.MINISWHITE and pixels.dtype.kind == "u":
        pixels = np.iinfo(pixels.dtype).max - pixels
    if alpha is None or alpha.dtype != pixels.dtype:
        return np.ascontiguousarray(pixels), tuple(notes)
    pixels = np.concatenate((pixels, alpha), axis=2)
    if extra and extra[0] == tifffile.EXTRASAMPLE.ASSOCALPHA:
        pixels = straight(pixels)
    return pixels, tuple(notes)


def _layout(page: tifffile.TiffPage) -> npt.NDArray[Any]:
    """Decode to (H, W, samples), whichever way they lie in the file."""
    pixels = page.asarray(squeeze=False)[:, 0]
    planes = len(pixels) > 1
    return np.asarray(np.moveaxis(pixels[..., 0], 0, -1) if planes else pixels[0])


def _alpha_of(
    others: npt.NDArray[Any], kinds: tuple[Any, ...], notes: list[str]
) -> npt.NDArray[Any] | None:
    """Return the channel after the colours if it is alpha; without any word (OpenCV) it is.

    Photoshop keeps a saved selection as a channel that says of itself that it is none.
    """
    count = others.shape[2]
    if count == 0:
        return None
    is_alpha = kinds[0] in _ALPHA if kinds else True
    if count > 1 or not is_alpha:
        notes.append("a channel beside the colours that is no transparency was left out")
    return others[..., :1] if is_alpha else None


def _from_palette(page: tifffile.TiffPage, pixels: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    colours = np.asarray(page.colormap).reshape(3, -1).T
    # TIFF 6.0 has 16 bits a colour; files by programs that wrote 8 are told by their range
    whole = colours if colours.max() > 255 else colours.astype(np.uint32) * 257
    index = np.minimum(pixels[..., 0], len(whole) - 1)
    return np.asarray((whole[index].astype(np.uint32) + 128) // 257, np.uint8)


def _full_scale(
    page: tifffile.TiffPage, pixels: npt.NDArray[Any], notes: list[str]
) -> npt.NDArray[Any]:
    """Bring samples to the whole range of 8 or 16 bits."""
    kind = pixels.dtype.kind
    if kind == "b":
        return np.asarray(pixels, np.uint8) * 255
    if kind not in "uf" or (kind == "u" and pixels.dtype.itemsize > 2):
        raise InputError(f"has {pixels.dtype} samples; save it with 8 or 16 bits or as float")
    pixels = pixels.astype(pixels.dtype.newbyteorder("="), copy=False)
    if kind == "f":
        return pixels
    bits = page.bitspersample
    if bits == 16:
        bits = _told_bits(page, pixels)
    if bits in (8, 16) or page.compression in _JPEG:
        return pixels
    full, top = (1 << bits) - 1, 255 if bits < 8 else 65535
    if bits > 8:
        notes.append(f"{bits} bits a sample were brought to 16")
    scaled = (pixels.astype(np.uint32) * top + full // 2) // full
    return np.minimum(scaled, top).astype(np.uint8 if bits < 8 else np.uint16)


def _told_bits(page: tifffile.TiffPage, pixels: npt.NDArray[Any]) -> int:
    """Return the depth that MaxSampleValue tells of samples kept in 16 bits."""
    tag = page.tags.get(281)
    top = np.max(tag.value) if tag is not None else 65535
    bits = int(top).bit_length()
    whole = 9 <= bits < 16 and int(top) == (1 << bits) - 1
    return bits if whole and int(pixels.max(initial=0)) <= top else 16


def straight(pixels: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Divide premultiplied colour by alpha."""
    full = np.iinfo(pixels.dtype).max if pixels.dtype.kind == "u" else 1.0
    alpha = pixels[..., -1:].astype(np.float64) / full
    colour = pixels[..., :-1] / np.where(alpha > 0, alpha, 1.0)
    if pixels.dtype.kind == "u":
        colour = np.clip(np.rint(colour), 0, full)
    return np.concatenate([colour.astype(pixels.dtype), pixels[..., -1:]], axis=2)
