"""Two people in the dialog: outlined under the pointer, kept whole by a click."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

WIDTH, HEIGHT = 1024, 512


def twice(gimp):
    """Put the same person beside herself into the photo."""
    photo = gimp.out / "photo.png"
    with Image.open(photo) as opened:
        one = np.asarray(opened.convert("RGB"))
    Image.fromarray(np.concatenate([one, one[:, ::-1]], axis=1)).save(photo)


@pytest.fixture(scope="module")
def played(play):
    """Play the scene; gives its GIMP."""
    return play("people_gimp.py", "people_desk.py", timeout=500, ready=twice)


def pixels(gimp, name):
    """Return (512, 1024, 3) of a layer."""
    data = np.frombuffer((gimp.out / name).read_bytes(), np.uint8)
    return data.reshape(HEIGHT, WIDTH, 3).astype(int)


def test_clicks_choose_people_and_one_step_leads_back(played):
    facts = played.read("steps")
    assert all(facts.values()), facts


def test_the_one_clicked_is_sharp_as_a_whole_and_the_other_blurs_at_the_same_distance(played):
    mask, source, composite = (pixels(played, name) for name in ("mask", "source", "composite"))
    assert played.read("settings")["people"] == "chosen"
    face, sleeve = np.s_[100:160, 200:240], np.s_[320:400, 70:110]
    for part in (face, sleeve):
        rows, columns = part
        other = np.s_[rows, WIDTH - columns.stop : WIDTH - columns.start]
        assert mask[other].min() > 250
        np.testing.assert_array_equal(composite[other], source[other])
        assert mask[part].max() < 5
        assert np.abs(composite[part] - source[part]).mean() > 1.5
