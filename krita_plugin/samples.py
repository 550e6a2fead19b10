"""Krita's pixels as bytes, turned into those of the wire and back; no Krita, no Qt.

Krita gives whole numbers as blue, green, red, alpha and floats as red, green, blue, alpha; every
layer has alpha. The wire has red, green, blue, alpha, and no half floats. All is little endian, as
every machine that Krita runs on.
"""

from __future__ import annotations

import array
import functools
import re
import struct
from typing import Any

TYPES = {"U8": "u8", "U16": "u16", "F16": "f32", "F32": "f32"}
"""Krita's colour depth -> sample type on the wire."""
BYTES = {"U8": 1, "U16": 2, "F16": 2, "F32": 4}
CODES = {"U8": "B", "U16": "H", "F32": "f"}
OPAQUE = {
    "U8": b"\xff",
    "U16": b"\xff\xff",
    "F16": struct.pack("<e", 1.0),
    "F32": struct.pack("<f", 1.0),
}
"""Full alpha."""
WHOLE = {"U8": 255, "U16": 65535}
"""Depths of whole numbers -> the largest."""
PIECE = (
    1 << 18
)  # samples that are turned at once: the windows' thread never waits long for its turn
LARGEST_HALF = 65504.0


def to_wire(data: bytes, depth: str, channels: int) -> bytes:
    """Turn a layer's pixels into those of a plane, alpha and all.

    Parameters
    ----------
    data
        As `Node.pixelData` gives them.
    depth
        `U8`, `U16`, `F16` or `F32`.
    channels
        4 of colour, 2 of grey.
    """
    if depth == "F16":
        return _from_halves(data)
    return _swapped(data, depth) if channels == 4 and depth in WHOLE else data


def from_wire(data: bytes, depth: str, channels: int) -> bytes:
    """Turn a plane's pixels into those of a layer; the other way round of `to_wire`."""
    if depth == "F16":
        return _to_halves(data)
    return _swapped(data, depth) if channels == 4 and depth in WHOLE else data


def grey(data: bytes, depth: str, channels: int, *, linear: bool = False) -> bytes:
    """Return what a painted map says: one sample a pixel, as wide as the wire's.

    Of a colour it is the green, and what was erased in part counts in part: nothing is 0. Floats
    beyond 0 and 1 are cut off.

    Parameters
    ----------
    data, depth, channels
        As for `to_wire`.
    linear
        Whether the layer's numbers are light. A map means what is seen: middle grey is one half.
    """
    data = to_wire(data, depth, channels)
    samples = _array(CODES.get(depth, "f"), data)
    first = 1 if channels == 4 else 0
    values, alpha = samples[first::channels], samples[channels - 1 :: channels]
    if depth not in WHOLE:
        for at, value in enumerate(values):
            # whatever is no number compares false with everything
            inside = min(1.0, value) if value > 0.0 else 0.0
            seen = _from_light(inside) if linear else inside
            values[at] = seen * min(1.0, max(0.0, alpha[at]))
        return values.tobytes()
    if linear:
        seen = map(_table(WHOLE[depth], back=True).__getitem__, values)
        values = array.array(values.typecode, seen)
    _weaken(values, alpha, WHOLE[depth])
    return values.tobytes()


def to_bytes(data: bytes, depth: str) -> bytes:
    """Return a map of `grey` in 8 bits."""
    if depth == "U8":
        return data
    if depth == "U16":
        return data[1::2]
    return bytes(round(255.0 * value) for value in _array("f", data))


def from_map(data: bytes, depth: str, channels: int, *, linear: bool = False) -> bytes:
    """Return opaque grey pixels of a layer for a map as the daemon gives it.

    Parameters
    ----------
    data
        8-bit samples for `U8`, 16-bit ones for all others.
    depth, channels, linear
        Those of the layer, as for `grey`.
    """
    if depth in WHOLE:
        values = data
        if linear:
            table, code = _table(WHOLE[depth], back=False), CODES[depth]
            values = array.array(code, map(table.__getitem__, _array(code, data))).tobytes()
    else:
        light = _to_light if linear else float
        scale = [light(step / 65535.0) for step in range(65536)]
        values = array.array("f", map(scale.__getitem__, _array("H", data))).tobytes()
        values = _to_halves(values) if depth == "F16" else values
    size = BYTES[depth]
    pixels = bytearray(len(values) * channels)
    for channel in range(channels):
        for byte in range(size):
            at = channel * size + byte
            source = values[byte::size] if channel < channels - 1 else None
            filled = OPAQUE[depth][byte : byte + 1] * (len(values) // size)
            pixels[at :: channels * size] = filled if source is None else source
    return bytes(pixels)


def opaque(data: bytes, depth: str, channels: int) -> bytes:
    """Return a layer's pixels with alpha full everywhere, for showing them."""
    size, pixels = BYTES[depth], bytearray(data)
    step = channels * size
    for byte in range(size):
        at = (channels - 1) * size + byte
        pixels[at::step] = OPAQUE[depth][byte : byte + 1] * (len(data) // step)
    return bytes(pixels)


def _weaken(values: array.array[int], alpha: array.array[int], full: int) -> None:
    """Multiply by alpha, where that is not full: mostly nowhere."""
    size = alpha.itemsize
    solid = alpha.tobytes()
    for run in re.finditer(rb"[^\xff]+", solid):
        first, last = run.start() // size, (run.end() - 1) // size
        for at in range(first, last + 1):
            values[at] = (values[at] * alpha[at] + full // 2) // full


@functools.cache
def _table(full: int, *, back: bool) -> list[int]:
    """Return the light of every number that is seen, or the other way round."""
    bend = _from_light if back else _to_light
    return [round(full * bend(number / full)) for number in range(full + 1)]


def _to_light(seen: float) -> float:
    """Return the light of a number of sRGB's curve (IEC 61966-2-1)."""
    return seen / 12.92 if seen <= 0.04045 else ((seen + 0.055) / 1.055) ** 2.4


def _from_light(light: float) -> float:
    return light * 12.92 if light <= 0.0031308 else 1.055 * light ** (1 / 2.4) - 0.055


def _swapped(data: bytes, depth: str) -> bytes:
    """Exchange red and blue."""
    samples = _array(CODES[depth], data)
    samples[0::4], samples[2::4] = samples[2::4], samples[0::4]
    return samples.tobytes()


def _from_halves(data: bytes) -> bytes:
    whole = array.array("f")
    for at in range(0, len(data), 2 * PIECE):
        piece = data[at : at + 2 * PIECE]
        whole.extend(struct.unpack(f"<{len(piece) // 2}e", piece))
    return whole.tobytes()


def _to_halves(data: bytes) -> bytes:
    samples, pieces = _array("f", data), []
    for at in range(0, len(samples), PIECE):
        piece = samples[at : at + PIECE]
        try:
            pieces.append(struct.pack(f"<{len(piece)}e", *piece))
        except OverflowError:
            fit = (max(-LARGEST_HALF, min(LARGEST_HALF, sample)) for sample in piece)
            pieces.append(struct.pack(f"<{len(piece)}e", *fit))
    return b"".join(pieces)


def _array(code: str, data: bytes) -> array.array[Any]:
    samples = array.array(code)
    samples.frombytes(data)
    return samples
