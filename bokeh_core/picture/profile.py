"""Which transfer curve an embedded ICC profile stands for.

Blurring is linear, so it gives the same light whatever the primaries: a picture is processed in
its own primaries and only its tone curve is undone. Nothing is clipped to sRGB's gamut, and the
same profile goes back into the result.
"""

from __future__ import annotations

import struct
from typing import Literal

import imagecodecs
import numpy as np
import numpy.typing as npt
from PIL import ImageCms

from bokeh_core.picture.colour import HLG, PQ, SRGB_D50, transfer_of_cicp
from bokeh_core.picture.transfer import ToneCurve, Transfer, to_linear

Curve = npt.NDArray[np.float64]

_CODES = np.linspace(0.0, 1.0, 65536)
_SAME_CURVE = 1e-3
"""Profiles round sRGB's curve to 8 or 16 bits; differences up to this are the same curve."""


_MEASURED = 4096
"""Places of the grey axis at which a profile of lookup tables is measured."""
_HDR = {PQ, HLG}


class ProfileError(ValueError):
    """The profile cannot be understood; the picture is then taken as sRGB, with a note."""


def transfer_of(profile: bytes, space: Literal["RGB ", "GRAY"]) -> Transfer:
    """Return the transfer curve of an ICC profile.

    Curves and parametric curves (ICC.1:2022, 10.6 and 10.18) are read as they are, for pictures of
    any bit depth. A profile that has only lookup tables is measured along its grey axis by
    littleCMS instead.

    Parameters
    ----------
    profile
        The whole profile.
    space
        What the pixels are; a profile for another colour space is refused.

    Raises
    ------
    ProfileError
        Damaged, or for another colour space.
    """
    if len(profile) < 132 or profile[36:40] != b"acsp":
        raise ProfileError("the colour profile is damaged")
    if profile[16:20].decode("latin-1") != space:
        raise ProfileError("the colour profile is for another kind of picture")
    names = ("rTRC", "gTRC", "bTRC") if space == "RGB " else ("kTRC",)
    try:
        tags = _tags(profile)
        if len(tags.get("cicp", b"")) >= 12 and tags["cicp"][9] in _HDR:
            return transfer_of_cicp(tags["cicp"][9], full_range=bool(tags["cicp"][11]))
        if all(name in tags for name in names):
            table = np.stack([_curve(tags[name]) for name in names])
        else:
            table = _measured(profile)[None]
    except (struct.error, IndexError, ImageCms.PyCMSError, OSError) as error:
        raise ProfileError("the colour profile is damaged") from error
    table = np.maximum.accumulate(np.clip(table, 0.0, 1.0), axis=1)
    if not (table[:, -1] > 0).all():
        raise ProfileError("the colour profile is damaged")  # all black, or no numbers
    return _named(table)


def is_srgb(profile: bytes) -> bool:
    """Whether a profile says no more than that the picture is sRGB."""
    try:
        if transfer_of(profile, "RGB ") != "srgb":
            return False
        tags = _tags(profile)
        columns = [struct.unpack_from(">3i", tags[f"{name}XYZ"], 8) for name in "rgb"]
    except (ProfileError, KeyError, struct.error):
        return False
    return bool(np.abs(np.array(columns).T / 65536 - SRGB_D50).max() < 2e-3)


def _named(table: Curve) -> Transfer:
    """Use the exact formula where a table is one of the known curves."""
    if np.abs(table - _CODES).max() < _SAME_CURVE:
        return "linear"
    if np.abs(table - to_linear(_CODES.astype(np.float32))).max() < _SAME_CURVE:
        return "srgb"
    return ToneCurve(table)


def _tags(profile: bytes) -> dict[str, bytes]:
    (count,) = struct.unpack_from(">I", profile, 128)
    tags = {}
    for index in range(min(count, 200)):
        name, offset, size = struct.unpack_from(">4sII", profile, 132 + 12 * index)
        tags[name.decode("latin-1")] = profile[offset : offset + size]
    return tags


def _curve(tag: bytes) -> Curve:
    kind = tag[:4]
    if kind == b"curv":
        (count,) = struct.unpack_from(">I", tag, 8)
        values = np.array(struct.unpack_from(f">{count}H", tag, 12), np.float64)
        if count == 0:
            return _CODES
        if count == 1:
            return np.asarray(_CODES ** (values[0] / 256.0))
        return np.interp(_CODES, np.linspace(0.0, 1.0, count), values / 65535.0)
    if kind == b"para":
        return _parametric(tag)
    raise ProfileError(f"the colour profile has an unknown curve type {kind!r}")


def _parametric(tag: bytes) -> Curve:
    (kind,) = struct.unpack_from(">H", tag, 8)
    if kind > 4:
        raise ProfileError(f"the colour profile has an unknown parametric curve {kind}")
    count = (1, 3, 4, 5, 7)[kind]
    values = [value / 65536.0 for value in struct.unpack_from(f">{count}i", tag, 12)]
    g, a, b, c, d, e, f = values + [0.0] * (7 - count)
    if kind == 0:
        a, b, d = 1.0, 0.0, 0.0
    elif kind in {1, 2}:
        # below -b/a the curve is the constant c (0 for kind 1); c then also lifts the power part
        d, e, f, c = -b / a if a else 0.0, c, c, 0.0
    power = np.power(np.maximum(a * _CODES + b, 0.0), g) + e
    return np.asarray(np.where(d <= _CODES, power, c * _CODES + f))


def _measured(profile: bytes) -> Curve:
    """Send a grey ramp through littleCMS to sRGB; its green channel is the tone curve."""
    grey = profile[16:20] == b"GRAY"
    ramp = np.linspace(0, 65535, _MEASURED).astype(np.uint16)[None, :, None]
    try:
        shown = imagecodecs.cms_transform(
            ramp if grey else ramp.repeat(3, axis=2),
            profile,
            ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes(),
            colorspace="gray" if grey else "rgb",
            outcolorspace="rgb",
            outdtype=np.uint16,
        )
    except RuntimeError as error:
        raise ProfileError("the colour profile is damaged") from error
    light = to_linear(shown.reshape(-1, 3)[:, 1])
    return np.interp(_CODES, np.linspace(0.0, 1.0, _MEASURED), light.astype(np.float64))
