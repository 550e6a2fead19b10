"""A picture as aperture in a real GIMP: chosen in the dialog, kept by Re-render, taken away."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from daemon.cli.aperture_file import kernel_in
from daemon.light.aperture_picture import kernel_of


def heart(path):
    """Draw a red heart on nothing, far from the middle of a large picture."""
    picture = np.zeros((700, 900, 4), np.uint8)
    x, y = np.meshgrid(np.linspace(-1.3, 1.3, 400), np.linspace(1.3, -1.3, 400))
    inside = (x**2 + y**2 - 1) ** 3 - x**2 * y**3 <= 0
    picture[250:650, 30:430][inside] = (40, 30, 220, 255)
    cv2.imwrite(str(path), picture)


def with_pictures(gimp):
    """Lay the files beside the photo that are chosen in the scene."""
    heart(gimp.out / "heart.png")
    (gimp.out / "words.png").write_text("no picture at all")
    cv2.imwrite(str(gimp.out / "black.png"), np.zeros((40, 40), np.uint8))


@pytest.fixture(scope="module")
def gimp(play):
    """GIMP after the scene."""
    return play("aperture_gimp.py", "aperture_desk.py", timeout=400, ready=with_pictures)


@pytest.fixture(scope="module")
def facts(gimp):
    """What was set and seen, step by step."""
    return gimp.read("facts")


def test_at_first_there_is_none(facts):
    opened = facts["opened"]
    assert (opened["picture"], opened["removable"], opened["shown"]) == ("", False, False)
    assert opened["greyed"] == ["curvature"], "the aperture is round"


def test_what_cannot_be_an_aperture_is_told_of_and_changes_nothing(facts):
    assert any("words.png cannot be read" in said for said in facts["words.png"]["said"])
    assert any("no light in this picture" in said for said in facts["black.png"]["said"])
    assert facts["words.png"]["picture"] == facts["black.png"]["picture"] == ""


def test_a_chosen_picture_is_that_of_the_command_line_and_previewed(facts, gimp):
    chosen = facts["heart.png"]
    assert chosen["greyed"] == ["aperture", "curvature", "ring"]
    assert (chosen["removable"], chosen["shown"]) == (True, True)
    assert chosen["said"] == facts["opened"]["said"], "no complaint is left"
    ours, theirs = np.array(kernel_in(gimp.out / "heart.png")), kernel_of(chosen["picture"])
    assert np.abs(ours - theirs).mean() < 4, "of 255: edges, shrunk by another hand"


def test_it_is_one_step_back(facts):
    assert facts["undone"]["picture"] == ""
    assert facts["the first preview again"]


def test_re_render_keeps_it_until_it_is_taken_away(facts, gimp):
    hearts, again, plain = (
        (gimp.out / name).read_bytes() for name in ("hearts", "hearts-again", "round")
    )
    assert hearts == again != plain
    assert facts["again"]["picture"] == facts["heart.png"]["picture"]
    assert facts["again"]["shown"]
    assert facts["removed"]["picture"] == ""


def test_a_damaged_one_of_a_script_is_refused(facts):
    assert "aperture picture is damaged" in facts["refused"]
