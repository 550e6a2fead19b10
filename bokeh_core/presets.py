"""Ready-made looks, and what an f-number means for a picture: the one home of both.

The command line reads them here. Editors cannot import this package: `python -m tests.light.facts`
writes what they need into `daemon/light/facts.py`, and a test compares.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bokeh_core.binned_gaussian import BinnedGaussian
from bokeh_core.lens import Lens

if TYPE_CHECKING:
    from collections.abc import Callable

FOCUS_RANGE = 0.05
"""Depth around the focus that stays sharp unless somebody says otherwise, in disparity."""


@dataclass(frozen=True, kw_only=True)
class Look:
    """What a preset sets: the aperture and its light; focus, people and grain stay as they are.

    Parameters
    ----------
    label
        For a menu.
    f_number
        Aperture number of the `PortraitLens`.
    blades, curvature, squeeze, cat_eye, ring, highlight_gain
        As in `bokeh_core.lens.Lens`.
    """

    label: str
    f_number: float = 2.8
    blades: int = 0
    curvature: float = 0.0
    squeeze: float = 1.0
    cat_eye: float = 0.0
    ring: float = 0.0
    highlight_gain: float = 1.0

    def lens(self, radius: float) -> Lens:
        """Return the lens with this look, focused on the sharp subject.

        Parameters
        ----------
        radius
            Blur in pixels of a round aperture (`PortraitLens.coc`); blades keep its area.
        """
        fields = {field.name for field in dataclasses.fields(Lens)}
        look = {name: value for name, value in vars(self).items() if name in fields}
        return Lens(focus_range=FOCUS_RANGE, keep_subject_sharp=True, **look).with_disc(radius)


LOOKS = {
    # without cat-eye: it makes every part of the picture another aperture, most of all work in a
    # preview
    "natural": Look(label="Natural portrait"),
    "dreamy": Look(
        label="Dreamy, wide open", f_number=1.2, cat_eye=0.3, ring=-0.4, highlight_gain=2.0
    ),
    "vintage": Look(label="Vintage swirl", f_number=1.8, cat_eye=0.9, ring=0.3, highlight_gain=2.0),
    "bubbles": Look(label="Soap bubbles", f_number=2.0, cat_eye=0.4, ring=0.9, highlight_gain=4.0),
    "hexagon": Look(label="Hexagonal highlights", blades=6, curvature=0.2, highlight_gain=4.0),
    "cinema": Look(
        label="Anamorphic cinema", f_number=2.0, squeeze=1.8, cat_eye=0.3, highlight_gain=2.0
    ),
}
"""Name -> look. "paper" and "paper-notebook" are a style of their own: `PAPERS`."""
PAPERS: dict[str, Callable[[int, int], BinnedGaussian]] = {
    "paper": BinnedGaussian.usual,
    "paper-notebook": BinnedGaussian.notebook,
}
"""Name -> the paper's algorithm for a picture of this width and height in pixels: with our
strengths, and with those of its authors' notebook."""
PAPER_LABELS = {"paper": "The paper's bins", "paper-notebook": "The paper's notebook"}
"""Name -> words in a menu."""
NATURAL = LOOKS["natural"]
"""What the command line and the editors start from."""


@dataclass(frozen=True, kw_only=True)
class PortraitLens:
    """The lens that an f-number alone stands for: 85 mm on full frame, focused at 2 m.

    A phone's own tiny lens would blur nothing, so the picture's EXIF values are not used.
    """

    focal_mm: float = 85.0
    distance_m: float = 2.0
    sensor_mm: float = 36.0

    def coc(self, f_number: float, long_side_px: int) -> float:
        """Return the blur radius in pixels of a point at infinity; the subject counts as depth 1.

        It is that of a round aperture: `Lens.with_disc` gives one with blades the same area.

        Raises
        ------
        InputError
            As `Lens.from_camera`.
        """
        lens = Lens.from_camera(
            image_width_px=long_side_px,
            focus_distance_m=self.distance_m,
            f_number=f_number,
            focal_length_mm=self.focal_mm,
            sensor_width_mm=self.sensor_mm,
        )
        return lens.max_coc
