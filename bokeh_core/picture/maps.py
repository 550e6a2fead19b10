"""Mattes and depth maps in files: plain numbers from 0 to 1, no transfer curve, no profile."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from bokeh_core.errors import InputError
from bokeh_core.limits import ROUNDING
from bokeh_core.picture.model import Picture
from bokeh_core.picture.reading import read
from bokeh_core.picture.transfer import from_linear, to_linear
from bokeh_core.picture.writing import write

if TYPE_CHECKING:
    from pathlib import Path

    from bokeh_core.picture.transfer import Float32


def read_map(path: str | Path, size: tuple[int, int]) -> Float32:
    """Read a matte or a depth map.

    Parameters
    ----------
    path
        A grey picture of 8 or 16 bits (full scale = 1.0), or a float TIFF in [0, 1], where up to
        `limits.ROUNDING` beyond is cut off. RGB with three equal channels is taken as grey; alpha
        is ignored.
    size
        Expected width and height.

    Returns
    -------
    ndarray
        (H, W) float32 in [0, 1].

    Raises
    ------
    InputError
        Unreadable, coloured, of another size, or out of range.
    """
    picture = read(path)
    if (picture.width, picture.height) != size:
        raise InputError(
            f"{path}: is {picture.width} x {picture.height} pixels, "
            f"but the picture is {size[0]} x {size[1]}"
        )
    pixels = picture.pixels
    if not picture.is_grey and (pixels[..., 1:3] != pixels[..., :1]).any():
        raise InputError(f"{path}: is a colour picture; a map must be grey")
    values = to_linear(pixels[..., 0], "linear")
    least, most = float(values.min()), float(values.max())
    if least < -ROUNDING or most > 1 + ROUNDING:
        raise InputError(
            f"{path}: has values from {least:.7g} to {most:.7g}; a map is within 0 to 1 "
            f"(at most {ROUNDING:g} beyond is cut off)"
        )
    return values.clip(0, 1)


def map_picture(values: Float32, dtype: npt.DTypeLike = np.uint16) -> Picture:
    """Make a grey picture of a map, full scale = 1.0.

    Parameters
    ----------
    values
        (H, W) in [0, 1].
    dtype
        uint8, uint16 or a float type.
    """
    return Picture(pixels=from_linear(values[..., None], dtype, "linear"), transfer="linear")


def write_map(path: str | Path, values: Float32, dtype: npt.DTypeLike = np.uint16) -> None:
    """Write a matte or a depth map: PNG for integers, TIFF for any type.

    Parameters
    ----------
    path
        Target.
    values
        (H, W) in [0, 1].
    dtype
        uint8, uint16 or a float type.

    Raises
    ------
    OutputError
        The target cannot be written or cannot hold the type.
    """
    write(path, map_picture(values, dtype))
