"""The dialog in a real Krita: preview, click, OK, Undo, painted mask, .kra."""

from __future__ import annotations

import pytest

GROUP = ["Bokeh", ["Composite", "Mask", "Depth"]]
PAINTED = ["renamed", ["Composite", "what I painted", "Depth"]]


@pytest.fixture(scope="module")
def facts(stage):
    """What was noted at the dialog."""
    return stage.facts("dialog")


def test_the_entries_are_in_the_menu(facts):
    assert facts["menu"] == [
        "Bokeh...",
        "Bokeh: Re-render",
        "Bokeh: Focus Here",
        "Bokeh: Select Subject",
        "Bokeh: Depth Map",
        "Bokeh: Settings and Status...",
    ]


def test_the_dialog_fits_a_small_screen(facts):
    left, top, width, height = facts["geometry"]
    assert 0 <= left <= 1366 - width
    assert 0 <= top <= 768 - height


def test_presets_are_chosen_saved_changed_and_deleted(facts):
    assert facts["presets"] == [
        "Natural portrait",
        "Dreamy, wide open",
        "Ulla",
        "Ulla, changed",
        1.2,
        "Dreamy, wide open",  # whose look it has
        [],
    ]


def test_cancel_leaves_the_document_alone(facts):
    assert facts["cancelled"] == facts["opened"] == ["Background"]


def test_a_click_in_the_preview_moves_the_focus(facts):
    chosen = facts["parameters"]
    assert chosen["focus"] == "point"
    assert (chosen["focus_x"], chosen["focus_y"]) == pytest.approx((0.85, 0.2), abs=0.01)


def test_every_view_shows_another_picture(facts):
    assert facts["views"] == 4


def test_ok_gives_the_layers_and_one_undo_removes_them(facts):
    assert facts["made"] == [GROUP, "Background"]
    assert facts["active"] == "Composite"
    assert facts["visible"] == [True, False, False]
    assert facts["undone"] == [["Background"], True]


def test_a_painted_mask_changes_the_re_render_and_two_undos_bring_the_group_back(facts):
    assert facts["painting changed"]
    assert facts["painted is sharp"]
    assert facts["re-rendered"] == [PAINTED, "Background"]
    assert facts["twice undone"] == [[PAINTED, "Background"], True]
    assert facts["again the same"]


def test_a_composite_that_was_painted_on_stays_hidden_beside_the_new_one(facts):
    assert facts["by hand"][0][1][:2] == ["Composite", "Composite, painted by hand"]
    assert facts["by hand is hidden"] == [False, True]


def test_kra_round_trip(facts):
    assert facts["saved"]
    assert facts["reopened"] == [PAINTED, "Background"]
    assert facts["its settings"] == 1.4
    assert facts["reopened the same"]


@pytest.mark.parametrize("scene", ["dialog", "layers", "special"])
def test_no_window_is_left_and_krita_complains_of_nothing(stage, scene):
    assert stage.facts(scene)["left open"] == []
