"""The pictures in the lists of presets are what the renderer makes of a point of light."""

from __future__ import annotations

import numpy as np
from PIL import Image

from daemon.light.discs import DISCS, disc
from daemon.light.parameters import BLADES, PRESETS
from tests.light import discs


def test_the_pictures_are_the_renderers_kernels():
    drawn = discs.drawn()
    assert {path.stem for path in DISCS.iterdir()} == set(drawn), "`python -m tests.light.discs`"
    for name, picture in drawn.items():
        kept = np.asarray(Image.open(DISCS / f"{name}.png"))
        assert kept.shape == (discs.SIDE, discs.SIDE)
        assert np.abs(kept.astype(int) - picture).max() <= 2, "run `python -m tests.light.discs`"
        assert kept.max() == 255
        assert not kept[[0, -1]].any() or name in {"paper", "cinema"}, "nothing is cut off"


def test_every_preset_has_a_picture():
    for name, look in PRESETS.items():
        if look:
            assert disc(look) == DISCS / f"{name}.png"
    own = {**PRESETS["natural"], "aperture": "octagon", "ring": 0.2}
    assert disc(own) == DISCS / "octagon.png"
    assert disc({**PRESETS["paper"], "bins": 9}) == DISCS / "paper.png"
    assert all((DISCS / f"{shape}.png").exists() for shape in BLADES)
