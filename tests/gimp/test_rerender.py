"""Re-render: painted maps count, and nothing users do with layers breaks the bond."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

import bokeh_core as bc
from bokeh_core.depth import estimate_depth
from bokeh_core.picture import from_linear, to_linear
from bokeh_core.rendering import overridden_depth
from daemon.light.parameters import Parameters


@pytest.fixture(scope="module")
def results(gimp, portrait):
    """The whole story, played in one GIMP."""
    Image.fromarray(portrait).save(gimp.out / "photo.png")
    gimp.batch("rerender.py")
    return gimp


@pytest.fixture(scope="module")
def facts(results):
    """What the script noted."""
    return results.read("facts")


def array(results, name):
    samples = np.frombuffer((results.out / name).read_bytes(), np.uint8)
    return samples.reshape(120, 120, 3)


@pytest.mark.parametrize("active", ["group", "composite", "mask", "depth"])
def test_unedited_maps_give_the_same_picture_from_any_member(facts, active):
    assert facts[f"again from {active}"]
    assert facts["tree"] == [["Bokeh", ["Mask", "Depth", "Composite"]], "Background"]


def test_a_painted_mask_is_what_the_library_makes_of_it(results):
    light = to_linear(array(results, "first.source"), "srgb")
    matte = to_linear(array(results, "painted.mask")[..., 0].copy(), "linear")
    depth = estimate_depth(light, matte=matte)  # on the painted outline
    fields = Parameters(f_number=1.4).lens(120, 120)
    del fields["kind"]
    lens = bc.Lens(**fields).resolved(depth, matte)
    depth = overridden_depth(depth, matte, bc.portrait_matte(light), lens)
    picture = bc.render(light, depth=depth, matte=matte, lens=lens)
    expected = from_linear(picture, np.dtype(np.uint8), "srgb")
    wrong = np.abs(array(results, "painted.composite").astype(int) - expected)
    assert wrong.max() <= 1  # where a value lies half way, arithmetic decides
    assert np.mean(wrong > 0) < 1e-3


def test_who_is_painted_black_blurs_even_in_focus(results, facts):
    source, first = array(results, "first.source"), array(results, "first.composite")
    sharp = (source == first).all(axis=2)[30:90, 40:80]
    assert sharp.mean() > 0.5
    nobody = array(results, "nobody.composite")
    kept = (nobody == source).all(axis=2)[30:90, 40:80]
    assert kept[sharp].mean() < 0.2
    assert facts["unpainted again"]


def test_an_unpainted_depth_follows_a_painted_mask(results):
    light = to_linear(array(results, "first.source"), "srgb")
    matte = to_linear(array(results, "painted.mask")[..., 0].copy(), "linear")
    expected = from_linear(estimate_depth(light, matte=matte), np.dtype(np.uint8), "linear")
    difference = expected.astype(int) - array(results, "painted.depth")[..., 0]
    assert np.abs(difference).max() <= 1


def test_paint_changes_the_picture_where_it_was_painted(results):
    source, first = array(results, "first.source"), array(results, "first.composite")
    painted = array(results, "painted.composite")
    left = np.s_[:40, :50]
    assert not np.array_equal(first[left], source[left])
    assert np.array_equal(painted[left], source[left])


def test_other_settings_from_a_script(results, facts):
    source = array(results, "first.source").astype(int)
    wide = np.abs(source - array(results, "painted.composite")).sum()
    narrow = np.abs(source - array(results, "stopped-down.composite")).sum()
    assert 0 < narrow < wide / 2
    assert facts["settings on the group"]


def test_filters_and_labels_of_the_composite_stay(facts):
    assert facts["filter"] == ["gegl:saturation", 0.25]
    assert facts["colour tag"]
    assert facts["locked"]
    assert facts["under the filter"]


def test_an_untouched_mask_shows_who_is_the_subject_now(facts):
    assert facts["mask of nobody"] == 0
    assert facts["mask stays hidden"]
    assert facts["mask is back"]
    assert facts["painted mask stays"]


def test_holes_that_the_photo_got_later_are_in_the_composite(facts):
    assert facts["hole in the composite"] == 0


def test_renamed_moved_and_reopened(facts):
    moved = [["Outer", [["My blur", ["Who", "Depth", "Picture"]]]], "Background"]
    assert facts["renamed"] == facts["reopened"] == moved
    assert facts["opacity"] == 60.0
    assert facts["offsets"] == [5, 7]
    assert facts["moved is the same"]
    assert facts["reopened is the same"]


def test_focus_here(facts):
    point, selection = facts["focus point"], facts["focus selection"]
    assert (point["focus"], point["focus_x"], point["focus_y"]) == ("point", 0.9, 0.1)
    assert (selection["focus_x"], selection["focus_y"]) == (0.5, 0.3)


def test_a_photo_stands_for_its_group_or_gets_one(facts):
    assert facts["from the photo"] == [True, True]
    made = facts["focus on a plain photo"]
    assert (made["focus"], made["focus_x"], made["focus_y"]) == ("point", 0.75, 0.1)
    assert facts["tree of a plain photo"] == [
        ["Bokeh", ["Mask", "Depth", "Composite"]],
        "Background",
    ]


def test_members_may_be_removed_and_the_source_retouched(facts):
    assert facts["without mask is the first"]
    assert facts["missing member is none"]
    assert facts["retouched changes the picture"]


@pytest.mark.parametrize(
    ("case", "advice"),
    [
        ("not in a group", "Portrait Bokeh"),
        ("nothing selected", "Draw a small selection"),
        ("resized source", "another size"),
        ("source gone", "is gone. Bring it back with Undo"),
    ],
)
def test_what_cannot_be_done_is_said_and_nothing_changes(facts, case, advice):
    assert advice in facts[case]
