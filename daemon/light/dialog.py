"""What an editor's dialog shows, and what it does with a change, without any widget.

Settings are named as the fields of `Parameters`.
"""

from __future__ import annotations

import dataclasses
import math
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from daemon.light.facts import OUTPUTS
from daemon.light.parameters import PRESETS, Parameters, has_look, preset_like
from daemon.light.people import Person, at
from daemon.light.words import tr

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from daemon.light.request import LayerRequest, Reply
    from daemon.light.view import View

SIDE = 460
"""Long side of a first preview in pixels: 0.2 MP render well within half a second."""
FINEST = 2000
"""Long side of the largest preview; what is looked at closer comes in parts at full size."""
ENOUGH = 0.8
"""Share of the screen's pixels that a picture needs to have."""
VIEWS = (("composite", "Result"), ("original", "Original"), ("matte", "Mask"), ("depth", "Depth"))
"""What the preview can show: name of the plane, label."""
NO_OTHERS: Mapping[str, Mapping[str, Any]] = MappingProxyType({})
"""No presets of the user's own."""
PRESET_LABELS: Mapping[str, str] = {
    field.name: field.metadata.get("choices", {}) for field in dataclasses.fields(Parameters)
}["preset"]
ZONES = "Zones"
TOP = ("preset", "f_number")
PAGES = {
    "Focus": ("focus", "focus_range", "focus_depth", "keep_subject_sharp", "people", "foreground"),
    "Aperture": (
        "aperture",
        "aperture_picture",
        "curvature",
        "rotation",
        "squeeze",
        "cat_eye",
        "ring",
    ),
    "Light": ("highlights", "fringe", "grain", "style"),
    ZONES: ("bins", "strength", "curve"),
}
"""Title of a page -> its settings, from top to bottom; those of `TOP` are above all pages. That of
the zones is there only while they are chosen."""


def without_effect(parameters: Parameters) -> frozenset[str]:
    """Return the settings that change nothing with the style and focus chosen: to be greyed."""
    lens = parameters.style == "lens"
    pages = (ZONES,) if lens else ("Focus", "Aperture", "Light")
    idle = {name for title in pages for name in PAGES[title]} - {"style"}
    if not lens:
        idle -= {"people"}  # the zones' blur leaves the subject alone, too
    own = bool(parameters.aperture_picture)
    for name, used in (
        ("f_number", lens),
        ("aperture", not own),
        ("focus_depth", parameters.focus == "depth"),
        ("keep_subject_sharp", parameters.keeps_somebody),
        ("curvature", parameters.aperture != "round" and not own),
        ("rotation", parameters.aperture != "round" or own),
        ("ring", not own),
    ):
        if not used:
            idle.add(name)
    return frozenset(idle)


def after_change(
    parameters: Parameters, changed: str, own: Mapping[str, Mapping[str, Any]] = NO_OTHERS
) -> Parameters:
    """Return the settings that follow from a change of one of them.

    A preset brings its look; settings that make up no preset's look are custom, those that do bear
    its name, also after a reset. What they are based on is the last preset that they were.

    Parameters
    ----------
    parameters
        The settings with the change.
    changed
        Its name.
    own
        The user's presets: name -> what it brings.
    """
    based_on = parameters.based_on
    if changed == "preset" and PRESETS[parameters.preset]:
        parameters, based_on = parameters.resolved(), parameters.preset
    looks = {**PRESETS, **own}
    wanted = (name for name in (based_on, *looks) if has_look(parameters, looks.get(name, {})))
    return dataclasses.replace(
        parameters, preset=preset_like(parameters), based_on=next(wanted, based_on)
    )


def with_preset(
    parameters: Parameters, name: str, own: Mapping[str, Mapping[str, Any]]
) -> Parameters:
    """Return the settings with the look of a preset, ready-made or the user's."""
    look = {**PRESETS, **own}[name]
    chosen = dataclasses.replace(parameters, preset="custom", based_on=name, **look)
    return after_change(chosen, "style", own)


def presets(own: Mapping[str, Any]) -> list[tuple[str, str]]:
    """List what can be chosen: name and label, the user's own last."""
    ready = [(name, tr(PRESET_LABELS[name])) for name, look in PRESETS.items() if look]
    return [*ready, *((name, name) for name in own)]


def look_in_words(parameters: Parameters, own: Mapping[str, Mapping[str, Any]]) -> str:
    """Say which preset the settings are, or which one they were before they were changed."""
    look = {**PRESETS, **own}.get(parameters.based_on)
    if not look:
        return tr(PRESET_LABELS["custom"])
    label = dict(presets(own))[parameters.based_on]
    if has_look(parameters, look):
        return label
    return tr("{preset}, changed").format(preset=label)


def focused_at(parameters: Parameters, x: float, y: float) -> Parameters:
    """Return the settings after a click in the picture, at fractions of its width and height."""
    return dataclasses.replace(parameters, focus="point", focus_x=x, focus_y=y)


def kept_people(parameters: Parameters, people: Sequence[Person]) -> list[Person]:
    """Return those whom the settings name one by one."""
    points = parameters.people_points
    return [each for each in people if any(math.dist(each.point, p) < 1e-3 for p in points)]


def clicked(
    parameters: Parameters, people: Sequence[Person], x: float, y: float, *, more: bool
) -> Parameters:
    """Return the settings after a click in the picture.

    On a person: they stay sharp, whole, and nobody else does; with `more` they are added to those
    who do, or taken from them. Beside everybody the focus goes to what is seen there.
    """
    person = at(people, x, y)
    if person is None:
        return focused_at(parameters, x, y)
    kept = kept_people(parameters, people) if more else []
    if person in kept and len(kept) > 1:
        return _keeping(parameters, [each for each in kept if each is not person])
    focused = parameters if more and kept else focused_at(parameters, x, y)
    return _keeping(focused, [*kept, person] if person not in kept else kept)


def back_to_the_subject(parameters: Parameters) -> Parameters:
    """Return the settings with the focus on the subject again, whoever that is."""
    return dataclasses.replace(parameters, focus="subject", people="main", people_at="")


def _keeping(parameters: Parameters, kept: Sequence[Person]) -> Parameters:
    places = " ".join(f"{each.point[0]:.4f},{each.point[1]:.4f}" for each in kept)
    return dataclasses.replace(
        parameters, people="chosen", people_at=places, keep_subject_sharp=True
    )


def coarse(request: LayerRequest) -> LayerRequest:
    """Return what to ask for first: the whole picture with its maps, small."""
    return dataclasses.replace(request, preview=SIDE, want=OUTPUTS)


def wished(request: LayerRequest, view: View, showing: str) -> list[LayerRequest]:
    """Return what to ask for so that no pixel of the screen is guessed; may be nothing.

    Parameters
    ----------
    request
        For the full-size result.
    view
        How the photo is looked at.
    showing
        Which of `VIEWS`.
    """
    if view.needs_full_size:
        shown = [name for name in OUTPUTS if name in {"composite", showing}]
        return [dataclasses.replace(request, region=view.region, want=shown)]
    side = min(FINEST, round(max(view.photo) * min(1.0, view.scale)))
    if side * ENOUGH <= SIDE:
        return []
    return [dataclasses.replace(request, preview=side, want=OUTPUTS)]


def told(reply: Reply) -> str:
    """Say what is doubtful about the subject and how to repair it, or else what a click does."""
    # a map's size and units, behind a comma, are left to the command line
    found = _sentences(note.partition(", ")[0] for note in reply.file_notes)
    advice = tr("Click in the picture to focus on something else.")
    if reply.notes:
        advice = tr('Click on what is to be sharp, or choose under Focus who the "Subject is".')
    return " ".join([*found, *_sentences(reply.notes), advice])


def _sentences(notes: Iterable[str]) -> list[str]:
    return [tr(f"{note[:1].upper()}{note[1:]}.") for note in notes]
