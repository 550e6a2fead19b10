"""Every setting of a bokeh: its range and words, the presets, and the lens on the wire.

The fields of `Parameters` are at once the arguments of the procedures (with `-` for `_`), the
widgets of the dialog and the keys of the record kept in the layer group.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

PORTRAIT_FOCAL_MM = 85.0
PORTRAIT_DISTANCE_MM = 2000.0
FULL_FRAME_MM = 36.0
PAPER_PIXELS = 4000.0  # long side at which the paper's Gaussian widths are given

BLADES = {"round": 0, "pentagon": 5, "hexagon": 6, "heptagon": 7, "octagon": 8, "nonagon": 9}


def _number(default: float, low: float, high: float, label: str, help_text: str) -> Any:
    return dataclasses.field(
        default=default, metadata={"low": low, "high": high, "label": label, "help": help_text}
    )


def _choice(default: str, label: str, help_text: str, **choices: str) -> Any:
    return dataclasses.field(
        default=default, metadata={"choices": choices, "label": label, "help": help_text}
    )


def _switch(default: bool, label: str, help_text: str) -> Any:
    return dataclasses.field(default=default, metadata={"label": label, "help": help_text})


@dataclass(frozen=True)
class Parameters:
    """What the user chose; the defaults give a natural portrait lens focused on the subject."""

    preset: str = _choice(
        "custom",
        "_Preset",
        "A ready-made look. Anything but custom overrides the settings of the look below it",
        custom="Custom",
        natural="Natural portrait",
        dreamy="Dreamy, wide open",
        vintage="Vintage swirl",
        bubbles="Soap bubbles",
        hexagon="Hexagonal highlights",
        cinema="Anamorphic cinema",
        paper="Published paper",
    )
    style: str = _choice(
        "lens",
        "St_yle",
        "A physical lens, or the depth bins with Gaussian blur of the published paper",
        lens="Lens",
        paper="Paper (Gaussian bins)",
    )
    f_number: float = _number(
        2.8, 0.7, 32.0, "_f-number", "Aperture of an 85 mm portrait lens: smaller blurs more"
    )
    focus: str = _choice(
        "subject",
        "Foc_us on",
        "What is sharp: the subject, the point clicked in the preview, or a depth",
        subject="Subject",
        point="Point in the preview",
        depth="Depth",
    )
    focus_x: float = _number(0.5, 0.0, 1.0, "Point, _x", "Focus point, fraction of the width")
    focus_y: float = _number(0.5, 0.0, 1.0, "Point, _y", "Focus point, fraction of the height")
    focus_depth: float = _number(
        0.7, 0.0, 1.0, "_Depth in focus", "0 is the farthest, 1 the nearest, as in the Depth layer"
    )
    focus_range: float = _number(
        0.05, 0.0, 1.0, "Focus ran_ge", "How much of the depth around the focus stays fully sharp"
    )
    keep_subject_sharp: bool = _switch(
        True, "_Keep the subject sharp", "While the focus is on the subject, never blur any of it"
    )
    people: str = _choice(
        "main",
        "Sub_ject is",
        "Who belongs to the mask",
        main="the main people",
        all="everybody, bystanders too",
        at_focus_point="who is at the focus point",
        none="nobody (depth alone)",
    )
    foreground: float = _number(
        1.0, 0.0, 2.0, "Foreground _blur", "Blur of what is nearer than the focus; 0 is none"
    )
    aperture: str = _choice(
        "round",
        "_Aperture",
        "Shape of out-of-focus lights",
        round="Round",
        pentagon="5 blades",
        hexagon="6 blades",
        heptagon="7 blades",
        octagon="8 blades",
        nonagon="9 blades",
    )
    curvature: float = _number(
        0.0, 0.0, 1.0, "Blade cur_vature", "0 is straight blades, 1 a full circle"
    )
    rotation: float = _number(0.0, -180.0, 180.0, "Ro_tation", "Of the blades, in degrees")
    squeeze: float = _number(
        1.0, 0.5, 2.0, "S_queeze", "Anamorphic lens: height of the discs over their width"
    )
    cat_eye: float = _number(
        0.0, 0.0, 1.0, "Cat _eye", "Discs clipped towards the corners, as in fast lenses"
    )
    ring: float = _number(
        0.0, -1.0, 1.0, "Ri_m of the discs", "Bright rim (soap bubbles) above 0, soft rim below"
    )
    highlights: float = _number(
        1.0, 0.0, 16.0, "_Highlights", "Light given back to lights that the camera clipped"
    )
    fringe: float = _number(
        0.0, -30.0, 30.0, "Colour fri_nge", "Red discs wider and blue ones narrower, in percent"
    )
    grain: float = _number(
        0.0, 0.0, 2.0, "F_ilm grain", "Film grain put back into the blur; 1 is as in the sharp part"
    )
    bins: int = _number(5, 1, 64, "Depth _zones (bins)", "Paper style: number of equal depth bins")
    strength: float = _number(
        38.6, 0.0, 250.0, "Ma_ximum blur", "Paper style: blur of the farthest bin, pixels at 4000"
    )
    curve: float = _number(
        1.68, 0.1, 8.0, "Gro_wth", "Paper style: growth of the blur from bin to bin, 1 is even"
    )

    def resolved(self) -> Parameters:
        """Apply the preset, if one is chosen."""
        return dataclasses.replace(self, **PRESETS[self.preset])

    def lens(self, width: int, height: int) -> dict[str, Any]:
        """Give the `lens` of a `render` message for a picture of this size in pixels."""
        chosen = self.resolved()
        long_side = max(width, height)
        if chosen.style == "paper":
            return {
                "kind": "binned_gaussian",
                "bins": chosen.bins,
                "strength": min(1024.0, chosen.strength * long_side / PAPER_PIXELS),
                "curve": chosen.curve,
            }
        return {
            "kind": "lens",
            **chosen.focus_fields(),
            "focus_range": chosen.focus_range,
            "max_coc": min(1024.0, blur_radius(chosen.f_number, long_side)),
            "foreground": chosen.foreground,
            "blades": BLADES[chosen.aperture],
            "curvature": chosen.curvature,
            "rotation": math.radians(chosen.rotation),
            "squeeze": chosen.squeeze,
            "cat_eye": chosen.cat_eye,
            "ring": chosen.ring,
            "fringe": chosen.fringe / 100.0,
            "highlight_gain": chosen.highlights,
            "grain": chosen.grain,
            "keep_subject_sharp": chosen.keep_subject_sharp and chosen.focus == "subject",
        }

    def focus_fields(self) -> dict[str, Any]:
        """Give the lens fields that say what is in focus; both None: the subject."""
        point = [self.focus_x, self.focus_y] if self.focus == "point" else None
        return {"focus": self.focus_depth if self.focus == "depth" else None, "focus_point": point}

    def record(self) -> dict[str, Any]:
        """Give plain values to keep as JSON."""
        return dataclasses.asdict(self)

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Parameters:
        """Read a record, also of another version: unknown or unfit values are left out."""
        known = {field.name: field for field in dataclasses.fields(cls)}
        fit = {k: v for k, v in record.items() if k in known and _fits(known[k], v)}
        return cls(**fit)


LOOK = {
    "style": "lens",
    "f_number": 2.8,
    "foreground": 1.0,
    "aperture": "round",
    "curvature": 0.0,
    "rotation": 0.0,
    "squeeze": 1.0,
    "cat_eye": 0.0,
    "ring": 0.0,
    "highlights": 1.0,
    "fringe": 0.0,
}
"""What a preset sets; focus, people and grain stay as they are."""

PRESETS: dict[str, dict[str, Any]] = {
    "custom": {},
    "natural": LOOK,
    "dreamy": {**LOOK, "f_number": 1.2, "cat_eye": 0.3, "ring": -0.4, "highlights": 2.0},
    "vintage": {**LOOK, "f_number": 1.8, "cat_eye": 0.9, "ring": 0.3, "highlights": 2.0},
    "bubbles": {**LOOK, "f_number": 2.0, "cat_eye": 0.4, "ring": 0.9, "highlights": 4.0},
    "hexagon": {
        **LOOK,
        "f_number": 2.8,
        "aperture": "hexagon",
        "curvature": 0.2,
        "highlights": 4.0,
    },
    "cinema": {**LOOK, "f_number": 2.0, "squeeze": 1.8, "cat_eye": 0.3, "highlights": 2.0},
    "paper": {"style": "paper", "bins": 5, "strength": 38.6, "curve": 1.68},
}


def blur_radius(f_number: float, long_side_px: int) -> float:
    """Radius in pixels of a point at infinity for an 85 mm lens focused at 2 m on full frame.

    Thin lens: `r = W_px / W_mm * f^2 / (2 N (s - f))`; the subject is depth 1, infinity depth 0.
    """
    diameter_mm = PORTRAIT_FOCAL_MM**2 / (f_number * (PORTRAIT_DISTANCE_MM - PORTRAIT_FOCAL_MM))
    return 0.5 * diameter_mm * long_side_px / FULL_FRAME_MM


def _fits(field: dataclasses.Field[Any], value: Any) -> bool:
    if "choices" in field.metadata:
        return isinstance(value, str) and value in field.metadata["choices"]
    if isinstance(field.default, bool):
        return isinstance(value, bool)
    number = isinstance(value, int if isinstance(field.default, int) else (int, float))
    return number and field.metadata["low"] <= value <= field.metadata["high"]
