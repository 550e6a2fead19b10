"""The dialog on a real screen: preview, click, OK, one Ctrl+Z, painted mask, XCF."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="module")
def facts(play):
    """What was noted on both sides of the screen."""
    gimp = play("dialog_gimp.py", "dialog_desk.py")
    return {
        **gimp.read("facts"),
        "geometry": gimp.read("geometry"),
        "complaints": gimp.complaints(),
    }


def test_the_dialog_fits_a_small_screen(facts):
    left, top, width, height = facts["geometry"]
    assert 0 <= left <= 1366 - width
    assert 0 <= top <= 768 - height
    assert height <= 715  # leaves room for the bars of a desktop


def test_nothing_is_complained_about_in_the_terminal(facts):
    assert facts["complaints"] == [], facts["complaints"]


def test_cancel_leaves_the_image_alone(facts):
    assert facts["cancelled"] == ["Background"]


def test_ok_gives_the_layers_and_one_undo_removes_them(facts):
    assert facts["made"] == [["Bokeh", ["Mask", "Depth", "Composite"]], "Background"]
    assert facts["active"] == ["Composite"]
    assert facts["undone"] == ["Background"]


def test_a_click_in_the_preview_moves_the_focus(facts):
    parameters = facts["parameters"]
    assert parameters["focus"] == "point"
    assert parameters["focus_x"] == pytest.approx(0.87, abs=0.01)
    assert parameters["focus_y"] == pytest.approx(0.22, abs=0.01)


def test_repeat_filter_forgets_a_point_of_another_photo(facts):
    assert facts["repeated elsewhere"] == "subject"
    assert facts["repeated"] == "point"


def test_a_painted_mask_changes_the_re_render_and_undo_brings_it_back(facts):
    assert facts["paint changed"]
    assert facts["paint sharp"]
    layers = [["Bokeh", ["Mask", "Depth", "Composite"]], "Background"]
    assert facts["re-render undone"] == [layers, True]


def test_xcf_round_trip(facts):
    assert facts["again the same"]
    assert facts["reopened the same"]
    assert facts["reopened"] == [["Bokeh", ["Mask", "Depth", "Composite"]], "Background"]
