"""The strip of depths on a real screen: its ends set the focus range, by mouse and keyboard."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from daemon.light.depths import BEFORE, BEHIND


@pytest.fixture(scope="module")
def played(play):
    """Play the scene; gives its GIMP."""
    return play("depths_gimp.py", "depths_desk.py", timeout=300)


def test_the_ends_set_the_focus_and_its_range(played):
    settings = played.read("settings")
    assert settings["focus"] == "depth"
    low = settings["focus_depth"] - settings["focus_range"] / 2
    high = settings["focus_depth"] + settings["focus_range"] / 2
    assert low == pytest.approx(0.1, abs=0.006)
    assert high == pytest.approx(0.6, abs=0.02)


def test_show_depth_colours_what_is_before_and_behind(played):
    with Image.open(played.out / "depths-shown.png") as screen:
        seen = np.asarray(screen.convert("RGB"))[60:420, 170:530].reshape(-1, 3).astype(float)
    with Image.open(played.out / "around-subject.png") as screen:
        plain = np.asarray(screen.convert("RGB"))[60:420, 170:530].reshape(-1, 3).astype(float)
    tint = seen - plain
    for colour in (BEHIND, BEFORE):
        towards = np.array(colour, float) - plain
        along = (tint * towards).sum(1) / (towards**2).sum(1)
        assert (along > 0.35).mean() > 0.05
