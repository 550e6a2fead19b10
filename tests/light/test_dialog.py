"""What a dialog does with a change, whatever its widgets are."""

from __future__ import annotations

import dataclasses

import pytest

from daemon.light.dialog import (
    PAGES,
    TOP,
    after_change,
    focused_at,
    look_in_words,
    presets,
    told,
    wished,
    with_preset,
    without_effect,
)
from daemon.light.parameters import PRESETS, Parameters, amount_of, f_number_of, has_look
from daemon.light.planes import Plane
from daemon.light.request import LayerRequest, Reply
from daemon.light.view import View

NAMES = {field.name for field in dataclasses.fields(Parameters)}


def test_every_setting_has_one_place_in_the_dialog():
    shown = [*TOP, *(name for names in PAGES.values() for name in names)]
    assert len(shown) == len(set(shown))
    # clicked, chosen, or there for some photos only
    elsewhere = {"based_on", "focus_x", "focus_y", "people_at", "own_depth"}
    assert set(shown) | elsewhere == NAMES


@pytest.mark.parametrize("preset", sorted(PRESETS))
def test_a_preset_brings_its_look_and_one_changed_by_hand_is_custom(preset):
    chosen = after_change(Parameters(preset=preset, grain=0.4, people="all"), "preset")
    assert chosen.preset == (preset if PRESETS[preset] else "natural")
    assert chosen == chosen.resolved()
    assert (chosen.grain, chosen.people) == (0.4, "all")
    for name in NAMES - {"preset"}:
        after = after_change(chosen, name)
        assert after == chosen, "nothing has changed"
    by_hand = after_change(dataclasses.replace(chosen, f_number=7.3, bins=9), "f_number")
    assert by_hand.preset == "custom"
    assert after_change(Parameters(preset="custom"), "preset").preset == "natural", "a reset"


OWN = {"Ulla's": {**PRESETS["dreamy"], "f_number": 1.4}, "zones": {**PRESETS["paper"], "bins": 9}}


def test_a_changed_preset_bears_its_name_until_it_is_another():
    chosen = after_change(Parameters(preset="dreamy"), "preset", OWN)
    assert look_in_words(chosen, OWN) == "Dreamy, wide open"
    changed = after_change(dataclasses.replace(chosen, ring=0.1), "ring", OWN)
    assert look_in_words(changed, OWN) == "Dreamy, wide open, changed"
    assert changed.preset == "custom"
    focused = after_change(focused_at(changed, 0.1, 0.2), "focus", OWN)
    assert look_in_words(focused, OWN) == "Dreamy, wide open, changed"
    back = after_change(dataclasses.replace(changed, ring=chosen.ring), "ring", OWN)
    assert back == chosen
    own = after_change(dataclasses.replace(chosen, f_number=1.4), "f_number", OWN)
    assert look_in_words(own, OWN) == "Ulla's"


@pytest.mark.parametrize("name", OWN)
def test_an_own_preset_brings_its_look_and_is_changed_under_its_name(name):
    before = Parameters(focus="depth", focus_depth=0.2, grain=0.3, people="all")
    chosen = with_preset(before, name, OWN)
    assert (chosen.preset, chosen.based_on) == ("custom", name)
    assert has_look(chosen, OWN[name])
    assert (chosen.focus_depth, chosen.grain, chosen.people) == (0.2, 0.3, "all")
    assert look_in_words(chosen, OWN) == name
    changed = after_change(dataclasses.replace(chosen, f_number=9.0, bins=3), "f_number", OWN)
    assert look_in_words(changed, OWN) == f"{name}, changed"
    assert look_in_words(changed, {}) == "Custom", "there is no such preset here"
    assert with_preset(changed, "dreamy", OWN) == after_change(
        dataclasses.replace(changed, preset="dreamy"), "preset", OWN
    )


def test_what_can_be_chosen_is_ready_made_first():
    names = [name for name, _ in presets(OWN)]
    assert names == [name for name in PRESETS if name != "custom"] + list(OWN)


@pytest.mark.parametrize("style", ["lens", "paper"])
@pytest.mark.parametrize("focus", ["subject", "point", "depth"])
@pytest.mark.parametrize("picture", ["", "gP+A/w=="])
def test_what_is_greyed_changes_nothing(style, focus, picture):
    chosen = Parameters(style=style, focus=focus, aperture_picture=picture)
    other = Parameters(
        f_number=7.0,
        focus_range=0.2,
        focus_depth=0.1,
        keep_subject_sharp=False,
        foreground=0.3,
        aperture="hexagon",
        aperture_picture="/w==",
        curvature=0.3,
        rotation=10.0,
        squeeze=1.5,
        cat_eye=0.5,
        ring=0.5,
        highlights=1.7,
        fringe=1.0,
        grain=0.5,
        bins=7,
        strength=30.0,
        curve=2.0,
    )
    idle = without_effect(chosen)
    beside = {"preset", "based_on", "style", "focus", "focus_x", "focus_y", "people", "people_at"}
    beside |= {"own_depth"}
    for name in NAMES - beside:
        changed = dataclasses.replace(chosen, **{name: getattr(other, name)})
        assert (changed.lens(300, 200) == chosen.lens(300, 200)) == (name in idle), name


def test_a_click_focuses_on_the_point():
    chosen = focused_at(Parameters(preset="dreamy", focus="depth"), 0.25, 0.75)
    assert chosen.lens(100, 100)["focus_point"] == [0.25, 0.75]
    assert chosen.preset == "dreamy"


@pytest.mark.parametrize("aperture", ["round", "hexagon"])
def test_only_blades_can_be_bent_and_turned(aperture):
    idle = without_effect(Parameters(aperture=aperture))
    assert ({"curvature", "rotation"} <= idle) == (aperture == "round")


def test_a_picture_takes_the_place_of_blades_and_rim_and_can_be_turned():
    idle = without_effect(Parameters(aperture="hexagon", aperture_picture="/w=="))
    assert {"aperture", "curvature", "ring"} <= idle
    assert not idle & {"aperture_picture", "rotation", "squeeze", "cat_eye"}


def test_an_amount_stands_for_an_f_number():
    assert amount_of(0.7) == pytest.approx(100)
    assert f_number_of(25.0) == pytest.approx(2.8)
    assert f_number_of(0.0) == 32.0
    assert f_number_of(1000.0) == 0.7
    for f_number in (0.7, 1.2, 2.8, 32.0):
        assert f_number_of(amount_of(f_number)) == pytest.approx(f_number)


def test_doubts_about_the_subject_are_told_first():
    assert told(Reply({}, focus=0.5)).startswith("Click in the picture")
    assert told(Reply({}, focus=0.5, notes=["no person found"])).startswith("No person found.")
    inside = "the depth is the one inside the file, 64 x 48, distances in metres"
    words = told(Reply({}, focus=0.5, file_notes=[inside]))
    assert words.startswith("The depth is the one inside the file. Click in the picture")


def test_no_pixel_of_the_screen_is_guessed():
    image = Plane(4000, 3000, 1, "u8", "srgb", bytes(4000 * 3000))
    request = LayerRequest(image, {"kind": "lens"})
    fit = View((4000, 3000), (800, 600))
    assert wished(request, fit.resized(300, 300, 1), "composite") == []
    (fine,) = wished(request, fit, "composite")
    assert (fine.preview, fine.region) == (800, None)
    (part,) = wished(request, fit.at(1.0), "depth")
    assert (part.preview, part.want) == (0, ["depth", "composite"])
    assert part.region.holds(fit.at(1.0).area)
    assert wished(request, fit.resized(5000, 4000, 1), "matte")[0].preview == 2000
