"""Small labelled data sets, drawn on the spot."""

from __future__ import annotations

import cv2
import numpy as np
import pytest


def draw(index):
    """A bright ellipse (the person) on a dark ramp, with its mask and disparity."""
    rng = np.random.default_rng(index)
    ramp = np.linspace(20, 90, 96, dtype=np.uint8)
    rgb = np.dstack([np.tile(ramp[:, None], (1, 72))] * 3)
    mask = np.zeros((96, 72), np.uint8)
    centre = (int(rng.integers(25, 47)), int(rng.integers(35, 60)))
    cv2.ellipse(mask, centre, (14, 26), 0, 0, 360, 255, -1)
    rgb[mask > 0] = rng.integers(150, 250, 3)
    depth = np.where(mask > 0, 220, ramp[:, None]).astype(np.uint8)
    return rgb, mask, depth


@pytest.fixture
def portraits(tmp_path):
    """Thirty pictures in the portraits layout."""
    folder = tmp_path / "data" / "drawn"
    folder.mkdir(parents=True)
    for index in range(30):
        rgb, mask, depth = draw(index)
        cv2.imwrite(str(folder / f"{index:03d}.jpg"), rgb[..., ::-1])
        cv2.imwrite(str(folder / f"{index:03d}_mask.png"), mask)
        cv2.imwrite(str(folder / f"{index:03d}_depth.png"), depth[::2, ::2])
    return tmp_path / "data"
