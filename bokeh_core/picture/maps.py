"""Mattes and depth maps in files: plain numbers from 0 to 1, no transfer curve, no profile."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from bokeh_core.errors import InputError
from bokeh_core.limits import ROUNDING, check_kind
from bokeh_core.picture.model import Picture
from bokeh_core.picture.reading import read
from bokeh_core.picture.transfer import from_linear, to_linear
from bokeh_core.picture.writing import write
from bokeh_core.upsampling import resized

if TYPE_CHECKING:
    from pathlib import Path

    from bokeh_core.picture.transfer import Float32


_OFF_GREY = 8 / 255
"""What a lossy file makes of grey stored as colour; a tint is farther apart."""


@dataclass(frozen=True, eq=False)
class MapFile:
    """A map from a file: (H, W) float32 in [0, 1], and one line each on what was done to it."""

    values: Float32
    notes: tuple[str, ...] = ()


def read_map(path: str | Path, size: tuple[int, int]) -> Float32:
    """Read a matte or a depth map; `open_map` without its notes."""
    return open_map(path, size).values


def open_map(path: str | Path, size: tuple[int, int]) -> MapFile:
    """Read a matte or a depth map.

    Parameters
    ----------
    path
        A grey picture of 8 or 16 bits (full scale = 1.0), or a float TIFF in [0, 1], where up to
        `limits.ROUNDING` beyond is cut off. RGB whose channels differ by no more than a lossy file
        makes them is taken as grey. Where all colours are one, alpha is the map; other
        transparency counts as 0.
    size
        Expected width and height; another size of the same proportions is brought to it.

    Raises
    ------
    InputError
        Unreadable, coloured, of other proportions, or out of range; a size that is none.
    """
    if len(size) != 2:
        raise InputError(f"size must be (width, height), got {tuple(size)}")
    picture = read(path, min_side=1)
    if not _same_proportions((picture.width, picture.height), size):
        raise InputError(
            f"{path}: is {picture.width} x {picture.height} pixels, "
            f"but the picture is {size[0]} x {size[1]}"
        )
    values, notes = _grey(path, picture)
    if picture.has_alpha:
        values, note = _with_alpha(values, to_linear(picture.pixels[..., -1], "linear"))
        notes += (note,) if note else ()
    least, most = float(values.min()), float(values.max())
    if least < -ROUNDING or most > 1 + ROUNDING:
        raise InputError(
            f"{path}: has values from {least:.7g} to {most:.7g}; a map is within 0 to 1 "
            f"(at most {ROUNDING:g} beyond is cut off)"
        )
    if (picture.width, picture.height) != size:
        values = resized(values, size)
        notes += (
            f"{path}: brought from {picture.width} x {picture.height} to {size[0]} x {size[1]}",
        )
    return MapFile(values.clip(0, 1), notes)


def _same_proportions(found: tuple[int, int], wanted: tuple[int, int]) -> bool:
    """Whether one size is the other's, scaled, but for the rounding to whole pixels."""
    scale = wanted[0] / found[0]
    return abs(found[1] * scale - wanted[1]) <= max(scale, 1.0)


def _grey(path: str | Path, picture: Picture) -> tuple[Float32, tuple[str, ...]]:
    if picture.is_grey:
        return to_linear(picture.pixels[..., 0], "linear"), ()
    colours = to_linear(picture.pixels[..., :3], "linear")
    if picture.has_alpha:
        colours = np.where(picture.pixels[..., -1:] > 0, colours, colours.mean(2, keepdims=True))
    apart = float((colours.max(axis=2) - colours.min(axis=2)).max())
    if apart > _OFF_GREY:
        raise InputError(f"{path}: is a colour picture; a map must be grey")
    values = np.asarray(colours.mean(axis=2, dtype=np.float32) if apart else colours[..., 0])
    note = f"{path}: is not quite grey; the mean of its channels was taken"
    return values, (note,) if apart else ()


def _with_alpha(values: Float32, alpha: Float32) -> tuple[Float32, str]:
    if float(alpha.min()) == float(alpha.max()):
        return values, ""
    seen = values[alpha > 0]
    if float(seen.max() - seen.min()) <= _OFF_GREY:
        return alpha, "the mask's shape is in its transparency, which was taken"
    return values * alpha, "the transparent parts of the map count as black"


def map_picture(values: Float32, dtype: npt.DTypeLike = np.uint16) -> Picture:
    """Make a grey picture of a map, full scale = 1.0.

    Parameters
    ----------
    values
        (H, W) in [0, 1].
    dtype
        uint8, uint16 or a float type.

    Raises
    ------
    InputError
        Not floats, or not (H, W).
    """
    check_kind("values", values, 2)
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
    InputError
        Not floats, or not (H, W).
    OutputError
        The target cannot be written or cannot hold the type.
    """
    write(path, map_picture(values, dtype))
