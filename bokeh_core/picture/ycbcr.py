"""YCbCr samples of a TIFF (TIFF 6.0, section 21) whose compression does not know what they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import tifffile

from bokeh_core.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

_COEFFICIENTS = (0.299, 0.587, 0.114)


def decode(page: tifffile.TiffPage) -> npt.NDArray[Any]:
    """Decode to (H, W, samples) with RGB in place of luma and chroma.

    Raises
    ------
    InputError
        A depth or a layout that is not handled.
    """
    if page.dtype is None or page.dtype.kind != "u" or page.bitspersample not in (8, 16):
        raise InputError(f"has YCbCr of {page.bitspersample} bits; save it as RGB")
    across, down = _pair(page, 530, (2, 2))
    if (across, down) == (1, 1) or not page.is_subsampled:
        pixels = page.asarray(squeeze=False)[:, 0]
        whole = np.moveaxis(pixels[..., 0], 0, -1) if len(pixels) > 1 else pixels[0]
    elif page.planarconfig == tifffile.PLANARCONFIG.SEPARATE:
        raise InputError("has subsampled YCbCr in planes; save it as RGB")
    else:
        whole = _subsampled(page, across, down)
    return np.concatenate((_rgb(page, whole[..., :3]), whole[..., 3:]), axis=2)


def _subsampled(page: tifffile.TiffPage, across: int, down: int) -> npt.NDArray[Any]:
    """Take apart the groups of luma samples that share one pair of chroma samples."""
    if page.samplesperpixel != 3 or page.predictor != 1:
        raise InputError("has subsampled YCbCr with alpha or a predictor; save it as RGB")
    if not 1 <= across <= 4 or not 1 <= down <= 4:
        raise InputError(f"is damaged: chroma of {across} x {down} pixels")
    width, height = page.imagewidth, page.imagelength
    kind = np.dtype(page.dtype)
    out = np.zeros((height, width, 3), kind)
    for data, (top, left, rows, columns) in _segments(page, across, down):
        groups_across, groups_down = -(-columns // across), -(-rows // down)
        size = across * down + 2
        values = np.frombuffer(data, kind.newbyteorder(page.parent.byteorder))
        groups = values[: groups_across * groups_down * size].reshape(
            groups_down, groups_across, size
        )
        luma = groups[..., :-2].reshape(groups_down, groups_across, down, across)
        luma = luma.transpose(0, 2, 1, 3).reshape(groups_down * down, groups_across * across)
        chroma = groups[..., -2:].repeat(down, axis=0).repeat(across, axis=1)
        whole = np.dstack((luma[..., None], chroma))
        target = out[top : top + rows, left : left + columns]
        target[...] = whole[: target.shape[0], : target.shape[1]]
    return out


def _segments(
    page: tifffile.TiffPage, across: int, down: int
) -> Iterator[tuple[bytes, tuple[int, int, int, int]]]:
    """Yield each strip's or tile's bytes, with top, left, rows and columns."""
    tiled = page.is_tiled
    columns = page.tilewidth if tiled else page.imagewidth
    rows = (
        page.tilelength if tiled else min(page.rowsperstrip or page.imagelength, page.imagelength)
    )
    per_row = -(-page.imagewidth // columns)
    file = page.parent.filehandle
    unpack = None if page.compression == 1 else tifffile.TIFF.DECOMPRESSORS[page.compression]
    for index, (place, size) in enumerate(zip(page.dataoffsets, page.databytecounts, strict=True)):
        top, left = index // per_row * rows, index % per_row * columns
        inside = rows if tiled else min(rows, page.imagelength - top)
        if inside <= 0:
            return
        groups = -(-columns // across) * -(-inside // down)
        wanted = groups * (across * down + 2) * np.dtype(page.dtype).itemsize
        file.seek(place)
        data = file.read(size)
        data = data if unpack is None else bytes(unpack(data, out=wanted))
        if len(data) < wanted:
            raise InputError("is damaged or truncated (a strip is too short)")
        yield data, (top, left, inside, columns)


def _rgb(page: tifffile.TiffPage, pixels: npt.NDArray[Any]) -> npt.NDArray[Any]:
    full = float(np.iinfo(pixels.dtype).max)
    red, green, blue = _numbers(page, 529, _COEFFICIENTS)
    middle = (full + 1) / 2
    usual = (0.0, full, middle, full, middle, full)
    reference = _numbers(page, 532, usual)
    black, white = reference[0::2], reference[1::2]
    if any(w <= b for b, w in zip(black, white, strict=True)) or not green:
        raise InputError("is damaged: its YCbCr reference values make no sense")
    y = (pixels[..., 0].astype(np.float32) - black[0]) * np.float32(full / (white[0] - black[0]))
    half = full // 2
    cb, cr = (
        (pixels[..., i].astype(np.float32) - black[i]) * np.float32(half / (white[i] - black[i]))
        for i in (1, 2)
    )
    r = cr * np.float32(2 - 2 * red) + y
    b = cb * np.float32(2 - 2 * blue) + y
    g = (y - np.float32(red) * r - np.float32(blue) * b) / np.float32(green)
    return np.asarray(np.rint(np.dstack((r, g, b))).clip(0, full), pixels.dtype)


def _pair(page: tifffile.TiffPage, tag: int, usual: tuple[int, int]) -> tuple[int, int]:
    found = page.tags.get(tag)
    value = found.value if found is not None else usual
    return (int(value[0]), int(value[1])) if np.size(value) == 2 else usual


def _numbers(page: tifffile.TiffPage, tag: int, usual: tuple[float, ...]) -> tuple[float, ...]:
    """Return a tag of rationals, stored as (numerator, denominator) pairs in one flat tuple."""
    found = page.tags.get(tag)
    if found is None:
        return usual
    flat = np.asarray(found.value, np.float64).ravel()
    if flat.size == 2 * len(usual) and (flat[1::2] != 0).all():
        return tuple(float(v) for v in flat[0::2] / flat[1::2])
    return tuple(float(v) for v in flat) if flat.size == len(usual) else usual
