"""Selections, masks, blending, groups, filters and the small tools; the daemon is a fake one."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from tests.fakes.daemon import FakeDaemon, maps
from tests.gimp.conftest import Gimp


@pytest.fixture(scope="module")
def daemon(tmp_path_factory):
    """A fake one, which remembers what it was asked."""
    with FakeDaemon(tmp_path_factory.mktemp("fake")) as fake:
        yield fake


@pytest.fixture(scope="module")
def results(root, home, daemon, tmp_path_factory):
    """The whole script, run once."""
    gimp = Gimp(root, tmp_path_factory.mktemp("out"), home, daemon.directory)
    gimp.batch("special.py")
    return gimp


@pytest.fixture(scope="module")
def facts(results):
    """What the script noted."""
    return results.read("facts")


def array(results, name, height, width):
    samples = np.frombuffer((results.out / name).read_bytes(), np.uint8)
    return samples.reshape(height, width, -1).astype(int)


def test_a_selection_limits_the_effect(results, facts):
    before, after = (array(results, f"selection.{each}", 80, 100) for each in ("before", "after"))
    mask = array(results, "selection.mask", 70, 90)[..., 0]
    changed = (before != after).any(axis=2)[5:75, 5:95]
    assert not changed[mask == 0].any()
    assert changed[mask == 255].mean() > 0.3
    assert ((mask > 0) & (mask < 255)).any(), "the soft edge of the selection is lost"
    assert facts["selection kept"]
    assert facts["limit survives a re-render"]
    assert facts["source stays visible under a selection"]


def test_a_blended_source_is_replaced_not_doubled(results, facts):
    assert facts["blend"] == [50.0, "screen", False]
    assert facts["blend mask"] == [128]
    before, after = (array(results, f"blend.{each}", 80, 100) for each in ("before", "after"))
    subject = np.zeros((80, 100), bool)
    subject[5:75, 5:95] = maps(90, 70)[0] > 0
    # a group is blended in 8 bits: half of 3/255 is lost twice
    assert np.abs(before - after)[subject].max() <= 4, "the subject looks different"
    assert (before != after).any()


def test_a_half_transparent_source_is_not_doubled_by_a_selection(results, facts):
    tree, visible = facts["soft selection"]
    assert tree == [["Bokeh", ["Mask", "Depth", "Composite", "Unblurred"]], "veil", "photo"]
    assert visible == [True, False, False, True, False]
    before, after = (array(results, f"soft.{each}", 80, 100) for each in ("before", "after"))
    limit = array(results, "soft.limit", 70, 90)[..., 0]
    changed = (np.abs(before - after) > 1).any(axis=2)[5:75, 5:95]
    subject = maps(90, 70)[0] > 0
    assert not changed[limit == 0].any(), "it looks different outside of the selection"
    assert not changed[subject].any(), "the subject looks different"
    assert changed[(limit == 255) & ~subject].mean() > 0.3
    alpha = [array(results, f"soft.{each}", 80, 100) for each in ("alpha before", "alpha")]
    assert np.abs(alpha[0] - alpha[1]).max() <= 1


def test_a_retouched_half_transparent_source_is_seen_inside_and_outside_of_the_limit(
    results, facts
):
    assert facts["soft limit kept"]
    again = array(results, "soft.again", 80, 100)
    outside = array(results, "soft.limit", 70, 90)[:10, :, 0] == 0
    assert (again[5:15, 5:95, :3][outside] >= 254).all()


def test_the_group_goes_right_above_its_source(facts):
    assert facts["nested"] == [
        ["outer", ["top", ["Bokeh", ["Mask", "Depth", "Composite"]], "photo"]]
    ]
    assert facts["nested offsets"] == [11, 7]
    assert facts["active"] == ["Composite"]


def test_an_active_layer_mask_stands_for_its_layer(facts):
    assert facts["active mask"] == 4


def test_non_destructive_filters_are_part_of_the_picture(results, facts):
    raw, composite = (array(results, f"filter.{each}", 48, 64) for each in ("raw", "composite"))
    inside = maps(64, 48)[0] > 0
    assert np.abs(255 - raw - composite)[inside].max() <= 1
    assert facts["filter stays"] == 1
    assert facts["source as before"]


def test_a_filter_that_draws_around_its_layer_moves_nothing(results, facts):
    assert facts["grown"] == [64, 48, 20, 10]
    before, after = (array(results, f"grown.{each}", 80, 100) for each in ("before", "after"))
    inside = np.zeros((80, 100), bool)
    inside[10:58, 20:84] = maps(64, 48)[0] > 0
    assert np.array_equal(before[inside], after[inside])


def test_reading_a_layer_with_filters_leaves_no_trace(facts):
    assert "is empty" in facts["filtered and refused"]
    assert facts["untouched"] == [False, 0]


def test_how_a_map_is_shown_does_not_change_it(facts):
    assert facts["looks of a map"]
    assert facts["looks of the maps"]


def test_a_filter_on_a_map_counts_as_it_is_seen(results, facts, daemon):
    seen = array(results, "filtered mask.seen", 80, 100)[10:58, 20:84, 0]
    read = array(results, "filtered mask.read", 80, 100)[10:58, 20:84, 0]
    assert np.abs(seen - read).max() <= 1  # one of them was blended
    assert ((read > 0) & (read < 255)).mean() > 0.2, "the mask is not blurred"
    assert facts["map's filter stays"] == 1
    before, after = [each["depth"] for each in daemon.heard if each["type"] == "render"][-2:]
    assert before is None, "an unedited map was sent"
    inverted = 255 - np.rint(maps(64, 48)[1] * 255).astype(np.uint8)
    assert after["digest"] == hashlib.sha256(inverted).hexdigest()


def test_depth_map(results, facts):
    name, offsets, tree = facts["depth"]
    assert (name, offsets, tree) == ("Depth map", [20, 10], ["Depth map", "photo"])
    expected = np.rint(maps(64, 48)[1] * 255)
    assert np.array_equal(array(results, "tools.depth", 48, 64)[..., 0], expected)


def test_select_subject(results, facts):
    expected = np.rint(maps(64, 48)[0] * 255)
    assert np.array_equal(array(results, "tools.selection", 48, 64)[..., 0], expected)
    rows, columns = np.nonzero(expected)
    bounds = [columns.min() + 20, rows.min() + 10, columns.max() + 21, rows.max() + 11]
    assert facts["selection bounds"] == bounds
    assert facts["channels"] == 0
    assert facts["subtracted"]


@pytest.mark.parametrize("precision", ["U8_NON_LINEAR", "U16_NON_LINEAR"])
def test_the_greys_of_a_mask_are_how_much_is_selected(facts, precision):
    assert facts[f"greys {precision}"] == list(range(0, 256, 4))


def test_settings_gives_the_state(facts):
    assert facts["state"]["up"]
    assert facts["state"]["worker"] == "idle"
