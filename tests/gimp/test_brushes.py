"""Brushes in the preview on a real screen: live, taken back step by step, kept in the layers."""

from __future__ import annotations

import numpy as np
import pytest

SIDE = 512


@pytest.fixture(scope="module")
def played(play):
    """Play the scene; gives its GIMP."""
    return play("brushes_gimp.py", "brushes_desk.py", timeout=400)


def pixels(gimp, name):
    """Return the (512, 512, 3) samples of a layer."""
    data = np.frombuffer((gimp.out / name).read_bytes(), np.uint8)
    return data.reshape(SIDE, SIDE, 3).astype(int)


def test_every_stroke_shows_and_each_is_one_step(played):
    facts = played.read("steps")
    assert all(facts.values()), facts


def test_ok_keeps_the_strokes_in_the_mask_and_obeys_them(played):
    mask, source, composite = (pixels(played, name) for name in ("mask", "source", "composite"))
    spot = np.s_[115:175, 385:415]  # on the shuttle, painted sharp
    sharp = mask[spot][..., 0] > 250
    assert sharp.any(axis=1).mean() > 0.9
    assert np.median(np.abs(composite[spot] - source[spot])[sharp]) <= 2
    assert mask[115:175, 330:370].max() < 30  # the wall beside it
    sleeve = np.s_[405:440, 70:80]  # painted blurred
    assert mask[sleeve].mean() < 60
    assert np.abs(composite[sleeve] - source[sleeve]).max() > 8


def test_a_re_render_starts_from_the_strokes(played):
    for name in ("mask", "depth"):
        np.testing.assert_array_equal(pixels(played, f"{name}-again"), pixels(played, name))
    # the maps in the layers have 8 bits, those that were computed with had more
    change = np.abs(pixels(played, "composite-again") - pixels(played, "composite"))
    assert change.mean() < 0.05
    assert np.percentile(change, 99.5) <= 2
