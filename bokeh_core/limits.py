"""Ranges of parameters: declared once on a dataclass field, checked and worded in one place."""

from __future__ import annotations

import dataclasses
import math
import os
from typing import TYPE_CHECKING, Any

import numpy as np

from bokeh_core.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

KernelImage = tuple[tuple[float, ...], ...]
MIN_SIDE = 16
"""Smallest width and height of a photo in pixels: less holds nothing that can be recognised."""
BRIGHTEST = 65504.0
"""Largest light value accepted: the top of 16-bit float files, far from float32 overflow."""
ROUNDING = 1e-3
"""How far outside its range a value of an array may be: resampling overshoots."""
SAMPLED = 65_536
"""Pixels that are looked at for what the numbers of a picture stand for."""
LIGHT = "bokeh_core.picture.to_linear(array)"
MOST_WHOLE = 16
"""A made-up scene has few levels of light, which may all be whole numbers."""
WHITEST = 4.0
"""Median of the brightest photo: two stops above white."""
MAX_KERNEL_SIDE = 64
"""Largest side of a custom kernel image, so that a lens still fits into a small message header."""


def number(
    default: float | None,
    low: float,
    high: float,
    unit: str,
    text: str,
    *,
    also: float | None = None,
) -> Any:
    """Declare a numeric dataclass field; `also` is one more allowed value below `low`."""
    metadata = {"low": low, "high": high, "unit": unit, "help": text, "also": also}
    return dataclasses.field(default=default, metadata=metadata)


def check_fields(parameters: Any) -> None:
    """Refuse a dataclass whose numbers are outside what `number` declared."""
    for field in dataclasses.fields(parameters):
        value = getattr(parameters, field.name)
        kind = field.type
        if kind == "bool":
            if not isinstance(value, bool):
                raise InputError(f"{field.name} must be true or false, got {value!r}")
        elif "also" in field.metadata and not (value is None and field.default is None):
            _check_number(field.name, value, field.metadata, whole=kind == "int")


def _check_number(name: str, value: Any, limits: Mapping[str, Any], *, whole: bool) -> None:
    low, high, also = limits["low"], limits["high"], limits["also"]
    extra = f"{also} or " if also is not None else ""
    allowed = f"{'a whole number, ' if whole else ''}{extra}{low:g} to {high:g} {limits['unit']}"
    right_kind = isinstance(value, (int, np.integer) if whole else (int, float, np.number))
    if (
        isinstance(value, bool)
        or not right_kind
        or not math.isfinite(value)
        or not (low <= value <= high or value == also)
    ):
        raise InputError(f"{name} must be {allowed}, got {value!r}")


def checked_point(point: Any) -> tuple[float, float]:
    """Return x, y as fractions of width and height, or refuse."""
    try:
        x, y = (float(value) for value in point)
    except (TypeError, ValueError):
        raise InputError(f"focus_point must be two numbers x, y, got {point!r}") from None
    if not (0.0 <= x <= 1.0 and 0.0 <= y <= 1.0):
        raise InputError(f"focus_point must be 0 to 1 of width and height, got {x:g}, {y:g}")
    return x, y


def checked_image(
    name: str,
    array: Any,
    dimensions: int,
    high: float,
    extent: tuple[int, ...] | None = None,
) -> npt.NDArray[np.float32]:
    """Return (H, W, 3) light or an (H, W) map as contiguous float32 in [0, high], or refuse.

    Values up to `ROUNDING` outside are clipped; `extent` is the (H, W) it must have.
    """
    check_kind(name, array, dimensions)
    if extent is not None and array.shape != extent:
        raise InputError(f"{name} must be as large as rgb {extent}, got {array.shape}")
    least, most = float(array.min()), float(array.max())
    if not (math.isfinite(least) and math.isfinite(most)):
        raise InputError(f"{name} must hold finite numbers, got NaN or infinity")
    step = max(1, math.isqrt(array.size // 3 // SAMPLED))
    if dimensions == 3 and looks_like_codes(array[::step, ::step]):
        raise InputError(
            f"the floats of {name} look like codes of a file, up to {most:g}; white is 1: "
            f"divide codes by 255 or 65535, then {LIGHT}"
        )
    if least < -ROUNDING or most > high + ROUNDING:
        cure = ": divide codes by 255 or 65535" if dimensions == 2 and most >= 255.0 else ""
        raise InputError(f"{name} must be 0 to {high:g}, got {least:g} to {most:g}{cure}")
    image = np.ascontiguousarray(array, dtype=np.float32)
    if least < 0.0 or most > high:
        return image.clip(0.0, high)
    return image if image.flags.writeable else image.copy()  # torch shares writable ones only


def check_kind(name: str, array: Any, dimensions: int) -> None:
    """Refuse what is no float array (H, W, 3) or (H, W), with the way to make one of it."""
    shape = "(H, W, 3)" if dimensions == 3 else "(H, W)"
    if not isinstance(array, np.ndarray) or not np.issubdtype(array.dtype, np.floating):
        kind = array.dtype if isinstance(array, np.ndarray) else type(array).__name__
        cure = _cure_of_kind(array, dimensions)
        raise InputError(f"{name} must be a float array {shape}, got {kind}: {cure}")
    good = array.ndim == dimensions and min(array.shape) > 0
    if not good or (dimensions == 3 and array.shape[2] != 3):
        cure = _cure_of_shape(array, dimensions)
        raise InputError(f"{name} must have shape {shape}, got {array.shape}{cure}")


def _cure_of_kind(array: Any, dimensions: int) -> str:
    if hasattr(array, "detach"):  # a tensor
        axes = ".permute(1, 2, 0)" if dimensions == 3 and array.ndim == 3 else ""
        return f"take {axes}.detach().cpu().numpy()"
    if hasattr(array, "with_linear"):  # a Picture
        return "take .linear()"
    if isinstance(array, (str, os.PathLike)):
        return "bokeh_core.picture.read(path).linear() reads a photo, .read_map a map"
    if not isinstance(array, np.ndarray):
        return "numpy.asarray makes an array"
    if array.dtype not in (np.uint8, np.uint16):
        return "take .astype(numpy.float32)"
    return f"{LIGHT} makes light" if dimensions == 3 else f"divide by {np.iinfo(array.dtype).max}"


def _cure_of_shape(array: npt.NDArray[Any], dimensions: int) -> str:
    if dimensions == 3 and array.ndim == 3 and array.shape[0] == 3:
        return ": numpy.moveaxis(array, 0, 2) puts the channels last"
    if dimensions == 3 and array.ndim == 3 and array.shape[2] == 4:
        return ": leave alpha out, [..., :3]"
    if dimensions == 3 and array.ndim == 2:
        return ": numpy.repeat(array[..., None], 3, axis=2) makes grey three channels"
    if dimensions == 2 and array.ndim == 3 and 1 in (array.shape[0], array.shape[2]):
        return f": take [{'..., 0' if array.shape[2] == 1 else '0'}]"
    return ""


def looks_like_codes(values: npt.NDArray[np.floating[Any]]) -> bool:
    """Tell whether floats are the codes of a file (0 to 255, say) and no light, whose white is 1.

    Only highlights exceed 1, so most of a photo is below; and light is no whole numbers.

    Parameters
    ----------
    values
        Finite, of any shape; tens of thousands are plenty.
    """
    if not values.size or values.max() <= 1.0:
        return False
    whole = bool((values == np.rint(values)).all()) and np.unique(values).size > MOST_WHOLE
    return whole or float(np.median(values)) > WHITEST


def checked_kernel(kernel: Sequence[Sequence[float]] | npt.NDArray[Any]) -> KernelImage:
    """Return a custom aperture image as hashable tuples, or refuse."""
    try:
        image = np.asarray(kernel, dtype=np.float64)
    except (TypeError, ValueError):
        raise InputError("kernel must be a rectangle of numbers") from None
    if image.ndim != 2 or not 1 <= min(image.shape) <= max(image.shape) <= MAX_KERNEL_SIDE:
        raise InputError(
            f"kernel must be 2-D with sides of 1 to {MAX_KERNEL_SIDE}, got shape {image.shape}"
        )
    if not np.isfinite(image).all() or image.min() < 0 or image.sum() <= 0:
        raise InputError("kernel must hold finite numbers >= 0 that are not all 0")
    return tuple(tuple(float(value) for value in row) for row in image)


def physical(name: str, given: float | None, fallback: Any) -> float:
    """Return a positive physical quantity, given or from EXIF, or refuse."""
    value = given if given is not None else fallback
    if value is None:
        raise InputError(f"{name} is needed: it was not given and the EXIF data does not have it")
    number = float(value)
    if not (math.isfinite(number) and number > 0.0):
        raise InputError(f"{name} must be greater than 0, got {value!r}")
    return number
