"""Every setting of a bokeh: its range and words, the presets, and the lens on the wire.

The fields of `Parameters` are at once an editor's arguments, the widgets of its dialog and the keys
of the record kept in the image. Their `metadata` has what a widget needs: `label` (with `_` before
its mnemonic) and `help`; numbers have `low`, `high` and the `factor` by which they are shown, words
have `choices` (word -> label).
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from daemon.light.aperture_picture import is_picture, kernel_of
from daemon.light.facts import (
    COC_AT_F1,
    FOCUS_RANGE,
    LENS,
    LOOK_LABELS,
    LOOKS,
    PAPER,
    PAPER_BINS,
    PAPER_CURVE,
    PAPER_LABELS,
    PAPER_SIDE,
    PAPER_STRENGTH,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

NATURAL = LOOKS["natural"]
BLADES = {"round": 0, "pentagon": 5, "hexagon": 6, "heptagon": 7, "octagon": 8, "nonagon": 9}
APERTURES = {blades: name for name, blades in BLADES.items()}
MOST_PEOPLE = 32
"""Who can be chosen one by one."""
WIDEST = LENS["max_coc"][2]


def area_of_disc(blades: int, curvature: float) -> float:
    """Return an aperture's part of the area of the disc around it, as `bokeh_core.Lens` does.

    An f-number tells the area; the lens is told where the vertices of its blades are.
    """
    if not blades:
        return 1.0
    half = math.pi / blades
    straight = (1.0 - curvature) * math.cos(half)
    secant = math.log(1.0 / math.cos(half) + math.tan(half))
    both = curvature * curvature * half + 2.0 * curvature * straight * secant
    return (both + straight * straight * math.tan(half)) / half


AMOUNT_AT = 70.0
"""Amount of blur in percent at f/1: 100 is the widest f-number, 0.7."""


def _number(
    default: float, low: float, high: float, label: str, help_text: str, *, factor: float = 1.0
) -> Any:
    words = {"label": label, "help": help_text}
    return dataclasses.field(
        default=default, metadata={"low": low, "high": high, "factor": factor, **words}
    )


def _percent(default: float, low: float, high: float, label: str, help_text: str) -> Any:
    """Make a number that is shown in percent."""
    return _number(default, low, high, label, help_text, factor=100.0)


def _choice(default: str, label: str, help_text: str, **choices: str) -> Any:
    return dataclasses.field(
        default=default, metadata={"choices": choices, "label": label, "help": help_text}
    )


def _switch(default: bool, label: str, help_text: str) -> Any:
    return dataclasses.field(default=default, metadata={"label": label, "help": help_text})


def _text(label: str, help_text: str, fits: Callable[[str], bool] = str.isprintable) -> Any:
    words = {"label": label, "help": help_text}
    return dataclasses.field(default="", metadata={"fits": fits, **words})


@dataclass(frozen=True)
class Parameters:
    """What the user chose; the defaults give a natural portrait lens focused on the subject."""

    preset: str = _choice(
        "custom",
        "_Preset",
        "A ready-made look. Anything but custom overrides the settings of the look below it",
        custom="Custom",
        **LOOK_LABELS,
        paper=PAPER_LABELS["paper"],
    )
    style: str = _choice(
        "lens",
        "St_yle of blur",
        "That of a lens, or the depth cut into zones with a Gaussian blur each, as the paper "
        "behind this does it",
        lens="A lens's",
        paper="Gaussian, in zones of depth",
    )
    f_number: float = _number(
        NATURAL["f_number"],
        0.7,
        32.0,
        "_f-number",
        "Aperture of an 85 mm portrait lens: smaller blurs more",
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
    focus_range: float = _percent(
        FOCUS_RANGE,
        *LENS["focus_range"][1:],
        "Focus ran_ge, %",
        "How much of the whole depth of the photo stays fully sharp around the focus",
    )
    keep_subject_sharp: bool = _switch(
        True, "_Keep the subject sharp", "While the focus is on the subject, never blur any of it"
    )
    people: str = _choice(
        "main",
        "Sub_ject is",
        "Who belongs to the mask",
        main="main people, else main animal",
        all="everybody, bystanders too",
        pets="pets (all animals)",
        at_focus_point="who is at the focus point",
        chosen="who was clicked in the preview",
        none="nobody (depth alone)",
    )
    people_at: str = _text(
        "People clicked",
        "Where those are who were clicked in the preview: x,y as fractions, apart by spaces",
    )
    own_depth: bool = _switch(
        True,
        "Depth: the photo's own",
        "Use the depth map that the phone keeps in the photo's file instead of an estimated one",
    )
    foreground: float = _percent(
        LENS["foreground"][0],
        0.0,
        2.0,
        "Foreground _blur, %",
        "Blur of what is nearer than the focus; 0 is none, 100 that of the lens",
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
    aperture_picture: str = _text(
        "Aperture pict_ure",
        "A bright shape on black that out-of-focus lights become, in place of blades and rim",
        is_picture,
    )
    curvature: float = _percent(
        *LENS["curvature"], "Blade cur_vature, %", "0 is straight blades, 100 a full circle"
    )
    rotation: float = _number(
        0.0, -180.0, 180.0, "Rotatio_n, °", "Of the blades or the picture, in degrees"
    )
    squeeze: float = _percent(
        *LENS["squeeze"],
        "S_queeze of the discs, %",
        "Over their width: 100 is round, more is the tall oval of an anamorphic lens",
    )
    cat_eye: float = _percent(
        *LENS["cat_eye"], "Cat _eye, %", "Discs clipped towards the corners, as in fast lenses"
    )
    ring: float = _percent(
        *LENS["ring"], "Rim of the _discs, %", "Bright rim (soap bubbles) above 0, soft rim below"
    )
    highlights: float = _number(
        NATURAL["highlight_gain"],
        *LENS["highlight_gain"][1:],
        "Hi_ghlights, times",
        "Light given back to lights that the camera clipped; 0 is none",
    )
    fringe: float = _number(
        100.0 * LENS["fringe"][0],
        100.0 * LENS["fringe"][1],
        100.0 * LENS["fringe"][2],
        "Colour fri_nge, %",
        "Red discs wider and blue ones narrower",
    )
    grain: float = _percent(
        *LENS["grain"],
        "Film gr_ain, %",
        "Film grain put back into the blur; 100 is as in the sharp part",
    )
    bins: int = _number(
        PAPER_BINS,
        *PAPER["bins"][1:],
        "Depth _zones",
        "Number of equal zones that the depth is cut into",
    )
    strength: float = _number(
        PAPER_STRENGTH,
        0.0,
        250.0,
        "Ma_ximum blur",
        f"Blur of the farthest zone, in pixels at a short side of {PAPER_SIDE}",
    )
    curve: float = _number(
        PAPER_CURVE,
        *PAPER["curve"][1:],
        "_Growth",
        "Growth of the blur from zone to zone, 1 is even",
    )
    based_on: str = _text(
        "Based on", "The preset chosen last, also one of your own: its name while it is changed"
    )

    def resolved(self) -> Parameters:
        """Apply the preset, if one is chosen."""
        return dataclasses.replace(self, **PRESETS[self.preset])

    def looks(self) -> tuple[Parameters, ...]:
        """Return what to preview, from rough to fine.

        Cat's eyes take many times longer: until they are there, full discs show the rest.
        """
        fine = self.resolved()
        rough = dataclasses.replace(fine, preset="custom", cat_eye=0.0)
        return (rough, fine) if fine.cat_eye else (fine,)

    @property
    def subject(self) -> str:
        """The wire's word for who is the subject; nobody is at a point that was not given."""
        pointless = self.people == "at_focus_point" and self.focus != "point"
        return "main" if pointless or self.people == "chosen" else self.people

    def lens(self, width: int, height: int) -> dict[str, Any]:
        """Return the `lens` of a `render` message for a picture of this size in pixels.

        Raises
        ------
        PluginError
            The aperture picture is damaged.
        """
        chosen = self.resolved()
        if chosen.style == "paper":
            strength = chosen.strength * min(width, height) / PAPER_SIDE
            return {
                "kind": "binned_gaussian",
                "bins": chosen.bins,
                "strength": min(PAPER["strength"][2], strength),
                "curve": chosen.curve,
            }
        own = chosen.aperture_picture
        blades = 0 if own else BLADES[chosen.aperture]
        disc = COC_AT_F1 / chosen.f_number * max(width, height)
        return {
            "kind": "lens",
            **chosen.focus_fields(),
            "focus_range": chosen.focus_range,
            "max_coc": min(WIDEST, disc / math.sqrt(area_of_disc(blades, chosen.curvature))),
            "foreground": chosen.foreground,
            "blades": blades,
            "curvature": chosen.curvature if blades else 0.0,
            "rotation": math.radians(chosen.rotation) if blades or own else 0.0,
            "squeeze": chosen.squeeze,
            "cat_eye": chosen.cat_eye,
            "ring": 0.0 if own else chosen.ring,
            **({"kernel": kernel_of(own)} if own else {}),
            "fringe": chosen.fringe / 100.0,
            "highlight_gain": chosen.highlights,
            "grain": chosen.grain,
            "keep_subject_sharp": chosen.keep_subject_sharp and chosen.keeps_somebody,
        }

    @property
    def people_points(self) -> tuple[tuple[float, float], ...]:
        """Where those are who were chosen one by one; what cannot be read is left out."""
        found = []
        for part in self.people_at.split() if self.people == "chosen" else ():
            try:
                x, y = map(float, part.split(","))
            except ValueError:
                continue
            if 0 <= x <= 1 and 0 <= y <= 1:  # neither is nan
                found.append((x, y))
        return tuple(found[:MOST_PEOPLE])

    @property
    def keeps_somebody(self) -> bool:
        """Whether there is somebody whom *Keep the subject sharp* can keep."""
        return self.focus == "subject" or bool(self.people_points)

    def focus_fields(self) -> dict[str, Any]:
        """Return the lens fields that say what is in focus; both None: the subject."""
        point = [self.focus_x, self.focus_y] if self.focus == "point" else None
        return {"focus": self.focus_depth if self.focus == "depth" else None, "focus_point": point}

    def record(self) -> dict[str, Any]:
        """Return plain values to keep as JSON."""
        return dataclasses.asdict(self)

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Parameters:
        """Read a record, also of another version: unknown or unfit values are left out."""
        known = {field.name: field for field in dataclasses.fields(cls)}
        fit = {k: v for k, v in record.items() if k in known and _fits(known[k], v)}
        return cls(**fit)


def _preset(look: Mapping[str, float]) -> dict[str, Any]:
    """Say a look in the settings' terms; those of the lens that it does not name are as usual."""
    return {
        "style": "lens",
        "f_number": look["f_number"],
        "foreground": LENS["foreground"][0],
        "aperture": APERTURES[int(look["blades"])],
        "aperture_picture": "",
        "curvature": look["curvature"],
        "rotation": 0.0,
        "squeeze": look["squeeze"],
        "cat_eye": look["cat_eye"],
        "ring": look["ring"],
        "highlights": look["highlight_gain"],
        "fringe": 0.0,
    }


PRESETS: dict[str, dict[str, Any]] = {
    "custom": {},
    **{name: _preset(look) for name, look in LOOKS.items()},
    "paper": {
        "style": "paper",
        "bins": PAPER_BINS,
        "strength": PAPER_STRENGTH,
        "curve": PAPER_CURVE,
    },
}
"""Preset -> the settings it brings; focus, people and grain stay as they are."""


def has_look(parameters: Parameters, look: Mapping[str, Any]) -> bool:
    """Whether settings are what a preset brings; `custom` brings nothing and is nobody's."""
    return bool(look) and all(getattr(parameters, name) == value for name, value in look.items())


def preset_like(parameters: Parameters) -> str:
    """Return the preset whose look the settings have; `custom` when they have none's."""
    found = (name for name, look in PRESETS.items() if has_look(parameters, look))
    return next(found, "custom")


def look_of(parameters: Parameters) -> dict[str, Any]:
    """Return what a preset of these settings brings."""
    return {name: getattr(parameters, name) for name in _usual(parameters.style)}


def look_from(record: Any) -> dict[str, Any]:
    """Read what a preset brings; what is left out is as in the natural look, or the paper's.

    Raises
    ------
    ValueError
        It is no look; the text says what is wrong.
    """
    if not isinstance(record, dict):
        raise ValueError("no settings")  # noqa: TRY004 - one kind of error for a file
    known = {field.name: field for field in dataclasses.fields(Parameters)}
    usual = _usual(record.get("style", "lens"))
    for name, value in record.items():
        if name not in usual:
            raise ValueError(f"{name} is no setting of this style")
        if not _fits(known[name], value):
            raise ValueError(f"{name} cannot be {value!r}")
    return {**usual, **record}


def _usual(style: Any) -> dict[str, Any]:
    return PRESETS["paper" if style == "paper" else "natural"]


def amount_of(f_number: float) -> float:
    """Return the amount of blur in percent: the blur's radius over that at the widest f-number."""
    return AMOUNT_AT / f_number


def f_number_of(amount: float) -> float:
    """Return the f-number of an amount in percent; of none, the one with the least blur."""
    field = {field.name: field for field in dataclasses.fields(Parameters)}["f_number"]
    low, high = field.metadata["low"], field.metadata["high"]
    return float(min(high, max(low, AMOUNT_AT / max(amount, 1e-6))))


def _fits(field: dataclasses.Field[Any], value: Any) -> bool:
    if "choices" in field.metadata:
        return isinstance(value, str) and value in field.metadata["choices"]
    if isinstance(field.default, bool):
        return isinstance(value, bool)
    if isinstance(field.default, str):
        return isinstance(value, str) and field.metadata["fits"](value)
    number = isinstance(value, int if isinstance(field.default, int) else (int, float))
    return number and field.metadata["low"] <= value <= field.metadata["high"]
