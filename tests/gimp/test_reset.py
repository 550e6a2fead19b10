"""*Reset* brings back what it says, all of it, and one step takes it back."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="module")
def facts(play):
    """What the dialog was after each step."""
    return play("reset_gimp.py").read("facts")


def test_the_scene_changes_all_that_can_be_reset(facts):
    opened, changed = facts["opened"], facts["changed"]
    assert all(changed[name] != opened[name] for name in opened if name != "painted")
    assert changed["shown"]["Blur every_where"]
    assert facts["painted"]["painted"] == ["matte"]


def test_the_dialog_is_as_it_opened(facts):
    assert facts["reset"] == facts["opened"]


def test_a_reset_is_one_step_that_can_be_taken_back(facts):
    assert facts["reset taken back"] == facts["changed"]
    assert facts["all taken back"] == facts["opened"]


def test_as_for_a_new_photo_leaves_paint_out_and_brings_the_first_settings(facts):
    new = facts["new"]
    assert new["painted"] == []
    assert new["parameters"] == facts["opened"]["parameters"] != facts["painted"]["parameters"]
    assert facts["new taken back"] == facts["painted"]
