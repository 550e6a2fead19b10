"""Ready-made looks and what an f-number means: the same as in the GIMP dialog (a test compares)."""

from __future__ import annotations

from typing import Any

from bokeh_core.lens import Lens

DEFAULT: dict[str, Any] = {
    "f_number": 2.8,
    "focus_range": 0.05,
    "highlight_gain": 1.0,
    "keep_subject_sharp": True,
}
"""What the command line and the dialog start from: a natural portrait lens.

Without cat-eye: it makes every part of the picture another aperture, most of all work in a preview.
"""

PRESETS: dict[str, dict[str, Any]] = {
    "natural": {},
    "dreamy": {"f_number": 1.2, "cat_eye": 0.3, "ring": -0.4, "highlight_gain": 2.0},
    "vintage": {"f_number": 1.8, "cat_eye": 0.9, "ring": 0.3, "highlight_gain": 2.0},
    "bubbles": {"f_number": 2.0, "cat_eye": 0.4, "ring": 0.9, "highlight_gain": 4.0},
    "hexagon": {"blades": 6, "curvature": 0.2, "highlight_gain": 4.0},
    "cinema": {"f_number": 2.0, "squeeze": 1.8, "cat_eye": 0.3, "highlight_gain": 2.0},
}
"""Name -> what differs from `DEFAULT`; "paper" is a style of its own, see `BinnedGaussian`."""

FOCAL_MM = 85.0
DISTANCE_M = 2.0
SENSOR_MM = 36.0


def portrait_coc(
    f_number: float,
    long_side_px: int,
    *,
    focal_mm: float = FOCAL_MM,
    distance_m: float = DISTANCE_M,
    sensor_mm: float = SENSOR_MM,
) -> float:
    """Give the blur radius in pixels of a point at infinity; the subject counts as depth 1.

    By default of an 85 mm lens on full frame, focused at 2 m: a phone's own tiny lens would blur
    nothing, so the picture's EXIF values are not used.
    """
    lens = Lens.from_camera(
        image_width_px=long_side_px,
        focus_distance_m=distance_m,
        f_number=f_number,
        focal_length_mm=focal_mm,
        sensor_width_mm=sensor_mm,
    )
    return lens.max_coc
