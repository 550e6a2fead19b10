"""How codes stand for colours where a file says it in numbers: PNG's chunks, HEIF's nclx, cICP.

The numbers are those of ITU-T H.273 and PNG (third edition); `icc_profile` says the same to
formats that know only ICC profiles.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from bokeh_core.picture.transfer import GRID, ToneCurve, to_linear

if TYPE_CHECKING:
    from collections.abc import Callable

    from bokeh_core.picture.transfer import Transfer

Signal = npt.NDArray[np.float64]
Chromaticities = tuple[float, float, float, float, float, float, float, float]
"""x and y of white, red, green and blue."""

_D65 = (0.3127, 0.3290)
SRGB_PRIMARIES: Chromaticities = (*_D65, 0.64, 0.33, 0.30, 0.60, 0.15, 0.06)
_ADOBE_PRIMARIES: Chromaticities = (*_D65, 0.64, 0.33, 0.21, 0.71, 0.15, 0.06)
_PRIMARIES: dict[int, Chromaticities] = {
    1: SRGB_PRIMARIES,
    4: (0.310, 0.316, 0.67, 0.33, 0.21, 0.71, 0.14, 0.08),
    5: (*_D65, 0.64, 0.33, 0.29, 0.60, 0.15, 0.06),
    6: (*_D65, 0.630, 0.340, 0.310, 0.595, 0.155, 0.070),
    7: (*_D65, 0.630, 0.340, 0.310, 0.595, 0.155, 0.070),
    8: (0.310, 0.316, 0.681, 0.319, 0.243, 0.692, 0.145, 0.049),
    9: (*_D65, 0.708, 0.292, 0.170, 0.797, 0.131, 0.046),
    11: (0.314, 0.351, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060),
    12: (*_D65, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060),
    22: (*_D65, 0.630, 0.340, 0.295, 0.605, 0.155, 0.077),
}
SRGB, LINEAR, PQ, HLG = 13, 8, 16, 18
_BT709 = {1, 6, 14, 15}
_SRGB_GAMMA = (0.4545, 0.4546)
"""What sRGB files carry for programs that know only gAMA (PNG, 11.3.2.5)."""
_WHITE_PQ = 203.0
"""Light of diffuse white in candela per square metre (ITU-R BT.2408)."""


@dataclass(frozen=True)
class ColourTags:
    """What a file says in numbers.

    Attributes
    ----------
    cicp
        Primaries, transfer, matrix and full range of ITU-T H.273; stands above all else.
    intent
        PNG's sRGB chunk: the codes are sRGB.
    gamma
        PNG's gAMA: the exponent from light to codes.
    chromaticities
        PNG's cHRM.
    light
        mDCV and cLLI as they are: how bright the screen was that the picture was made on.
    """

    cicp: tuple[int, int, int, int] | None = None
    intent: int | None = None
    gamma: float | None = None
    chromaticities: Chromaticities | None = None
    light: tuple[tuple[bytes, bytes], ...] = ()

    @property
    def primaries(self) -> Chromaticities:
        """White and primaries; sRGB's where they are not told."""
        if self.cicp is not None:
            return _PRIMARIES.get(self.cicp[0], SRGB_PRIMARIES)
        if self.intent is not None or self.chromaticities is None:
            return SRGB_PRIMARIES
        return self.chromaticities

    @property
    def is_srgb(self) -> bool:
        """Whether this says no more than that the picture is sRGB."""
        near = np.abs(np.subtract(self.primaries, SRGB_PRIMARIES)).max() < 2e-3
        return bool(near) and self.transfer() == "srgb" and not self.light

    def transfer(self) -> Transfer:
        """Return the transfer curve; sRGB's where nothing is told.

        Perceptual quantisation gives light in units of diffuse white, hybrid log-gamma scene light
        in units of what stands at 75 % of the signal (ITU-R BT.2100, BT.2408).
        """
        if self.cicp is not None:
            return transfer_of_cicp(self.cicp[1], full_range=bool(self.cicp[3]))
        if self.intent is not None or self.gamma is None:
            return "srgb"
        if _SRGB_GAMMA[0] <= self.gamma <= _SRGB_GAMMA[1]:
            return "srgb"
        if abs(self.gamma - 1.0) < 5e-4:
            return "linear"
        return ToneCurve((GRID ** (1.0 / self.gamma))[None])


ADOBE_RGB = ColourTags(gamma=256 / 563, chromaticities=_ADOBE_PRIMARIES)
"""Adobe RGB (1998), 4.3.1: the exponent to light is 563 / 256."""


def transfer_of_cicp(number: int, *, full_range: bool) -> Transfer:
    """Return the curve of a transfer number of ITU-T H.273; sRGB's for one that says nothing."""
    light = _light(number, GRID if full_range else _narrow(GRID))
    if full_range and number == LINEAR:
        return "linear"
    if light is None:
        return "srgb"
    if full_range and number == SRGB:
        return "srgb"
    return ToneCurve(light[None])


def _narrow(codes: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the signal of codes of which 16 to 235 of 255 are used."""
    return np.clip((codes * 255 - 16) / 219, 0.0, 1.0)


def _light(number: int, signal: Signal) -> Signal | None:
    formula = _FORMULAS.get(1 if number in _BT709 else number)
    return None if formula is None else np.asarray(formula(signal))


def _bt709(signal: Signal) -> Signal:
    return np.where(signal < 0.081, signal / 4.5, ((signal + 0.099) / 1.099) ** (1 / 0.45))


def _srgb(signal: Signal) -> Signal:
    return to_linear(signal.astype(np.float32)).astype(np.float64)


def _pq(signal: Signal) -> Signal:
    m1, m2, c1, c2, c3 = 1305 / 8192, 2523 / 32, 107 / 128, 2413 / 128, 2392 / 128
    root = signal ** (1 / m2)
    light = (np.maximum(root - c1, 0) / (c2 - c3 * root)) ** (1 / m1)
    return np.asarray(light * (10000 / _WHITE_PQ))


def _hlg(signal: Signal) -> Signal:
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    scene = np.where(signal <= 0.5, signal**2 / 3, (np.exp((signal - c) / a) + b) / 12)
    return np.asarray(scene / ((np.exp((0.75 - c) / a) + b) / 12))


_FORMULAS: dict[int, Callable[[Signal], Signal]] = {
    1: _bt709,
    4: lambda signal: signal**2.2,
    5: lambda signal: signal**2.8,
    LINEAR: lambda signal: signal,
    SRGB: _srgb,
    PQ: _pq,
    17: lambda signal: signal**2.6,
    HLG: _hlg,
}


def icc_profile(tags: ColourTags, *, grey: bool) -> bytes:
    """Say in an ICC profile (ICC.1:2022) what the tags say: one curve, and the primaries."""
    curve = _curve_tag(tags.transfer())
    parts = {
        b"desc": _text("as the file's numbers"),
        b"cprt": _text("CC0"),
        b"wtpt": _xyz(_D50),
    }
    if grey:
        parts[b"kTRC"] = curve
    else:
        columns = _to_d50(tags.primaries)
        for name, column in zip((b"r", b"g", b"b"), columns.T, strict=True):
            parts[name + b"XYZ"] = _xyz(column)
            parts[name + b"TRC"] = curve
    if tags.cicp is not None and not grey:
        parts[b"cicp"] = b"cicp" + bytes(4) + bytes((tags.cicp[0], tags.cicp[1], 0, tags.cicp[3]))
    return _profile(parts, b"GRAY" if grey else b"RGB ")


_D50 = np.array([0.96422, 1.0, 0.82521])
_BRADFORD = np.array(
    [[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]]
)


def _to_d50(primaries: Chromaticities) -> npt.NDArray[np.float64]:
    """Return the matrix from linear codes to XYZ, adapted to D50 by Bradford's transform."""
    x, y = np.array(primaries[0::2]), np.array(primaries[1::2])
    xyz = np.stack([x / y, np.ones(4), (1 - x - y) / y])
    white, columns = xyz[:, 0], xyz[:, 1:]
    columns = columns * np.linalg.solve(columns, white)
    gains = (_BRADFORD @ _D50) / (_BRADFORD @ white)
    return np.asarray(np.linalg.inv(_BRADFORD) @ np.diag(gains) @ _BRADFORD @ columns)


SRGB_D50 = _to_d50(SRGB_PRIMARIES)
"""sRGB's colourants as profiles hold them."""


def _curve_tag(transfer: Transfer) -> bytes:
    if transfer == "linear":
        return b"curv" + bytes(8)
    if transfer == "srgb":
        numbers = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
        return b"para" + bytes(4) + struct.pack(">HH5i", 3, 0, *(round(v * 65536) for v in numbers))
    table = transfer.table[0]
    codes = np.rint(np.interp(np.linspace(0, 1, 4096), GRID, table / table[-1]) * 65535)
    return b"curv" + struct.pack(">II", 0, 4096) + bytes(codes.astype(">u2").tobytes())


def _xyz(values: npt.NDArray[np.float64]) -> bytes:
    return b"XYZ " + bytes(4) + struct.pack(">3i", *(round(float(v) * 65536) for v in values))


def _text(words: str) -> bytes:
    data = words.encode("utf-16-be")
    return b"mluc" + struct.pack(">III2s2sII", 0, 1, 12, b"en", b"US", len(data), 28) + data


def _profile(parts: dict[bytes, bytes], space: bytes) -> bytes:
    body, table = b"", b""
    start = 128 + 4 + 12 * len(parts)
    for name, tag in parts.items():
        table += name + struct.pack(">II", start + len(body), len(tag))
        body += tag + bytes(-len(tag) % 4)
    head = struct.pack(
        ">I4sI4s4s4s12s4s4sI4s4s8sI12s4s44s",
        start + len(body),
        b"",
        0x04400000,
        b"mntr",
        space,
        b"XYZ ",
        struct.pack(">6H", 2026, 1, 1, 0, 0, 0),
        b"acsp",
        b"",
        0,
        b"",
        b"",
        b"",
        0,
        struct.pack(">3i", *(round(float(v) * 65536) for v in _D50)),
        b"",
        b"",
    )
    return bytes(head + struct.pack(">I", len(parts)) + table + body)
