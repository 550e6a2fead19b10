"""CMYK and Lab to sRGB: through the file's own profile where there is one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import imagecodecs
import numpy as np
import numpy.typing as npt
from PIL import ImageCms

from bokeh_core.picture.transfer import from_linear

if TYPE_CHECKING:
    from collections.abc import Callable


_D50 = np.array([0.96422, 1.0, 0.82521], np.float32)
_TO_SRGB = np.array(
    [
        [3.1338561, -1.6168667, -0.4906146],
        [-0.9787684, 1.9161415, 0.0334540],
        [0.0719453, -0.2289914, 1.4052427],
    ],
    np.float32,
)
"""XYZ under D50 to linear sRGB, adapted by Bradford's transform (Lindbloom)."""
_ROWS = 256


def from_cmyk(pixels: npt.NDArray[Any], profile: bytes | None) -> tuple[npt.NDArray[Any], str]:
    """Convert (H, W, 4) uint8 or uint16, full scale = full ink, to sRGB codes, with a note."""
    if profile and profile[16:20] == b"CMYK":
        target = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
        try:
            rgb = _by_rows(
                pixels,
                lambda part: imagecodecs.cms_transform(
                    part,
                    profile,
                    target,
                    colorspace="cmyk",
                    outcolorspace="rgb",
                    outdtype=part.dtype,
                ),
            )
        except (RuntimeError, ValueError):
            pass
        else:
            return rgb, "CMYK was converted to sRGB through its profile; the result is RGB"
    full = np.iinfo(pixels.dtype).max
    light = 1 - pixels.astype(np.float32) / full
    rgb = np.rint(light[..., :3] * light[..., 3:] * full).astype(pixels.dtype)
    return rgb, "CMYK without a usable profile was converted to RGB; its colours are approximate"


def from_lab(pixels: npt.NDArray[Any], kind: str) -> tuple[npt.NDArray[Any], str]:
    """Convert (H, W, 3) Lab codes of uint8 or uint16 (TIFF 6.0, section 23) to sRGB codes."""
    rgb = _by_rows(pixels, lambda part: from_linear(_light(_lab(part, kind)), part.dtype))
    return rgb, "Lab was converted to sRGB; colours beyond it were cut, and the result is RGB"


def _by_rows(
    pixels: npt.NDArray[Any], change: Callable[[npt.NDArray[Any]], npt.NDArray[Any]]
) -> npt.NDArray[Any]:
    parts = (
        change(np.ascontiguousarray(pixels[top : top + _ROWS]))
        for top in range(0, len(pixels), _ROWS)
    )
    return np.concatenate(list(parts))


def _lab(codes: npt.NDArray[Any], kind: str) -> npt.NDArray[np.float32]:
    """Return L from 0 to 100, and a and b."""
    values = codes.astype(np.float32)
    wide = codes.dtype == np.uint16
    full = 65535.0 if wide else 255.0
    unit = 256.0 if wide else 1.0
    if kind == "ITULAB":
        low, span = np.array([0, -85, -75], np.float32), np.array([100, 170, 200], np.float32)
        return np.asarray(low + span * values / full, np.float32)
    if kind == "CIELAB":
        signed = codes[..., 1:].view(np.int16 if wide else np.int8).astype(np.float32)
        return np.concatenate((values[..., :1] * np.float32(100 / full), signed / unit), axis=2)
    top = 65280.0 if wide else 255.0
    return np.concatenate(
        (values[..., :1] * np.float32(100 / top), (values[..., 1:] / unit) - 128), axis=2
    )


def _light(lab: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Lab under D50 to linear sRGB (CIE 15)."""
    y = (lab[..., 0] + 16) / 116
    curve = np.stack((y + lab[..., 1] / 500, y, y - lab[..., 2] / 200), axis=-1)
    cube = curve**3
    xyz = np.where(cube > 216 / 24389, cube, (116 * curve - 16) * (27 / 24389)) * _D50
    return np.asarray(xyz @ _TO_SRGB.T, np.float32)
