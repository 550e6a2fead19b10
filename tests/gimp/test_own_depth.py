"""The depth map that a phone keeps in a photo's file is the Depth layer in GIMP."""

from __future__ import annotations

import base64

import cv2
import numpy as np
import pytest

from tests.bokeh_core.picture.corpus import made

SIDE = 120
CODES = np.tile(np.linspace(255, 0, SIDE // 2).astype(np.uint8), (SIDE // 2, 1))
"""Near at the right, 0 = near: as no network would see the portrait."""
NEAR = np.tile(np.linspace(0, 1, SIDE), (SIDE, 1))


@pytest.fixture(scope="module")
def depths(gimp, portrait):
    """Open such a photo; gives a depth map by what was done before."""
    data = base64.b64encode(cv2.imencode(".png", CODES)[1].tobytes()).decode()
    space = "http://ns.google.com/photos/1.0/depthmap/"
    packet = made.xmp({"GDepth:Format": "RangeInverse", "GDepth:Data": data}, {"GDepth": space})
    photo = made.jpeg(portrait, (0xE1, b"http://ns.adobe.com/xap/1.0/\0" + packet))
    files = [gimp.out / f"{name}.jpg" for name in ("own", "off", "turned", "cropped", "gone")]
    for file in files:
        file.write_bytes(photo)
    gimp.batch("own_depth.py", timeout=300, files=files)

    def read(name, side=SIDE):
        codes = np.frombuffer((gimp.out / name).read_bytes(), np.uint8)
        return codes.reshape(side, side) / 255

    return read


def alike(depth, wanted):
    """The same but for the photo's edges, which the map follows."""
    np.testing.assert_allclose(depth, wanted, atol=0.25)
    assert np.abs(depth - wanted).mean() < 0.02


@pytest.mark.parametrize("name", ["own", "again"])
def test_depth_is_the_files(depths, name):
    alike(depths(name), NEAR)


def test_it_follows_a_turned_image(depths):
    alike(depths("turned"), np.rot90(NEAR, -1))


def test_switched_off_or_without_the_file_it_is_estimated(depths):
    estimated = depths("off")
    assert np.abs(estimated - NEAR).mean() > 0.1
    np.testing.assert_array_equal(depths("gone"), estimated)


def test_a_cropped_image_has_an_estimated_depth(depths):
    assert np.abs(depths("cropped", 90) - NEAR[20:110, 10:100]).mean() > 0.1
