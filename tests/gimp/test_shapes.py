"""The list of apertures shows what a point of light becomes with each."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.gimp.conftest import Gimp

SAMPLE = Path(__file__).parents[2] / "bokeh_core/samples/astronaut.png"


def test_every_shape_has_its_picture_beside_its_words(root, home, daemon, tmp_path):
    gimp = Gimp(root, tmp_path, home, daemon)
    shutil.copy(SAMPLE, tmp_path / "photo.png")
    gimp.desktop("nobody_desk.py", "shapes_gimp.py")
    facts = gimp.read("facts")
    assert facts["shapes"]
    assert facts["different"] == facts["all"] == 6
