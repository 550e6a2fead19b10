"""Selections, masks, blending, groups, filters and the small tools; the daemon is a fake one."""

from __future__ import annotations

import numpy as np
import pytest

from tests.fakes.daemon import FakeDaemon, maps
from tests.gimp.conftest import Gimp


@pytest.fixture(scope="module")
def results(root, home, tmp_path_factory):
    """The whole script, run once."""
    runtime = tmp_path_factory.mktemp("fake")
    gimp = Gimp(root, tmp_path_factory.mktemp("out"), home, runtime)
    with FakeDaemon(runtime):
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
    assert tree == [["Bokeh", ["Composite", "Mask", "Depth", "Unblurred"]], "veil", "photo"]
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
        ["outer", ["top", ["Bokeh", ["Composite", "Mask", "Depth"]], "photo"]]
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


def test_settings_gives_the_state(facts):
    assert facts["state"]["up"]
    assert facts["state"]["worker"] == "idle"
