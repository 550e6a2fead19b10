"""The depth inside a file for its photo in an editor: turned, scaled, toned; never for another."""

import base64

import cv2
import numpy as np
import pytest

from bokeh_core.picture import maps_inside, to_linear
from tests.bokeh_core.picture.corpus import made
from tests.bokeh_core.picture.corpus.test_orientation import STORED
from tests.bokeh_core.picture.corpus.test_phone_depth import (
    GD,
    NEAR,
    beside,
    encoded,
    mpo,
    packet_segment,
    photo,
    right,
    small,
    stored_photo,
)


def with_gdepth(turn=1):
    data = base64.b64encode(encoded(small(1 - NEAR, turn))).decode()
    packet = made.xmp({"GDepth:Format": "RangeInverse", "GDepth:Data": data}, {"GDepth": GD})
    return stored_photo(turn, packet_segment(packet))


def turned(pixels, turn):
    return np.ascontiguousarray(STORED[turn](pixels))


@pytest.mark.parametrize("stored", [1, 6, 3])
@pytest.mark.parametrize("turn", range(1, 9))
def test_the_map_is_turned_as_the_picture_is(stored, turn):
    light = to_linear(turned(photo(), turn))
    found = maps_inside(with_gdepth(stored), light)
    assert found.depth.shape == light.shape[:2]
    back = {6: 8, 8: 6}.get(turn, turn)
    depth = turned(found.depth[..., None], back)[..., 0]
    np.testing.assert_allclose(depth[30:66, 36:74], 0.75, atol=0.12)
    np.testing.assert_allclose(depth[86:], 1.0, atol=0.12)
    np.testing.assert_allclose(depth[4:18], 0.0, atol=0.12)
    assert "inside the file" in found.depth_notes[0]


@pytest.mark.parametrize("factor", [0.5, 2.0])
def test_the_map_has_the_size_of_the_picture(factor):
    light = cv2.resize(to_linear(photo()), None, fx=factor, fy=factor)
    depth = maps_inside(with_gdepth(), light).depth
    assert depth.shape == light.shape[:2]
    y, x = round(48 * factor), round(55 * factor)
    assert depth[y, x] == pytest.approx(0.75, abs=0.12)


def test_other_tones_and_colours_do_not_matter():
    light = to_linear(photo()) ** 1.6 * np.array([1.2, 0.7, 0.4], np.float32)
    right(maps_inside(with_gdepth(), light.astype(np.float32)), atol=0.2)


@pytest.mark.parametrize(
    "part", [np.s_[:, :96], np.s_[10:90, 10:130], np.s_[::-1, 20:]], ids=["side", "all", "other"]
)
def test_a_cropped_picture_has_no_part_in_it(part):
    light = np.ascontiguousarray(to_linear(photo())[part])
    found = maps_inside(with_gdepth(), light)
    assert found.depth is None
    assert found.depth_notes == (
        "the depth map inside the file is not used: the picture was cropped or changed since",
    )


def test_a_portrait_matte_comes_too():
    matte = (NEAR == 0.75).astype(np.float32)
    data = mpo(6, beside(small(matte, 6), AuxiliaryImageType="urn:portraiteffectsmatte"))
    found = maps_inside(data, to_linear(photo()))
    assert found.matte[48, 55] > 0.95
    assert found.matte[10, 10] < 0.05
    assert found.matte_notes == ("the mask is the portrait matte inside the file",)


def test_files_without_maps_and_damaged_ones():
    light = to_linear(photo())
    for data in (stored_photo(1), encoded(photo())):
        found = maps_inside(data, light)
        assert (found.depth, found.matte, found.notes) == (None, None, ())
    whole = with_gdepth()
    for data in (
        b"",
        b"no picture",
        whole[:40],
        whole.replace(b'RangeInverse"', b"RangeInverse", 1),
    ):
        assert maps_inside(data, light).depth is None
    cut = maps_inside(whole[: len(whole) // 2], light)
    assert cut.depth is None
    assert all("\n" not in note for note in cut.notes)
