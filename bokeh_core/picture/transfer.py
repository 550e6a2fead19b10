"""Between encoded pixels and linear light, on arrays; `rendering/display.py` has sRGB on tensors.

sRGB follows IEC 61966-2-1, continued beyond 1 by the same formula for float pictures. Every 8- and
16-bit code survives the way to linear light and back.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from bokeh_core.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Float32 = npt.NDArray[np.float32]
Encoded = npt.NDArray[Any]

STRIP_VALUES = 1 << 20
"""Values converted at a time, so that temporaries stay a few megabytes whatever the picture."""


@dataclass(frozen=True, eq=False)
class ToneCurve:
    """A transfer curve from an ICC profile.

    Float pictures hold codes beyond [0, 1]: above 1 the curve goes on as the power it follows near
    its end (exact for a gamma curve), below 0 it is mirrored.

    Attributes
    ----------
    table
        (channels, 65536) float64 linear light for evenly spaced codes from 0 to 1, never falling,
        above 0 at the end; channels is 1 (shared) or 3. Curves of HDR end far above 1, which is
        diffuse white.
    """

    table: npt.NDArray[np.float64]

    def decode(self, encoded: Float32) -> Float32:
        """Turn (N, C) codes into linear light."""
        return self._each(encoded, lambda x, table: _along(x, GRID, table, _power(table)))

    def encode(self, linear: Float32) -> Float32:
        """Turn (N, C) linear light into codes."""
        return self._each(linear, lambda y, table: _along(y, table, GRID, 1 / _power(table)))

    def _each(
        self,
        values: Float32,
        convert: Callable[[Float32, npt.NDArray[np.float64]], npt.NDArray[np.float64]],
    ) -> Float32:
        columns = values.shape[-1] if len(self.table) > 1 else 1
        if len(self.table) > 1 and columns != len(self.table):
            raise InputError(f"a curve for {len(self.table)} channels got {columns} channels")
        flat = values.reshape(-1, columns)
        out = np.empty_like(flat)
        for channel in range(columns):
            out[:, channel] = convert(flat[:, channel], self.table[channel])
        return out.reshape(values.shape)


Transfer: TypeAlias = Literal["srgb", "linear"] | ToneCurve
"""How codes stand for light: "srgb", "linear", or the curve of an ICC profile."""

GRID = np.linspace(0.0, 1.0, 65536)
_NEAR_END = 58982
"""Place in `GRID`, code 0.9: far enough from the end that a profile's rounding does not matter."""


def to_linear(encoded: Encoded, transfer: Transfer = "srgb") -> Float32:
    """Turn encoded colour values into linear light.

    Parameters
    ----------
    encoded
        Colour without alpha, any shape, channels last; uint8 or uint16 (full scale = 1.0) or float.
    transfer
        How the codes stand for light.

    Returns
    -------
    ndarray
        float32 of the same shape, 1.0 = full scale.

    Raises
    ------
    InputError
        No array, or the data type is not one of the above.
    """
    if not isinstance(encoded, np.ndarray):
        kind = type(encoded).__name__
        raise InputError(f"pixels must be an array, got {kind}: numpy.asarray makes an array")
    if encoded.dtype in (np.uint8, np.uint16):
        codes = np.linspace(0.0, 1.0, 1 << (8 * encoded.dtype.itemsize), dtype=np.float64)
        if isinstance(transfer, str):
            return _decode(codes, transfer).astype(np.float32)[encoded]
        codes32 = codes.astype(np.float32)
        return _by_strips(encoded, lambda part: transfer.decode(codes32[part]))
    if encoded.dtype.kind != "f":
        raise InputError(f"pixels must be uint8, uint16 or float, got {encoded.dtype}")
    if transfer == "linear":
        return encoded.astype(np.float32)
    # a float16 cannot hold the light of its own codes, nor the steps between dark ones
    return _by_strips(encoded, lambda part: _decode(part.astype(np.float32), transfer))


def from_linear(linear: Float32, dtype: npt.DTypeLike, transfer: Transfer = "srgb") -> Encoded:
    """Encode linear light; the inverse of `to_linear`, exact for every uint8 and uint16 code.

    Parameters
    ----------
    linear
        float32, any shape, channels last. Integer types clip it to [0, light of the last code];
        float types only what they cannot hold (float16: beyond 65504).
    dtype
        uint8, uint16 or a float type.
    transfer
        How the codes stand for light.

    Raises
    ------
    InputError
        The data type is not one of the above.
    """
    kind = np.dtype(dtype)
    if kind not in (np.uint8, np.uint16) and kind.kind != "f":
        raise InputError(f"pixels must be uint8, uint16 or float, got {kind}")
    out = np.empty(linear.shape, kind)
    largest = np.finfo(np.float16 if kind == np.float16 else np.float32).max
    peak = 1.0 if isinstance(transfer, str) else max(1.0, float(transfer.table[:, -1].max()))
    for part, target in zip(_strips(linear), _strips(out), strict=True):
        if kind.kind == "f":
            np.clip(_encode(part, transfer), -largest, largest, out=target, casting="same_kind")
        else:
            full = np.float32(np.iinfo(kind).max)
            # a curve may reach its last code before full light
            codes = np.minimum(_encode(np.clip(part, 0.0, peak), transfer), 1.0)
            target[...] = (codes * full + np.float32(0.5)).astype(kind)
    return out


def _power(table: npt.NDArray[np.float64]) -> float:
    """Return the exponent of the power through a curve's end and a place near it, 1 to 6.6.

    A curve that ends flat, or jumps there, is still continued by one that can be undone.
    """
    share = np.clip(table[_NEAR_END] / table[-1], 0.5, GRID[_NEAR_END])
    return float(np.log(share) / np.log(GRID[_NEAR_END]))


def _along(
    values: Float32, x: npt.NDArray[np.float64], y: npt.NDArray[np.float64], power: float
) -> npt.NDArray[np.float64]:
    """Interpolate from x to y, beyond their end by a power, below 0 as above it."""
    size = np.abs(values, dtype=np.float64)
    out = np.interp(size, x, y)
    beyond = size > x[-1]
    out[beyond] = y[-1] * (size[beyond] / x[-1]) ** power
    return np.where(values < 0, -out, out)


def _decode(codes: npt.NDArray[Any], transfer: Transfer) -> npt.NDArray[Any]:
    if isinstance(transfer, ToneCurve):
        return transfer.decode(codes)
    if transfer == "linear":
        return codes
    size = np.abs(codes)
    light = np.where(size <= 0.04045, size / 12.92, ((size + 0.055) / 1.055) ** 2.4)
    return np.asarray(np.copysign(light, codes))


def _encode(linear: Float32, transfer: Transfer) -> Float32:
    if isinstance(transfer, ToneCurve):
        return transfer.encode(linear)
    if transfer == "linear":
        return linear
    size = np.ascontiguousarray(np.abs(linear))
    # cv2.pow is vectorised and takes 0.07 s for 12 megapixels where numpy's takes 0.31 s
    curved = cv2.pow(size, 1 / 2.4).reshape(size.shape) * np.float32(1.055) - np.float32(0.055)
    straight = size * np.float32(12.92)
    codes = np.where(size <= np.float32(0.0031308), straight, curved)
    return np.asarray(np.copysign(codes, linear))


def _by_strips(values: Encoded, convert: Callable[[Encoded], Float32]) -> Float32:
    out = np.empty(values.shape, np.float32)
    for part, target in zip(_strips(values), _strips(out), strict=True):
        target[...] = convert(part)
    return out


def _strips(values: npt.NDArray[Any]) -> Iterator[npt.NDArray[Any]]:
    """Cut along the first axis into views of about STRIP_VALUES."""
    if values.ndim == 0:
        yield values
        return
    per_row = max(1, values[:1].size)
    rows = max(1, STRIP_VALUES // per_row)
    for start in range(0, len(values), rows):
        yield values[start : start + rows]
