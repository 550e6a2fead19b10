"""Selections, blending, groups, the small tools, the docker, and everything that can go wrong."""

from __future__ import annotations

import numpy as np
import pytest


@pytest.fixture(scope="module")
def facts(stage):
    """What was noted."""
    return stage.facts("special")


def array(stage, name, channels=4):
    samples = np.frombuffer((stage.out / name).read_bytes(), np.uint8)
    return samples.reshape(120, 120, channels).astype(int)


@pytest.mark.parametrize("name", ["selection", "rest"])
def test_a_selection_limits_the_effect(stage, facts, name):
    before, after = (array(stage, f"{name}.{each}") for each in ("before", "after"))
    changed = (np.abs(before - after) > 1).any(axis=2)
    assert not changed[:, 60:].any()
    assert changed[:, :60].mean() > 0.2
    assert facts["selection stays"] == 60


def test_a_half_transparent_source_is_shown_where_nothing_is_selected(facts):
    assert facts["rest"] == [["Bokeh", ["Composite", "Mask", "Depth", "Unblurred"]], "Background"]


def test_a_blended_source_is_replaced_not_doubled(stage, facts):
    assert facts["blended"] == [128, "screen", True, False]
    before, after = (array(stage, f"blended.{each}") for each in ("before", "after"))
    subject = array(stage, "u8.mask")[..., 0] == 255
    assert np.abs(before - after)[subject].max() <= 1, "the subject looks different"
    assert (before != after).any()


def test_the_group_goes_right_above_its_source_which_may_be_a_group(facts):
    inner = ["outer", [["Bokeh", ["Composite", "Mask", "Depth"]], "photo"]]
    assert facts["nested"] == [inner, "Background"]
    assert facts["a group"] == [["Bokeh", ["Composite", "Mask", "Depth"]], inner, "Background"]


def test_select_subject(stage, facts):
    selected = array(stage, "tools.selection", 1)
    mask = array(stage, "u8.mask")
    assert np.array_equal(selected[..., 0], mask[..., 0])  # the same photo, the same networks
    assert 0.2 < (selected == 255).mean() < 0.8
    assert facts["painted selection"]


def test_depth_map(stage, facts):
    assert facts["depth map"] == ["Depth map", "Background"]
    assert np.array_equal(array(stage, "tools.depth"), array(stage, "u8.depth"))


def test_focus_here(facts):
    assert "is in no Bokeh group" in facts["focus without a group"]
    assert facts["focus before"] == "subject"
    kind, x, y = facts["focus"]
    assert (kind, x, y) == ("point", pytest.approx(102 / 120), pytest.approx(24 / 120))


def test_the_status_window_asks_the_daemon(facts):
    assert "Daemon: running" in facts["status"]
    assert "portrait (matte)" in facts["status"]


def test_the_docker_renders_and_cancels_and_lets_go_of_a_closed_picture(facts):
    assert facts["docker is busy"] == "Cancel"
    assert facts["docker made"] == [["Bokeh", ["Composite", "Mask", "Depth"]], "Background"]
    assert facts["docker cancelled"] == ["Render", False, True]
    assert facts["docker let go"] in {"", "The picture was closed."}


def test_cancel_while_the_result_is_computed_leaves_the_document_alone(facts):
    assert facts["cancelled in the dialog"] == ["Background"]
    assert facts["left open"] == []


@pytest.mark.parametrize(
    ("case", "words"),
    [
        ("CMYK", "Convert Image Color Space"),
        ("empty", "is empty (fully transparent)"),
        ("damaged", "are damaged"),
        ("nothing open", "no picture open"),
    ],
)
def test_what_cannot_be_blurred_is_refused_with_the_next_step(facts, case, words):
    assert words in facts["refused"][case]


def test_a_result_for_a_picture_that_was_changed_or_closed_is_left_out(facts):
    said, tree = facts["changed"]
    assert "was changed while its blur was computed" in said
    assert tree == ["Background"]
    assert "was changed while its blur was computed" in facts["closed"]


def test_a_daemon_that_dies_or_is_not_there_is_one_message_and_no_change(facts):
    assert "stopped before the picture was ready" in facts["broken"]
    assert "daemon is not running" in facts["nobody"]
    assert facts["unchanged"] == [["Background"], True]
    assert facts["works again"] == ["Depth map", "Background"]
